"""Group commit: what waits is one commit, a failing job spoils nobody else's."""

import threading
from collections.abc import Iterator

import pytest

from host import holders, intake
from host.errors import LedgerAway, NotFound
from host.intake import Delivery
from host.ledger.books import Books
from host.ledger.process import write_record
from host.ledger.rows import Account, Commit, Epoch
from host.writer import Writer
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT
from tests.host.site import NOW_S, SHOWER, TILL, Site


@pytest.fixture
def writer(site: Site) -> Iterator[Writer]:
    made = Writer(site.ledger)
    yield made
    made.close()


def test_services_take_a_writer_for_a_ledger(site: Site, writer: Writer) -> None:
    assert holders.recharge(writer, "20260001", 100).available_fen == 20_100
    assert holders.balance(writer, "20260001").available_fen == 20_100
    site.prove()


def test_what_waits_is_one_commit(site: Site, writer: Writer) -> None:
    commits: list[int] = []
    writer.listen(lambda: commits.append(1))
    running, gate = threading.Event(), threading.Event()

    def block(books: Books) -> None:
        running.set()
        assert gate.wait(10)

    first = writer.submit(block)
    assert running.wait(10)
    futures = [writer.submit(lambda books: holders.balance_in(books, holders.need_holder(books, "20260001"))) for _ in range(50)]
    gate.set()
    first.result()
    assert len([future.result() for future in futures]) == 50
    assert len(commits) == 2


def blocked(writer: Writer) -> threading.Event:
    """Keep the writer busy with a job; what is queued meanwhile waits until the event is set."""
    running, gate = threading.Event(), threading.Event()

    def block(books: Books) -> None:
        running.set()
        assert gate.wait(10)

    writer.submit(block)
    assert running.wait(10)
    return gate


def test_what_terminals_sent_meanwhile_is_one_commit_and_jobs_the_next(site: Site, writer: Writer) -> None:
    tills = [site.journal(TILL), site.journal(SHOWER)]
    gate = blocked(writer)
    commits: list[int] = []
    answers = [writer.request(Delivery(till.number, till.write(kinds.NOTHING), NOW_S)) for _ in range(20) for till in tills]
    recharged = [writer.submit(_recharge) for _ in range(5)]
    writer.listen(lambda: commits.append(1))
    gate.set()
    assert [future.result() for future in answers][-2:] == [(1, 20), (1, 20)]
    assert all(future.exception() is None for future in recharged)
    assert len(commits) == 3, "the job that kept it busy, the arrivals, the jobs"
    site.prove()


def test_an_arrival_that_fails_spoils_nobody(site: Site, writer: Writer) -> None:
    till = site.journal(TILL)
    gate = blocked(writer)
    good = writer.request(Delivery(TILL, till.write(kinds.SALE, subject=1, amount_fen=500), NOW_S))
    bad = writer.request(Delivery(9_999, bytes(64), NOW_S))
    gate.set()
    assert good.result() == (1, 1)
    assert isinstance(bad.exception(), AssertionError), "no such terminal: the roster knows none"
    assert site.account(100).balance_fen == 19_500
    site.prove()


def test_a_void_among_sales_is_a_job_of_its_own(site: Site, writer: Writer) -> None:
    till, shower = site.journal(TILL), site.journal(SHOWER)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=500))
    gate = blocked(writer)
    voided = writer.request(Delivery(TILL, till.write(kinds.VOID, subject=1, reference=till.name(1), amount_fen=500), NOW_S))
    other = writer.request(Delivery(SHOWER, shower.write(kinds.STARTED), NOW_S))
    gate.set()
    assert (voided.result(), other.result()) == ((1, 2), (1, 1))
    assert site.account(100).balance_fen == 20_000
    site.prove()


def test_a_failing_job_leaves_nothing_and_spoils_nobody(site: Site) -> None:
    def fail(books: Books) -> None:
        books.add(Account(900, "fees", "lost"))
        books.write()
        raise ValueError("no")

    outcomes = site.ledger.batch(
        [lambda books: books.add(Account(901, "fees", "a")), fail, lambda books: books.add(Account(902, "fees", "b"))]
    )
    assert [type(outcome.error) for outcome in outcomes] == [type(None), ValueError, type(None)]
    assert [row.number for row in site.rows(Account) if row.number >= 900] == [901, 902]


def test_records_of_failing_jobs_leave_no_hole(site: Site) -> None:
    def fail(books: Books) -> None:
        holders.balance_in(books, holders.need_holder(books, "20260001"))
        _recharge(books)
        raise ValueError("no")

    site.ledger.batch([_recharge, fail, _recharge])
    assert [row.high_water for row in site.rows(Epoch) if row.terminal == 1] == [4], "two recharges made the site"
    site.prove()


def _recharge(books: Books) -> None:
    write_record(books, kind=kinds.RECHARGE, subject_kind=SUBJECT_ACCOUNT, subject=100, amount_fen=5)


def test_an_error_reaches_who_asked(writer: Writer) -> None:
    with pytest.raises(NotFound):
        holders.recharge(writer, "nobody77", 100)


def test_many_threads_post_everything_once(site: Site, writer: Writer) -> None:
    till = site.journal(TILL)
    sales = [till.write(kinds.SALE, subject=1, amount_fen=1) for _ in range(60)]

    def deliver() -> None:
        for start in range(0, len(sales), 3):
            intake.take(writer, TILL, b"".join(sales[start : start + 3]), NOW_S)

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver()
    assert site.account(100).balance_fen == 20_000 - 60
    site.prove()


def test_closing_commits_what_waits_and_refuses_what_comes_after(site: Site) -> None:
    writer = Writer(site.ledger)
    futures = [writer.submit(_recharge) for _ in range(5)]
    writer.close()
    assert all(future.exception() is None for future in futures)
    with pytest.raises(LedgerAway):
        writer.commit(_recharge)
    assert len(site.rows(Commit)) == 7
