"""Several host processes on one PostgreSQL: nobody waits for ever, nothing is lost, and the server may die among them."""

import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from host import approvals, holders, intake, terminals
from host.ledger.kinds import TerminalKind
from host.ledger.rows import Epoch, Request
from protocol import record as kinds
from protocol.messages import ASK_SALE, ASK_SHOWER, SUBJECT_CARD, Answer, Ask
from tests.host.ledger.postgres_process import RECHARGE_FEN, SALE_FEN
from tests.host.site import NOW_S, SHOWER, TILL, Site
from tests.postgres import shared_server

pytestmark = pytest.mark.stores("postgresql")

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[3]
TILLS = (111, 112, 113, 114, 115, 116, 117, 118)
RICH_FEN = 500_000
ROUND_COUNT = 25
CONTEST_COUNT = 20
KINDS = (ASK_SALE, ASK_SHOWER)
SERVER_KILL_COUNT = 3
ACKNOWLEDGED_COUNT = 40
"""Between two kills."""


@pytest.fixture
def busy(site: Site) -> Site:
    """A canteen with eight windows, and two holders who can pay for it all."""
    for till in TILLS:
        terminals.add(site.ledger, till, TerminalKind.POS, f"第一食堂 {till} 窗口", line=1)
        site.journal(till)
    holders.recharge(site.ledger, "20260001", RICH_FEN - 20_000)
    holders.recharge(site.ledger, "20260002", RICH_FEN - 320)
    return site


@pytest.mark.parametrize("process_count", [2, 4])
def test_processes_that_post_at_once_lose_nothing_and_never_deadlock(busy: Site, process_count: int) -> None:
    share = len(TILLS) // process_count
    with _processes(busy, process_count, ROUND_COUNT, share) as started:
        for process in started:
            assert process.stdout is not None
            process.stdout.read()
            assert process.wait() == 0
    epochs = {row.terminal: row.high_water for row in busy.rows(Epoch)}
    assert [epochs[till] for till in TILLS] == [3 * ROUND_COUNT] * len(TILLS)
    assert len([row for row in busy.rows(Request) if row.request.startswith("form-")]) == process_count * ROUND_COUNT
    _sums_are_exact(busy)
    assert _deadlock_count(busy) == 0


def test_records_that_reach_two_processes_at_once_are_posted_once(site: Site) -> None:
    """Any process may serve any terminal: what is there already is read under the epoch's lock."""
    with closing(site.open()) as second:
        till = site.journal(TILL)
        for amount_fen in range(1, CONTEST_COUNT + 1):
            sale = till.write(kinds.SALE, subject=1, amount_fen=amount_fen)
            answers = _at_once(*[partial(intake.take, ledger, TILL, sale, NOW_S) for ledger in (site.ledger, second)])
            assert answers == [(1, till.next - 1)] * 2
    assert site.account(100).balance_fen == 20_000 - sum(range(1, CONTEST_COUNT + 1))
    site.prove()


def test_the_last_money_of_a_holder_is_granted_by_one_process_only(site: Site) -> None:
    with closing(site.open()) as second:
        tills = [site.journal(number) for number in (TILL, SHOWER)]
        for _ in range(CONTEST_COUNT):
            asks = [Ask(till.epoch, till.next, kind, SUBJECT_CARD, 2, 300, 0, b"", b"") for till, kind in zip(tills, KINDS, strict=True)]
            both = zip((site.ledger, second), tills, asks, strict=True)
            answers = _at_once(*[partial(approvals.answer, ledger, till.number, ask, NOW_S) for ledger, till, ask in both])
            assert sorted(answer.held_fen for answer in answers if isinstance(answer, Answer)) == [0, 300]
            for till in tills:
                site.take(till, till.write(kinds.NOTHING))
    site.prove()


def test_a_server_that_dies_under_load_loses_nothing_acknowledged_and_nothing_is_done_twice(busy: Site) -> None:
    acknowledged: dict[str, int] = {}
    enough = threading.Semaphore(0)
    with _processes(busy, 2, 0, len(TILLS) // 2) as started:
        readers = [threading.Thread(target=_listen, args=(process, index, acknowledged, enough)) for index, process in enumerate(started)]
        for reader in readers:
            reader.start()
        for _ in range(SERVER_KILL_COUNT):
            for _ in range(ACKNOWLEDGED_COUNT):
                assert enough.acquire(timeout=60), "the processes go on when the server is back"
            shared_server().kill()
            shared_server().start()
        for process in started:
            process.kill()
        for reader in readers:
            reader.join()
    high_waters = {str(row.terminal): row.high_water for row in busy.rows(Epoch) if row.terminal in TILLS}
    requests = {row.request for row in busy.rows(Request)}
    for what, number in acknowledged.items():
        if what.startswith("form-"):
            assert {f"{what}-{index}" for index in range(1, number + 1)} <= requests
        else:
            assert high_waters[what] >= number
    _sums_are_exact(busy)


def _at_once(*calls: Callable[[], T]) -> list[T]:
    """What calls return that begin at the same moment, each in a thread of its own."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(begin, call) for call in calls]]


@contextmanager
def _processes(site: Site, process_count: int, round_count: int, share: int) -> Generator[list["subprocess.Popen[str]"]]:
    started: list[subprocess.Popen[str]] = []
    try:
        for index in range(process_count):
            tills = TILLS[index * share : (index + 1) * share]
            words = [site.url, str(index), str(round_count), *map(str, tills)]
            command = [sys.executable, "-m", "tests.host.ledger.postgres_process", *words]
            started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _listen(process: "subprocess.Popen[str]", index: int, acknowledged: dict[str, int], enough: threading.Semaphore) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        word, *numbers = line.split()
        acknowledged[f"form-{index}" if word == "recharged" else numbers[0]] = int(numbers[-1])
        enough.release()


def _sums_are_exact(site: Site) -> None:
    """Beside the proof of the books: what both holders have is what was paid in, less what was sold."""
    records = sum(row.high_water for row in site.rows(Epoch) if row.terminal in TILLS)
    paid = len([row for row in site.rows(Request) if row.request.startswith("form-")])
    has = site.account(100).balance_fen + site.account(101).balance_fen
    assert has == 2 * RICH_FEN + RECHARGE_FEN * paid - SALE_FEN * records
    site.prove()


def _deadlock_count(site: Site) -> int:
    shared_server().admin("SELECT pg_stat_force_next_flush()")
    return shared_server().admin(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{site.database}'")[0][0]  # type: ignore[arg-type]
