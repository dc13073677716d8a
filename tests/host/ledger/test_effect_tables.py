"""The second table of MONEY 4, row by row: the effect of each kind of record, to the fen."""

from dataclasses import replace
from typing import Any

import pytest

from host.ledger.cases import Effect, Finding
from host.ledger.effects import unreadable
from host.ledger.funds import Share
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.refunds import Leg, Sold
from host.ledger.rows import LOSS, SUSPENSE, Account, Hold, Refund
from protocol import record as kinds
from protocol.messages import SUBJECT_NONE
from protocol.shown import pack_fault
from tests.host.rule_cases import (
    KEY,
    MAIN,
    MIRROR,
    OPENED,
    OPENED_KEY,
    OTHER,
    SHOP,
    WALLET,
    asked,
    given,
    lost,
    main,
    mirror,
    record,
    taken,
)

# Sales.


def test_a_sale_is_paid_by_the_account_then_the_school() -> None:
    assert given(record(kinds.SALE)) == Effect([Leg(MAIN, SHOP, 300)])
    assert given(record(kinds.SALE, 1_001)) == Effect([Leg(MAIN, SHOP, 1_000), Leg(LOSS, SHOP, 1)], findings=lost(1))
    assert given(record(kinds.SALE), main(-5)) == Effect([Leg(LOSS, SHOP, 300)], findings=lost(300))
    assert given(record(kinds.SALE, 0)) == Effect([])


def test_a_sale_takes_what_the_holds_that_end_with_it_free() -> None:
    hold = asked()
    assert given(record(kinds.SALE), main(0, 300), asked=(hold,)) == Effect([Leg(MAIN, SHOP, 300)], (hold,))
    anothers = asked(account=OTHER)
    found = given(record(kinds.SALE), main(0, 300), asked=(anothers,))
    assert found == Effect([Leg(LOSS, SHOP, 300)], (anothers,), findings=lost(300))


def test_a_sale_takes_its_own_holds_parts_before_anything_else() -> None:
    hold = asked(fen=300, part_count=1)
    wallet = Account(WALLET, AccountKind.WALLET, "", 500, 100)
    given_fields: dict[str, Any] = {"asked": (hold,), "parts": {KEY: [Share(WALLET, 100)]}}
    found = given(record(kinds.SALE, 250), main(500, 200), payers=(main(500, 200),), **given_fields)
    assert found.legs == [Leg(WALLET, SHOP, 100), Leg(MAIN, SHOP, 150)]
    # Asked for another subject, or for a shower: it only ends.
    for other in (replace(hold, subject=2), replace(hold, kind=HoldKind.SHOWER), replace(hold, key=KEY - 16)):
        parts = {other.key: [Share(WALLET, 100)]}
        found = given(record(kinds.SALE, 250), payers=(wallet, main(500, 200)), asked=(other,), parts=parts)
        assert found.legs == [Leg(WALLET, SHOP, 250)]


def test_a_purse_sale_is_paid_by_the_mirror_then_suspense() -> None:
    assert given(record(kinds.SALE, purse=True)) == Effect([Leg(MIRROR, SHOP, 300)])
    found = given(record(kinds.SALE, 401, purse=True))
    assert found == Effect([Leg(MIRROR, SHOP, 400), Leg(SUSPENSE, SHOP, 1)], findings=lost(1))
    assert given(record(kinds.SALE, purse=True), mirror=mirror(-7)).legs == [Leg(SUSPENSE, SHOP, 300)]


UNKNOWN = (Finding(ItemKind.UNKNOWN_SUBJECT, 300),)


def test_a_sale_of_nobody_is_paid_by_suspense() -> None:
    paid = Effect([Leg(SUSPENSE, SHOP, 300)], findings=UNKNOWN)
    assert given(record(kinds.SALE), account=None) == paid
    assert given(record(kinds.SALE, purse=True), mirror=None) == paid


# Showers.


def test_opened_takes_up_what_it_was_asked_for() -> None:
    hold = asked(HoldKind.SHOWER, used_fen=40)
    found = given(record(kinds.OPENED), main(0, 300), asked=(hold,))
    placed = Hold(KEY, MAIN, HoldKind.SHOWER, HoldState.TAKEN, 300, used_fen=40, subject_kind=1, subject=1, asked_fen=300)
    assert found == Effect([], (hold,), placed)


def test_opened_keeps_what_was_extended_meanwhile() -> None:
    hold = asked(HoldKind.SHOWER, 800)
    found = given(record(kinds.OPENED), main(0, 800), asked=(hold,))
    assert found.placed is not None
    assert (found.placed.amount_fen, found.placed.asked_fen) == (800, 300)


def test_opened_without_a_hold_is_set_aside_anew_as_far_as_available() -> None:
    found = given(record(kinds.OPENED), main(200))
    assert (found.placed and found.placed.amount_fen, found.findings) == (200, lost(100))
    found = given(record(kinds.OPENED), main(300))
    assert (found.placed and found.placed.amount_fen, found.findings) == (300, ())


def test_opened_by_a_booking_takes_that_over() -> None:
    booked = taken(HoldKind.BOOKING, 350, part_count=1)
    parts = {OPENED_KEY: [Share(WALLET, 50)]}
    wallet = Account(WALLET, AccountKind.WALLET, "", 50, 50)
    fields: dict[str, Any] = {"named": booked, "named_account": main(0, 300), "parts": parts, "payers": (wallet, main(0, 300))}
    found = given(record(kinds.OPENED, reference=OPENED), main(0, 300), **fields)
    assert (found.ended, found.findings, found.placed_parts) == ((booked,), (), (Share(WALLET, 50),))
    assert found.placed == Hold(KEY, MAIN, HoldKind.SHOWER, HoldState.TAKEN, 350, subject_kind=1, subject=1, asked_fen=300, part_count=1)


@pytest.mark.parametrize("named", [None, taken(HoldKind.SHOWER), taken(HoldKind.BOOKING, account=OTHER)])
def test_opened_by_what_is_no_booking_of_its_holder_is_an_item(named: Hold | None) -> None:
    found = given(record(kinds.OPENED, reference=OPENED), named=named)
    assert (found.ended, found.findings) == ((), (Finding(ItemKind.MISMATCH, 300),))
    assert found.placed is not None


def test_opened_for_nobody_is_an_item() -> None:
    assert given(record(kinds.OPENED), account=None) == Effect([], findings=UNKNOWN)


def test_a_purse_shower_is_held_in_the_mirror_step_by_step() -> None:
    opened = given(record(kinds.OPENED, purse=True))
    placed = Hold(KEY, MIRROR, HoldKind.PURSE, HoldState.TAKEN, 300)
    assert opened == Effect([], placed=placed)
    under_way = taken(HoldKind.PURSE, 300, MIRROR)
    step = given(
        record(kinds.STEP, 150, purse=True, reference=OPENED), named=under_way, named_account=mirror(100, 300), mirror=mirror(100, 300)
    )
    assert step == Effect([], placed=replace(under_way, amount_fen=400), findings=lost(50))


def test_a_step_of_no_shower_is_an_item_and_holds_nothing() -> None:
    for named in (None, taken(HoldKind.SHOWER)):
        found = given(record(kinds.STEP, purse=True, reference=OPENED), named=named)
        assert found == Effect([], findings=(Finding(ItemKind.MISMATCH, 300),))
    assert given(record(kinds.STEP, purse=True), mirror=None).findings == UNKNOWN
    assert given(record(kinds.STEP, purse=True), named=taken(HoldKind.PURSE, account=OTHER)).findings == UNKNOWN


def test_a_step_of_a_shower_that_a_closing_settled_is_its_holders() -> None:
    found = given(record(kinds.STEP, 450, purse=True, reference=OPENED), is_stood_in=True)
    assert found == Effect([Leg(MIRROR, MAIN, 400)], findings=lost(50))
    assert given(record(kinds.STEP, purse=True), is_stood_in=True, mirror=None).findings == UNKNOWN
    found = given(record(kinds.STEP, purse=True), is_stood_in=True, account=None)
    assert found.findings == (Finding(ItemKind.MISMATCH, 300),)
    assert given(record(kinds.STEP, purse=True), is_stood_in=True, mirror=mirror(-1)).legs == []


def test_settled_captures_what_was_used_and_frees_the_rest() -> None:
    hold = taken(fen=500)
    found = given(record(kinds.SETTLED, reference=OPENED), main(0, 500), named=hold, named_account=main(0, 500))
    assert found == Effect([Leg(MAIN, SHOP, 300)], (hold,), settles=True)
    found = given(record(kinds.SETTLED, 600, reference=OPENED), main(50, 500), named=hold, named_account=main(50, 500))
    assert found == Effect([Leg(MAIN, SHOP, 550), Leg(LOSS, SHOP, 50)], (hold,), findings=lost(50), settles=True)


def test_settled_takes_what_asked_holds_free_too_and_its_parts_first() -> None:
    hold, open_ask = taken(fen=200, part_count=1), asked(fen=150)
    wallet = Account(WALLET, AccountKind.WALLET, "", 120, 80)
    fields: dict[str, Any] = {"parts": {OPENED_KEY: [Share(WALLET, 80)]}, "asked": (open_ask,), "payers": (wallet, main(0, 270))}
    found = given(record(kinds.SETTLED, 350, reference=OPENED), main(0, 270), named=hold, named_account=main(0, 270), **fields)
    assert found.legs == [Leg(WALLET, SHOP, 120), Leg(MAIN, SHOP, 230)]
    assert found.ended == (open_ask, hold)


def test_settled_by_another_card_than_it_was_opened_with_is_an_item() -> None:
    hold = taken(account=OTHER)
    other = Account(OTHER, AccountKind.HOLDER, "", 300, 300)
    for account in ({}, {"account": None}):
        found = given(record(kinds.SETTLED, reference=OPENED), named=hold, named_account=other, **{"payers": (other,), **account})
        assert found == Effect([Leg(OTHER, SHOP, 300)], (hold,), findings=(Finding(ItemKind.MISMATCH, 300),), settles=True)


def test_settled_a_second_time_is_paid_by_suspense() -> None:
    found = given(record(kinds.SETTLED, reference=OPENED), is_settled=True)
    assert found == Effect([Leg(SUSPENSE, SHOP, 300)], findings=(Finding(ItemKind.MISMATCH, 300),))


def test_settled_without_its_hold_is_paid_like_a_sale() -> None:
    assert given(record(kinds.SETTLED, reference=OPENED), main(200)).legs == [Leg(MAIN, SHOP, 200), Leg(LOSS, SHOP, 100)]
    assert given(record(kinds.SETTLED, reference=OPENED, purse=True)) == Effect([Leg(MIRROR, SHOP, 300)], settles=True)
    found = given(record(kinds.SETTLED, reference=OPENED), account=None)
    assert found == Effect([Leg(SUSPENSE, SHOP, 300)], findings=UNKNOWN, settles=True)
    hold = asked()
    assert given(record(kinds.SETTLED), main(0, 300), asked=(hold,)).legs == [Leg(MAIN, SHOP, 300)]


def test_a_purse_shower_pays_what_was_used_and_the_rest_goes_to_the_account() -> None:
    hold = taken(HoldKind.PURSE, 500, MIRROR)
    fields: dict[str, Any] = {"named": hold, "named_account": mirror(0, 500)}
    found = given(record(kinds.SETTLED, reference=OPENED, purse=True), **fields)
    assert found == Effect([Leg(MIRROR, SHOP, 300), Leg(MIRROR, MAIN, 200)], (hold,), settles=True)
    found = given(record(kinds.SETTLED, 501, reference=OPENED, purse=True), **fields)
    assert found == Effect([Leg(MIRROR, SHOP, 500), Leg(SUSPENSE, SHOP, 1)], (hold,), findings=lost(1), settles=True)
    found = given(record(kinds.SETTLED, reference=OPENED, purse=True), **{**fields, "account": None})
    assert found.legs == [Leg(MIRROR, SHOP, 300)]


def test_a_purse_shower_that_a_closing_settled_is_settled_from_the_mirror_then_the_account() -> None:
    was = (Leg(MIRROR, SHOP, 50), Leg(MIRROR, MAIN, 250), Leg(MAIN, OTHER, 9))
    found = given(record(kinds.SETTLED, 420, purse=True, reference=OPENED), displaced=was)
    assert found == Effect([Leg(MIRROR, SHOP, 300), Leg(MAIN, SHOP, 120)], settles=True)
    found = given(record(kinds.SETTLED, 100, purse=True, reference=OPENED), displaced=was)
    assert found.legs == [Leg(MIRROR, SHOP, 100), Leg(MIRROR, MAIN, 200)]
    for fields in ({"account": None}, {"mirror": None}):
        found = given(record(kinds.SETTLED, 100, purse=True, reference=OPENED), displaced=was, **fields)
        assert found.legs[0].credit == SHOP
        assert len(found.legs) == 1


# Loads.


def test_a_load_moves_from_the_main_account_alone() -> None:
    wallet = Account(WALLET, AccountKind.WALLET, "", 500)
    hold = asked(HoldKind.LOAD)
    found = given(record(kinds.LOAD), main(50, 300), payers=(wallet, main(50, 300)), asked=(hold,))
    assert found == Effect([Leg(MAIN, MIRROR, 300)], (hold,))
    assert given(record(kinds.LOAD, 400), main(350)).legs == [Leg(MAIN, MIRROR, 350), Leg(LOSS, MIRROR, 50)]
    assert given(record(kinds.LOAD), account=None) == Effect([], findings=UNKNOWN)
    assert given(record(kinds.LOAD), mirror=None) == Effect([], findings=UNKNOWN)


# Voids and refunds.

SOLD = Sold(9, SHOP, MAIN, (Share(MAIN, 250), Share(LOSS, 100)))


@pytest.mark.parametrize("kind", [kinds.VOID, kinds.REFUND])
def test_what_the_school_paid_goes_back_first(kind: int) -> None:
    found = given(record(kind, reference=OPENED), sold=SOLD)
    assert found == Effect([Leg(SHOP, LOSS, 100), Leg(SHOP, MAIN, 200)], refunds=(Refund(KEY, 9, 300),))
    assert given(record(kind, 350, reference=OPENED), sold=SOLD).refunds == (Refund(KEY, 9, 350),)


def test_a_refund_of_what_is_to_come_waits() -> None:
    found = given(record(kinds.REFUND, reference=OPENED), is_to_come=True)
    assert found == Effect([], refunds=(Refund(KEY, OPENED_KEY, 300, is_waiting=1),))


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], ItemKind]] = {
    "above what is left": ({"amount_fen": 351}, {"sold": SOLD}, ItemKind.REFUND),
    "no sale": ({}, {}, ItemKind.MISMATCH),
    "another merchant's": ({}, {"sold": replace(SOLD, merchant=OTHER)}, ItemKind.MISMATCH),
    "another holder's": ({}, {"sold": replace(SOLD, owner=OTHER)}, ItemKind.MISMATCH),
    "an unknown card": ({}, {"sold": SOLD, "account": None}, ItemKind.UNKNOWN_SUBJECT),
    "an unknown card of what is to come": ({}, {"is_to_come": True, "account": None}, ItemKind.UNKNOWN_SUBJECT),
}


@pytest.mark.parametrize(("fields", "case", "item"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_given_back_is_in_suspense_the_whole(fields: dict[str, Any], case: dict[str, Any], item: ItemKind) -> None:
    one = record(kinds.REFUND, reference=OPENED)._replace(**fields)
    amount_fen = one.amount_fen
    assert given(one, **case) == Effect([Leg(SHOP, SUSPENSE, amount_fen)], findings=(Finding(item, amount_fen),))


def test_without_a_subject_and_of_a_sale_of_nobody_the_money_goes_where_it_came_from() -> None:
    one = record(kinds.REFUND, reference=OPENED, subject_kind=SUBJECT_NONE, subject=0)
    assert given(one, sold=SOLD, account=None).legs == [Leg(SHOP, LOSS, 100), Leg(SHOP, MAIN, 200)]
    nobodys = Sold(9, SHOP, 0, (Share(SUSPENSE, 300),))
    assert given(record(kinds.REFUND, reference=OPENED), sold=nobodys).legs == [Leg(SHOP, SUSPENSE, 300)]


def test_refunds_that_waited_take_effect_with_the_sale() -> None:
    waiting = [Refund(5, KEY, 200, 1), Refund(6, KEY, 200, 1)]
    found = given(record(kinds.SALE), main(250), waiting=waiting)
    assert found.legs == [Leg(MAIN, SHOP, 250), Leg(LOSS, SHOP, 50), Leg(SHOP, LOSS, 50), Leg(SHOP, MAIN, 150), Leg(SHOP, SUSPENSE, 200)]
    assert found.refunds == (Refund(5, KEY, 200), Refund(6, KEY, 0))
    assert found.findings == (*lost(50), Finding(ItemKind.REFUND, 200, 6))


def test_refunds_that_waited_for_a_purse_sale_go_to_the_account() -> None:
    waiting = [Refund(5, KEY, 200, 1)]
    assert given(record(kinds.SALE, purse=True), waiting=waiting).legs == [Leg(MIRROR, SHOP, 300), Leg(SHOP, MAIN, 200)]


@pytest.mark.parametrize("kind", [kinds.NOTHING, kinds.LOAD, kinds.VOID])
def test_refunds_that_waited_for_what_is_no_sale_are_in_suspense(kind: int) -> None:
    found = given(record(kind), waiting=[Refund(5, KEY, 200, 1)])
    assert found.legs[-1] == Leg(SHOP, SUSPENSE, 200)
    assert found.findings[-1] == Finding(ItemKind.REFUND, 200, 5)
    assert found.refunds == (Refund(5, KEY, 0),)


def test_bytes_nobody_can_read_end_asked_holds_and_what_waited_is_in_suspense() -> None:
    hold = asked()
    found = unreadable(KEY, SHOP, (hold,), [Refund(5, KEY, 200, 1)])
    assert (list(found.legs), found.ended, found.refunds) == ([Leg(SHOP, SUSPENSE, 200)], (hold,), (Refund(5, KEY, 0),))
    assert found.findings == (Finding(ItemKind.REFUND, 200, 5), Finding(ItemKind.UNREADABLE))


# What is not believed or not known.


@pytest.mark.parametrize(
    ("kind", "legs"),
    [(kinds.SALE, (SUSPENSE, SHOP)), (kinds.SETTLED, (SUSPENSE, SHOP)), (kinds.VOID, (SHOP, SUSPENSE)), (kinds.REFUND, (SHOP, SUSPENSE))],
)
def test_what_no_key_proves_is_between_merchant_and_suspense(kind: int, legs: tuple[int, int]) -> None:
    hold = asked()
    found = given(record(kind, reference=OPENED), is_proven=False, asked=(hold,), sold=SOLD, named=taken(), named_account=main())
    assert found == Effect([Leg(*legs, 300)], (hold,), findings=(Finding(ItemKind.BAD_TAC, 300),))


@pytest.mark.parametrize("kind", [kinds.OPENED, kinds.STEP, kinds.LOAD, kinds.NOTHING, kinds.ACTIVATED, kinds.FAULT, 31])
def test_whatever_else_no_key_proves_moves_and_holds_nothing(kind: int) -> None:
    found = given(record(kind), is_proven=False)
    assert found == Effect([], findings=(Finding(ItemKind.BAD_TAC, 300),))


def test_a_hosts_record_that_no_key_proves_moves_nothing() -> None:
    for kind in (kinds.SALE, kinds.RECHARGE, kinds.ADJUST):
        assert given(record(kind), is_proven=False, is_host=True).legs == []


@pytest.mark.parametrize("kind", [kinds.NOTHING, kinds.STARTED, kinds.ACTIVATED, kinds.SHIFT])
def test_some_do_nothing_but_end_asked_holds(kind: int) -> None:
    hold = asked()
    assert given(record(kind), asked=(hold,)) == Effect([], (hold,))


@pytest.mark.parametrize("kind", [kinds.CANCEL, kinds.CUT])
def test_some_of_the_hosts_move_nothing(kind: int) -> None:
    assert given(record(kind), is_host=True) == Effect([])


def test_a_fault_is_an_item_with_its_code() -> None:
    assert given(record(kinds.FAULT, shown=pack_fault(15))) == Effect([], findings=(Finding(ItemKind.FAULT, 15),))


@pytest.mark.parametrize(("kind", "is_host"), [(31, False), (99, True), (kinds.RECHARGE, False), (kinds.ADJUST, False), (kinds.SALE, True)])
def test_a_kind_without_effect_is_an_item(kind: int, is_host: bool) -> None:
    assert given(record(kind), is_host=is_host) == Effect([], findings=(Finding(ItemKind.NOT_EFFECTIVE, 300),))
