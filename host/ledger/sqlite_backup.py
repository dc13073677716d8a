"""A SQLite ledger copied while it is written, and a copy put in its place.

The copy is made within one read transaction, so it shows one moment, and no writer waits for it; the write-ahead
log only grows meanwhile. A restore works on `ledger.db.restoring` beside the ledger, which takes its name last.
"""

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from host.errors import BackupWrong, DataMissing, LedgerAway, LedgerUnreadable
from host.keys import SiteKeys
from host.ledger.commits import SiteLedger
from host.ledger.sqlite import sqlite_ledger
from host.ledger.state import State, read_state
from host.processes import holder_of_file
from host.settings import Settings

DATABASE = "sqlite"

_PAGES = 2_048
"""Pages of 4 KiB in one step of a copy: some milliseconds, then progress is told."""
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, and the database."""


def copy_out(ledger: Path, file: Path, tell: Callable[[int, int], None]) -> State:
    """Copy a ledger as it stands now to a file of its own, complete without anything beside it; what it holds.

    Raises `DataMissing`, `LedgerAway`.
    """
    if not ledger.exists():
        raise DataMissing(f"没有账本 no ledger at {ledger}: there is nothing to back up")
    try:
        source = sqlite3.connect(ledger.resolve().as_uri() + "?mode=ro", uri=True, isolation_level=None)
        target = sqlite3.connect(file)
        try:
            source.execute("BEGIN")
            # The first read fixes the moment; without it a writer would make the copy begin again and again.
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(target, pages=_PAGES, progress=lambda _, left, total: tell(total - left, total), sleep=0)
            target.execute("PRAGMA journal_mode = DELETE")
            return read_state(target.execute)
        finally:
            target.close()
            source.close()
    except sqlite3.Error as error:
        raise LedgerAway(f"备份失败 the ledger {ledger} could not be copied ({error}): free the disk, then try again") from error


@contextmanager
def opened(copy: Path, *, keys: SiteKeys, settings: Settings, clock: Callable[[], int], actor: str = "") -> Generator[SiteLedger]:
    """A copy as a ledger of its own, once SQLite has found it whole. Raises `BackupWrong`, `LedgerUnreadable`."""
    _check_integrity(copy)
    ledger = sqlite_ledger(copy, keys=keys, settings=settings, clock=clock, actor=actor)
    try:
        yield ledger
    finally:
        ledger.close()


def user_of(ledger: Path) -> str:
    """Another process that has a ledger open, as "1234 (onecard)"; "" if none, or if the system does not say."""
    return holder_of_file(str(ledger)) if ledger.exists() else ""


def staging_path(ledger: Path) -> Path:
    """Where a restore works until it is done."""
    return ledger.with_name(ledger.name + ".restoring")


def clear_staging(ledger: Path) -> None:
    """Take away what a restore that was cut has left."""
    for suffix in _BESIDE:
        Path(f"{staging_path(ledger)}{suffix}").unlink(missing_ok=True)


def put_in_place(ledger: Path, kept: Path) -> None:
    """Put the staged ledger, which is closed, in the place of the one that is there; that one is kept under `kept`.

    Cut anywhere, a later call does the rest. Until the last step there is no ledger at all: nobody starts on half of one.
    """
    staged = staging_path(ledger)
    _close_for_good(staged)
    _empty_log(ledger)
    # The database first: without it nobody takes the log beside it for that of another one.
    for suffix in _BESIDE:
        old = Path(f"{ledger}{suffix}")
        if old.exists():
            old.rename(f"{kept}{suffix}")
    _sync(ledger.parent)
    staged.rename(ledger)
    _sync(ledger.parent)


def _close_for_good(staged: Path) -> None:
    """Everything is in the one file, and on the disk."""
    connection = sqlite3.connect(staged, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    left = [suffix for suffix in _BESIDE[1:] if Path(f"{staged}{suffix}").exists()]
    if left:
        raise LedgerUnreadable(f"{staged} is still in use ({', '.join(left)} beside it): end who has it open, then restore again")
    _sync(staged)


def _empty_log(ledger: Path) -> None:
    """Bring what is in the log into the old ledger, so that it is kept in one piece; one that is damaged is kept as it is."""
    if not ledger.exists():
        return
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(ledger.resolve().as_uri() + "?mode=rw", uri=True, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def _check_integrity(copy: Path) -> None:
    try:
        connection = sqlite3.connect(copy)
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        raise BackupWrong(f"备份已损坏 SQLite finds the backup damaged ({'; '.join(found)}): take another one")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
