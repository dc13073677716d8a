"""What becomes of a commit to PostgreSQL when the connection, the server or the standby lets it down."""

import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from host import holders
from host.errors import CommitUnknown, LedgerAway, OnecardError, RuleBroken
from host.ledger import postgres, postgres_connection
from host.ledger.books import Books
from host.ledger.rows import Account, Epoch, Hold, Movement
from protocol import record as kinds
from tests.host.site import TILL, Site
from tests.postgres import shared_server
from tests.postgres_proxy import Proxy

pytestmark = pytest.mark.stores("postgresql")

LOST = ["cut before", "cut after"]
"""The ledger sees the same of both: the connection is gone, and no answer came."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "SETTLE_WAITS_S", (0.0, 0.0))


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """The site behind a proxy."""
    with Proxy(shared_server().folder) as made:
        site.url = shared_server().url(site.database, host=str(made.folder))
        site.reopen()
        yield made


@pytest.mark.parametrize("trick", LOST)
def test_an_own_record_is_posted_once_and_answered_whatever_the_cut(site: Site, proxy: Proxy, trick: str) -> None:
    proxy.play(trick)
    assert holders.recharge(site.ledger, "20260001", 100).available_fen == 20_100
    assert holders.recharge(site.ledger, "20260001", 10).available_fen == 20_110
    assert [row.amount_fen for row in site.rows(Movement)][-2:] == [100, 10]
    site.prove()


@pytest.mark.parametrize("trick", LOST)
def test_records_of_a_terminal_are_posted_once_and_acknowledged_whatever_the_cut(site: Site, proxy: Proxy, trick: str) -> None:
    till = site.journal(TILL)
    sales = [till.write(kinds.SALE, subject=1, amount_fen=amount) for amount in (500, 7)]
    proxy.play(trick)
    assert site.take(till, *sales) == (1, 2)
    assert site.account(100).balance_fen == 20_000 - 507
    site.prove()


@pytest.mark.parametrize("trick", LOST)
def test_an_ask_without_an_answer_is_asked_again_and_holds_once(site: Site, proxy: Proxy, trick: str) -> None:
    till = site.journal(TILL)
    proxy.play(trick)
    with pytest.raises(CommitUnknown, match="ask again"):
        site.ask(till, amount_fen=500)
    answer = site.ask(till, amount_fen=500)
    assert (answer.code, answer.held_fen) == (0, 500)
    assert [hold.amount_fen for hold in site.holds()] == [500]
    site.prove()


@pytest.mark.parametrize("trick", LOST)
def test_while_the_server_stays_away_it_is_unknown_and_nothing_is_lost_afterwards(site: Site, proxy: Proxy, trick: str) -> None:
    till = site.journal(TILL)
    sale = till.write(kinds.SALE, subject=1, amount_fen=500)
    proxy.play(trick, shuts=True)
    with pytest.raises(CommitUnknown):
        site.take(till, sale)
    with pytest.raises(LedgerAway, match="cannot be reached"):
        site.take(till, sale)
    proxy.is_shut = False
    assert site.take(till, sale) == (1, 1)
    assert site.account(100).balance_fen == 19_500
    site.prove()


@pytest.mark.parametrize("trick", LOST)
def test_after_an_unknown_commit_own_records_go_on_under_the_right_name(site: Site, proxy: Proxy, trick: str) -> None:
    before = site.account(100).balance_fen
    proxy.play(trick, shuts=True)
    with pytest.raises(CommitUnknown):
        holders.recharge(site.ledger, "20260001", 100)
    proxy.is_shut = False
    holders.recharge(site.ledger, "20260001", 1)
    assert site.account(100).balance_fen - before == (101 if trick == "cut after" else 1)
    site.prove()


@pytest.mark.parametrize("trick", LOST)
def test_a_request_of_its_own_key_is_found_after_an_unknown_commit(site: Site, proxy: Proxy, trick: str) -> None:
    proxy.play(trick, shuts=True)
    with pytest.raises(CommitUnknown):
        holders.recharge(site.ledger, "20260001", 100, request="form-1")
    proxy.is_shut = False
    assert holders.recharge(site.ledger, "20260001", 100, request="form-1").available_fen == 20_100
    site.prove()


def test_a_commit_that_warned_counts_once_a_later_one_did_not(site: Site, proxy: Proxy) -> None:
    proxy.play("warn")
    assert holders.recharge(site.ledger, "20260001", 100).available_fen == 20_100
    site.prove()


def test_while_commits_warn_it_is_unknown(site: Site, proxy: Proxy) -> None:
    proxy.play("warn", times=100)
    with pytest.raises(CommitUnknown, match="synchronous replication"):
        holders.recharge(site.ledger, "20260001", 100)
    proxy.play("")
    assert holders.recharge(site.ledger, "20260001", 1).available_fen == 20_101
    site.prove()


def test_a_standby_that_is_gone_makes_commits_unknown_and_none_is_done_twice(site: Site) -> None:
    """Cancelling the wait is what an operator does then; PostgreSQL has committed by that time, here only."""
    server = shared_server()
    till = site.journal(TILL)
    sale = till.write(kinds.SALE, subject=1, amount_fen=500)
    with ExitStack() as stack:
        stack.callback(lambda: server.admin("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"))
        stack.enter_context(_cancelling())
        server.admin("ALTER SYSTEM SET synchronous_standby_names = 'gone'", "SELECT pg_reload_conf()")
        with pytest.raises(CommitUnknown):
            site.take(till, sale)
        with pytest.raises(CommitUnknown):  # it finds the sale, and may not say so: the standby has not got it
            site.take(till, sale)
    assert site.take(till, sale) == (1, 1)
    assert site.account(100).balance_fen == 19_500
    site.prove()


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_what_the_database_breaks_off_for_anothers_sake_is_run_again_whole(site: Site, state: str) -> None:
    runs: list[int] = []

    def job(books: Books) -> int:
        books.add(Account(900, "fees", "once"))
        runs.append(1)
        if len(runs) < 3:
            list(books.run(f"DO $do$ BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = '{state}'; END $do$"))
        return len(runs)

    outcomes = site.ledger.batch([lambda books: books.add(Account(901, "fees", "beside")), job])
    assert [outcome.get() for outcome in outcomes] == [None, 3]
    assert site.account(900).label == "once"


def test_running_again_has_an_end(site: Site) -> None:
    def job(books: Books) -> None:
        list(books.run("DO $do$ BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = '40001'; END $do$"))

    with pytest.raises(LedgerAway, match="another's sake"):
        site.commit(job)


def test_a_connection_lost_before_commit_leaves_nothing_and_the_next_commit_works(site: Site) -> None:
    def job(books: Books) -> None:
        books.add(Account(900, "fees", "lost"))
        books.write()
        _terminate(site)
        books.highest(Account, "number")

    with pytest.raises(LedgerAway, match="nothing was changed"):
        site.commit(job)
    assert site.commit(lambda books: books.get(Account, 900)) is None


def test_a_process_that_is_frozen_in_a_commit_does_not_keep_the_others_waiting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "FROZEN_TIMEOUT_S", 0.2)
    frozen = site.open()
    with pytest.raises(LedgerAway), frozen.database.transaction(is_shared=False):
        assert holders.recharge(site.ledger, "20260001", 5).available_fen == 20_005
    frozen.commit(lambda books: books.add(Account(900, "fees", "thawed")))


def test_a_connection_that_died_while_idle_is_made_anew(site: Site) -> None:
    site.prove()
    _terminate(site)
    holders.recharge(site.ledger, "20260001", 5)
    assert site.account(100).balance_fen == 20_005


def test_a_commit_waits_for_another_process_only_so_long(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connection, "LOCK_TIMEOUT_S", 0.05)
    with ExitStack() as stack:
        second = stack.enter_context(closing(site.open()))
        with site.ledger.database.transaction(is_shared=True), pytest.raises(LedgerAway, match="lock timeout"):
            second.commit(lambda books: books.highest(Account, "number"))
        second.commit(lambda books: books.highest(Account, "number"))


def test_a_reader_sees_one_moment_and_waits_for_nobody(site: Site) -> None:
    with site.ledger.database.transaction(is_shared=False):
        assert site.account(100).balance_fen == 20_000

    def job(books: Books) -> None:
        assert books.need(Account, 101).balance_fen == 320
        holders.recharge(site.ledger, "20260001", 5)
        assert books.need(Account, 100).balance_fen == 20_000

    site.ledger.view(job)


def test_readers_are_bounded_and_whoever_finds_none_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connection, "LOCK_TIMEOUT_S", 0.05)
    with ExitStack() as stack:
        for _ in range(postgres_connection.READER_COUNT):
            stack.enter_context(site.ledger.database.snapshot())
        with pytest.raises(LedgerAway, match="busy"):
            site.account(100)
    assert site.account(100).balance_fen == 20_000


@pytest.mark.parametrize("name", ["\0", "\ud800"], ids=["NUL", "half a character"])
def test_a_name_that_is_no_text_is_refused_and_blocks_nobody(site: Site, name: str) -> None:
    with pytest.raises((RuleBroken, OnecardError)):
        site.add_holder("20260009", name=name)
    site.add_holder("20260009", name="龘䶮𠮷")


def test_only_what_is_asked_for_waits_for_the_disk_or_the_standby_too(site: Site) -> None:
    """A commit that only reads may acknowledge what another one's cancelled wait has left behind: it writes to the log as well."""

    def log_position() -> str:
        return shared_server().admin("SELECT pg_current_wal_insert_lsn()")[0][0]

    before = log_position()
    site.commit(lambda books: books.highest(Epoch, "epoch"))
    assert log_position() != before
    assert site.rows(Hold) == []


def _terminate(site: Site) -> None:
    """End the ledger's connections, all of them."""
    shared_server().admin(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{site.database}'")  # type: ignore[arg-type]


@contextmanager
def _cancelling() -> Generator[None]:
    """Meanwhile, cancel whoever waits for a standby."""
    is_over = threading.Event()

    def cancel() -> None:
        while not is_over.is_set():
            shared_server().admin(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "SELECT pg_sleep(0.02)"
            )

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
