"""Whether an ask is granted: the first table of MONEY 4, a row a case, to the fen and to the day."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from host.ledger.decisions import GRANTED, Decision, Situation, decide
from host.ledger.funds import Share
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind, TerminalKind
from host.ledger.rows import Account, Card, Hold
from protocol import codes
from protocol.card import EXPIRY_NONE
from protocol.messages import ASK_EXTEND, ASK_LOAD, ASK_SALE, ASK_SHOWER, SUBJECT_ACCOUNT, SUBJECT_CARD, Ask
from protocol.record import pack_key

HOLDER, WALLET = 100, 104
KEY = pack_key((200, 3, 7), 0)
ACCOUNT = Account(HOLDER, AccountKind.HOLDER, "", 1_000, 300)
"""700 available."""
RICH = replace(ACCOUNT, balance_fen=9_000)
CARD = Card(1, HOLDER, 101, b"abcd", 0, EXPIRY_NONE, 1)
ASK = Ask(3, 7, ASK_SALE, SUBJECT_CARD, 1, 500, 0, b"", b"")
SALE = Hold(KEY, HOLDER, HoldKind.SALE, HoldState.ASKED, 500, subject_kind=SUBJECT_CARD, subject=1, asked_fen=500)
SHOWER = replace(SALE, kind=HoldKind.SHOWER)
CASE = Situation(
    ask=ASK,
    key=KEY,
    program=TerminalKind.POS,
    epoch=3,
    high_water=6,
    hold=None,
    account=ACCOUNT,
    card=CARD,
    is_closed=False,
    busy_at="",
    today=2_500,
    single_fen=600,
    session_fen=2_000,
    payers=(ACCOUNT,),
)


def sale(ask: dict[str, Any] | None = None, **case: Any) -> Decision:
    return decide(replace(CASE, ask=ASK._replace(**(ask or {})), **case))


def shower(ask: dict[str, Any] | None = None, **case: Any) -> Decision:
    return sale({"kind": ASK_SHOWER, **(ask or {})}, **{"program": TerminalKind.SHOWER, **case})


def extend(ask: dict[str, Any] | None = None, **case: Any) -> Decision:
    """Of a hold of 500, of which 120 were used when last heard."""
    hold = replace(SHOWER, state=HoldState.TAKEN, used_fen=120)
    named = {"program": TerminalKind.SHOWER, "hold": hold, "shares": (Share(HOLDER, 500),), "high_water": 9}
    return sale({"kind": ASK_EXTEND, "amount_fen": 800, **(ask or {})}, **{**named, **case})


def test_a_granted_ask_is_held_as_it_was_asked() -> None:
    assert sale() == Decision(GRANTED, held_fen=500, hold=SALE)
    assert shower() == Decision(GRANTED, held_fen=500, hold=SHOWER)
    with_code = sale({"code": b"9123"})
    assert with_code.hold == replace(SALE, code=b"9123")


CASES: dict[str, tuple[Callable[[], Decision], int]] = {
    "another epoch": (lambda: sale({"epoch": 2}), codes.CLOSED),
    "no epoch": (lambda: sale({"epoch": 0}, epoch=0), codes.CLOSED),
    "an epoch that was closed": (lambda: sale(is_over=True), codes.CLOSED),
    "its name is w": (lambda: sale(high_water=7), codes.CLOSED),
    "its name is beyond w+1": (lambda: sale(high_water=2), GRANTED),
    "a load, which is still to come": (lambda: sale({"kind": ASK_LOAD}), codes.REFUSED),
    "a sale at a shower": (lambda: sale(program=TerminalKind.SHOWER), codes.REFUSED),
    "a shower at a till": (lambda: shower(program=TerminalKind.POS), codes.REFUSED),
    "nothing": (lambda: sale({"amount_fen": 0}), codes.AMOUNT_ZERO),
    "the most a sale may be": (lambda: sale({"amount_fen": 600}), GRANTED),
    "a fen more than a sale may be": (lambda: sale({"amount_fen": 601}), codes.AMOUNT_TOO_LARGE),
    "a shower above a sale's limit": (lambda: shower({"amount_fen": 700}), GRANTED),
    "a fen more than a session may be": (lambda: shower({"amount_fen": 2_001}), codes.AMOUNT_TOO_LARGE),
    "nobody's card": (lambda: sale(account=None, payers=()), codes.CARD_UNKNOWN),
    "no card": (lambda: sale(card=None), codes.CARD_UNKNOWN),
    "a denied card": (lambda: sale(card=replace(CARD, denied_s=0)), codes.CARD_DENIED),
    "a card that expired yesterday": (lambda: sale(card=replace(CARD, expiry_day=2_499)), codes.CARD_EXPIRED),
    "a card on its last day": (lambda: sale(card=replace(CARD, expiry_day=2_500)), GRANTED),
    "a holder who left": (lambda: sale(is_closed=True), codes.REFUSED),
    "a shower while another runs": (lambda: shower(busy_at="12"), codes.BUSY),
    "a sale while a shower runs": (lambda: sale(busy_at="12"), GRANTED),
    "all that is available": (lambda: shower({"amount_fen": 700}), GRANTED),
    "a fen more than is available": (lambda: shower({"amount_fen": 701}), codes.BALANCE_LOW),
    "extending no hold": (lambda: extend(hold=None), codes.CLOSED),
    "extending a sale": (lambda: extend(hold=SALE), codes.CLOSED),
    "extending to the most of a session": (lambda: extend({"amount_fen": 2_000}, payers=(RICH,)), GRANTED),
    "extending beyond a session": (
        lambda: extend({"amount_fen": 2_001}, payers=(RICH,)),
        codes.AMOUNT_TOO_LARGE,
    ),
    "extending by a denied card": (lambda: extend(card=replace(CARD, denied_s=5)), codes.CARD_DENIED),
    "extending for a holder who left": (lambda: extend(is_closed=True), codes.REFUSED),
    "extending without a card": (lambda: extend(card=None), GRANTED),
    "extending to all that is available": (lambda: extend({"amount_fen": 1_200}), GRANTED),
    "extending a fen beyond": (lambda: extend({"amount_fen": 1_201}), codes.BALANCE_LOW),
    "extending under an epoch that was closed": (lambda: extend(is_over=True), codes.CLOSED),
    "extending another's shower": (lambda: extend({"subject": 2}), codes.REFUSED),
    "extending with the same number of another kind": (lambda: extend({"subject_kind": SUBJECT_ACCOUNT}), codes.REFUSED),
    "extending for nobody": (lambda: extend(account=None), codes.REFUSED),
}


@pytest.mark.parametrize(("decision", "code"), CASES.values(), ids=CASES)
def test_the_answer_is(decision: Callable[[], Decision], code: int) -> None:
    assert decision().code == code


@pytest.mark.parametrize("name", [name for name, (_, code) in CASES.items() if code != GRANTED and not name.startswith("extending")])
def test_what_is_refused_holds_nothing(name: str) -> None:
    decision = CASES[name][0]()
    assert (decision.held_fen, decision.hold, decision.parts, decision.item) == (0, None, (), None)


def test_a_refusal_for_money_says_how_much_is_lacking() -> None:
    assert shower({"amount_fen": 750}) == Decision(codes.BALANCE_LOW, lacking_fen=50)
    assert extend({"amount_fen": 1_250}).lacking_fen == 50


@pytest.mark.parametrize("hold", [SALE, replace(SALE, amount_fen=700)])
def test_the_same_ask_gets_the_same_answer(hold: Hold) -> None:
    assert sale(hold=hold) == Decision(GRANTED, held_fen=hold.amount_fen)
    assert shower(hold=replace(hold, kind=HoldKind.SHOWER)) == Decision(GRANTED, held_fen=hold.amount_fen)


@pytest.mark.parametrize(
    "other",
    [
        {"kind": HoldKind.SHOWER},
        {"kind": HoldKind.LOAD},
        {"subject": 2},
        {"subject_kind": SUBJECT_ACCOUNT},
        {"asked_fen": 501},
        {"code": b"9"},
    ],
)
def test_another_ask_under_the_same_name_is_refused_and_an_item(other: dict[str, Any]) -> None:
    assert sale(hold=replace(SALE, **other)) == Decision(codes.REFUSED, item=ItemKind.ASK_DIFFERS)


def test_an_extension_names_a_total_and_keeps_the_most_that_was_used() -> None:
    raised = extend({"used_fen": 333})
    assert (raised.held_fen, raised.hold) == (800, replace(SHOWER, state=HoldState.TAKEN, amount_fen=800, used_fen=333))
    assert extend({"used_fen": 5}).hold == replace(SHOWER, state=HoldState.TAKEN, amount_fen=800, used_fen=120)


@pytest.mark.parametrize("total_fen", [0, 499, 500])
def test_an_extension_never_lowers_a_hold(total_fen: int) -> None:
    decision = extend({"amount_fen": total_fen, "used_fen": 200}, payers=(replace(ACCOUNT, held_fen=1_000),))
    assert decision == Decision(GRANTED, held_fen=500, hold=replace(SHOWER, state=HoldState.TAKEN, used_fen=200))


@pytest.mark.parametrize(
    "case",
    [{"is_closed": True}, {"card": replace(CARD, denied_s=1)}, {"payers": (replace(ACCOUNT, held_fen=1_000),)}, {"session_fen": 700}],
)
def test_what_is_not_extended_keeps_what_is_held_and_what_was_used(case: dict[str, Any]) -> None:
    decision = extend({"used_fen": 444}, **case)
    assert (decision.held_fen, decision.hold) == (500, replace(SHOWER, state=HoldState.TAKEN, used_fen=444))
    assert decision.item is None


@pytest.mark.parametrize(
    ("total_fen", "asked_fen", "used_fen", "kept_fen"), [(500, 500, 501, 500), (500, 600, 601, 600), (800, 500, 801, 800)]
)
def test_more_used_than_anybody_was_granted_is_an_item_and_not_kept(total_fen: int, asked_fen: int, used_fen: int, kept_fen: int) -> None:
    hold = replace(SHOWER, state=HoldState.TAKEN, asked_fen=asked_fen)
    ask = {"amount_fen": total_fen, "used_fen": used_fen}
    decision = extend(ask, hold=hold)
    assert decision.hold is not None
    assert (decision.code, decision.hold.used_fen, decision.item) == (GRANTED, kept_fen, ItemKind.MISMATCH)
    right = extend({**ask, "used_fen": kept_fen}, hold=hold)
    assert (right.hold, right.item) == (decision.hold, None)


def test_anothers_extension_is_an_item_and_changes_nothing() -> None:
    assert extend({"subject": 2}) == Decision(codes.REFUSED, held_fen=500, item=ItemKind.ASK_DIFFERS)


def test_a_wallet_bears_a_hold_before_the_main_account() -> None:
    wallet = Account(WALLET, AccountKind.WALLET, "", 200)
    decision = sale(payers=(wallet, ACCOUNT))
    assert (decision.hold, decision.parts) == (replace(SALE, part_count=1), (Share(WALLET, 200),))
    assert shower({"amount_fen": 901}, payers=(wallet, ACCOUNT)) == Decision(codes.BALANCE_LOW, lacking_fen=1)


def test_an_extension_keeps_the_parts_and_draws_the_rest_in_order() -> None:
    shares = (Share(WALLET, 200), Share(HOLDER, 300))
    wallet = Account(WALLET, AccountKind.WALLET, "", 250, 200)
    hold = replace(SHOWER, state=HoldState.TAKEN, part_count=1)
    decision = extend({"amount_fen": 800}, hold=hold, shares=shares, payers=(wallet, ACCOUNT))
    assert decision.parts == (Share(WALLET, 250),)
    assert decision.hold == replace(hold, amount_fen=800)
    refused = extend({"amount_fen": 2_000}, hold=hold, shares=shares, payers=(wallet, ACCOUNT))
    assert (refused.code, refused.parts, refused.held_fen) == (codes.BALANCE_LOW, (Share(WALLET, 200),), 500)
    assert refused.hold is not None
    assert refused.hold.part_count == 1
