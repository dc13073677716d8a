"""`onecard bill`: what a holder paid and got, newest first."""

from pathlib import Path
from typing import Annotated

import typer

from host import bills
from host.cli.options import DEFAULT_DATA, Data, HolderNumber, business_day, opened, settings_of
from host.cli.output import print_table
from host.ledger.bills import PAGE_COUNT, Wish
from host.ledger.clock import day_text


def bill(
    number: HolderNumber,
    begin: Annotated[str, typer.Option("--from", metavar="DATE", help="从 the first business day, as 2026-11-24")] = "",
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="到 the last business day")] = "",
    kind: Annotated[list[str] | None, typer.Option(metavar="KIND", help="类型 only these kinds: sale, recharge, ...")] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="行数 the most lines")] = PAGE_COUNT,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="文件 all of it as a spreadsheet opens it")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """账单 What a holder paid and got, newest first.

    Example: onecard bill 20260001 --from 2026-11-01 --to 2026-11-30

    Example: onecard bill 20260001 --csv bill.csv
    """
    wish = Wish(business_day(begin) if begin else 0, business_day(end) if end else 0, frozenset(kind or ()))
    site = settings_of(data).site
    with opened(data) as ledger:
        if csv is not None:
            csv.write_bytes(bills.export(ledger, number, wish))
            typer.echo(f"已写入 wrote {csv}")
            return
        # One more than is shown, to know whether there are more.
        holder, lines = bills.page(ledger, number, wish, limit=count + 1)
    typer.echo(f"{holder.name} {number}")
    print_table(bills.HEADS, [bills.cells(line, site.local_text(line.at_s)) for line in lines[:count]])
    if len(lines) > count:
        typer.echo(f"还有更多 there is more: --count N, or --to {day_text(lines[count].date)}")
