"""`onecard day`: business days, closed at their hour, archived, and what they came to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from host import days
from host.cli.options import DEFAULT_DATA, Data, business_day, opened, settings_of
from host.cli.output import print_table
from host.errors import EXIT_FAILED
from host.exports import to_csv
from host.ledger.clock import day_text
from host.ledger.day_report import DayReport, Takings
from host.ledger.reports import yuan

app = typer.Typer(help="营业日 Business days.", no_args_is_help=True, rich_markup_mode=None)

Date = Annotated[str, typer.Argument(metavar="[DATE]", help="营业日 as 2026-11-24; default: the last that was closed")]

_STATES = {"open": "未结 open", "closed": "已结 closed", "archived": "已归档 archived"}
_TAKINGS = ("商户 merchant", "终端 terminal", "原属 written on", "笔数 count", "收入 gross", "退回 back", "退回笔数 back count", "净额 net")


@app.command("list")
def list_all(data: Data = DEFAULT_DATA) -> None:
    """列表 All business days.

    Example: onecard day list
    """
    with opened(data) as ledger:
        found = days.every(ledger)
    site = settings_of(data).site
    rows = [
        (
            day_text(line.date),
            _STATES[line.state],
            site.local_text(line.opened_s),
            site.local_text(line.closed_s),
            line.movement_count if line.archived_s else "",
            yuan(line.moved_fen) if line.archived_s else "",
            f"等待 waits for {line.waiting} terminals" if line.waiting else "",
        )
        for line in found
    ]
    print_table(("营业日 day", "状态 state", "开始 from", "结束 closed", "变动 movements", "合计 moved", ""), rows)


@app.command()
def close(
    now: Annotated[bool, typer.Option("--now", help="提前 close the open day too, before its hour")] = False, data: Data = DEFAULT_DATA
) -> None:
    """日结 Close the days that are over; a host that serves does so by itself.

    Example: onecard day close

    Example: onecard day close --now
    """
    with opened(data, role="command") as ledger:
        closed = days.close(ledger, early=now)
    for date in closed:
        typer.echo(f"已结 closed {day_text(date)}")
    if not closed:
        typer.echo("没有到时的营业日 no day is over: --now closes the open one before its hour")


@app.command()
def archive(
    date: Annotated[str, typer.Argument(metavar="[DATE]", help="营业日 as 2026-11-24; default: all that are closed")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """归档 Move closed days into the archive; a host that serves does so by itself.

    Example: onecard day archive 2026-11-24
    """
    with opened(data) as ledger:
        if date:
            days.archive_one(ledger, business_day(date))
            done, waiting = [business_day(date)], []
        else:
            done, waiting = days.archive_closed(ledger)
    for one in done:
        typer.echo(f"已归档 archived {day_text(one)}")
    for error in waiting:
        typer.echo(str(error), err=True)
    if waiting:
        raise typer.Exit(EXIT_FAILED)
    if not done:
        typer.echo("没有可归档的营业日 no day is closed and not archived")


@app.command()
def report(
    date: Date = "",
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="文件 the merchants as a spreadsheet opens them")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """日报 What a business day came to, by merchant and terminal.

    Example: onecard day report 2026-11-24

    Example: onecard day report 2026-11-24 --csv day.csv
    """
    with opened(data) as ledger:
        found = days.report(ledger, business_day(date) if date else 0)
    if csv is not None:
        csv.write_bytes(to_csv(("营业日 day", *_TAKINGS), ((day_text(found.date), *row) for row in _takings(found))))
        typer.echo(f"已写入 wrote {csv}")
        return
    typer.echo(f"{day_text(found.date)} {_STATES[found.state]}: {found.movement_count} movements, {yuan(found.moved_fen)} yuan moved")
    typer.echo("")
    print_table(_TAKINGS, _takings(found))
    typer.echo("")
    kinds = [(kind, line.count, yuan(line.moved_fen)) for kind, line in sorted(found.kinds.items())]
    print_table(("类型 kind", "笔数 count", "合计 moved"), kinds)
    typer.echo("")
    print_table(("账户 accounts", "变动 change"), [(kind, yuan(amount_fen)) for kind, amount_fen in sorted(found.changes.items())])


def _takings(found: DayReport) -> Iterator[tuple[object, ...]]:
    """Each merchant: all of it, by terminal, and what of it was written on another business day."""
    for _, merchant in sorted(found.merchants.items()):
        yield (merchant.label, "", "", *_sums(merchant.all))
        for terminal, takings in sorted(merchant.terminals.items()):
            yield (merchant.label, terminal, "", *_sums(takings))
        for origin, takings in sorted(merchant.late.items()):
            yield (merchant.label, "", day_text(origin), *_sums(takings))


def _sums(takings: Takings) -> tuple[object, ...]:
    return (takings.count, yuan(takings.gross_fen), yuan(takings.back_fen), takings.back_count, yuan(takings.net_fen))
