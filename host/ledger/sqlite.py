"""The ledger in one SQLite file: write-ahead log, every commit on disk before it counts.

`sqlite-utils` makes and migrates the schema; rows go through its connection directly. Every write begins
with BEGIN IMMEDIATE: a deferred one that reads first fails at once when another process has written
meanwhile, whatever the busy timeout. So `serve` and the command line can write side by side.
"""

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from sqlite_utils import Database

from host.errors import AlreadyThere, CommitUnknown, DataMissing, LedgerAway, LedgerUnreadable, RuleBroken, TransactionLost
from host.keys import SiteKeys
from host.ledger.commits import SiteLedger
from host.ledger.contract import Store
from host.ledger.seals import Cmac, seal_all
from host.ledger.sqlite_schema import APPLICATION_ID, is_behind, migrate, missing_guards
from host.ledger.sqlite_store import SqliteStore
from host.settings import Settings

BUSY_TIMEOUT_S = 10.0
"""How long a commit waits for another process: many times the longest batch."""

_CACHE_KIB = 64 * 1024
_READER_CACHE_KIB = 4 * 1024
"""A reader's: each thread has one, and the operating system keeps the file too."""
_CHECKPOINT_PAGES = 10_000
"""Pages of log (40 MB) before they go into the file: after a batch of a thousand the default, 1,000, would write each page twice."""

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""What the machine around the file does; it passes once the machine is well."""

_RESTORE = "账本损坏 it is damaged: end the host, and restore a backup"


def sqlite_ledger(
    path: Path, *, keys: SiteKeys, settings: Settings, clock: Callable[[], int], create: bool = False, actor: str = ""
) -> SiteLedger:
    """Open the ledger in a file, or `create` it; one that an older version wrote is brought to this one.

    Raises `DataMissing` without the file, `AlreadyThere` when it would be made anew, `LedgerUnreadable` for what is no
    ledger, is damaged, or was written by a newer version, `LedgerAway` when another process holds it too long.
    """
    if not create and not path.exists():
        raise DataMissing(f"没有账本 no ledger at {path}: run `onecard init`, or restore a backup")
    if create and path.exists():
        raise AlreadyThere("账本 ledger", path, "it is never made anew")
    if not create and not path.stat().st_size:
        # Before SQLite sees it: beside an empty file it throws the write-ahead log away.
        raise LedgerUnreadable(f"账本是空文件 {path} is empty: restore a backup, and keep {path.name}-wal if it is there")
    database = SqliteDatabase(path, seal_cmac=keys.seal_cmac(), create=create)
    return SiteLedger(database, keys=keys, settings=settings, clock=clock, actor=actor)


class SqliteDatabase:
    """A `Database` (host/ledger/contract.py) on one file. One connection writes; each thread that reads has its own."""

    def __init__(self, path: Path, *, seal_cmac: Cmac, create: bool) -> None:
        self._path = path
        self._reader_of_thread = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._has_failed = False
        """Whether the disk failed the last transaction, or a job in it."""
        self._connection = _connect(path, create=create)
        try:
            self._prepare(seal_cmac, create=create)
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self, *, is_shared: bool) -> Generator[Store]:
        """See `Database.transaction`. Shared or not: SQLite has one writer."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if self._has_failed:
                # Writes a page and changes nothing: a commit that has nothing to write must not say that the disk is well.
                self._connection.execute("PRAGMA user_version = 0")
            self._has_failed = False
            yield SqliteStore(self._connection)
            self._commit()
        except sqlite3.IntegrityError as error:
            raise RuleBroken(str(error)) from error
        except sqlite3.Error as error:
            self._has_failed = True
            raise _away(error) from error
        finally:
            _roll_back(self._connection)

    def _commit(self) -> None:
        """Commit. After an error of the disk it may lie whole in the log, unsynced: if this process ends now, the next finds it."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_IOERR:
                raise
            self._has_failed = True
            raise CommitUnknown(
                f"不知是否已写入 whether it was written is not known ({error}): check the disk, then ask again in the same words, "
                "with the same --key if there was one; without one, look first whether it is there"
            ) from error

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """See `Database.savepoint`."""
        self._connection.execute("SAVEPOINT job")
        try:
            yield
        except Exception as error:
            self._has_failed |= isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError)
            if not self._connection.in_transaction:
                # A disk error has rolled back the whole commit, not this job alone.
                raise TransactionLost(str(_away(error))) from error
            try:
                self._connection.execute("ROLLBACK TO job")
                self._connection.execute("RELEASE job")
            except sqlite3.Error as worse:
                raise TransactionLost(str(_away(worse))) from error
            if isinstance(error, sqlite3.IntegrityError):
                raise RuleBroken(str(error)) from error
            if isinstance(error, sqlite3.Error):
                raise _away(error) from error
            raise
        self._connection.execute("RELEASE job")

    @contextmanager
    def snapshot(self) -> Generator[Store]:
        """See `Database.snapshot`. Each thread has a connection of its own for it."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            yield SqliteStore(connection)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise _unread(error) from error
        finally:
            _roll_back(connection)

    def claim(self) -> bool:
        """See `Database.claim`."""
        return True

    def close(self) -> None:
        """See `Database.close`. The last connection to go brings the log into the file, so readers go first."""
        with self._readers_lock:
            for reader in self._readers:
                reader.close()
            self._readers.clear()
        self._connection.close()

    def _prepare(self, seal_cmac: Cmac, *, create: bool) -> None:
        database = Database(self._connection)
        try:
            if create:
                self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            found = self._connection.execute("PRAGMA application_id").fetchone()[0]
            if found != APPLICATION_ID:
                raise LedgerUnreadable(f"不是账本 {self._path} is no onecard ledger: put the right file back, or restore a backup")
            if is_behind(database):
                self._migrate(database, seal_cmac)
            if guards := missing_guards(database):
                raise LedgerUnreadable(f"账本保护缺失 {self._path} lacks {', '.join(guards)}: somebody changed it; restore a backup")
        except (sqlite3.DatabaseError, ValueError, KeyError) as error:  # the latter: texts, numbers and columns that are none any more
            raise _unopened(self._path, error) from error

    def _migrate(self, database: Database, seal_cmac: Cmac) -> None:
        """All of it in one transaction; another process that comes meanwhile waits, and finds nothing left to do."""
        try:
            with self.transaction(is_shared=False) as store:
                migrate(database)
                seal_all(store, seal_cmac)
        except (RuleBroken, LedgerAway) as error:
            if _code(error.__cause__) in _PASSING:
                raise
            raise LedgerUnreadable(
                f"账本升级失败 {self._path} cannot be brought to this version ({error.__cause__}): it was left as it was; "
                "go on with the version before, and report this"
            ) from error

    def _reader(self) -> sqlite3.Connection:
        connection = cast("sqlite3.Connection | None", getattr(self._reader_of_thread, "connection", None))
        if connection is None:
            connection = _connect(self._path, create=False)
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
            self._reader_of_thread.connection = connection
            with self._readers_lock:
                self._readers.append(connection)
        return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    """Roll back what is open. Where even that fails SQLite does it at the next start, and the first error is the one to tell."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


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
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _unopened(path, error) from error
    if found != ["wal", 2, 1]:
        connection.close()
        raise LedgerUnreadable(f"{path}: SQLite refuses WAL, FULL or foreign keys here ({found}): keep the ledger on a local disk")
    return connection


def _away(error: Exception) -> LedgerAway:
    return LedgerAway(f"账本暂不可写 the ledger cannot be written ({error}): nothing was changed; {_remedy(error)}")


def _unread(error: Exception) -> LedgerAway:
    # What our own queries cannot read or name is another schema, or another text, than what was written.
    is_damaged = isinstance(error, UnicodeDecodeError | sqlite3.OperationalError) and _code(error) in (0, sqlite3.SQLITE_ERROR)
    return LedgerAway(f"账本暂不可读 the ledger cannot be read ({error}): {_RESTORE if is_damaged else _remedy(error)}")


def _unopened(path: Path, error: Exception) -> LedgerAway | LedgerUnreadable:
    """Tell a disk that fails from a ledger that is damaged: nobody should restore a backup because a disk is full."""
    if _code(error) in _PASSING:
        return LedgerAway(f"账本暂打不开 {path} cannot be opened now ({error}): nothing was changed; {_remedy(error)}")
    return LedgerUnreadable(f"账本损坏 {path} is damaged or no ledger ({error}): restore a backup")


def _remedy(error: Exception) -> str:
    if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _RESTORE
    return "check the disk, its free space and its rights, then try again"


def _code(error: BaseException | None) -> int:
    """SQLite's primary code; errors that Python itself raises have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
