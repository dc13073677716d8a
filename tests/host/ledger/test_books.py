"""The books of one commit: rows in hand, balances as deltas, seals, and what stays in hand for the next commit."""

from collections.abc import Callable

import pytest

from host.errors import RuleBroken
from host.intake import Delivery
from host.ledger import audit_log
from host.ledger.books import Books
from host.ledger.kinds import HoldKind, HoldState, ItemKind
from host.ledger.rows import Account, Act, Card, Epoch, Hold, Item, Movement, Writing
from host.ledger.seals import SEAL_SIZE, SEALED_KINDS, seal_of
from protocol import record as kinds
from protocol.record import pack_key
from tests.host.site import KEYS, NOW_S, TILL, Journal, Site

HOLDER, OTHER = 100, 101
CASH, SUSPENSE = 2, 5


def hold(sequence: int, state: str = HoldState.ASKED) -> Hold:
    return Hold(pack_key((TILL, 1, sequence), 0), HOLDER, HoldKind.SALE, state, 0)


# Balances.


def test_a_move_shows_at_once_in_accounts_in_hand_and_not(site: Site) -> None:
    def job(books: Books) -> tuple[int, int]:
        in_hand = books.need(Account, HOLDER)
        books.move(HOLDER, OTHER, 70)
        return in_hand.balance_fen, books.need(Account, OTHER).balance_fen

    assert site.commit(job) == (19_930, 390)
    assert (site.account(HOLDER).balance_fen, site.account(OTHER).balance_fen) == (19_930, 390)


def test_moves_add_up_over_writes_and_queries(site: Site) -> None:
    def job(books: Books) -> list[int]:
        books.move(HOLDER, OTHER, 10)
        books.write()
        books.move(HOLDER, OTHER, 5)
        found = [row.balance_fen for row in books.find(Account, owner=OTHER, kind="holder")]
        books.move(HOLDER, OTHER, 1)
        books.set_aside(OTHER, 300)
        return found

    assert site.commit(job) == [335]
    account = site.account(OTHER)
    assert (account.balance_fen, account.held_fen, site.account(HOLDER).balance_fen) == (336, 300, 19_984)


def test_a_change_of_an_account_keeps_what_was_moved_before_and_after(site: Site) -> None:
    def job(books: Books) -> None:
        books.move(HOLDER, OTHER, 10)
        account = books.need(Account, HOLDER)
        books.change(Account(HOLDER, account.kind, "renamed", account.balance_fen, account.held_fen, account.owner))
        books.move(HOLDER, OTHER, 10)

    site.commit(job)
    assert (site.account(HOLDER).label, site.account(HOLDER).balance_fen, site.account(OTHER).balance_fen) == ("renamed", 19_980, 340)


def test_an_account_opened_in_a_job_has_what_was_moved_to_it(site: Site) -> None:
    def job(books: Books) -> None:
        books.add(Account(900, "fees", "new"))
        books.move(HOLDER, 900, 10)
        books.write()
        books.move(HOLDER, 900, 10)

    site.commit(job)
    assert site.account(900).balance_fen == 20


def test_a_holder_cannot_be_moved_below_what_is_held(site: Site) -> None:
    def job(books: Books) -> None:
        books.set_aside(OTHER, 320)
        books.move(OTHER, CASH, 1)

    with pytest.raises(RuleBroken):
        site.commit(job)
    assert (site.account(OTHER).balance_fen, site.account(OTHER).held_fen) == (320, 0)


@pytest.mark.parametrize("amount_fen", [1 << 62, 1 << 63, 1 << 80])
def test_an_amount_beyond_all_limits_is_refused_before_the_commit(site: Site, amount_fen: int) -> None:
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.move(SUSPENSE, CASH, amount_fen))
    assert site.account(SUSPENSE).balance_fen == 0


# Rows.


def test_a_job_sees_its_own_changes(site: Site) -> None:
    def job(books: Books) -> list[object]:
        books.add(hold(1))
        seen = [len(books.find(Hold)), books.need(Hold, hold(1).key).state]
        books.change(hold(1, HoldState.TAKEN))
        seen += [books.find(Hold)[0].state, books.first(Hold, state=HoldState.ASKED)]
        books.drop(hold(1))
        return [*seen, books.find(Hold)]

    assert site.commit(job) == [1, "asked", "taken", None, []]


def test_load_takes_what_is_there_and_what_is_not(site: Site) -> None:
    def job(books: Books) -> list[Card | None]:
        books.load(Card, [(2,), (1,), (9,), (2,)])
        return [books.get(Card, number) for number in (1, 2, 9)]

    first, second, third = site.commit(job)
    assert first is not None and second is not None and (first.number, second.number, third) == (1, 2, None)  # noqa: PT018


def test_load_takes_rows_with_keys_of_several_columns(site: Site) -> None:
    site.journal(TILL)

    def job(books: Books) -> list[bool]:
        books.load(Epoch, [(TILL, 1), (TILL, 2), (1, 1)])
        return [books.get(Epoch, *key) is not None for key in ((TILL, 1), (TILL, 2), (1, 1))]

    assert site.commit(job) == [True, False, True]


def test_asked_holds_follow_what_the_job_does(site: Site) -> None:
    site.journal(TILL)

    def job(books: Books) -> list[list[int]]:
        books.add(hold(3))
        seen = [books.asked_up_to(TILL, 1, 9)]
        for sequence in (5, 4, 2):
            books.add(hold(sequence))
        books.change(hold(4, HoldState.TAKEN))
        books.drop(books.need(Hold, hold(3).key))
        seen += [books.asked_up_to(TILL, 1, 4), books.asked_up_to(TILL, 1, 9), books.asked_up_to(TILL, 2, 9)]
        return [[row.key >> 4 & 0xF for row in rows] for rows in seen]

    assert site.commit(job) == [[3], [2], [2, 5], []]


def test_a_row_added_once_may_be_there_already(site: Site) -> None:
    item = Item(0, ItemKind.FAULT, NOW_S, TILL, 0, 11)
    seen = Writing(1, 5, TILL, 7, kinds.SALE, 1, 100, told_by=1)

    def job(books: Books) -> None:
        for _ in range(2):
            books.add_once(item)
            books.add_once(seen)
            books.write()

    site.commit(job)
    site.commit(job)
    assert [(row.number, row.kind, row.amount_fen) for row in site.rows(Item)] == [(1, "fault", 11)]
    assert site.rows(Writing) == [seen]


def test_one_name_is_posted_once(site: Site) -> None:
    row = Movement(pack_key((TILL, 1, 1), 0), CASH, HOLDER, 5, bytes(64))
    site.commit(lambda books: books.add(row))
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.add(row))


# Seals.


def test_every_row_of_a_sealed_table_has_its_seal(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=100)
    site.take(till, till.write(kinds.FAULT))
    for kind in SEALED_KINDS - {Act}:
        for row, seal in site.ledger.view(lambda books, kind=kind: list(books.scan_sealed(kind))):
            assert bytes(seal) == seal_of(KEYS.seal_cmac(), row), row
            assert len(seal) == SEAL_SIZE


def test_seals_of_the_audit_log_are_a_chain(site: Site) -> None:
    def two(books: Books) -> None:
        audit_log.note(books, "first.act", "a")
        audit_log.note(books, "second.act", "b")

    site.commit(two)
    site.commit(lambda books: audit_log.note(books, "third.act", "c"))
    before = b""
    rows = site.ledger.view(lambda books: list(books.scan_sealed(Act)))
    assert [row.act for row, _ in rows][-3:] == ["first.act", "second.act", "third.act"]
    for row, seal in rows:
        before = seal_of(KEYS.seal_cmac(), row, before)
        assert bytes(seal) == before


def test_equal_columns_of_two_tables_have_different_seals() -> None:
    assert seal_of(KEYS.seal_cmac(), Epoch(1, 2, 3, 0, 0)) != seal_of(KEYS.seal_cmac(), Epoch(1, 2, 3, 0, 1))


# From one shared commit to the next.


def sell(site: Site, till: Journal, amount_fen: int) -> None:
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=amount_fen))


def take_most(books: Books) -> None:
    books.move(HOLDER, CASH, 19_000)


def by_a_job(site: Site) -> None:
    site.commit(take_most)


def by_another_process(site: Site) -> None:
    other = site.open()
    other.commit(take_most)
    other.close()


def after_a_restart(site: Site) -> None:
    site.reopen()
    site.commit(take_most)


@pytest.mark.parametrize("between", [by_a_job, by_another_process, after_a_restart])
def test_what_is_in_hand_is_as_the_database_has_it(site: Site, between: Callable[[Site], None]) -> None:
    till = site.journal(TILL)
    sell(site, till, 100)
    between(site)
    sell(site, till, 1_000)
    assert site.account(HOLDER).balance_fen == 0, "900 were left, and the rest is the school's loss"
    assert site.items() == ["uncovered"]


def test_what_failed_leaves_nothing_in_hand(site: Site) -> None:
    """A batch that broke off after it had changed rows in hand."""
    till = site.journal(TILL)
    sell(site, till, 100)

    class Broken:
        is_alone = False

        def want(self, wanted: object) -> None: ...

        def want_more(self, wanted: object, books: Books) -> None: ...

        def run(self, books: Books) -> tuple[int, int]:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        site.ledger.post([Delivery(TILL, till.write(kinds.SALE, subject=1, amount_fen=50), NOW_S), Broken()])
    assert site.account(HOLDER).balance_fen == 19_900
    assert site.take(till, till.records[1]) == (1, 2)
    assert site.account(HOLDER).balance_fen == 19_850
    site.prove()
