"""The office corrects: reversals once, adjustments with a reason, and nothing that is not covered."""

import pytest

from host import adjustments, holders
from host.errors import AlreadyThere, InsufficientFunds, InvalidValue, NotFound, RequestDiffers
from host.ledger.adjustment import Adjustment, Purpose, decode_annex, encode_annex
from host.ledger.books import Books
from host.ledger.kinds import ItemKind
from host.ledger.process import write_record
from host.ledger.refunds import Leg
from host.ledger.reports import name_text
from host.ledger.rows import BANK, CASH, LOSS, SUSPENSE, Act, Annex, Fact, Movement, Refund, Reversal
from protocol import record as kinds
from protocol.record import Name, pack_key
from tests.host.site import SHOWER, TILL, Journal, Site

pytestmark = pytest.mark.stores("sqlite")
both_stores = pytest.mark.stores("sqlite", "postgresql")
"""For what a database might do otherwise."""

HOLDER, POOR, MIRROR = 100, 101, 102
BATH, CANTEEN = 104, 105
WHY = "重复扣款 charged twice"


def balances(site: Site, *numbers: int) -> tuple[int, ...]:
    return tuple(site.account(number).balance_fen for number in numbers)


@pytest.fixture
def till(site: Site) -> Journal:
    """A till that has sold for 7.00."""
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=700))
    return till


@both_stores
def test_a_sale_is_reversed_once(site: Site, till: Journal) -> None:
    found = adjustments.reverse(site.ledger, "101-1-1", WHY)
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    assert found.legs == (("第一食堂", "张小雨", 700),)
    assert [row.reversed for row in site.rows(Reversal)] == [pack_key(till.name(1), 0)]
    with pytest.raises(AlreadyThere, match=found.name):
        adjustments.reverse(site.ledger, "101-1-1", WHY)
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    site.prove()


def test_what_was_refunded_is_not_reversed_again_and_what_was_reversed_not_refunded(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=300))
    adjustments.reverse(site.ledger, "101-1-1", WHY)
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    site.take(till, till.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=1))
    assert balances(site, HOLDER, SUSPENSE) == (20_000, 1)
    assert sorted(row.amount_fen for row in site.rows(Refund)) == [300, 400]


def test_a_sale_refunded_in_full_has_nothing_to_reverse(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.VOID, subject=1, reference=till.name(1), amount_fen=700))
    with pytest.raises(InvalidValue, match="nothing is left"):
        adjustments.reverse(site.ledger, "101-1-1", WHY)


def test_a_shower_is_reversed_by_its_settled(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=120))
    adjustments.reverse(site.ledger, "100-1-2", WHY)
    assert balances(site, HOLDER, BATH) == (20_000, 0)
    with pytest.raises(InvalidValue, match="opened"):
        adjustments.reverse(site.ledger, "100-1-1", WHY)


@both_stores
def test_a_recharge_is_reversed_if_the_money_is_still_there(site: Site, till: Journal) -> None:
    holders.recharge(site.ledger, "20260002", 500)
    name = name_text(max(row.key for row in site.rows(Movement) if row.credit == POOR))
    adjustments.adjust(site.ledger, "20260002", "bank", 400, "paid out")
    with pytest.raises(InsufficientFunds) as refused:
        adjustments.reverse(site.ledger, name, WHY)
    assert (refused.value.available_fen, refused.value.lacking_fen) == (420, 80)
    assert site.rows(Reversal) == []
    adjustments.adjust(site.ledger, "bank", "20260002", 100, "paid in")
    adjustments.reverse(site.ledger, name, WHY)
    assert balances(site, POOR) == (20,)
    site.prove()


def test_an_adjustment_is_reversed_and_a_reversal_is_not(site: Site) -> None:
    adjusted = adjustments.adjust(site.ledger, "bank", "20260002", 100, "paid in")
    undone = adjustments.reverse(site.ledger, adjusted.name, WHY)
    assert balances(site, POOR, BANK) == (320, 0)
    with pytest.raises(InvalidValue, match="is a reversal"):
        adjustments.reverse(site.ledger, undone.name, WHY)


@pytest.mark.parametrize("name", ["", "101", "0-1-1", "101-0-1", "101-1-0", "101-4096-1", "101-1-2147483648", "70000-1-1", "a-1-1"])
def test_what_is_no_name_of_a_record_is_refused(site: Site, name: str) -> None:
    with pytest.raises(InvalidValue, match="101-3-17"):
        adjustments.reverse(site.ledger, name, WHY)


def test_a_record_nobody_has_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound):
        adjustments.reverse(site.ledger, "101-1-9", WHY)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\x1bb"])
def test_nothing_is_corrected_without_a_reason(site: Site, till: Journal, reason: str) -> None:
    with pytest.raises(InvalidValue):
        adjustments.reverse(site.ledger, "101-1-1", reason)
    with pytest.raises(InvalidValue):
        adjustments.adjust(site.ledger, "bank", "cash", 1, reason)


def test_suspense_money_goes_to_the_owner_that_was_found(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.VOID, subject=1, reference=till.name(9), amount_fen=700))
    adjustments.adjust(site.ledger, "suspense", "20260001", 700, "owner found")
    assert balances(site, SUSPENSE, HOLDER) == (0, 20_700)
    acts = [act.act for act in site.rows(Act)]
    assert acts[-1] == "adjust"
    site.prove()


@both_stores
def test_between_two_holders_each_movement_is_one_holders(site: Site) -> None:
    adjustments.adjust(site.ledger, "20260001", "20260002", 100, "wrong account")
    assert balances(site, HOLDER, POOR, SUSPENSE) == (19_900, 420, 0)
    assert {(row.debit, row.credit, row.owner) for row in site.rows(Movement) if SUSPENSE in (row.debit, row.credit)} == {
        (HOLDER, SUSPENSE, HOLDER),
        (SUSPENSE, POOR, POOR),
    }
    site.prove()


@pytest.mark.parametrize(("debit", "credit"), [("cash", "bank"), ("fees", "第一食堂"), ("#105", "loss"), ("alipay", "wechat")])
def test_every_kind_of_account_is_reachable_by_name(site: Site, debit: str, credit: str) -> None:
    assert adjustments.adjust(site.ledger, debit, credit, 5, "day's takings").amount_fen == 5
    site.prove()


@pytest.mark.parametrize("text", ["nobody", "#9999", "#x", "#", ""])
def test_an_account_nobody_has_is_not_found(site: Site, text: str) -> None:
    with pytest.raises(NotFound):
        adjustments.adjust(site.ledger, "bank", text, 5, "x")


def test_a_purses_mirror_is_not_moved_by_hand(site: Site) -> None:
    with pytest.raises(InvalidValue, match="钱包"):
        adjustments.adjust(site.ledger, "bank", "#102", 5, "x")


def test_an_adjustment_is_between_two_accounts_of_an_amount_that_is_there(site: Site) -> None:
    with pytest.raises(InvalidValue):
        adjustments.adjust(site.ledger, "bank", "bank", 5, "x")
    for amount_fen in (0, -1, adjustments.MOST_FEN + 1):
        with pytest.raises(InvalidValue):
            adjustments.adjust(site.ledger, "bank", "cash", amount_fen, "x")
    with pytest.raises(InsufficientFunds):
        adjustments.adjust(site.ledger, "20260002", "cash", 321, "x")
    assert balances(site, CASH, POOR) == (-20_320, 320)


@both_stores
def test_the_same_key_again_moves_nothing(site: Site) -> None:
    first = adjustments.adjust(site.ledger, "bank", "20260001", 100, "form 7", request="form-7")
    assert adjustments.adjust(site.ledger, "bank", "20260001", 100, "form 7", request="form-7") == first
    assert balances(site, HOLDER, BANK) == (20_100, -100)
    with pytest.raises(RequestDiffers):
        adjustments.adjust(site.ledger, "bank", "20260001", 101, "form 7", request="form-7")


def test_the_books_say_why(site: Site, till: Journal) -> None:
    adjustments.reverse(site.ledger, "101-1-1", WHY)
    (annex,) = site.rows(Annex)
    found = decode_annex(annex.content)
    assert found == Adjustment(Purpose.REVERSAL, WHY, (Leg(CANTEEN, HOLDER, 700),))


# What a restore may bring back later, when the books stand otherwise: never refused, and nobody below nothing.


def replay(site: Site, adjustment: Adjustment, amount_fen: int | None = None, annex: bytes | None = None, **fields: object) -> None:
    content = encode_annex(adjustment) if annex is None else annex
    amount = adjustment.amount_fen if amount_fen is None else amount_fen

    def job(books: Books) -> None:
        write_record(books, kind=kinds.ADJUST, amount_fen=amount, annex=content, **fields)  # pyright: ignore[reportArgumentType]

    site.commit(job)


@both_stores
def test_what_is_no_more_covered_is_the_schools_loss(site: Site) -> None:
    replay(site, Adjustment(Purpose.MOVE, "", (Leg(POOR, CASH, 500),)))
    assert balances(site, POOR, LOSS) == (0, -180)
    assert site.items() == [ItemKind.UNCOVERED]
    site.prove()


def test_what_one_leg_brings_the_next_may_take(site: Site) -> None:
    replay(site, Adjustment(Purpose.MOVE, "", (Leg(BANK, POOR, 500), Leg(POOR, CASH, 820))))
    assert balances(site, POOR, LOSS) == (0, 0)
    assert site.items() == []


@both_stores
def test_suspense_stands_in_for_an_account_a_restore_has_lost(site: Site) -> None:
    replay(site, Adjustment(Purpose.MOVE, "", (Leg(BANK, 999, 500), Leg(998, 999, 5))))
    assert balances(site, BANK, SUSPENSE) == (-500, 500)
    assert site.items() == [ItemKind.UNKNOWN_SUBJECT]
    site.prove()


def test_a_loss_that_would_go_to_the_loss_moves_nothing(site: Site) -> None:
    replay(site, Adjustment(Purpose.MOVE, "", (Leg(POOR, LOSS, 500),)))
    assert balances(site, POOR, LOSS) == (0, 320)


@pytest.mark.parametrize("annex", [b"", b"\x01", encode_annex(Adjustment(Purpose.MOVE))[1:]])
def test_an_annex_that_says_nothing_moves_nothing(site: Site, annex: bytes) -> None:
    replay(site, Adjustment(Purpose.MOVE), amount_fen=500, annex=annex)
    assert site.items() == [ItemKind.NOT_EFFECTIVE]
    assert balances(site, SUSPENSE) == (0,)


def test_an_annex_of_another_amount_or_too_many_movements_moves_nothing(site: Site) -> None:
    replay(site, Adjustment(Purpose.MOVE, "", (Leg(BANK, CASH, 5),)), amount_fen=6)
    replay(site, Adjustment(Purpose.MOVE, "", (Leg(BANK, CASH, 5),) * 9))
    assert site.items() == [ItemKind.NOT_EFFECTIVE] * 2
    assert balances(site, BANK) == (0,)


def test_a_reversal_read_twice_has_effect_once(site: Site, till: Journal) -> None:
    adjustment = Adjustment(Purpose.REVERSAL, WHY, (Leg(CANTEEN, HOLDER, 700),))
    for _ in range(2):
        replay(site, adjustment, reference=Name(TILL, 1, 1))
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    assert site.items() == [ItemKind.MISMATCH]
    assert len([row for row in site.rows(Fact) if row.key >> 47 == 1]) >= 1
