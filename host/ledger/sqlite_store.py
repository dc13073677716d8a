"""Rows in and out of SQLite, within a transaction."""

import json
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import starmap
from typing import Any, TypeVar, cast

from sqlite_utils import Database

from host.errors import RuleBroken
from host.ledger.columns import columns_beside_key, columns_of, stored_columns
from host.ledger.contract import Changes, Key, Value, Where
from host.ledger.rows import Commit, Movement, Row
from host.ledger.schema import SEALED, SQLITE, render
from host.ledger.sqlite_schema import guard

R = TypeVar("R", bound=Row)

_DAMAGE_COUNT = 20
"""Places named of a damaged file; a backup is restored anyway."""


_ADD_UP = "UPDATE accounts SET balance_fen = balance_fen + ?, held_fen = held_fen + ? WHERE number = ?"


class SqliteStore:
    """A `Store` (host/ledger/contract.py) over one connection inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def version(self) -> int | None:
        """See `Store.version`."""
        return cast(int, self._connection.execute("PRAGMA data_version").fetchone()[0])

    def get(self, kind: type[R], key: Key) -> R | None:
        """See `Store.get`."""
        row = self._connection.execute(_select_one(kind), key).fetchone()
        return kind(*row) if row else None

    def load(self, kind: type[R], keys: Sequence[Key]) -> list[R]:
        """See `Store.load`."""
        wanted = json.dumps([key[0] for key in keys] if len(kind.KEY) == 1 else keys)
        return list(starmap(kind, self._connection.execute(_select_many(kind), (wanted,))))

    def spans(self, kind: type[R], column: str, spans: Sequence[tuple[int, int]], where: Where) -> list[R]:
        """See `Store.spans`. One look-up for each span: a view of many tables is not joined well."""
        assert column in columns_of(kind), column
        terms, values = _terms(kind, where)
        query = f"{_select(kind)} WHERE {' AND '.join([f'{column} BETWEEN ? AND ?', *terms])} ORDER BY {column}"
        return [row for span in spans for row in starmap(kind, self._connection.execute(query, (*span, *values)))]

    def find(self, kind: type[R], where: Where, *, limit: int | None = None, newest_first: bool = False) -> list[R]:
        """See `Store.find`."""
        terms, values = _terms(kind, where)
        order = ", ".join(column + (" DESC" if newest_first else "") for column in kind.KEY)
        query = _select(kind) + (f" WHERE {' AND '.join(terms)}" if terms else "")
        query += f" ORDER BY {order}" + ("" if limit is None else f" LIMIT {int(limit)}")
        return list(starmap(kind, self._connection.execute(query, values)))

    def scan(self, kind: type[R], *, order: Sequence[str] = ()) -> Iterator[R]:
        """See `Store.scan`."""
        return starmap(kind, self._connection.execute(_select(kind) + _order(kind, tuple(order))))

    def scan_sealed(self, kind: type[R]) -> Iterator[tuple[R, bytes]]:
        """See `Store.scan_sealed`."""
        query = f"SELECT {', '.join(stored_columns(kind))} FROM {kind.TABLE}" + _order(kind, ())
        return ((kind(*row), seal) for *row, seal in self._connection.execute(query))

    def highest(self, kind: type[Row], column: str) -> int:
        """See `Store.highest`."""
        assert column in columns_of(kind), column
        return cast(int, self._connection.execute(f"SELECT coalesce(max({column}), 0) FROM {kind.TABLE}").fetchone()[0])

    def damage(self) -> list[str]:
        """See `Store.damage`. An index that lacks a row makes nobody's sum wrong, and hides a hold or a holder."""
        try:
            found = [str(row[0]) for row in self._connection.execute(f"PRAGMA integrity_check({_DAMAGE_COUNT})")]
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            return [str(error)]
        return [] if found == ["ok"] else found

    def last_link(self) -> Commit | None:
        """See `Store.last_link`. SQLite has one writer, so nobody else adds one."""
        newest = self.find(Commit, {}, limit=1, newest_first=True)
        return newest[0] if newest else None

    def write(self, changes: Sequence[Changes]) -> None:
        """See `Store.write`."""
        with _in_range():
            for change in changes:
                self._write(change)

    def add_up(self, deltas: Sequence[tuple[int, int, int]]) -> None:
        """See `Store.add_up`."""
        with _in_range():
            self._connection.executemany(_ADD_UP, deltas)

    def run(self, statement: str, values: Sequence[Value] = ()) -> Iterator[tuple[Any, ...]]:
        """See `Store.run`."""
        return iter(self._connection.execute(render(statement, SQLITE), values))

    def guard(self, table: str) -> None:
        """See `Store.guard`."""
        guard(Database(self._connection), table)

    def _write(self, change: Changes) -> None:
        kind, table = change.kind, change.table or change.kind.TABLE
        if change.deletes:
            self._connection.executemany(_delete(kind), change.deletes)
        if change.inserts:
            self._connection.executemany(_insert(kind, table, is_once=change.is_once), change.inserts)
        if change.updates:
            self._connection.executemany(_update(kind), change.updates)


@contextmanager
def _in_range() -> Generator[None]:
    try:
        yield
    except OverflowError as error:
        raise RuleBroken(f"数值过大 a number does not fit into 63 bits ({error})") from error


def _terms(kind: type[Row], where: Where) -> tuple[list[str], list[Value]]:
    terms: list[str] = []
    values: list[Value] = []
    for column, value in where.items():
        assert column in columns_of(kind), column
        if isinstance(value, tuple):
            terms.append(f"{column} BETWEEN ? AND ?")
            values.extend(value)
        else:
            terms.append(f"{column} IS ?")
            values.append(value)
    return terms, values


@cache
def _order(kind: type[Row], order: tuple[str, ...]) -> str:
    assert all(column in columns_of(kind) for column in order), order
    # The view over all days would be sorted by its archive's index, a look-up a row; the sorter keeps a file instead.
    mark = "+" if kind is Movement else ""
    return f" ORDER BY {', '.join(mark + column for column in (*order, *kind.KEY))}"


@cache
def _select(kind: type[Row]) -> str:
    return f"SELECT {', '.join(columns_of(kind))} FROM {kind.TABLE}"


@cache
def _select_one(kind: type[Row]) -> str:
    return f"{_select(kind)} WHERE {_has_key(kind)}"


@cache
def _select_many(kind: type[Row]) -> str:
    """By a JSON array of keys, each an array where there are several columns; in their order."""
    columns = ", ".join(f"t.{column}" for column in columns_of(kind))
    wanted = ["j.value"] if len(kind.KEY) == 1 else [f"json_extract(j.value, '$[{index}]')" for index in range(len(kind.KEY))]
    terms = " AND ".join(f"t.{column} = {value}" for column, value in zip(kind.KEY, wanted, strict=True))
    return f"SELECT {columns} FROM json_each(?) AS j CROSS JOIN {kind.TABLE} AS t WHERE {terms}"


@cache
def _insert(kind: type[Row], table: str, *, is_once: bool) -> str:
    columns = stored_columns(kind)
    beside = " ON CONFLICT DO NOTHING" if is_once else ""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}){beside}"


@cache
def _update(kind: type[Row]) -> str:
    # Without the key: setting it, even to itself, makes SQLite look for rows that refer to it.
    columns = (*columns_beside_key(kind), "seal") if kind.TABLE in SEALED else columns_beside_key(kind)
    return f"UPDATE {kind.TABLE} SET {', '.join(f'{column} = ?' for column in columns)} WHERE {_has_key(kind)}"


@cache
def _delete(kind: type[Row]) -> str:
    return f"DELETE FROM {kind.TABLE} WHERE {_has_key(kind)}"


def _has_key(kind: type[Row]) -> str:
    return " AND ".join(f"{column} = ?" for column in kind.KEY)
