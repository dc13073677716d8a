"""What a record does, whatever it says: the merchant is paid, nobody goes below zero, nothing is made of nothing."""

from hypothesis import given
from hypothesis import strategies as st

from host.ledger.adjustment import Adjustment, Purpose
from host.ledger.cases import LEG_LIMIT, Case
from host.ledger.effects import effect
from host.ledger.funds import Share, freed_by, shares_of
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.refunds import Leg, Sold
from host.ledger.rows import BANK, CASH, LOSS, SUSPENSE, Account, Hold, Refund
from protocol import record as kinds
from protocol.record import NO_TAC, NONE, Name, Record, pack_key

HOLDER, MIRROR, MERCHANT, OTHER, WALLET = 100, 101, 102, 103, 104
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
    asked_part_fen, named_part_fen = draw(st.integers(0, asked_fen)), draw(st.integers(0, named_fen))
    asked = Hold(
        KEY,
        HOLDER,
        draw(st.sampled_from(["sale", "shower", "load"])),
        HoldState.ASKED,
        asked_fen,
        subject_kind=1,
        subject=1,
        part_count=int(asked_part_fen > 0),
    )
    kind = draw(st.sampled_from([HoldKind.SHOWER, HoldKind.PURSE, HoldKind.BOOKING]))
    has_parts = named_part_fen > 0 and kind != HoldKind.PURSE
    named = Hold(
        pack_key(OPENED, 0),
        MIRROR if kind == HoldKind.PURSE else HOLDER,
        kind,
        HoldState.TAKEN,
        named_fen,
        part_count=int(has_parts),
    )
    parts = {KEY: [Share(WALLET, asked_part_fen)], named.key: [Share(WALLET, named_part_fen)]}
    has_asked, has_named = draw(st.booleans()), draw(st.booleans()) and record.reference != NONE
    held = {HOLDER: 0, MIRROR: 0, WALLET: 0}
    for hold in (asked,) * has_asked + (named,) * has_named:
        for number, amount_fen in shares_of(hold, parts):
            held[number] += amount_fen
    account = Account(HOLDER, AccountKind.HOLDER, "", held[HOLDER] + spare_fen, held[HOLDER])
    mirror = Account(MIRROR, AccountKind.MIRROR, "", held[MIRROR] + spare_fen, held[MIRROR])
    wallet = Account(WALLET, AccountKind.WALLET, "", held[WALLET] + draw(st.integers(0, 300)), held[WALLET], owner=HOLDER)
    numbers = st.sampled_from([HOLDER, WALLET, MERCHANT, BANK, LOSS, OTHER])
    legs = draw(st.lists(st.builds(Leg, numbers, numbers, st.integers(1, 900)).filter(lambda leg: leg[0] != leg[1]), max_size=9))
    adjustment = Adjustment(draw(st.sampled_from(list(Purpose))), "", tuple(legs))
    if record.kind == kinds.ADJUST:
        record = record._replace(amount_fen=adjustment.amount_fen)
    paid = tuple(Share(number, draw(st.integers(1, 900))) for number in draw(st.sets(st.sampled_from([HOLDER, WALLET, LOSS, SUSPENSE]))))
    sold = Sold(9, draw(st.sampled_from([MERCHANT, OTHER])), draw(st.sampled_from([0, HOLDER, OTHER])), paid)
    return Case(
        key=KEY,
        record=record,
        is_proven=draw(st.booleans()),
        is_host=draw(st.booleans()),
        merchant=MERCHANT,
        account=draw(st.sampled_from([account, None])),
        mirror=draw(st.sampled_from([mirror, None])),
        parts=parts,
        payers=(wallet, account),
        asked=(asked,) if has_asked else (),
        named=named if has_named else None,
        named_account=(mirror if named.account == MIRROR else account) if has_named else None,
        is_settled=draw(st.booleans()),
        sold=draw(st.sampled_from([sold, None])),
        is_to_come=draw(st.booleans()),
        waiting=[Refund(index, KEY, draw(st.integers(0, 900)), 1) for index in range(draw(st.integers(0, 3)))],
        adjustment=draw(st.sampled_from([adjustment, None])),
        source=draw(st.sampled_from([CASH, BANK, OTHER])),
        others={
            number: Account(number, kind, "", 10_000)
            for number, kind in ((BANK, "bank"), (CASH, "cash"), (MERCHANT, "merchant"), (LOSS, "loss"))
        }
        | {HOLDER: account, WALLET: wallet},
        is_reversed=draw(st.booleans()),
        displaced=draw(st.sampled_from([(), (Leg(MIRROR, HOLDER, spare_fen + 1),)])),
        is_stood_in=draw(st.booleans()),
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
        back_fen = sum(refund.amount_fen for refund in case.waiting)
        assert moved(case, MERCHANT) == case.record.amount_fen - back_fen


@given(cases())
def test_nobody_goes_below_what_is_held_afterwards(case: Case) -> None:
    found = effect(case)
    ended = [hold for hold in found.ended if hold.key != (found.placed.key if found.placed else 0) or hold in case.asked]
    freed = freed_by(ended, case.parts)
    for account in (*case.payers, case.mirror):
        if account is not None and (account is not case.mirror or not case.displaced):
            held_fen = account.held_fen - sum(share.amount_fen for share in freed if share.account == account.number)
            if found.placed is not None:
                before = case.named if case.named is not None and case.named.key == found.placed.key and case.named not in ended else None
                was = shares_of(before, case.parts) if before else []
                shares = [*found.placed_parts]
                shares.append(Share(found.placed.account, found.placed.amount_fen - sum(share.amount_fen for share in shares)))
                held_fen += sum(share.amount_fen for share in shares if share.account == account.number)
                held_fen -= sum(share.amount_fen for share in was if share.account == account.number)
            assert 0 <= held_fen <= account.balance_fen + moved(case, account.number)


@given(cases())
def test_every_loss_and_every_suspense_has_an_item(case: Case) -> None:
    is_theirs = case.record.kind in (kinds.VOID, kinds.REFUND, kinds.ADJUST) or case.waiting
    if (moved(case, LOSS) or moved(case, SUSPENSE)) and not is_theirs:
        assert effect(case).findings


@given(cases())
def test_a_hold_placed_names_as_many_parts_as_it_has(case: Case) -> None:
    found = effect(case)
    if found.placed is not None:
        assert found.placed.part_count == len(found.placed_parts)
        assert sum(share.amount_fen for share in found.placed_parts) <= found.placed.amount_fen


@given(cases())
def test_a_refund_takes_back_no_more_than_is_left(case: Case) -> None:
    found = effect(case)
    for row in found.refunds:
        if case.sold is not None and row.sale == case.sold.key and not row.is_waiting and case.record.kind != kinds.ADJUST:
            assert row.amount_fen <= case.sold.left_fen


@given(cases())
def test_whatever_comes_asked_holds_end(case: Case) -> None:
    assert set(case.asked) <= set(effect(case).ended)


@given(cases())
def test_only_the_host_brings_money_in(case: Case) -> None:
    if not case.is_host or not case.is_proven:
        assert moved(case, CASH) == moved(case, BANK) == 0


@given(cases())
def test_what_is_not_believed_moves_nothing_of_a_holder(case: Case) -> None:
    if not case.is_proven:
        assert moved(case, HOLDER) == moved(case, MIRROR) == moved(case, WALLET) == 0
        assert ItemKind.BAD_TAC in [finding.kind for finding in effect(case).findings]
        assert effect(case).placed is None
