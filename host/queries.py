"""Operators' own questions, on a connection that can only read, whatever database has the ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.errors import InvalidValue
from host.ledger import sqlite_query
from host.settings import Settings, is_on_server, ledger_path

MOST_ROWS = 100_000
"""Rows of one answer: they are in memory before they are printed."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of an answer; `is_cut`: there are more."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def ask(settings: Settings, data: Path, statement: str, limit: int) -> Found:
    """Run one statement that only reads. Raises `QueryWrong`, `InvalidValue`, and what opening the ledger raises."""
    if not 0 < limit <= MOST_ROWS:
        raise InvalidValue(f"行数不对 --limit {limit}: 1 to {MOST_ROWS}")
    if is_on_server(settings):
        # Here, as psycopg is installed only where it is used.
        from host.ledger import postgres_query

        columns, rows = postgres_query.query(settings.ledger.url, statement, limit + 1)
    else:
        columns, rows = sqlite_query.query(ledger_path(settings, data), statement, limit + 1)
    return Found(columns, rows[:limit], len(rows) > limit)
