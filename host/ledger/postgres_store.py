"""One transaction of the ledger in PostgreSQL: every call is one statement, however many rows.

Rows go in as arrays (`unnest`) up to `UNNEST_COUNT`, above that by COPY. In a shared transaction the rows that arrivals
decide by are locked as they are read, sorted, and hot accounts (merchants, the school's) as late as can be.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, TypeVar, cast

from psycopg import Connection, Cursor
from psycopg.errors import LockNotAvailable

from host.errors import LedgerAway, RuleBroken
from host.ledger.columns import columns_beside_key, columns_of, stored_columns
from host.ledger.contract import Changes, Key, Value, Where
from host.ledger.postgres_arrays import IntArray, arrays, column_kinds, element_types, unnest
from host.ledger.postgres_schema import LOCK_CHAIN, guard, lock, portable, statement
from host.ledger.rows import LOCKED, Commit, Row
from host.ledger.schema import SEALED

R = TypeVar("R", bound=Row)

UNNEST_COUNT = 2_000
"""Rows above which COPY is faster (PERFORMANCE, "Ledger")."""
SLICE_COUNT = 2_000
"""Rows of a scan that are fetched at a time."""
READERS_TIMEOUT = "100ms"
"""What changes tables waits so long for readers, and everybody else behind it: a page is read in less, and a check is not waited for."""
DDL_TIMEOUT = "2s"
"""And so long, once they are out, for the server's own vacuum, which it breaks off after one second."""


class PostgresStore:
    """A `Store` (host/ledger/contract.py) over one connection inside a transaction."""

    def __init__(self, connection: Connection[Any], *, is_shared: bool = False) -> None:
        self._connection = connection
        self._is_shared = is_shared
        self._cursors = count(1)
        self.link: Commit | None = None
        """The last link of the chain that was written: what tells afterwards whether this transaction was committed."""
        self.has_written = False

    # Reading.

    def version(self) -> int | None:
        """See `Store.version`: there are other writers."""
        return None

    def get(self, kind: type[R], key: Key) -> R | None:
        """See `Store.get`."""
        row = self._execute(_select(kind, _has_key(kind), self._locking(kind)), key).fetchone()
        return kind(*row) if row else None

    def load(self, kind: type[R], keys: Sequence[Key]) -> list[R]:
        """See `Store.load`."""
        if not keys:
            return []
        names = ", ".join(kind.KEY)
        kinds = column_kinds(kind, kind.KEY)
        query = _select(kind, f"({names}) IN (SELECT * FROM {unnest(kinds)})", f"ORDER BY {names}{self._locking(kind)}")
        return [kind(*row) for row in self._execute(query, arrays(kinds, keys))]

    def spans(self, kind: type[R], column: str, spans: Sequence[tuple[int, int]], where: Where) -> list[R]:
        """See `Store.spans`."""
        if not spans:
            return []
        terms, values = _terms(kind, where)
        among = f"{column} BETWEEN span.low AND span.high"
        source = f"{kind.TABLE} JOIN {unnest((IntArray, IntArray))} AS span (low, high) ON {among}"
        locking = f"{self._locking(kind)} OF {kind.TABLE}" if self._locking(kind) else ""
        query = _select(kind, " AND ".join(terms) or "true", f"ORDER BY {', '.join(kind.KEY)}{locking}", source=source)
        return [kind(*row) for row in self._execute(query, [*arrays((IntArray, IntArray), spans), *values])]

    def find(self, kind: type[R], where: Where, *, limit: int | None = None, newest_first: bool = False) -> list[R]:
        """See `Store.find`."""
        terms, values = _terms(kind, where)
        order = ", ".join(column + (" DESC" if newest_first else "") for column in kind.KEY)
        tail = f"ORDER BY {order}" + ("" if limit is None else f" LIMIT {int(limit)}") + self._locking(kind)
        return [kind(*row) for row in self._execute(_select(kind, " AND ".join(terms) or "true", tail), values)]

    def scan(self, kind: type[R], *, order: Sequence[str] = ()) -> Iterator[R]:
        """See `Store.scan`."""
        tail = f"ORDER BY {', '.join(order or kind.KEY)}"
        return (kind(*row) for row in self._stream(_select(kind, "true", tail), ()))

    def scan_sealed(self, kind: type[R]) -> Iterator[tuple[R, bytes]]:
        """See `Store.scan_sealed`."""
        query = f"SELECT {', '.join(stored_columns(kind))} FROM {kind.TABLE} ORDER BY {', '.join(kind.KEY)}"
        return ((kind(*row[:-1]), row[-1]) for row in self._stream(query, ()))

    def highest(self, kind: type[Row], column: str) -> int:
        """See `Store.highest`."""
        assert column in columns_of(kind), column
        row = self._execute(f"SELECT coalesce(max({column}), 0) FROM {kind.TABLE}").fetchone()
        return cast(int, row[0]) if row else 0

    def damage(self) -> list[str]:
        """See `Store.damage`. Only a superuser may look at the server's files: `onecard check` names the tool that does, `pg_amcheck`."""
        return []

    def last_link(self) -> Commit | None:
        """See `Store.last_link`."""
        if self._is_shared:
            self._connection.execute(lock(LOCK_CHAIN))
        found = self.find(Commit, {}, limit=1, newest_first=True)
        return found[0] if found else None

    # Writing.

    def write(self, changes: Sequence[Changes]) -> None:
        """See `Store.write`."""
        self.has_written = True
        for change in changes:
            if change.deletes:
                self._delete(change.kind, change.deletes)
            if change.inserts:
                self._insert(change.kind, change.table or change.kind.TABLE, change.inserts, is_once=change.is_once)
            if change.updates:
                self._update(change.kind, change.updates)

    def add_up(self, deltas: Sequence[tuple[int, int, int]]) -> None:
        """See `Store.add_up`."""
        if not deltas:
            return
        self.has_written = True
        columns = arrays((IntArray, IntArray, IntArray), deltas)
        if self._is_shared:
            self._execute("SELECT number FROM accounts WHERE number = ANY(%s) ORDER BY number FOR NO KEY UPDATE", columns[2:])
        self._change(
            "UPDATE accounts SET balance_fen = accounts.balance_fen + delta.balance_fen, held_fen = accounts.held_fen + delta.held_fen "
            f"FROM {unnest((IntArray, IntArray, IntArray))} AS delta (balance_fen, held_fen, number) WHERE accounts.number = delta.number",
            columns,
            len(deltas),
        )

    def run(self, statement: str, values: Sequence[Value] = ()) -> Iterator[tuple[Any, ...]]:
        """See `Store.run`."""
        query = portable(statement)
        if values:
            query = query.replace("%", "%%").replace("?", "%s")
        verb = query.split(maxsplit=1)[0].upper()
        if verb in ("SELECT", "WITH"):
            return self._stream(query, values)
        self.has_written = True
        if verb in ("CREATE", "ALTER", "DROP"):
            return iter(self._change_tables(query))
        cursor = self._execute(query, values)
        return iter(cursor.fetchall() if cursor.description else ())

    def guard(self, table: str) -> None:
        """See `Store.guard`."""
        guard(self._connection, table)

    def _change_tables(self, query: str) -> tuple[()]:
        """Make or drop a table or a view, with no reader of ours about: `begin_reading` says why. Raises `LedgerAway` for one."""
        try:
            # Again for each: a job that failed has given the lock back with its savepoint.
            self._execute(f"SET LOCAL lock_timeout = '{READERS_TIMEOUT}'")
            self._execute("LOCK TABLE days IN ACCESS EXCLUSIVE MODE")
            self._execute(f"SET LOCAL lock_timeout = '{DDL_TIMEOUT}'")
            self._execute(query)
        except LockNotAvailable as error:
            raise LedgerAway(
                "账本有人在读 somebody reads the books, so no day is closed or archived: "
                "a host that serves tries again in half a minute; give a command again later"
            ) from error
        return ()

    def _insert(self, kind: type[Row], table: str, rows: Sequence[tuple[Any, ...]], *, is_once: bool) -> None:
        columns = stored_columns(kind)
        if rows[0][0] is None:  # the database numbers them
            columns, rows = columns[1:], [row[1:] for row in rows]
        kinds = column_kinds(kind, columns)
        head = f"{table} ({', '.join(columns)})"
        if len(rows) > UNNEST_COUNT and not is_once:
            with self._connection.cursor() as cursor, cursor.copy(statement(f"COPY {head} FROM STDIN (FORMAT BINARY)")) as copy:
                copy.set_types(element_types(kinds))
                for row in rows:
                    copy.write_row(row)
        else:
            once = " ON CONFLICT DO NOTHING" if is_once else ""
            self._execute(f"INSERT INTO {head} SELECT * FROM {unnest(kinds)}{once}", arrays(kinds, rows))
        if kind is Commit:
            self.link = Commit(*rows[-1])

    def _update(self, kind: type[Row], rows: Sequence[tuple[Any, ...]]) -> None:
        query, kinds = _update(kind)
        self._change(query, arrays(kinds, rows), len(rows))

    def _delete(self, kind: type[Row], keys: Sequence[Key]) -> None:
        kinds = column_kinds(kind, kind.KEY)
        names = ", ".join(kind.KEY)
        query = f"DELETE FROM {kind.TABLE} USING {unnest(kinds)} AS gone ({names}) WHERE {_same_key(kind, 'gone')}"
        self._change(query, arrays(kinds, keys), len(keys))

    def _change(self, query: str, values: Sequence[Any], row_count: int) -> None:
        """Run what changes so many rows, neither more nor fewer: nobody else can have taken one away."""
        found = self._execute(query, values).rowcount
        if found != row_count:
            raise RuleBroken(f"{row_count} rows were to change, {found} are there: {query}")

    def _locking(self, kind: type[Row]) -> str:
        # Not FOR UPDATE: what refers to an account need not wait.
        return " FOR NO KEY UPDATE" if self._is_shared and kind in LOCKED else ""

    def _execute(self, query: str, values: Sequence[Any] = ()) -> Cursor[tuple[Any, ...]]:
        return self._connection.execute(statement(query), values or None, binary=True)

    def _stream(self, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor(f"scan_{next(self._cursors)}", binary=True) as cursor:
            cursor.itersize = SLICE_COUNT
            cursor.execute(statement(query), values or None)
            yield from cursor


def _terms(kind: type[Row], where: Mapping[str, Value | tuple[int, int]]) -> tuple[list[str], list[Value]]:
    terms: list[str] = []
    values: list[Value] = []
    for column, value in where.items():
        assert column in columns_of(kind), column
        if value is None:
            terms.append(f"{column} IS NULL")
        elif isinstance(value, tuple):
            terms.append(f"{column} BETWEEN %s AND %s")
            values.extend(value)
        else:
            terms.append(f"{column} = %s")
            values.append(value)
    return terms, values


def _select(kind: type[Row], where: str, tail: str = "", *, source: str = "") -> str:
    return f"SELECT {', '.join(columns_of(kind))} FROM {source or kind.TABLE} WHERE {where} {tail}"


@cache
def _update(kind: type[Row]) -> tuple[str, tuple[type[Any], ...]]:
    others = (*columns_beside_key(kind), "seal") if kind.TABLE in SEALED else columns_beside_key(kind)
    kinds = column_kinds(kind, others + kind.KEY)
    sets = ", ".join(f"{column} = new.{column}" for column in others)
    names = ", ".join(others + kind.KEY)
    return f"UPDATE {kind.TABLE} SET {sets} FROM {unnest(kinds)} AS new ({names}) WHERE {_same_key(kind, 'new')}", kinds


def _has_key(kind: type[Row]) -> str:
    return " AND ".join(f"{column} = %s" for column in kind.KEY)


def _same_key(kind: type[Row], other: str) -> str:
    return " AND ".join(f"{kind.TABLE}.{column} = {other}.{column}" for column in kind.KEY)
