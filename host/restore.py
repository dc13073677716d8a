"""A ledger restored from a backup: everything is made ready beside the old one, which is kept; the last step is a name.

In it: holds that were only asked for are forgotten, no epoch is given twice, the host's own records come back from
their journal files, and the wait of MONEY 7 is opened (host/restoring.py). Cut anywhere, it is begun anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from host.backup import Facts, Tell, copy_checked, read_facts
from host.errors import EXIT_BUSY, AlreadyThere, OnecardError
from host.journal import files_in
from host.keys import SiteKeys
from host.ledger import sqlite_backup
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.holding import end_hold
from host.ledger.kinds import HoldState, TerminalKind
from host.ledger.rows import Account, Card, Commit, Epoch, Hold, Restore, Terminal, Wait
from host.processes import LOCK_NAME, OnlyOne
from host.replay import Replayed, replay
from host.settings import Settings, journal_folder, ledger_path

DEVICE_SKIP = 16
"""Epochs passed over (MONEY 7): a terminal takes a new one when its journal is lost, which is seldom."""
HOST_SKIP = 256
"""Likewise for host processes, which take one at each start: a day of commands, should their journal files be lost too."""

NUMBER_SKIP = 100_000
"""Account and card numbers passed over: those given since the backup may stand in a file or on a board that comes late.

A large school has not so many people to enrol between two backups, and a card's eight digits last for hundreds of restores.
"""


class LedgerInUse(OnecardError):
    """A process has the ledger that is to be replaced; the message names it."""

    exit_code = EXIT_BUSY


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `kept`: where the old ledger is, None where there was none; `waits_for`: terminals."""

    facts: Facts
    kept: Path | None
    replayed: Replayed
    waits_for: tuple[int, ...]


def restore(
    settings: Settings,
    data: Path,
    file: Path,
    *,
    keys: SiteKeys,
    now_s: int,
    actor: str,
    is_replacing: bool,
    tell: Tell = lambda _done, _total: None,
) -> Restored:
    """Put a backup in the place of the ledger. Until its last step the ledger that is there stays as it is.

    Raises `AlreadyThere` when there is a ledger and it is not `is_replacing`, `LedgerInUse`, `BackupWrong`, `OSError`, and
    what opening a ledger raises.
    """
    only_one = OnlyOne(data / LOCK_NAME)
    if (other := only_one.take()) is not None:
        raise LedgerInUse(f"主机在运行 a host runs on {data}, process {other}: end it first, then restore")
    try:
        return _restore(settings, data, file, keys=keys, now_s=now_s, actor=actor, is_replacing=is_replacing, tell=tell)
    finally:
        only_one.release()


def _restore(
    settings: Settings, data: Path, file: Path, *, keys: SiteKeys, now_s: int, actor: str, is_replacing: bool, tell: Tell
) -> Restored:
    ledger = ledger_path(settings, data)
    if ledger.exists() and not is_replacing:
        raise AlreadyThere("账本 ledger", ledger, "with --replace it is kept under another name, and the backup takes its place")
    if other := sqlite_backup.user_of(ledger):
        raise LedgerInUse(f"账本正被使用 process {other} has {ledger} open: end it first, then restore")
    facts = read_facts(file, keys)
    sqlite_backup.clear_staging(ledger)
    staged = sqlite_backup.staging_path(ledger)
    try:
        copy_checked(file, staged, facts, tell)
        with sqlite_backup.opened(staged, keys=keys, settings=settings, clock=lambda: now_s, actor=actor) as opened:
            replayed, waits_for = prepare(opened, files_in(journal_folder(settings, data)), facts=facts, name=file.name)
    except Exception:
        sqlite_backup.clear_staging(ledger)
        raise
    kept = _kept_path(ledger, settings, now_s)
    sqlite_backup.put_in_place(ledger, kept)
    return Restored(facts, kept if kept.exists() else None, replayed, waits_for)


def restore_from_server(settings: Settings, data: Path, ledger: SiteLedger) -> Restored:
    """Make a ledger on a server fit to go on, after its own tools have put it back to an earlier moment; done twice, it waits anew.

    Raises `LedgerInUse` when a host serves from this data folder, or any process anywhere has the ledger open.
    """
    only_one = OnlyOne(data / LOCK_NAME)
    if (other := only_one.take()) is not None:
        raise LedgerInUse(f"主机在运行 a host runs on {data}, process {other}: end it first, then restore")
    try:
        if not ledger.database.claim():
            raise LedgerInUse("账本正被使用 another process has the ledger open: end every host, on all machines, then restore")
        newest = ledger.view(lambda books: books.find(Commit, limit=1, newest_first=True))
        number, digest, at_s = (newest[0].number, newest[0].digest.hex(), newest[0].at_s) if newest else (0, "", 0)
        facts = Facts("postgresql", settings.site.name, at_s, number, digest, at_s, {}, 0, "")
        replayed, waits_for = prepare(ledger, files_in(journal_folder(settings, data)), facts=facts, name=f"commit {number}")
        return Restored(facts, None, replayed, waits_for)
    finally:
        only_one.release()


def prepare(ledger: SiteLedger, files: Sequence[Path], *, facts: Facts, name: str) -> tuple[Replayed, tuple[int, ...]]:
    """Make a ledger as a backup had it fit to go on: what came back from the host's journal files, and the terminals it waits for."""
    ledger.commit(lambda books: _open_wait(books, facts))
    replayed = replay(ledger, files, is_restore=True)
    waits_for = ledger.commit(lambda books: _finish(books, facts, replayed, name))
    return replayed, tuple(waits_for)


def _open_wait(books: Books, facts: Facts) -> None:
    """First: what is posted from now on is posted into a restored ledger, so what is uncovered waits."""
    for hold in books.find(Hold, state=HoldState.ASKED):
        end_hold(books, hold)
    for wait in books.find(Wait):
        books.drop(wait)
    books.write()
    for row in books.find(Restore, ended_s=0):
        books.change(replace(row, ended_s=books.now_s, ended_by="restored again"))
    restore = Restore(books.highest(Restore, "number") + 1, books.now_s, facts.made_s)
    books.add(restore)
    books.note_restore(restore)
    for terminal in books.find(Terminal):
        if terminal.kind != TerminalKind.HOST and _is_open(books, terminal):
            books.add(Wait(terminal.number))


def _is_open(books: Books, terminal: Terminal) -> bool:
    """Whether a terminal may still deliver. One that had no epoch may have got one, and sold, since the backup."""
    epoch = books.get(Epoch, terminal.number, terminal.epoch)
    return epoch is None or not epoch.is_closed


def _finish(books: Books, facts: Facts, replayed: Replayed, name: str) -> Sequence[int]:
    """After the journal files, which say what epochs and numbers were given since."""
    restore = books.open_restore
    assert restore is not None, "`_open_wait` comes first"
    next_account = max(books.highest(Account, "number"), replayed.highest_account, books.highest(Restore, "next_account")) + 1
    next_card = max(books.highest(Card, "number"), replayed.highest_card, books.highest(Restore, "next_card")) + 1
    restore = replace(restore, next_account=next_account + NUMBER_SKIP, next_card=next_card + NUMBER_SKIP)
    books.change(restore)
    books.note_restore(restore)
    for terminal in books.find(Terminal):
        skip = HOST_SKIP if terminal.kind == TerminalKind.HOST else DEVICE_SKIP
        books.change(replace(terminal, next_epoch=max(terminal.next_epoch, terminal.epoch + 1) + skip))
    note(books, "restore", name, made_s=facts.made_s, commit=facts.commit, host_records=replayed.posted_count)
    return [wait.terminal for wait in books.find(Wait, is_done=0)]


def _kept_path(ledger: Path, settings: Settings, now_s: int) -> Path:
    """A name for the old ledger that nothing has yet."""
    is_cut = not ledger.exists() and any(Path(f"{ledger}{suffix}").exists() for suffix in ("-wal", "-shm"))
    if is_cut and (moved := sorted(ledger.parent.glob(f"{ledger.stem}-before-*{ledger.suffix}"))):
        # A restore was cut while it moved the old ledger: what is left of that belongs to what was moved.
        return moved[-1]
    local = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(settings.site.timezone))
    stem = f"{ledger.stem}-before-{local:%Y%m%d-%H%M%S}"
    names = (ledger.with_name(f"{stem}{suffix}{ledger.suffix}") for suffix in ("", *(f"-{count}" for count in range(2, 100))))
    return next(path for path in names if not path.exists())
