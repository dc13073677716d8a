"""The ledger on a PostgreSQL server, for several host processes at once.

Jobs run alone, under an exclusive advisory lock: they may read and write anything and need no care. What terminals send
runs under the shared one, beside other processes' (postgres_store.py says how). Every commit waits for the disk, and for the
standby where there is a synchronous one; one that only reads too, since what it has read may not have been waited for.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from host.errors import AlreadyThere, CommitUnknown, DataMissing, KeyMissing, LedgerAway, LedgerUnreadable, TransactionLost, TryAgain
from host.keys import SiteKeys
from host.ledger.commits import SiteLedger
from host.ledger.postgres_connection import Readers, away, connect, ended, meaning, shown
from host.ledger.postgres_schema import (
    LOCK_HOSTS,
    LOCK_JOBS,
    has_tables,
    hold,
    is_behind,
    is_there,
    lock,
    migrate,
    missing_guards,
    statement,
)
from host.ledger.postgres_store import PostgresStore
from host.ledger.rows import Commit, Terminal
from host.ledger.seals import Cmac, seal_all, seal_of
from host.settings import Settings

FROZEN_TIMEOUT_S = 60
"""How long a commit may stand still before the server breaks it off: many times the longest batch."""
SETTLE_WAITS_S = (0.0, 0.2, 0.8, 2.0)
"""When to look again for a commit whose answer was lost: a server that was restarted is back by then, as a rule."""

_KEY_SAMPLE_COUNT = 3
"""Rows whose seals tell whether the site's key is the ledger's: one may have been altered."""

_WAITS_FOR_DISK = "SELECT number FROM accounts WHERE number = 1 FOR NO KEY UPDATE"
"""Makes a commit that changes nothing write to the log, so that it is waited for like any other."""


def postgres_ledger(
    url: str, *, keys: SiteKeys, settings: Settings, clock: Callable[[], int], create: bool = False, actor: str = ""
) -> SiteLedger:
    """Open the ledger in the database of a url, or `create` its tables there; an older version's is brought to this one.

    Raises `LedgerAway` when it cannot be reached, `DataMissing` without a ledger in it, `AlreadyThere` when it would be made
    anew, `LedgerUnreadable` for another program's or a newer one, `KeyMissing` when the site's key is not this ledger's,
    `ServerUnfit` for a server or role that money must not be trusted to.
    """
    database = PostgresDatabase(url, seal_cmac=keys.seal_cmac(), create=create)
    return SiteLedger(database, keys=keys, settings=settings, clock=clock, actor=actor)


class PostgresDatabase:
    """A `Database` (host/ledger/contract.py): one connection that writes, a few that read."""

    def __init__(self, url: str, *, seal_cmac: Cmac, create: bool = False) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._warnings: list[str] = []
        self._readers = Readers(url)
        self._writer: psycopg.Connection[Any] | None = self._connected()
        try:
            self._prepare(self._writer, seal_cmac, create=create)
        except psycopg.Error as error:
            self.close()
            raise away(error) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, *, is_shared: bool) -> Generator[PostgresStore]:
        """See `Database.transaction`."""
        with self._lock:
            connection = self._begun(is_shared=is_shared)
            store = PostgresStore(connection, is_shared=is_shared)
            try:
                yield store
                self._commit(connection, store)
            except psycopg.Error as error:
                raise meaning(error) from error
            finally:
                if not ended(connection):
                    self._writer = None

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """See `Database.savepoint`."""
        connection = self._writer
        assert connection is not None, "a savepoint stands in a transaction"
        try:
            connection.execute("SAVEPOINT job")
            yield
            connection.execute("RELEASE SAVEPOINT job")
        except BaseException as error:
            if connection.closed or connection.info.transaction_status == TransactionStatus.UNKNOWN:
                raise TransactionLost(f"账本暂不可写 the connection to the database was lost ({error}): nothing was changed") from error
            told = meaning(error) if isinstance(error, psycopg.Error) else error
            if isinstance(told, TryAgain):
                raise told from error
            connection.execute("ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job")
            if told is error:
                raise
            raise told from error

    @contextmanager
    def snapshot(self) -> Generator[PostgresStore]:
        """See `Database.snapshot`."""
        try:
            with self._readers.snapshot() as connection:
                yield PostgresStore(connection)
        except psycopg.DataError as error:
            raise meaning(error) from error
        except psycopg.Error as error:
            raise LedgerAway(f"账本暂不可读 the ledger cannot be read ({error}): look at the database, then try again") from error

    def claim(self) -> bool:
        """See `Database.claim`."""
        with self._lock:
            if self._writer is None:
                self._writer = self._connected()
            try:
                return _holds(self._writer, shared=False)
            except psycopg.Error as error:
                raise away(error) from error

    def close(self) -> None:
        """Close all connections. Committed work needs no closing."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._readers.close()

    def _connected(self) -> psycopg.Connection[Any]:
        connection = connect(self._url)
        try:
            # A host that is frozen in the middle of a commit must not keep the others waiting for ever.
            connection.execute(statement(f"SET idle_in_transaction_session_timeout = '{FROZEN_TIMEOUT_S}s'"))
            is_free = _holds(connection, shared=True)
        except psycopg.Error as error:
            connection.close()
            raise away(error) from error
        if not is_free:
            connection.close()
            raise LedgerAway("账本正在恢复 `onecard restore --from-server` is at work on this ledger: try again when it has ended")
        connection.add_notice_handler(self._note)
        return connection

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warnings.append(diagnostic.message_primary or "a warning")

    def _begun(self, *, is_shared: bool) -> psycopg.Connection[Any]:
        """The writer's connection in a transaction, with its lock; a connection that has died meanwhile is made anew."""
        if self._writer is not None:
            try:
                self._begin(self._writer, is_shared=is_shared)
            except psycopg.Error as error:
                if ended(self._writer):
                    raise meaning(error) from error
            else:
                return self._writer
        self._writer = self._connected()
        try:
            self._begin(self._writer, is_shared=is_shared)
        except psycopg.Error as error:
            if not ended(self._writer):
                self._writer = None
            raise meaning(error) from error
        return self._writer

    def _begin(self, connection: psycopg.Connection[Any], *, is_shared: bool) -> None:
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        connection.execute(lock(LOCK_JOBS, shared=is_shared))
        if not is_shared:
            connection.execute(_WAITS_FOR_DISK)

    def _commit(self, connection: psycopg.Connection[Any], store: PostgresStore) -> None:
        """Commit; when the answer is lost, or comes with a warning, find out what became of it."""
        if connection.closed:
            raise TransactionLost("账本暂不可写 the connection to the database was lost: nothing was changed; try again")
        self._warnings.clear()
        try:
            answer = connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            if not connection.closed:
                raise
            self._settle(store, str(error), is_lost=True)
            return
        if answer != "COMMIT":
            raise TransactionLost("账本暂不可写 the database rolled the commit back: nothing was changed; try again")
        if self._warnings:
            self._settle(store, self._warnings[0], is_lost=False)

    def _settle(self, store: PostgresStore, cause: str, *, is_lost: bool) -> None:
        """Return if the commit with this link of the chain is there for good, raise `TryAgain` if it is not there at all.

        Its digest is its name: other than a transaction's number it means the same on a standby that has taken over.
        """
        unknown = CommitUnknown(
            f"不知是否已写入 whether it was written is not known ({cause}): look at the database, then ask again in the same words; "
            "what is there already is found, and not done twice"
        )
        lost = TryAgain(f"账本暂不可写 the commit was lost ({cause}): nothing was changed; try again")
        if store.link is None:
            raise lost if is_lost and not store.has_written else unknown
        pause = threading.Event()
        for wait_s in SETTLE_WAITS_S:
            pause.wait(wait_s)
            try:
                is_committed = self._has(store.link)
            except psycopg.errors.LockNotAvailable:
                break  # it is still waiting, for a standby
            except (LedgerAway, psycopg.Error):
                continue
            if is_committed:
                return
            if is_committed is not None:
                raise lost
        raise unknown

    def _has(self, link: Commit) -> bool | None:
        """Whether a link is in the chain; None if that would not survive the server. Waits until whoever was writing it has ended."""
        connection = self._connected()
        try:
            self._begin(connection, is_shared=False)
            row = connection.execute("SELECT digest FROM commits WHERE number = %s", (link.number,)).fetchone()
            self._warnings.clear()
            connection.execute("COMMIT")
            return None if self._warnings else row is not None and row[0] == link.digest
        finally:
            connection.close()

    def _prepare(self, connection: psycopg.Connection[Any], seal_cmac: Cmac, *, create: bool) -> None:
        where = shown(self._url)
        if create and is_there(connection):
            raise AlreadyThere("账本 ledger", where, "it is never made anew")
        if not create and not is_there(connection):
            raise DataMissing(f"没有账本 no ledger in {where}: run `onecard init --ledger URL`, or restore a backup")
        if create and has_tables(connection):
            raise LedgerUnreadable(f"数据库不是空的 {where} holds something else: make an empty database for the ledger (createdb)")
        if create or is_behind(connection):
            migrate(connection, lambda: seal_all(PostgresStore(connection), seal_cmac))
        if guards := missing_guards(connection):
            raise LedgerUnreadable(f"账本保护缺失 {where} lacks {', '.join(guards)}: somebody changed it; restore a backup")
        with connection.transaction():
            rows = list(islice(PostgresStore(connection).scan_sealed(Terminal), _KEY_SAMPLE_COUNT))
        if rows and all(seal_of(seal_cmac, row) != seal for row, seal in rows):
            raise KeyMissing(f"站点密钥不符 {where} was made with another site.key: copy the folder keys/ from the host that made it")


def _holds(connection: psycopg.Connection[Any], *, shared: bool) -> bool:
    """Take the lock of those who have the ledger open. The server needs a moment to let go of one that has just ended."""
    pause = threading.Event()
    return any(
        not pause.wait(wait_s) and connection.execute(hold(LOCK_HOSTS, shared=shared)).fetchone() == (True,) for wait_s in SETTLE_WAITS_S
    )
