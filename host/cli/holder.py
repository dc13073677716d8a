"""`onecard holder`: people and their accounts."""

from typing import Annotated

import typer

from host import holders
from host.cli.options import DEFAULT_DATA, Data, HolderNumber, class_number, opened
from host.cli.output import print_table
from host.ledger.reports import yuan

app = typer.Typer(help="持卡人 People and their accounts.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def add(
    number: HolderNumber,
    name: Annotated[str, typer.Argument(help="姓名 name")],
    holder_class: Annotated[str, typer.Option("--class", help="类别 student, staff, visitor, or a number to 15")] = "student",
    data: Data = DEFAULT_DATA,
) -> None:
    """开户 Open an account.

    Example: onecard holder add 20260001 张小雨
    """
    with opened(data) as ledger:
        holder = holders.add(ledger, number, name, class_number(holder_class))
    typer.echo(f"已开户 {holder.name} {holder.number}: account {holder.account}")


@app.command("list")
def list_all(data: Data = DEFAULT_DATA) -> None:
    """列表 All holders and what they have.

    Example: onecard holder list
    """
    with opened(data) as ledger:
        found = holders.every(ledger)
    rows = [
        (row.holder.number, row.holder.name, row.holder.holder_class, yuan(row.available_fen), yuan(row.held_fen), len(row.cards))
        for row in found
    ]
    print_table(("学号/工号 number", "姓名 name", "类别 class", "可用 available", "冻结 held", "卡 cards"), rows)
