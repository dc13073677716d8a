"""The ledger in one SQLite file: write-ahead log, every commit on disk before it counts.

`sqlite-utils` makes and migrates the schema; rows go through its connection directly. Every write begins
with BEGIN IMMEDIATE: a deferred one that reads first fails at once when another process has written
meanwhile, whatever the busy timeout. So `serve` and the command line can write side by side.
"""

import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from sqlite_utils import Database

from host.errors import AlreadyThere, DataMissing, LedgerAway, LedgerUnreadable
from host.keys import SiteKeys
from host.ledger.books import Books, key_of
from host.ledger.contract import Job, Key, Value
from host.ledger.process import Process, take_epoch
from host.ledger.rows import Movement, Row, columns_of
from host.ledger.schema import day_table
from host.ledger.sqlite_schema import APPLICATION_ID, is_behind, migrate, missing_guards
from host.settings import Settings

T = TypeVar("T")
R = TypeVar("R", bound=Row)

BUSY_TIMEOUT_S = 10.0
"""How long a commit waits for another process: many times the longest batch."""

_CACHE_KIB = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of one job of a batch."""

    result: T | None = None
    error: Exception | None = None

    def get(self) -> T:
        """The result, or the job's error raised."""
        if self.error is not None:
            raise self.error
        return cast(T, self.result)


class SqliteLedger:
    """A `Ledger` (host/ledger/contract.py) on one file.

    Any thread may use it; commits go one after the other. `clock` gives Unix seconds. Call `start` with
    the process's role before its first own record. Raises `DataMissing` without the file (`create` makes
    it), `LedgerUnreadable` for what is no ledger or a newer one.
    """

    def __init__(self, path: Path, *, keys: SiteKeys, settings: Settings, clock: Callable[[], int], create: bool = False) -> None:
        if not create and not path.exists():
            raise DataMissing(f"没有账本 no ledger at {path}: run `onecard init`, or restore a backup")
        if create and path.exists():
            raise AlreadyThere("账本 ledger", path, "it is never made anew")
        self._path = path
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._next_sequence = 1
        self._readers = threading.local()
        self._connection = _connect(path, create=create)
        try:
            self._prepare(create=create)
        except BaseException:
            self._connection.close()
            raise

    def start(self, role: str) -> Process:
        """Take a host process's number and a fresh epoch, committed before its first record. `role`: "serve" or "command"."""
        self._process = self.commit(lambda books: take_epoch(books, role))
        self._next_sequence = 1
        return self._process

    def commit(self, job: Job[T]) -> T:
        """See `Ledger.commit`."""
        return self.batch([job])[0].get()

    def batch(self, jobs: Sequence[Job[T]]) -> list[Outcome[T]]:
        """Run jobs in one commit. One that fails leaves nothing, and does not spoil the others.

        Raises `LedgerAway` when the commit itself fails: then nothing of any job stays.
        """
        with self._lock:
            sequence = self._next_sequence
            outcomes: list[Outcome[T]] = []
            with self._transaction():
                now_s = self._clock()
                for job in jobs:
                    outcome, sequence = self._run(job, sequence, now_s)
                    outcomes.append(outcome)
            self._next_sequence = sequence
            return outcomes

    def view(self, job: Job[T]) -> T:
        """See `Ledger.view`. Each thread has a connection of its own for it."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            return job(Books(SqliteStore(connection), keys=self._keys, settings=self._settings, now_s=self._clock()))
        except sqlite3.DatabaseError as error:
            raise LedgerAway(f"账本暂不可读 the ledger cannot be read ({error}): check the disk, then try again") from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file. Committed work needs no closing."""
        with self._lock:
            self._connection.close()

    def _run(self, job: Job[T], sequence: int, now_s: int) -> tuple[Outcome[T], int]:
        self._connection.execute("SAVEPOINT job")
        process = (self._process.terminal, self._process.epoch) if self._process else None
        books = Books(
            SqliteStore(self._connection),
            keys=self._keys,
            settings=self._settings,
            now_s=now_s,
            process=process,
            next_sequence=sequence,
        )
        try:
            result = job(books)
            books.finish()
        except Exception as error:  # handed to whoever gave the job
            if not self._connection.in_transaction:
                raise  # a disk error has rolled back the whole commit, not this job alone
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            away = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError)
            return Outcome(error=_away(error) if away else error), sequence
        self._connection.execute("RELEASE job")
        return Outcome(result=result), books.next_sequence

    @contextmanager
    def _transaction(self) -> Generator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _away(error) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _prepare(self, *, create: bool) -> None:
        database = Database(self._connection)
        try:
            if create:
                self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            found = self._connection.execute("PRAGMA application_id").fetchone()[0]
            if found != APPLICATION_ID:
                raise LedgerUnreadable(f"不是账本 {self._path} is no onecard ledger: put the right file back, or restore a backup")
            if is_behind(database):
                with self._transaction():
                    migrate(database)
            if guards := missing_guards(database):
                raise LedgerUnreadable(f"账本保护缺失 {self._path} lacks {', '.join(guards)}: somebody changed it; restore a backup")
        except sqlite3.DatabaseError as error:
            raise LedgerUnreadable(f"账本损坏 {self._path} is damaged or no ledger ({error}): restore a backup") from error

    def _reader(self) -> sqlite3.Connection:
        connection = cast("sqlite3.Connection | None", getattr(self._readers, "connection", None))
        if connection is None:
            connection = _connect(self._path, create=False)
            connection.execute("PRAGMA query_only = ON")
            self._readers.connection = connection
        return connection


class SqliteStore:
    """A `Store` (host/ledger/contract.py) over one connection inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, kind: type[R], key: Key) -> R | None:
        """See `Store.get`."""
        row = self._connection.execute(_select_one(kind), key).fetchone()
        return kind(*row) if row else None

    def find(
        self, kind: type[R], where: Mapping[str, Value | tuple[int, int]], *, limit: int | None = None, newest_first: bool = False
    ) -> list[R]:
        """See `Store.find`."""
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
        order = ", ".join(column + (" DESC" if newest_first else "") for column in kind.KEY)
        query = f"SELECT {', '.join(columns_of(kind))} FROM {kind.TABLE}" + (f" WHERE {' AND '.join(terms)}" if terms else "")
        query += f" ORDER BY {order}" + ("" if limit is None else f" LIMIT {int(limit)}")
        return [kind(*row) for row in self._connection.execute(query, values)]

    def scan(self, kind: type[R]) -> Iterator[R]:
        """See `Store.scan`."""
        query = f"SELECT {', '.join(columns_of(kind))} FROM {kind.TABLE} ORDER BY {', '.join(kind.KEY)}"
        return (kind(*row) for row in self._connection.execute(query))

    def highest(self, kind: type[Row], column: str) -> int:
        """See `Store.highest`."""
        assert column in columns_of(kind), column
        return cast(int, self._connection.execute(f"SELECT coalesce(max({column}), 0) FROM {kind.TABLE}").fetchone()[0])

    def write(self, *, inserts: Sequence[Row], updates: Sequence[Row], deletes: Sequence[Row]) -> None:
        """See `Store.write`."""
        for kind, rows in _by_table(deletes):
            self._connection.executemany(_delete(kind), [key_of(row) for row in rows])
        for kind, rows in _by_table(inserts):
            table = self._open_table() if kind is Movement else kind.TABLE
            self._connection.executemany(_insert(kind, table), [_values(row) for row in rows])
        for kind, rows in _by_table(updates):
            columns = _others(kind) + kind.KEY
            self._connection.executemany(_update(kind), [tuple(getattr(row, column) for column in columns) for row in rows])

    def _open_table(self) -> str:
        """The table of the open day's movements."""
        return day_table(cast(int, self._connection.execute("SELECT max(number) FROM days").fetchone()[0]))


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open the file with everything money needs, and check that it took."""
    if create:
        # Names and balances are for nobody else on this machine; what SQLite adds beside it gets the same rights.
        path.touch(mode=0o600, exist_ok=True)
    try:
        connection = sqlite3.connect(
            path.resolve().as_uri() + ("?mode=rwc" if create else "?mode=rw"),
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    except sqlite3.DatabaseError as error:
        raise LedgerUnreadable(f"账本打不开 {path} cannot be opened ({error}): check it, or restore a backup") from error
    if found != ["wal", 2, 1]:
        connection.close()
        raise LedgerUnreadable(f"{path}: SQLite refuses WAL, FULL or foreign keys here ({found}): keep the ledger on a local disk")
    return connection


def _away(error: Exception) -> LedgerAway:
    return LedgerAway(f"账本暂不可写 the ledger cannot be written ({error}): nothing was changed; check the disk, then try again")


def _by_table(rows: Sequence[Row]) -> list[tuple[type[Row], list[Row]]]:
    tables: dict[type[Row], list[Row]] = {}
    for row in rows:
        tables.setdefault(type(row), []).append(row)
    return list(tables.items())


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in columns_of(type(row)))


@cache
def _select_one(kind: type[Row]) -> str:
    return f"SELECT {', '.join(columns_of(kind))} FROM {kind.TABLE} WHERE {_has_key(kind)}"


@cache
def _insert(kind: type[Row], table: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns_of(kind))}) VALUES ({', '.join('?' * len(columns_of(kind)))})"


@cache
def _update(kind: type[Row]) -> str:
    # Without the key: setting it, even to itself, makes SQLite look for rows that refer to it.
    return f"UPDATE {kind.TABLE} SET {', '.join(f'{column} = ?' for column in _others(kind))} WHERE {_has_key(kind)}"


@cache
def _delete(kind: type[Row]) -> str:
    return f"DELETE FROM {kind.TABLE} WHERE {_has_key(kind)}"


@cache
def _others(kind: type[Row]) -> tuple[str, ...]:
    return tuple(column for column in columns_of(kind) if column not in kind.KEY)


def _has_key(kind: type[Row]) -> str:
    return " AND ".join(f"{column} = ?" for column in kind.KEY)
