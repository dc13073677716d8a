"""Other processes at the same file: whoever finds it locked waits, or is told that nothing was changed; nobody gets half (db 1)."""

import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from host import holders, intake
from host.errors import LedgerAway
from host.ledger import sqlite
from host.ledger.books import Books
from host.ledger.rows import Account, Holder
from host.writer import Writer
from tests.host.faults.expect import ends_the_same, prove, rows, said
from tests.host.faults.load import JOURNALS, RICH, open_books
from tests.host.faults.rig import Rig
from tests.host.site import NOW_S, TILL

OPENED_COUNT = 40
BUSY_SNAPSHOT = 517


def locked(path: Path) -> sqlite3.Connection:
    """An operator's own shell that has begun to write."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_locked_for_longer_than_it_waits_the_ledger_is_away_and_tried_again_it_is_whole(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rig.fresh("base")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    ledger = open_books(path)
    data = JOURNALS[TILL].records[0]
    with closing(locked(path)) as other:
        for _ in range(3):
            with pytest.raises(LedgerAway, match="nothing was changed"):
                intake.take(ledger, TILL, data, NOW_S)
        other.execute("ROLLBACK")
    assert intake.take(ledger, TILL, data, NOW_S) == (1, 1)
    ledger.close()
    ends_the_same(path, rig.expected)


def test_the_lock_of_a_killed_process_is_gone_with_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that hung while it wrote: kill -9 it, and the host goes on."""
    path = rig.fresh("base")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    ledger = open_books(path)
    pid = rig.worker.order(path, "hang")
    assert rig.worker.read() == {"holds": "the lock"}
    with pytest.raises(LedgerAway):
        intake.take(ledger, TILL, JOURNALS[TILL].records[0], NOW_S)
    os.kill(pid, signal.SIGKILL)
    assert rig.worker.read()["ended"] == pid
    assert intake.take(ledger, TILL, JOURNALS[TILL].records[0], NOW_S) == (1, 1)
    ledger.close()
    ends_the_same(path, rig.expected)


def test_a_writer_that_found_it_locked_answers_everybody_and_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rig.fresh("base")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    writer = Writer(ledger := open_books(path))
    with closing(locked(path)) as other:
        deliveries = [writer.request(intake.Delivery(TILL, JOURNALS[TILL].records[0], NOW_S)) for _ in range(20)]
        assert all(isinstance(one.exception(10), LedgerAway) for one in deliveries)
        assert writer.is_away
        other.execute("ROLLBACK")
    assert writer.request(intake.Delivery(TILL, JOURNALS[TILL].records[0], NOW_S)).result(10) == (1, 1)
    assert not writer.is_away
    writer.close()
    ledger.close()


def test_a_deferred_transaction_that_reads_first_would_fail_at_once(rig: Rig) -> None:
    """Why every write begins with BEGIN IMMEDIATE: this is BUSY_SNAPSHOT, and no time-out helps against it."""
    path = rig.fresh("base")
    with (
        closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as one,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        one.execute("BEGIN")
        one.execute("SELECT balance_fen FROM accounts").fetchall()
        other.execute("UPDATE accounts SET held_fen = held_fen")
        with pytest.raises(sqlite3.OperationalError) as caught:
            one.execute("UPDATE accounts SET held_fen = held_fen")
        assert caught.value.sqlite_errorcode == BUSY_SNAPSHOT


def test_nobody_writes_between_what_a_job_reads_and_what_it_writes(rig: Rig) -> None:
    path = rig.fresh("base")
    ledger = open_books(path)

    def job(books: Books) -> None:
        before_fen = books.need(Account, RICH).held_fen
        with (
            closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("UPDATE accounts SET held_fen = held_fen")
        books.set_aside(RICH, 5)
        assert books.need(Account, RICH).held_fen == before_fen + 5

    ledger.commit(job)
    ledger.close()


def test_two_processes_that_read_and_write_at_once_lose_nothing_and_never_fail(rig: Rig) -> None:
    """Each opens accounts under the next free number, which it reads first."""
    path = rig.fresh("base")
    before = len(said_accounts(path))
    for name in ("one", "two", "three"):
        rig.worker.order(path, "enrol", name=name, count=OPENED_COUNT)
    told = [rig.worker.read() for _ in range(3)]
    assert [one.get("status") for one in told] == [0, 0, 0], told
    ledger = open_books(path)
    numbers = [row.number for row in rows(ledger, Account)]
    assert len(numbers) == before + 3 * OPENED_COUNT
    assert numbers[-1] - numbers[-3 * OPENED_COUNT] == 3 * OPENED_COUNT - 1, "numbers without a hole"
    assert len({row.number for row in rows(ledger, Holder)}) == 2 + 3 * OPENED_COUNT
    prove(ledger)
    ledger.close()


def test_a_long_report_sees_one_moment_while_others_write(rig: Rig) -> None:
    path = rig.fresh("base")
    ledger, other = open_books(path), open_books(path)
    other.start("command")

    def report(books: Books) -> tuple[int, int]:
        before = books.need(Account, RICH).balance_fen
        thread = threading.Thread(target=holders.recharge, args=(other, "20260001", 500))
        thread.start()
        thread.join()
        return before, sum(row.balance_fen for row in books.find(Account, number=RICH))

    assert ledger.view(report) == (20_000, 20_000)
    assert ledger.view(lambda books: books.need(Account, RICH)).balance_fen == 20_500
    ledger.close()
    other.close()


def said_accounts(path: Path) -> list[object]:
    """The accounts there are."""
    ledger = open_books(path)
    found = said(ledger)["accounts"]
    ledger.close()
    return found
