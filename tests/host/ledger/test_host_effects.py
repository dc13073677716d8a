"""The effect of the host's own records, row by row: recharges, bookings, adjustments; read again after a restore, never refused."""

from dataclasses import replace
from typing import Any

import pytest

from host.ledger.adjustment import Adjustment, Purpose
from host.ledger.cases import Effect, Finding
from host.ledger.funds import Share
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.refunds import Leg
from host.ledger.rows import BANK, CASH, LOSS, SUSPENSE, Account, Hold, Refund
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT
from protocol.record import NONE
from tests.host.rule_cases import (
    KEY,
    MAIN,
    OPENED,
    OPENED_KEY,
    SHOP,
    WALLET,
    asked,
    given,
    lost,
    main,
    record,
    taken,
)

UNKNOWN = (Finding(ItemKind.UNKNOWN_SUBJECT, 300),)


def hosts(kind: int, amount_fen: int = 300, **fields: Any) -> Effect:
    reference = fields.pop("reference", NONE)
    one = record(kind, amount_fen, subject_kind=SUBJECT_ACCOUNT, subject=MAIN, reference=reference)
    return given(one, is_host=True, **fields)


OTHERS = {
    number: Account(number, kind, "")
    for number, kind in ((CASH, AccountKind.CASH), (BANK, AccountKind.BANK), (6, AccountKind.CHANNEL), (SHOP, AccountKind.MERCHANT))
}


@pytest.mark.parametrize("source", [CASH, BANK, 6])
def test_a_recharge_comes_through_its_source(source: int) -> None:
    assert hosts(kinds.RECHARGE, source=source, others=OTHERS) == Effect([Leg(source, MAIN, 300)])


@pytest.mark.parametrize("source", [SHOP, 999])
def test_a_recharge_out_of_what_brings_no_money_in_is_cash_and_an_item(source: int) -> None:
    found = hosts(kinds.RECHARGE, source=source, others=OTHERS)
    assert found == Effect([Leg(CASH, MAIN, 300)], findings=(Finding(ItemKind.MISMATCH, 300),))


def test_a_recharge_of_nobody_waits_in_suspense() -> None:
    assert hosts(kinds.RECHARGE, account=None) == Effect([Leg(CASH, SUSPENSE, 300)], findings=UNKNOWN)


def test_a_booking_is_held_as_far_as_available() -> None:
    placed = Hold(KEY, MAIN, HoldKind.BOOKING, HoldState.TAKEN, 300, subject_kind=2, subject=MAIN, asked_fen=300)
    assert hosts(kinds.BOOKING) == Effect([], placed=placed)
    wallet = Account(WALLET, AccountKind.WALLET, "", 100)
    found = hosts(kinds.BOOKING, payers=(wallet, main(150)))
    assert found.placed == replace(placed, amount_fen=250, part_count=1)
    assert (found.placed_parts, found.findings) == ((Share(WALLET, 100),), lost(50))
    assert hosts(kinds.BOOKING, account=None) == Effect([], findings=UNKNOWN)


def adjusted(*legs: Leg, purpose: Purpose = Purpose.MOVE, **fields: Any) -> Effect:
    adjustment = Adjustment(purpose, "", legs)
    others = {MAIN: main(300), **OTHERS, **fields.pop("more", {})}
    return hosts(kinds.ADJUST, fields.pop("amount_fen", adjustment.amount_fen), adjustment=adjustment, others=others, **fields)


def test_an_adjustment_moves_what_its_annex_says() -> None:
    legs = [Leg(MAIN, BANK, 300), Leg(BANK, SHOP, 5)]
    assert adjusted(*legs) == Effect(legs)
    assert adjusted() == Effect([])


def test_an_adjustment_of_another_amount_or_without_annex_or_too_long_moves_nothing() -> None:
    nothing = (Finding(ItemKind.NOT_EFFECTIVE, 6),)
    assert adjusted(Leg(BANK, CASH, 5), amount_fen=6) == Effect([], findings=nothing)
    assert hosts(kinds.ADJUST, 6) == Effect([], findings=nothing)
    assert len(adjusted(*[Leg(MAIN, BANK, 1)] * 8).legs) == 8
    assert adjusted(*[Leg(MAIN, BANK, 1)] * 9).legs == []


def test_what_a_holder_does_not_have_is_the_schools_loss() -> None:
    assert adjusted(Leg(MAIN, BANK, 301)) == Effect([Leg(MAIN, BANK, 300), Leg(LOSS, BANK, 1)], findings=lost(1))
    found = adjusted(Leg(MAIN, BANK, 200), Leg(BANK, MAIN, 50), Leg(MAIN, SHOP, 151))
    assert found.legs == [Leg(MAIN, BANK, 200), Leg(BANK, MAIN, 50), Leg(MAIN, SHOP, 150), Leg(LOSS, SHOP, 1)]
    wallet = {WALLET: Account(WALLET, AccountKind.WALLET, "", 10)}
    assert adjusted(Leg(WALLET, BANK, 11), more=wallet).legs == [Leg(WALLET, BANK, 10), Leg(LOSS, BANK, 1)]
    assert adjusted(Leg(MAIN, BANK, 5), more={MAIN: main(-5)}).legs == [Leg(LOSS, BANK, 5)]


def test_suspense_stands_in_for_an_account_that_is_gone() -> None:
    assert adjusted(Leg(999, BANK, 7)) == Effect([Leg(SUSPENSE, BANK, 7)], findings=(Finding(ItemKind.UNKNOWN_SUBJECT, 7),))
    assert adjusted(Leg(BANK, 999, 7)).legs == [Leg(BANK, SUSPENSE, 7)]
    assert adjusted(Leg(998, 999, 7)).legs == []


def test_a_reversal_is_done_once_and_counts_as_a_refund_of_its_sale() -> None:
    found = adjusted(Leg(SHOP, MAIN, 300), purpose=Purpose.REVERSAL, reference=OPENED, named_sale=OPENED_KEY)
    assert found == Effect([Leg(SHOP, MAIN, 300)], refunds=(Refund(KEY, OPENED_KEY, 300),), reverses=OPENED_KEY)
    found = adjusted(Leg(SHOP, MAIN, 300), purpose=Purpose.REVERSAL, reference=OPENED)
    assert (found.refunds, found.reverses) == ((), OPENED_KEY)
    found = adjusted(Leg(SHOP, MAIN, 300), purpose=Purpose.REVERSAL, reference=OPENED, is_reversed=True)
    assert found == Effect([], findings=(Finding(ItemKind.MISMATCH, 300),))
    moved = adjusted(Leg(SHOP, MAIN, 300), reference=OPENED, named_sale=OPENED_KEY, is_reversed=True)
    assert (moved.refunds, moved.reverses, len(moved.legs)) == ((), 0, 1)


def test_what_is_charged_afterwards_is_at_most_what_the_school_bears() -> None:
    more = {LOSS: Account(LOSS, AccountKind.LOSS, ""), WALLET: Account(WALLET, AccountKind.WALLET, "", 100)}
    legs = (Leg(WALLET, LOSS, 100), Leg(MAIN, LOSS, 200))
    found = adjusted(*legs, purpose=Purpose.COVER, reference=OPENED, borne_fen=120, more=more)
    assert found == Effect([Leg(WALLET, LOSS, 100), Leg(MAIN, LOSS, 20)], refunds=(Refund(KEY, OPENED_KEY, 0),))
    assert adjusted(*legs, purpose=Purpose.COVER, reference=OPENED, more=more) == Effect([])


def test_what_the_school_bears_of_a_stand_in_is_an_item() -> None:
    found = adjusted(Leg(MAIN, SHOP, 130), Leg(LOSS, SHOP, 80), purpose=Purpose.STAND_IN, more={LOSS: Account(LOSS, AccountKind.LOSS, "")})
    assert found.findings == lost(80)


def test_what_stands_in_for_a_shower_ends_its_hold_and_settles_it() -> None:
    hold = taken(fen=300)
    more = {MAIN: main(0, 300)}
    found = adjusted(Leg(MAIN, SHOP, 130), purpose=Purpose.STAND_IN, reference=OPENED, named=hold, more=more)
    assert found == Effect([Leg(MAIN, SHOP, 130)], (hold,), settles=True)
    load = asked(HoldKind.LOAD)
    found = adjusted(Leg(MAIN, SHOP, 300), purpose=Purpose.STAND_IN, reference=OPENED, named=load, more=more)
    assert (found.ended, found.settles) == ((load,), False)
    found = adjusted(Leg(MAIN, SHOP, 130), purpose=Purpose.STAND_IN, reference=OPENED, more=more)
    assert (found.ended, found.settles, found.legs) == ((), False, [Leg(LOSS, SHOP, 130)])
    found = adjusted(Leg(MAIN, SHOP, 130), purpose=Purpose.MOVE, reference=OPENED, named=hold, more=more)
    assert (found.ended, found.settles) == ((), False)
