"""What a record does, whatever it says: the merchant is paid, nobody goes below zero, nothing is made of nothing."""

from hypothesis import given
from hypothesis import strategies as st

from host.ledger.effects import LEG_LIMIT, Case, effect
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.rows import CASH, LOSS, SUSPENSE, Account, Hold
from protocol import record as kinds
from protocol.record import NO_TAC, NONE, Name, Record, pack_key

HOLDER, MIRROR, MERCHANT, OTHER = 100, 101, 102, 103
KEY = pack_key((200, 1, 5), 0)
OPENED = Name(200, 1, 3)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any record, and any state of the books that the ledger can be in."""
    asked_fen, named_fen = draw(st.integers(0, 500)), draw(st.integers(0, 500))
    spare_fen = draw(st.integers(0, 500))
    record = Record(
        kind=draw(st.integers(1, 40)),
        terminal=200,
        epoch=1,
        sequence=5,
        at_s=0,
        trust=0,
        subject_kind=1,
        subject=1,
        purse=draw(st.booleans()),
        away=False,
        reference=draw(st.sampled_from([NONE, OPENED])),
        amount_fen=draw(st.integers(0, 2_000)),
        detail=0,
        balance_fen=0,
        counter=0,
        shown=bytes(14),
        tariff=0,
        list_version=0,
        tac=NO_TAC,
    )
    asked = Hold(KEY, HOLDER, draw(st.sampled_from(["sale", "shower", "load"])), HoldState.ASKED, asked_fen, subject_kind=1, subject=1)
    kind = draw(st.sampled_from([HoldKind.SHOWER, HoldKind.PURSE, HoldKind.BOOKING]))
    named = Hold(pack_key(OPENED, 0), MIRROR if kind == HoldKind.PURSE else HOLDER, kind, HoldState.TAKEN, named_fen)
    has_asked, has_named = draw(st.booleans()), draw(st.booleans()) and record.reference != NONE
    held = {HOLDER: asked_fen * has_asked, MIRROR: 0}
    if has_named:
        held[named.account] += named_fen
    account = Account(HOLDER, AccountKind.HOLDER, "", held[HOLDER] + spare_fen, held[HOLDER])
    mirror = Account(MIRROR, AccountKind.MIRROR, "", held[MIRROR] + spare_fen, held[MIRROR])
    return Case(
        key=KEY,
        record=record,
        is_proven=draw(st.booleans()),
        is_host=draw(st.booleans()),
        merchant=MERCHANT,
        account=draw(st.sampled_from([account, None])),
        mirror=draw(st.sampled_from([mirror, None])),
        asked=(asked,) if has_asked else (),
        named=named if has_named else None,
        named_account=(mirror if named.account == MIRROR else account) if has_named else None,
        is_settled=draw(st.booleans()),
    )


def moved(case: Case, account: int) -> int:
    legs = effect(case).legs
    return sum(leg.amount_fen for leg in legs if leg.credit == account) - sum(leg.amount_fen for leg in legs if leg.debit == account)


@given(cases())
def test_every_leg_moves_something_between_two(case: Case) -> None:
    found = effect(case)
    assert all(leg.amount_fen > 0 and leg.debit != leg.credit for leg in found.legs)
    assert len(found.legs) <= LEG_LIMIT


@given(cases())
def test_what_was_shown_as_paid_is_paid_to_the_merchant(case: Case) -> None:
    if case.record.kind in (kinds.SALE, kinds.SETTLED) and not case.is_host:
        assert moved(case, MERCHANT) == case.record.amount_fen


@given(cases())
def test_nobody_goes_below_what_is_held_afterwards(case: Case) -> None:
    found = effect(case)
    for account in (case.account, case.mirror):
        if account is not None:
            held_fen = account.held_fen - sum(hold.amount_fen for hold in found.ended if hold.account == account.number)
            if found.placed is not None and found.placed.account == account.number:
                before = case.named if case.named is not None and case.named.key == found.placed.key else None
                held_fen += found.placed.amount_fen - (before.amount_fen if before and before not in found.ended else 0)
            assert 0 <= held_fen <= account.balance_fen + moved(case, account.number)


@given(cases())
def test_every_loss_and_every_suspense_has_an_item(case: Case) -> None:
    if moved(case, LOSS) or moved(case, SUSPENSE):
        assert effect(case).findings


@given(cases())
def test_whatever_comes_asked_holds_end(case: Case) -> None:
    assert set(case.asked) <= set(effect(case).ended)


@given(cases())
def test_only_the_host_brings_money_in(case: Case) -> None:
    if not case.is_host or not case.is_proven:
        assert moved(case, CASH) == 0


@given(cases())
def test_what_is_not_believed_moves_nothing_of_a_holder(case: Case) -> None:
    if not case.is_proven:
        assert moved(case, HOLDER) == moved(case, MIRROR) == 0
        assert ItemKind.BAD_TAC in [finding.kind for finding in effect(case).findings]
