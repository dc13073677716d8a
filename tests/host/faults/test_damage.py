"""Files that are damaged: a write-ahead log that is missing, cut off or rubbish, and a database with other bytes in it.

A damaged log ends at its last whole commit: the books are right as of then, and what came later comes again.
A damaged database is refused with the advice to restore a backup, or `check` names what is wrong; or the byte
was of no account. Never is there other money, and nobody the wiser.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from host.check import check
from host.errors import LedgerAway, LedgerUnreadable
from host.ledger.rows import Hold
from tests.host.faults.expect import ends_the_same, prove, said
from tests.host.faults.load import RICH, Load, check_in, open_books
from tests.host.faults.rig import IS_ALL, SEED, Rig

FLIP_COUNT = 2_000 if IS_ALL else 200
CUT_COUNT = 200 if IS_ALL else 20
_FRAME_SIZE = 4_096 + 24
_LOG_HEADER_SIZE = 32


def log_of(path: Path) -> Path:
    """The write-ahead log beside a ledger."""
    return path.with_name("ledger.db-wal")


def ends_at_a_commit_and_goes_on(rig: Rig, path: Path) -> None:
    """The books are right, and all delivered again they are as if nothing had been damaged."""
    ledger = open_books(path)
    prove(ledger)
    ledger.close()
    ends_the_same(path, rig.expected)


def test_without_its_log_the_ledger_is_that_of_the_last_check_in(rig: Rig) -> None:
    path = rig.fresh("left")
    log_of(path).unlink()
    ends_at_a_commit_and_goes_on(rig, path)


def test_a_log_cut_off_anywhere_ends_at_its_last_whole_commit(rig: Rig) -> None:
    size = log_of(rig.fresh("left")).stat().st_size
    random = Random(SEED)
    bounds = [_LOG_HEADER_SIZE + frame * _FRAME_SIZE + more for frame in (0, 1, 2, 5) for more in (-1, 0, 1)]
    for end in [0, 1, *bounds, *(random.randrange(size) for _ in range(CUT_COUNT))]:
        path = rig.fresh("left")
        with log_of(path).open("r+b") as log:
            log.truncate(end)
        ends_at_a_commit_and_goes_on(rig, path)


def test_rubbish_at_the_end_of_a_log_changes_nothing(rig: Rig) -> None:
    random = Random(SEED)
    for size in (1, 24, _FRAME_SIZE, 3 * _FRAME_SIZE + 5):
        path = rig.fresh("left")
        with log_of(path).open("ab") as log:
            log.write(random.randbytes(size))
        ends_at_a_commit_and_goes_on(rig, path)


def test_rubbish_within_a_log_ends_it_at_the_commit_before(rig: Rig) -> None:
    random = Random(SEED)
    for _ in range(CUT_COUNT):
        path = rig.fresh("left")
        overwrite(log_of(path), random, size=random.choice((1, 8, 512)))
        ends_at_a_commit_and_goes_on(rig, path)


def test_the_index_of_the_log_is_made_anew(rig: Rig) -> None:
    """ledger.db-shm is worth nothing: missing or rubbish, it is rebuilt from the log."""
    for content in (None, b"", Random(SEED).randbytes(32_768)):
        path = rig.fresh("left")
        index = path.with_name("ledger.db-shm")
        if content is None:
            index.unlink()
        else:
            index.write_bytes(content)
        ends_at_a_commit_and_goes_on(rig, path)


def test_other_bytes_in_the_database_are_never_other_money_unnoticed(rig: Rig) -> None:
    found = {"refused": 0, "named": 0, "of no account": 0}
    for number in range(FLIP_COUNT):
        path = finished(rig)
        random = Random(f"{SEED} {number}")
        offset = overwrite(path, random, size=1)
        try:
            found[what_becomes_of(path, rig)] += 1
        except AssertionError as error:
            error.add_note(f"byte {offset}, ONECARD_SEED={SEED}")
            raise
    assert min(found.values()) > 0, found


def test_a_page_of_rubbish_is_never_other_money_unnoticed(rig: Rig) -> None:
    pages = finished(rig).stat().st_size // 4_096
    for page in range(pages):
        path = finished(rig)
        content = bytearray(path.read_bytes())
        content[page * 4_096 : (page + 1) * 4_096] = Random(f"{SEED} {page}").randbytes(4_096)
        path.write_bytes(content)
        what_becomes_of(path, rig)


def test_a_database_cut_off_is_refused_or_named(rig: Rig) -> None:
    size = finished(rig).stat().st_size
    for end in range(4_096, size, 4_096 if IS_ALL else 5 * 4_096):
        path = finished(rig)
        with path.open("r+b") as file:
            file.truncate(end)
        assert what_becomes_of(path, rig) != "of no account"


def test_an_index_that_leads_elsewhere_is_named(rig: Rig) -> None:
    """Every row is right, and a holder's hold is not found: who would ask for it would be told of money that is set aside."""
    path = finished(rig)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE holds SET account = account + 1 WHERE account = ?", [RICH])
        connection.execute("PRAGMA writable_schema = ON")
        index = connection.execute("SELECT * FROM sqlite_master WHERE name = 'holds_account'").fetchone()
        connection.execute("DELETE FROM sqlite_master WHERE name = 'holds_account'")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE holds SET account = account - 1 WHERE kind IN ('booking', 'shower')")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)
    ledger = open_books(path)
    assert ledger.view(lambda books: books.find(Hold, account=RICH)) == []
    proof = check(ledger)
    ledger.close()
    assert "index holds_account" in proof.problems[0]


def test_an_empty_file_is_refused_and_its_log_kept(rig: Rig) -> None:
    """SQLite itself would throw the log away, which has what happened since the last check-in."""
    path = rig.fresh("left")
    path.write_bytes(b"")
    log = log_of(path).read_bytes()
    with pytest.raises(LedgerUnreadable, match="restore a backup"):
        open_books(path)
    assert log_of(path).read_bytes() == log


def what_becomes_of(path: Path, rig: Rig) -> str:
    """How the damage shows: refused with advice, named by `check`, or not at all because nothing that counts is different."""
    try:
        ledger = open_books(path)
        try:
            proof = check(ledger)
            if not proof.is_right:
                return "named"
            assert said(ledger) == rig.expected, "other money, and nobody the wiser"
            return "of no account"
        finally:
            ledger.close()
    except (LedgerUnreadable, LedgerAway) as error:
        if "restore a backup" not in str(error):
            raise AssertionError("refused without advice") from error
        return "refused"


def finished(rig: Rig) -> Path:
    """A copy of the ledger after the morning's work, all of it in the one file."""
    if not (rig.folder / "finished").exists():
        path = rig.fresh("base")
        Load(path, lambda ack: None).run()
        check_in(path)
        path.parent.rename(rig.folder / "finished")
    return rig.fresh("finished")


def overwrite(path: Path, random: Random, *, size: int) -> int:
    """Put other bytes somewhere into a file; returns where."""
    content = bytearray(path.read_bytes())
    offset = random.randrange(len(content) - size)
    for place in range(offset, offset + size):
        content[place] ^= random.randrange(1, 256)
    path.write_bytes(content)
    return offset
