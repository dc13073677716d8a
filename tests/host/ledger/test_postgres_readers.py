"""Whoever reads the books while a business day is closed or archived sees all of them, and holds no till up."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from host import days
from host.chores import Chores
from host.errors import LedgerAway
from host.ledger import postgres_store
from host.ledger.archive import archive, prove
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.postgres_query import query
from host.ledger.rows import Account, Movement
from tests.host.day_site import CUT_S, TODAY, closed, sell, states
from tests.host.site import Journal, Site
from tests.host.test_chores import Log

pytestmark = pytest.mark.stores("postgresql")

BOUND_S = 20
"""A test that waits longer has found somebody who waits for ever."""


@pytest.fixture
def second(site: Site, till: Journal) -> Generator[SiteLedger]:
    """Another process, on a ledger in which something was sold."""
    sell(site, till, 300)
    with closing(site.open()) as ledger:
        yield ledger


def test_a_reader_from_before_the_archive_sees_all_and_the_day_is_archived_once_it_ends(site: Site, second: SiteLedger) -> None:
    closed(site)
    all_count = second.view(_count)

    def read(books: Books) -> int:
        books.find(Account)  # the snapshot is taken here
        with pytest.raises(LedgerAway, match="somebody reads the books"):
            days.archive_closed(site.ledger)
        return _count(books)

    assert second.view(read) == all_count
    assert days.archive_closed(site.ledger) == ([TODAY], [])
    assert second.view(_count) == all_count
    site.prove()


def test_a_reader_that_comes_during_the_archive_waits_and_sees_all(site: Site, second: SiteLedger) -> None:
    closed(site)
    all_count = second.view(_count)
    with _archiving(site) as begin:
        found = begin(lambda: second.view(lambda books: (len(books.find(Account)), _count(books))[1]))
    assert found.result(BOUND_S) == all_count


def test_an_operators_question_during_the_archive_waits_and_sees_all(site: Site, second: SiteLedger) -> None:
    closed(site)
    all_count = second.view(_count)
    with _archiving(site) as begin:
        found = begin(lambda: query(site.url, "SELECT count(*) FROM movements", 1)[1])
    assert found.result(BOUND_S) == [(all_count,)]


def test_a_long_reader_holds_no_till_up_and_the_chore_is_done_once_it_ends(
    site: Site, till: Journal, second: SiteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever waited for the reader with tables half changed would wait longer than the test does.
    monkeypatch.setattr(postgres_store, "DDL_TIMEOUT", f"{2 * BOUND_S}s")
    log = Log()
    chores = Chores(site.ledger, log)
    site.now_s = CUT_S

    def read(books: Books) -> None:
        _count(books)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(chores.do, CUT_S).result(BOUND_S)
        sell(site, till, 200)

    second.view(read)
    assert log.lines == [("a business day must wait", "账本有人在读 s")]
    chores.do(CUT_S)
    assert log.lines[1:] == [("day closed", "2026-11-24"), ("day archived", "2026-11-24")]
    assert states(site)[0] == (TODAY, "archived")
    site.prove()


def _count(books: Books) -> int:
    return sum(1 for _ in books.scan(Movement))


@contextmanager
def _archiving(site: Site) -> Generator[Callable[[Callable[[], object]], "Future[object]"]]:
    """Archive the first day; what is begun meanwhile has come to its wait when the commit comes."""
    measured = site.ledger.view(lambda books: prove(books, 1))
    moved, waited = threading.Event(), threading.Event()

    def move(books: Books) -> None:
        archive(books, 1, measured)
        moved.set()
        assert waited.wait(BOUND_S)

    def begin(read: Callable[[], object]) -> "Future[object]":
        assert moved.wait(BOUND_S)
        found = pool.submit(read)
        pause = threading.Event()
        while not site.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ):
            assert not found.done(), "whoever reads during an archive waits"
            pause.wait(0.01)
        waited.set()
        return found

    with ThreadPoolExecutor(2) as pool:
        done = pool.submit(site.commit, move)
        try:
            yield begin
        finally:
            waited.set()
        done.result(BOUND_S)
