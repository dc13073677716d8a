"""Numbers at their ends: what does not fit is refused before the commit, and everything else goes on (ROBUSTNESS, db 6)."""

import pytest

from host import holders
from host.errors import RuleBroken
from host.ledger.books import Books
from host.ledger.rows import Account, Epoch, Item, Movement
from protocol import record as kinds
from protocol.record import SEQUENCE_MAX, Name, pack_key
from tests.host.site import TILL, Site, make_record

MOST_FEN = 1_000_000_000_000_000
"""What a balance may come to: ten trillion yuan (the schema's CHECK)."""

BEYOND = [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**100]
RECORD_MOST_FEN = 0xFFFF_FFFF


@pytest.mark.parametrize("amount_fen", BEYOND)
def test_a_balance_that_no_integer_holds_is_refused_and_nothing_stays(site: Site, amount_fen: int) -> None:
    def spoil(books: Books) -> None:
        books.add(Account(900, "fees", "new"))
        books.move(2, 900, amount_fen)

    with pytest.raises(RuleBroken):
        site.commit(spoil)
    assert site.commit(lambda books: books.get(Account, 900)) is None
    site.prove()


@pytest.mark.parametrize("amount_fen", [2**63, -(2**63) - 1])
def test_a_movement_that_no_integer_holds_is_refused(site: Site, amount_fen: int) -> None:
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.add(Movement(1 << 47, 2, 1, amount_fen, bytes(64))))
    site.prove()


def test_a_sum_that_would_run_over_is_refused_and_the_job_beside_it_is_not(site: Site) -> None:
    """The balance is at its end; one fen more fails its own job only."""
    site.execute("UPDATE accounts SET balance_fen = ? WHERE number = 100", MOST_FEN)
    outcomes = site.ledger.batch([lambda books: books.move(2, 100, 1), lambda books: books.move(2, 101, 1)])
    with pytest.raises(RuleBroken):
        outcomes[0].get()
    outcomes[1].get()
    assert (site.account(100).balance_fen, site.account(101).balance_fen) == (MOST_FEN, 321)


def test_a_payment_of_the_office_that_would_run_over_leaves_nothing(site: Site) -> None:
    site.execute("UPDATE accounts SET balance_fen = ? WHERE number = 2", -MOST_FEN)
    with pytest.raises(RuleBroken):
        holders.recharge(site.ledger, "20260001", 1)
    assert site.account(100).balance_fen == 20_000
    site.execute("UPDATE accounts SET balance_fen = ? WHERE number = 2", -20_320)
    holders.recharge(site.ledger, "20260001", 1)
    site.prove()


def test_the_largest_amounts_a_record_can_say_are_taken_in_and_add_up(site: Site) -> None:
    """Nobody has forty million yuan: what nothing covers is the school's loss, and an item each."""
    till = site.journal(TILL)
    for _ in range(20):
        site.take(till, till.write(kinds.SALE, subject=1, amount_fen=RECORD_MOST_FEN))
    assert site.account(100).balance_fen == 0
    assert site.account(4).balance_fen == 20_000 - 20 * RECORD_MOST_FEN
    assert site.items() == ["uncovered"] * 20
    site.prove()


def test_the_last_name_of_an_epoch_is_taken_and_nothing_comes_after_it(site: Site) -> None:
    till = site.journal(TILL)
    site.execute("UPDATE epochs SET high_water = ? WHERE terminal = ? AND epoch = 1", SEQUENCE_MAX - 1, TILL)
    last = make_record(kinds.SALE, name=Name(TILL, 1, SEQUENCE_MAX), subject=1, amount_fen=5)
    assert site.take(till, last) == (1, SEQUENCE_MAX)
    beyond = last[:6] + (SEQUENCE_MAX + 1).to_bytes(4, "little") + last[10:]
    assert site.take(till, beyond) == (1, SEQUENCE_MAX)
    assert [item.kind for item in site.rows(Item)] == ["stray"]
    assert site.account(100).balance_fen == 19_995


def test_every_name_there_can_be_is_a_key_the_database_can_hold(site: Site) -> None:
    key = pack_key(Name(65_535, 4_095, SEQUENCE_MAX), 15)
    assert 0 < key < 2**63
    site.commit(lambda books: books.add(Movement(key, 2, 1, 1, None)))
    assert [row.key for row in site.rows(Movement)][-1] == key


@pytest.mark.parametrize("high_water", [-1, SEQUENCE_MAX + 1])
def test_a_high_water_that_no_record_has_is_refused(site: Site, high_water: int) -> None:
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.add(Epoch(TILL, 9, high_water)))
