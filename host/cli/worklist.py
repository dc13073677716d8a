"""`onecard worklist`: what did not fit, and what became of it."""

from typing import Annotated

import typer

from host import worklist
from host.cli.options import DEFAULT_DATA, Data, opened, settings_of
from host.cli.output import print_table
from host.ledger.reports import yuan

app = typer.Typer(help="差错清单 The worklist.", rich_markup_mode=None)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="编号 an item's number")]

_HEADS = ("编号 number", "种类 kind", "时间 time", "终端 terminal", "地点 place", "记录 record", "金额 yuan", "状态 state")


@app.callback(invoke_without_command=True)
def list_open(
    context: typer.Context,
    with_closed: Annotated[bool, typer.Option("--all", help="全部 closed ones too")] = False,
    kind: Annotated[str, typer.Option(metavar="KIND", help="种类 only of this kind, as in docs/ledger.md")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """差错清单 What did not fit, oldest first, until somebody closes it.

    Example: onecard worklist --kind uncovered
    """
    if context.invoked_subcommand is not None:
        return
    with opened(data) as ledger:
        found = worklist.every(ledger, kind=kind, with_closed=with_closed)
    site = settings_of(data).site
    states = {True: "待办 open", False: "已结 closed"}
    print_table(_HEADS, [_cells(line, site.local_text(line.at_s), states[line.is_open]) for line in found])


@app.command()
def show(number: Number, data: Data = DEFAULT_DATA) -> None:
    """详情 One item, with its evidence and its record in words.

    Example: onecard worklist show 1
    """
    with opened(data) as ledger:
        found = worklist.show(ledger, number)
    site = settings_of(data).site
    states = {True: "待办 open", False: "已结 closed"}
    print_table(_HEADS, [_cells(found.line, site.local_text(found.line.at_s), states[found.line.is_open])])
    for head, lines in (("证据 evidence", found.evidence), ("记录 record", found.record)):
        for line in lines:
            typer.echo(f"{head}: {line}")


@app.command()
def close(
    number: Number,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="理由 what was found; it stands in the audit log")],
    data: Data = DEFAULT_DATA,
) -> None:
    """结案 Close an item, with a reason.

    Example: onecard worklist close 1 --reason "board replaced, journal collected"
    """
    with opened(data) as ledger:
        line = worklist.close(ledger, number, reason)
    typer.echo(f"已结 closed: item {line.number}, {line.kind}")


def _cells(line: worklist.ItemLine, at: str, state: str) -> tuple[object, ...]:
    amount = yuan(line.amount_fen) if line.amount_fen else ""
    return (line.number, line.kind, at, line.terminal or "", line.place, line.record, amount, state)
