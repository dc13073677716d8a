"""What a record does to the books: the second table of MONEY 4, without a database.

`effect` is given a record and what the ledger knows about it (`Case`), and says which movements, holds
and items follow. It is never refused: what the record says has happened and was shown. What neither a
hold nor a balance covers is the school's loss; what cannot be understood or believed is suspense.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from host.ledger.cases import LEG_LIMIT, Case, Effect, Finding, uncovered
from host.ledger.funds import Share, draw, freed_by, of_wallets, shares_of
from host.ledger.host_effects import adjust, booking, recharge
from host.ledger.kinds import HoldKind, HoldState, ItemKind
from host.ledger.refunds import Leg, Met, Sold, give_back, meet, paid_by
from host.ledger.rows import LOSS, SUSPENSE, Account, Hold, Refund
from protocol import record as kinds
from protocol.messages import SUBJECT_NONE
from protocol.record import NONE, pack_key
from protocol.shown import unpack_fault


def effect(case: Case) -> Effect:
    """The effect of the record that is next in its epoch. Asked holds up to it end, whatever it is."""
    if not case.is_proven:
        found = _unbelieved(case, ItemKind.BAD_TAC)
    else:
        found = _EFFECTS.get((case.record.kind, case.is_host), _without_effect)(case)
    found.legs = [leg for leg in found.legs if leg.amount_fen > 0]
    if case.asked:
        found.ended = case.asked + found.ended
    if case.waiting:
        _meet_waiting(case, found)
    assert len(found.legs) <= LEG_LIMIT
    return found


def unreadable(key: int, merchant: int, asked: tuple[Hold, ...], waiting: Sequence[Refund]) -> Effect:
    """The effect of bytes that are no record of this version: nothing was sold, for all we know."""
    met = meet(Sold(key, merchant, 0, ()), waiting, SUSPENSE)
    return Effect(met.legs, asked, refunds=met.refunds, findings=(*_excess(met), Finding(ItemKind.UNREADABLE)))


def _sale(case: Case) -> Effect:
    if case.record.purse:
        return _from_purse(case, case.record.amount_fen)
    if case.account is None:
        return _unbelieved(case, ItemKind.UNKNOWN_SUBJECT)
    if not case.asked:
        return _charge(case.payers, case.merchant, case.record.amount_fen, ())
    return _charge(case.payers, case.merchant, case.record.amount_fen, freed_by(case.asked, case.parts), _own_shares(case, HoldKind.SALE))


def _opened(case: Case) -> Effect:
    """Take up the hold under its own name, or a booking's; what is not there is set aside anew, as far as available."""
    if case.record.purse:
        return _purse_step(case, None)
    account = case.account
    if account is None:
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    booked = case.named if case.named and case.named.kind == HoldKind.BOOKING and case.named.account == account.number else None
    if case.record.reference != NONE and booked is None:
        mismatch = (Finding(ItemKind.MISMATCH, case.record.amount_fen),)
    else:
        mismatch = ()
    before = booked or _own(case, HoldKind.SHOWER)
    ended = (booked,) if booked else ()
    wanted_fen = max(before.amount_fen if before else 0, case.record.amount_fen)
    first = shares_of(before, case.parts) if before else ()
    shares, short_fen = draw(wanted_fen, case.payers, freed=freed_by(case.asked + ended, case.parts), first=first)
    parts = of_wallets(shares, account.number)
    placed = Hold(
        case.key,
        account.number,
        HoldKind.SHOWER,
        HoldState.TAKEN,
        wanted_fen - short_fen,
        used_fen=before.used_fen if before else 0,
        subject_kind=case.record.subject_kind,
        subject=case.record.subject,
        asked_fen=case.record.amount_fen,
        part_count=len(parts),
    )
    return Effect(ended=ended, placed=placed, placed_parts=parts, findings=mismatch + uncovered(short_fen))


def _step(case: Case) -> Effect:
    """A further purse debit of an open shower: under way in the mirror until it settles."""
    if case.is_stood_in and case.mirror and case.account:
        # The closing of its epoch has settled the shower: what the card gave meanwhile is its holder's.
        step_fen = min(case.record.amount_fen, max(case.mirror.available_fen, 0))
        legs = (Leg(case.mirror.number, case.account.number, step_fen),)
        return Effect(legs, findings=uncovered(case.record.amount_fen - step_fen))
    if case.named is None or case.named.kind != HoldKind.PURSE:
        return _purse_step(case, None)
    return _purse_step(case, case.named)


def _settled(case: Case) -> Effect:
    """Capture what was used; the rest of the hold is free, the rest of a purse's steps goes to the account."""
    amount_fen = case.record.amount_fen
    freed = freed_by(case.asked, case.parts)
    if case.is_settled:
        return _unbelieved(case, ItemKind.MISMATCH)
    if case.named and case.named_account and case.named.kind == HoldKind.SHOWER:
        shares = shares_of(case.named, case.parts)
        found = _charge(case.payers, case.merchant, amount_fen, freed + shares, shares)
        if case.account is None or case.account.number != case.named.account:
            found.findings = (*found.findings, Finding(ItemKind.MISMATCH, amount_fen))
        found.ended = (case.named,)
    elif case.named and case.named_account and case.named.kind == HoldKind.PURSE:
        found = _settle_purse(case, case.named, case.named_account)
    elif case.record.purse and case.displaced and case.mirror and case.account:
        found = _settle_late_purse(case, case.mirror, case.account)
    elif case.record.purse:
        found = _from_purse(case, amount_fen)
    elif case.account is None:
        found = _unbelieved(case, ItemKind.UNKNOWN_SUBJECT)
    else:
        found = _charge(case.payers, case.merchant, amount_fen, freed)
    found.settles = True
    return found


def _load(case: Case) -> Effect:
    """Only the main account fills a purse: a card cannot tell for which merchants a wallet's money is."""
    if case.account is None or case.mirror is None:
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    freed = freed_by(case.asked, case.parts)
    return _charge((case.account,), case.mirror.number, case.record.amount_fen, freed)


def _give_back(case: Case) -> Effect:
    """A void or refund: what the school paid of its sale goes back to it first, then to whom it came from; never to a card."""
    record, sold = case.record, case.sold
    if record.subject_kind != SUBJECT_NONE and case.account is None:
        return _unbelieved(case, ItemKind.UNKNOWN_SUBJECT)
    if case.is_to_come:
        waiting = Refund(case.key, pack_key(record.reference, 0), record.amount_fen, is_waiting=1)
        return Effect(refunds=(waiting,))
    if sold is None or sold.merchant != case.merchant or (case.account and sold.owner not in (0, case.account.number)):
        return _unbelieved(case, ItemKind.MISMATCH)
    if record.amount_fen > sold.left_fen:
        return _unbelieved(case, ItemKind.REFUND)
    return Effect(give_back(sold, record.amount_fen), refunds=(Refund(case.key, sold.key, record.amount_fen),))


def _fault(case: Case) -> Effect:
    return Effect(findings=(Finding(ItemKind.FAULT, unpack_fault(case.record.shown)),))


def _nothing(case: Case) -> Effect:
    return Effect()


def _without_effect(case: Case) -> Effect:
    return Effect(findings=(Finding(ItemKind.NOT_EFFECTIVE, case.record.amount_fen),))


_EFFECTS: dict[tuple[int, bool], Callable[[Case], Effect]] = {
    (kinds.SALE, False): _sale,
    (kinds.OPENED, False): _opened,
    (kinds.STEP, False): _step,
    (kinds.SETTLED, False): _settled,
    (kinds.LOAD, False): _load,
    (kinds.VOID, False): _give_back,
    (kinds.REFUND, False): _give_back,
    (kinds.NOTHING, False): _nothing,
    (kinds.STARTED, False): _nothing,
    (kinds.ACTIVATED, False): _nothing,
    (kinds.SHIFT, False): _nothing,
    (kinds.FAULT, False): _fault,
    (kinds.RECHARGE, True): recharge,
    (kinds.BOOKING, True): booking,
    (kinds.CANCEL, True): _nothing,
    (kinds.CUT, True): _nothing,
    (kinds.ADJUST, True): adjust,
}
"""By kind, and whether a host process wrote it: a device cannot recharge."""


def _meet_waiting(case: Case, found: Effect) -> None:
    """Let refunds that came before this record take effect with it, if it is the sale they are of."""
    paid = paid_by(found.legs, case.merchant) if case.record.kind in _SALES else ()
    if case.mirror and case.account:
        mirror, account = case.mirror.number, case.account.number
        paid = tuple(share._replace(account=account) if share.account == mirror else share for share in paid)
    met = meet(Sold(case.key, case.merchant, 0, paid, case.back_fen), case.waiting, SUSPENSE)
    found.legs = [*found.legs, *met.legs]
    found.refunds = (*found.refunds, *met.refunds)
    found.findings = (*found.findings, *_excess(met))


_SALES = (kinds.SALE, kinds.SETTLED)
"""What can be taken back."""


def _excess(met: Met) -> tuple[Finding, ...]:
    return tuple(Finding(ItemKind.REFUND, refund.amount_fen, refund.key) for refund in met.excess)


def _charge(payers: Sequence[Account], credit: int, amount_fen: int, freed: Sequence[Share], first: Sequence[Share] = ()) -> Effect:
    """Take an amount from a holder's accounts, `freed` being what ends with it; what is not available is the school's loss."""
    if len(payers) == 1 and not freed and 0 < amount_fen <= payers[0].available_fen:
        # As nearly always: the same as below, in a tenth of the time.
        return Effect([Leg(payers[0].number, credit, amount_fen)])
    shares, short_fen = draw(amount_fen, payers, freed=freed, first=first)
    legs = [Leg(number, credit, share_fen) for number, share_fen in shares]
    if short_fen:
        legs.append(Leg(LOSS, credit, short_fen))
    return Effect(legs, findings=uncovered(short_fen))


def _from_purse(case: Case, amount_fen: int) -> Effect:
    """Take `amount_fen` from a card's mirror; what it does not have waits in suspense for what the card proves."""
    if case.mirror is None:
        return _unbelieved(case, ItemKind.UNKNOWN_SUBJECT)
    taken_fen = min(amount_fen, max(case.mirror.available_fen, 0))
    legs = (Leg(case.mirror.number, case.merchant, taken_fen), Leg(SUSPENSE, case.merchant, amount_fen - taken_fen))
    return Effect(legs, findings=uncovered(amount_fen - taken_fen))


def _purse_step(case: Case, under_way: Hold | None) -> Effect:
    """Hold a purse debit in the mirror, beside what the same shower has deducted before."""
    if case.mirror is None or (under_way is not None and under_way.account != case.mirror.number):
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    step_fen = min(case.record.amount_fen, max(case.mirror.available_fen, 0))
    findings = uncovered(case.record.amount_fen - step_fen)
    if under_way is None and case.record.kind == kinds.STEP:
        return Effect(findings=(*findings, Finding(ItemKind.MISMATCH, case.record.amount_fen)))
    held = under_way or Hold(case.key, case.mirror.number, HoldKind.PURSE, HoldState.TAKEN, 0)
    return Effect(placed=replace(held, amount_fen=held.amount_fen + step_fen), findings=findings)


def _settle_purse(case: Case, under_way: Hold, mirror: Account) -> Effect:
    used_fen = case.record.amount_fen
    taken_fen = min(used_fen, under_way.amount_fen)
    rest_fen = under_way.amount_fen - taken_fen
    legs = [Leg(mirror.number, case.merchant, taken_fen), Leg(SUSPENSE, case.merchant, used_fen - taken_fen)]
    findings = uncovered(used_fen - taken_fen)
    if case.account is not None:
        legs.append(Leg(mirror.number, case.account.number, rest_fen))
    return Effect(legs=tuple(legs), ended=(under_way,), findings=findings, settles=True)


def _settle_late_purse(case: Case, mirror: Account, account: Account) -> Effect:
    """Settle a purse shower that its epoch's closing had settled: from what its mirror held, then the account, where late steps are."""
    held_fen = sum(leg.amount_fen for leg in case.displaced if leg.debit == mirror.number)
    used_fen = min(case.record.amount_fen, held_fen)
    found = _charge((account,), case.merchant, case.record.amount_fen - used_fen, freed_by(case.asked, case.parts))
    first = (Leg(mirror.number, case.merchant, used_fen), Leg(mirror.number, account.number, held_fen - used_fen))
    found.legs = [*first, *found.legs]
    return found


def _unbelieved(case: Case, why: ItemKind) -> Effect:
    """Put suspense in the holder's place for the whole amount: the merchant's side was shown to people, the other is unknown."""
    amount_fen, kind = case.record.amount_fen, case.record.kind
    finding = Finding(why, amount_fen)
    if case.is_host or kind not in _MERCHANT_SIDE:
        return Effect(findings=(finding,))
    debit, credit = (SUSPENSE, case.merchant) if _MERCHANT_SIDE[kind] else (case.merchant, SUSPENSE)
    return Effect(legs=(Leg(debit, credit, amount_fen),), findings=(finding,))


_MERCHANT_SIDE = {kinds.SALE: True, kinds.SETTLED: True, kinds.VOID: False, kinds.REFUND: False}
"""Kinds that pay a merchant (True) or take from one."""


def _own(case: Case, kind: HoldKind) -> Hold | None:
    """The hold under the record's own name, if it is what it was asked for, and on the account that is charged."""
    wanted = (case.key, kind, case.record.subject_kind, case.record.subject, case.account.number if case.account else 0)
    for hold in case.asked:
        if (hold.key, hold.kind, hold.subject_kind, hold.subject, hold.account) == wanted:
            return hold
    return None


def _own_shares(case: Case, kind: HoldKind) -> list[Share]:
    own = _own(case, kind)
    return shares_of(own, case.parts) if own else []
