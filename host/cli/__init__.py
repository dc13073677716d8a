"""The host's commands: `onecard init`, `holder`, `card`, `terminal`, `recharge`, `reserve`, `balance`, `check`, `serve`.

They work on the data folder beside a host that is serving, or without one. Exit codes: 0 done, 1 failed,
2 usage, 3 something missing, 4 busy, 130 cut short.
"""

from dataclasses import replace
from enum import StrEnum
from importlib import metadata
from typing import Annotated

import typer

from host import holders, reservations
from host.cli import backup, card, day, holder, subsidy, terminal, wallet, worklist
from host.cli.adjust import adjust, reverse
from host.cli.audit import audit
from host.cli.bill import bill
from host.cli.options import DEFAULT_DATA, Data, HolderNumber, RequestKey, begin_s, fen, local_time, opened, settings_of
from host.cli.output import Commands, print_table
from host.cli.prove import check
from host.cli.sql import sql
from host.errors import InvalidValue
from host.ledger.audit_log import note
from host.ledger.opening import create_data
from host.ledger.reports import yuan
from host.ledger.rows import BANK, CASH


class Source(StrEnum):
    """How a recharge was paid."""

    CASH = "cash"
    BANK = "bank"


_SOURCES = {Source.CASH: CASH, Source.BANK: BANK}

app = typer.Typer(
    name="onecard",
    help="一卡通 Onecard: an open campus-card system.",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(holder.app, name="holder")
app.add_typer(card.app, name="card")
app.add_typer(terminal.app, name="terminal")
app.add_typer(day.app, name="day")
app.add_typer(wallet.app, name="wallet")
app.add_typer(subsidy.app, name="subsidy")
app.add_typer(worklist.app, name="worklist")
app.command()(check)
app.command()(audit)
app.command()(sql)
app.command()(reverse)
app.command()(adjust)
app.command()(bill)
app.command()(backup.backup)
app.command()(backup.verify)
app.command()(backup.restore)
app.command("end-wait")(backup.end_wait)
app.command("collect-host")(backup.collect_host)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"onecard {metadata.version('onecard')}")
        except metadata.PackageNotFoundError:
            typer.echo("onecard (from a checkout)")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="版本 print the version")] = False,
) -> None:
    """一卡通 Onecard: an open campus-card system."""
    assert not version


@app.command()
def init(
    data: Data = DEFAULT_DATA,
    ledger: Annotated[
        str, typer.Option("--ledger", metavar="URL", help="账本 postgresql://ROLE@HOST/DATABASE: an empty database; without it a file")
    ] = "",
) -> None:
    """新建 Make a data folder.

    It has the settings with comments, the site key, and an empty ledger.

    Example: onecard init --data var
    """
    create_data(data, url=ledger)
    with opened(data) as made:
        made.commit(lambda books: note(books, "site.init", data.name))
    typer.echo(f"已建立 made {data}: look at {data / 'onecard.toml'}, and keep a copy of {data / 'keys'} in a safe place")


@app.command()
def recharge(
    number: HolderNumber,
    amount: Annotated[str, typer.Argument(metavar="YUAN", help="金额 amount in yuan")],
    by: Annotated[Source, typer.Option(help="方式 how it was paid")] = Source.CASH,
    request: RequestKey = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """充值 Pay into a holder's account: cash over the counter, or what came by bank.

    Repeated with the same --key, after a power cut for instance, it pays once.

    Example: onecard recharge 20260001 50.00 --key receipt-4711
    """
    amount_fen = fen(amount)
    with opened(data, role="command") as ledger:
        found = holders.recharge(ledger, number, amount_fen, source=_SOURCES[by], request=request)
    typer.echo(f"已充值 {yuan(amount_fen)} 元: {found.holder.name} {number} now has {yuan(found.available_fen)} available")


@app.command()
def balance(number: HolderNumber, data: Data = DEFAULT_DATA) -> None:
    """余额 What a holder has.

    Example: onecard balance 20260001
    """
    with opened(data) as ledger:
        found = holders.balance(ledger, number)
    typer.echo(f"{found.holder.name} {number}")
    rows = [
        ("可用 available", yuan(found.available_fen)),
        ("冻结 held", yuan(found.held_fen)),
        ("账户 account", yuan(found.account_fen)),
        *((f"钱包 wallet {name}", yuan(amount_fen)) for name, amount_fen in found.wallets),
        ("卡片钱包 purses", yuan(found.purses_fen)),
    ]
    print_table(("", "元 yuan"), rows)


@app.command()
def reserve(
    number: HolderNumber,
    stall: Annotated[int | None, typer.Argument(metavar="[TERMINAL]", help="终端 the shower's number; without it, list bookings")] = None,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help='开始 18:30 or "2026-11-24 18:30"; default: now')] = "",
    minutes: Annotated[int, typer.Option(min=1, max=240, help="时长 how long")] = 30,
    amount: Annotated[str, typer.Option(metavar="YUAN", help="预扣 set aside; default: one pre-deduction")] = "",
    request: RequestKey = "",
    cancel: Annotated[str, typer.Option(metavar="CODE", help="取消 cancel the booking with this code")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """预约淋浴 Book a shower, and print its code; list or cancel bookings.

    Example: onecard reserve 20260001 100 --from 18:30 --minutes 30

    Example: onecard reserve 20260001 --cancel 123456
    """
    if cancel and stall is not None:
        raise InvalidValue("--cancel takes the holder and the code, no terminal")
    settings = settings_of(data)
    zone = settings.site.timezone
    if cancel:
        with opened(data, role="command") as ledger:
            booking = reservations.cancel(ledger, number, cancel)
        typer.echo(f"已取消 cancelled: {yuan(booking.held_fen)} are free again once {booking.place} has confirmed")
    elif stall is None:
        with opened(data) as ledger:
            found = reservations.bookings_of(ledger, number)
        rows = [(row.code, row.place, *_times(row, zone), yuan(row.held_fen), row.state) for row in found]
        print_table(("预约码 code", "地点 place", "开始 from", "结束 until", "预扣 held", "状态 state"), rows)
    else:
        if request and not begin:
            raise InvalidValue("--key 要和 --from 一起用 needs --from: a booking repeated with its key must name the same time")
        from_s = begin_s(begin, zone)
        amount_fen = fen(amount) if amount else settings.shower.prededuct_fen
        with opened(data, role="command") as ledger:
            code = reservations.book(ledger, number, stall, from_s, from_s + minutes * 60, amount_fen, request=request)
        typer.echo(f"预约码 code {code}: {local_time(from_s, zone)}, {minutes} min, {yuan(amount_fen)} set aside")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="地址 address to listen on")] = "",
    port: Annotated[int, typer.Option(min=-1, max=65535, show_default=False, help="端口 port of the pages")] = -1,
    data: Data = DEFAULT_DATA,
) -> None:
    """运行 Serve the lines and the pages until Ctrl-C.

    Example: onecard serve --port 8420
    """
    # Here, so that the other commands do not load the web server.
    from host.serve import serve as run

    settings = settings_of(data)
    web = replace(settings.web, host=host or settings.web.host, port=settings.web.port if port < 0 else port)
    run(replace(settings, web=web), data)


def _times(row: reservations.Booking, zone: str) -> tuple[str, str]:
    return local_time(row.from_s, zone), local_time(row.until_s, zone)
