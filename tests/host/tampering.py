"""Somebody with a shell on the database, past every guard, who changes a row, takes one away or slips one in, and puts all back."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.sql import SQL, Identifier

from host.ledger.schema import SEALED
from tests.host.site import Site
from tests.postgres import ADMIN

Cells = dict[str, Any]


class Intruder:
    """Statements with `?`, on the books' own database, without triggers, constraints and references."""

    def __init__(self, site: Site) -> None:
        self._lite: sqlite3.Connection | None = None
        if site.url:
            self._server = psycopg.connect(site.url.replace("user=onecard", f"user={ADMIN}"), autocommit=True)
            self._server.execute("SET session_replication_role = replica")
            # The database is made anew when it is given back in another shape.
            self._server.execute("CREATE VIEW tampered AS SELECT 1 AS yes")
            for table, name in self.rows(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
            ):
                self._server.execute(SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(Identifier(table), Identifier(name)))
        else:
            self._lite = sqlite3.connect(site.path, isolation_level=None)
            self._lite.execute("PRAGMA ignore_check_constraints = ON")
            for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                self._lite.execute(f"DROP TRIGGER {name}")

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""
        if self._lite is not None:
            return self._lite.execute(statement, values).fetchall()
        cursor = self._server.execute(cast(Any, statement.replace("?", "%s")), values or None)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Go away."""
        if self._lite is not None:
            self._lite.close()
        else:
            self._server.close()

    def pick(self, table: str, columns: Sequence[str], order: str) -> Cells:
        """The last row of a table in that order, seal and all."""
        names = (*columns, "seal") if table in SEALED else tuple(columns)
        (row,) = self.rows(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order} LIMIT 1")
        return dict(zip(names, row, strict=True))

    @contextmanager
    def altered(self, table: str, row: Cells, column: str, value: Any) -> Generator[None]:
        """Change one cell, for a while."""
        self._set(table, row, column, value)
        try:
            yield
        finally:
            self._set(table, {**row, column: value}, column, row[column])

    @contextmanager
    def without(self, table: str, row: Cells) -> Generator[None]:
        """Take a row away, for a while."""
        self._delete(table, row)
        try:
            yield
        finally:
            self._insert(table, row)

    @contextmanager
    def with_another(self, table: str, row: Cells) -> Generator[None]:
        """Slip a row in, for a while."""
        self._insert(table, row)
        try:
            yield
        finally:
            self._delete(table, row)

    def _set(self, table: str, row: Cells, column: str, value: Any) -> None:
        where, values = _where(row)
        self.rows(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *values))

    def _delete(self, table: str, row: Cells) -> None:
        where, values = _where(row)
        self.rows(f"DELETE FROM {table} WHERE {where}", values)

    def _insert(self, table: str, row: Cells) -> None:
        self.rows(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def another(value: Any) -> Any:
    """A value of the same type that is not this one."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return bytes([value[0] ^ 1]) + bytes(value[1:]) if value else b"\1"


def _where(row: Cells) -> tuple[str, tuple[Any, ...]]:
    terms = " AND ".join(f"{column} IS NULL" if value is None else f"{column} = ?" for column, value in row.items())
    return terms, tuple(value for value in row.values() if value is not None)
