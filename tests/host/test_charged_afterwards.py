"""What the end of the wait after a restore charges afterwards, and what a refund before or after it gives back to whom (MONEY 7)."""

import pytest

from host import adjustments, holders, restoring
from host.check import check
from host.ledger.adjustment import Adjustment, Purpose, decode_annex, encode_annex
from host.ledger.books import Books
from host.ledger.kinds import ItemKind
from host.ledger.process import write_record
from host.ledger.refunds import Leg
from host.ledger.rows import LOSS, Annex, Item, Refund
from protocol import record as kinds
from protocol.record import Name
from tests.host.site import SHOWER, TILL, Journal, Site
from tests.host.test_restoring import restored

POOR, CANTEEN = 101, 105


def balances(site: Site, *numbers: int) -> tuple[int, ...]:
    return tuple(site.account(number).balance_fen for number in numbers)


def open_items(site: Site) -> list[tuple[str, int]]:
    return [(item.kind, item.amount_fen) for item in site.rows(Item) if item.is_open]


@pytest.fixture
def till(site: Site) -> Journal:
    """A till where 李强, who has 3.20 after the restore, ate for 10.00; he had paid in 10.00, which comes after."""
    till = site.journal(TILL)
    restored(site)
    site.shake_hands(till)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=1_000))
    assert balances(site, POOR, LOSS) == (0, -680)
    return till


def void(site: Site, till: Journal, amount_fen: int = 1_000) -> None:
    site.take(till, till.write(kinds.REFUND, subject=2, amount_fen=amount_fen, reference=till.name(1)))


def test_what_was_refunded_during_the_wait_is_not_charged_afterwards(site: Site, till: Journal) -> None:
    void(site, till)
    holders.recharge(site.ledger, "20260002", 1_000)
    ended = restoring.end(site.ledger, "test")
    assert (ended.covered_fen, ended.uncovered_fen) == (0, 0)
    assert balances(site, POOR, LOSS, CANTEEN) == (1_320, 0, 0)
    assert open_items(site) == []
    site.prove()


def test_what_was_refunded_in_part_is_charged_as_far_as_the_school_still_bears_it(site: Site, till: Journal) -> None:
    void(site, till, 300)
    holders.recharge(site.ledger, "20260002", 1_000)
    assert restoring.end(site.ledger, "test").covered_fen == 380
    assert balances(site, POOR, LOSS, CANTEEN) == (620, 0, 700)
    void(site, till, 700)
    assert balances(site, POOR, LOSS, CANTEEN) == (1_320, 0, 0)
    site.prove()


def test_a_refund_after_the_wait_goes_to_whom_was_charged_afterwards(site: Site, till: Journal) -> None:
    holders.recharge(site.ledger, "20260002", 1_000)
    assert restoring.end(site.ledger, "test").covered_fen == 680
    assert balances(site, POOR, LOSS) == (320, 0)
    void(site, till)
    assert balances(site, POOR, LOSS, CANTEEN) == (1_320, 0, 0)
    site.prove()


def test_what_was_charged_in_part_goes_back_to_the_school_first(site: Site, till: Journal) -> None:
    holders.recharge(site.ledger, "20260002", 200)
    ended = restoring.end(site.ledger, "test")
    assert (ended.covered_fen, ended.uncovered_fen) == (200, 480)
    void(site, till, 500)
    assert balances(site, POOR, LOSS) == (20, 0)
    void(site, till, 500)
    assert balances(site, POOR, LOSS, CANTEEN) == (520, 0, 0)
    site.prove()


def test_the_books_say_what_it_was_for(site: Site, till: Journal) -> None:
    holders.recharge(site.ledger, "20260002", 1_000)
    restoring.end(site.ledger, "test")
    found = [decode_annex(row.content) for row in site.rows(Annex)]
    (cover,) = [each for each in found if each is not None and each.purpose == Purpose.COVER]
    assert cover.legs == (Leg(POOR, LOSS, 680),)
    assert "101-1-1" in cover.reason


def replay_cover(site: Site, till: Journal, amount_fen: int) -> None:
    annex = encode_annex(Adjustment(Purpose.COVER, "", (Leg(POOR, LOSS, amount_fen),)))

    def job(books: Books) -> None:
        write_record(books, kind=kinds.ADJUST, amount_fen=amount_fen, annex=annex, reference=Name(TILL, till.epoch, 1))

    site.commit(job)


def test_read_again_before_its_sale_it_takes_nothing_for_the_sale_charges_by_itself(site: Site) -> None:
    till = site.journal(TILL)
    holders.recharge(site.ledger, "20260002", 1_000)
    replay_cover(site, till, 680)
    assert balances(site, POOR, LOSS) == (1_320, 0)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=1_000))
    assert balances(site, POOR, LOSS, CANTEEN) == (320, 0, 1_000)
    site.prove()


def test_read_again_it_takes_no_more_than_the_school_bears(site: Site, till: Journal) -> None:
    holders.recharge(site.ledger, "20260002", 1_000)
    for _ in range(2):
        replay_cover(site, till, 680)
    assert balances(site, POOR, LOSS) == (320, 0)
    site.prove()


def test_a_shower_that_was_settled_meanwhile_cost_nobody_anything(site: Site) -> None:
    """Its `opened` found 1.80 too little to set aside; it used less than there was."""
    shower = site.journal(SHOWER)
    restored(site)
    site.shake_hands(shower)
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=500))
    assert open_items(site) == [(ItemKind.UNDECIDED, 180)]
    site.take(shower, shower.write(kinds.SETTLED, subject=2, amount_fen=300, reference=shower.name(1)))
    ended = restoring.end(site.ledger, "test")
    assert (ended.covered_fen, ended.uncovered_fen) == (0, 0)
    assert (balances(site, POOR, LOSS), open_items(site)) == ((20, 0), [])
    site.prove()


def test_a_shower_that_used_more_than_there_is_stays_the_schools_loss(site: Site) -> None:
    shower = site.journal(SHOWER)
    restored(site)
    site.shake_hands(shower)
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=500))
    site.take(shower, shower.write(kinds.SETTLED, subject=2, amount_fen=450, reference=shower.name(1)))
    assert restoring.end(site.ledger, "test").uncovered_fen == 130
    assert open_items(site) == [(ItemKind.UNCOVERED, 130)]
    site.prove()


# A reversal that is here before its sale, as a restore reads files before the terminals deliver.


def replay_reversal(site: Site, till: Journal, amount_fen: int = 1_000) -> None:
    annex = encode_annex(Adjustment(Purpose.REVERSAL, "test", (Leg(CANTEEN, 100, amount_fen),)))

    def job(books: Books) -> None:
        write_record(books, kind=kinds.ADJUST, amount_fen=amount_fen, annex=annex, reference=Name(TILL, till.epoch, 1))

    site.commit(job)


def test_a_sale_that_was_reversed_before_it_came_is_not_refunded_again(site: Site) -> None:
    till = site.journal(TILL)
    replay_reversal(site, till)
    site.prove()
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1_000))
    assert balances(site, 100, CANTEEN) == (20_000, 0)
    site.take(till, till.write(kinds.VOID, subject=1, amount_fen=1_000, reference=till.name(1)))
    assert balances(site, 100) == (20_000,)
    assert open_items(site) == [(ItemKind.REFUND, 1_000)]
    site.prove()


def test_a_refund_that_waited_gets_only_what_the_reversal_left(site: Site) -> None:
    till = site.journal(TILL)
    replay_reversal(site, till, 700)

    def wait(books: Books) -> None:
        books.add(Refund(site_key(till, 9), site_key(till, 1), 400, is_waiting=1))
        books.forget_waiting()

    site.commit(wait)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1_000))
    assert open_items(site) == [(ItemKind.REFUND, 400)]
    assert balances(site, 100, CANTEEN) == (19_700, -100)


def site_key(till: Journal, sequence: int) -> int:
    """The key of a till's record."""
    return adjustments.key_of_name(f"{TILL}-{till.epoch}-{sequence}")


def test_a_reversal_without_its_row_is_found(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1_000))
    adjustments.reverse(site.ledger, "101-1-1", "test")
    site.prove()
    site.execute("DELETE FROM refunds")
    assert any("it is gone" in str(problem) for problem in check(site.ledger).problems)
