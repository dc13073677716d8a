"""An operator's own question to the ledger in a SQLite file: it can read, for a while, and nothing else.

Three locks, each enough by itself: the file is opened read-only, `query_only` is set, and an authorizer refuses
every act but reading, ATTACH and PRAGMA writes among them.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from host.errors import DataMissing, QueryWrong

QUERY_TIMEOUT_S = 60.0
"""A question that takes longer is put to a copy of the file."""

_STEPS = 100_000
"""Instructions of SQLite's machine between two looks at the clock: some milliseconds."""

_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_TELLS = frozenset({"table_info", "table_xinfo", "table_list", "index_list", "index_info", "user_version", "page_count", "page_size"})
"""Pragmas that only say something, without an argument that sets it."""
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "writefile", "edit", "fts3_tokenizer"})


def query(path: Path, text: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and the first `limit` rows of one statement that only reads.

    Raises `QueryWrong` with what SQLite says of it, `DataMissing` without the file.
    """
    if not path.exists():
        raise DataMissing(f"没有账本 no ledger at {path}: run `onecard init`, or restore a backup")
    try:
        with closing(sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(_may)
            ends = time.monotonic() + QUERY_TIMEOUT_S
            connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
            cursor = connection.execute(text)
            rows = cursor.fetchmany(limit)
            return [column[0] for column in cursor.description or ()], rows
    except (sqlite3.Error, sqlite3.Warning, ValueError, UnicodeError) as error:
        raise QueryWrong(f"查询不对 {_said(error)}") from error


def _may(act: int, first: str | None, second: str | None, _database: str | None, _source: str | None) -> int:
    if act == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second in _FORBIDDEN_FUNCTIONS else sqlite3.SQLITE_OK
    if act == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first in _TELLS else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if act in _READS else sqlite3.SQLITE_DENY


def _said(error: Exception) -> str:
    text = str(error)
    if text in ("not authorized", "authorization denied") or "prohibited" in text or "not authorized" in text:
        return "only reading is allowed here (SELECT, WITH): what changes something is a command of onecard"
    if text == "interrupted":
        return f"it took longer than {QUERY_TIMEOUT_S:.0f} s: ask for less, or ask a copy of the file (`onecard backup`)"
    return f"{text}: see the views in docs/ledger.md"
