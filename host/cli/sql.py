"""`onecard sql`: an operator's own question to the ledger, on a connection that can only read."""

import sys
from typing import Annotated, Any

import typer

from host.cli.options import DEFAULT_DATA, Data, settings_of
from host.cli.output import print_table
from host.exports import to_csv
from host.queries import ask


def sql(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="一条查询 one statement that only reads")],
    csv: Annotated[bool, typer.Option("--csv", help="CSV 表 as a spreadsheet opens it")] = False,
    limit: Annotated[int, typer.Option(help="行数 the first so many rows")] = 1_000,
    data: Data = DEFAULT_DATA,
) -> None:
    """查询 Ask the ledger in SQL; nothing can be changed this way.

    Views with names and words: balances, statement_lines, movement_lines, open_holds, worklist, terminal_lags,
    card_states, sums_by_kind, audit_log (docs/ledger.md). Amounts are fen.

    Example: onecard sql "SELECT holder, holder_name, available_fen FROM balances ORDER BY available_fen LIMIT 5"

    Example: onecard sql --csv "SELECT * FROM worklist WHERE is_open = 1" > worklist.csv
    """
    found = ask(settings_of(data), data, statement, limit)
    rows = [tuple(map(_text, row)) for row in found.rows]
    if csv:
        sys.stdout.flush()
        typer.echo(to_csv(found.columns, rows), nl=False)
    else:
        print_table(found.columns, rows)
    if found.is_cut:
        typer.echo(f"只有前 only the first {limit} rows: there are more, give --limit", err=True)


def _text(value: Any) -> str:
    """A cell in one printable line; bytes in hexadecimal, nothing for NULL."""
    if isinstance(value, bytes):
        return value.hex()
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
