"""`onecard subsidy`: batches of subsidies from a file."""

from pathlib import Path
from typing import Annotated

import typer

from host import subsidies
from host.cli.options import DEFAULT_DATA, Data, opened
from host.cli.output import print_table
from host.errors import EXIT_FAILED
from host.ledger.reports import yuan

app = typer.Typer(help="补助 Subsidies.", no_args_is_help=True, rich_markup_mode=None)

_SHOWN = 20
"""Lines and errors on the screen; nobody reads ten thousand."""


@app.command()
def pay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="文件 .csv or .xlsx: number and amount in yuan, a name if you like")],
    wallet: Annotated[str, typer.Option(help="钱包 into which wallet")],
    batch: Annotated[str, typer.Option(metavar="NUMBER", help="批次号 the batch's own number: it is never paid twice")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试算 only say what would be paid, and what is wrong")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """发放补助 Pay a batch, or what is missing of it. Nothing is paid unless every row is right.

    Example: onecard subsidy pay 2026-11.csv --wallet 餐补 --batch 2026-11 --dry-run
    """
    with opened(data, role="" if dry_run else "command") as ledger:
        act = subsidies.examine if dry_run else subsidies.pay
        plan = act(ledger, file, wallet=wallet, batch=batch)
    typer.echo(f"{file.name}: {plan.encoding}, {len(plan.lines)} 行 lines, {yuan(plan.amount_fen)} 元 yuan, wallet {wallet}, batch {batch}")
    if plan.errors:
        print_table(("行 row", "错误 what is wrong"), plan.errors[:_SHOWN])
        typer.echo(f"未发放 nothing was paid: {len(plan.errors)} rows are wrong", err=True)
        raise typer.Exit(EXIT_FAILED)
    left = len(plan.lines) - plan.paid_count
    if dry_run:
        lines = [(line.row, line.number, yuan(line.amount_fen)) for line in plan.lines[:_SHOWN]]
        print_table(("行 row", "学号/工号 number", "元 yuan"), lines)
        typer.echo(f"试算 dry run: {left} lines would be paid, {plan.paid_count} are paid already")
    elif not left:
        typer.echo("已发放过 this batch was paid before: nothing was paid again")
    else:
        typer.echo(f"已发放 {left} lines are paid" + (f", {plan.paid_count} were before" if plan.paid_count else ""))
