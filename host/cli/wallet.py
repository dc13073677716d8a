"""`onecard wallet`: the kinds of wallets holders may have."""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from host import wallets
from host.cli.options import DEFAULT_DATA, Data, local_time, opened, settings_of
from host.cli.output import print_table
from host.errors import InvalidValue
from host.ledger.opening import unix_seconds
from host.ledger.reports import yuan

app = typer.Typer(help="钱包 Wallets: money for some merchants, for some time.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="名称 name, as 补助")],
    giver: Annotated[str, typer.Option(help="出资方 whose money it is, and goes back to")],
    merchant: Annotated[list[str] | None, typer.Option(help="商户 who takes it; more than once for more; default: all")] = None,
    order: Annotated[int, typer.Option(min=0, max=99, help="次序 the lowest is spent first; the main account is last")] = 10,
    until: Annotated[str, typer.Option(metavar="DATE", help="到期日 the last day, as 2027-01-31; default: for ever")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """新钱包 Enter a kind of wallet.

    Example: onecard wallet add 餐补 --giver 学生处 --merchant 第一食堂 --until 2027-01-31
    """
    expires_s = _end_of(until, settings_of(data).site.timezone) if until else 0
    with opened(data) as ledger:
        wallets.add(ledger, name, giver=giver, merchants=merchant or (), spending_order=order, expires_s=expires_s)
    typer.echo(f"已添加 wallet {name}: pay into it with `onecard subsidy pay`")


@app.command("list")
def list_all(data: Data = DEFAULT_DATA) -> None:
    """列表 All kinds of wallets, and what holders have in them.

    Example: onecard wallet list
    """
    zone = settings_of(data).site.timezone
    with opened(data) as ledger:
        found = wallets.every(ledger)
    rows = [
        (
            each.wallet.name,
            each.giver,
            ", ".join(each.merchants) or "全部 all",
            each.wallet.spending_order,
            local_time(each.wallet.expires_s, zone) if each.wallet.expires_s else "-",
            each.holder_count,
            yuan(each.balance_fen),
        )
        for each in found
    ]
    print_table(("钱包 wallet", "出资方 giver", "商户 merchants", "次序 order", "到期 expires", "人数 holders", "元 yuan"), rows)


@app.command()
def expire(data: Data = DEFAULT_DATA) -> None:
    """到期退回 Give back what expired wallets have. A host that serves does it by itself.

    Example: onecard wallet expire
    """
    with opened(data, role="command") as ledger:
        count, amount_fen = wallets.expire(ledger, unix_seconds())
    typer.echo(f"已退回 {yuan(amount_fen)} 元 out of {count} wallets went back to their givers")


def _end_of(text: str, timezone: str) -> int:
    """The end of a day, in Unix seconds."""
    try:
        day = date.fromisoformat(text) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidValue(f"日期不对 date {text!r}: write it as 2027-01-31") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).timestamp())
