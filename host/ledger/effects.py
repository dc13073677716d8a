"""What a record does to the books: the second table of MONEY 4, without a database.

`effect` is given a record and what the ledger knows about it (`Case`), and says which movements, holds
and items follow. It is never refused: what the record says has happened and was shown. What neither a
hold nor a balance covers is the school's loss; what cannot be understood or believed is suspense.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from host.ledger.kinds import HoldKind, HoldState, ItemKind
from host.ledger.rows import CASH, LOSS, SUSPENSE, Account, Hold
from protocol import record as kinds
from protocol.record import NONE, Record
from protocol.shown import unpack_fault

LEG_LIMIT = 16
"""Movements of one record: the leg has 4 bits in the key."""


@dataclass(frozen=True, slots=True)
class Case:
    """A record and its surroundings.

    `merchant`: whose terminal it is. `account`: whom the subject charges, None if unknown. `mirror`: the
    purse of the card that is the subject. `asked`: the asked holds of its terminal and epoch up to its
    name, all of which end with it. `named`: the taken hold under its reference, if this record may name
    it; `named_account` is the account it is on. `is_settled`: an earlier record settled its reference.
    """

    key: int
    record: Record
    is_proven: bool
    is_host: bool
    merchant: int
    account: Account | None
    mirror: Account | None
    asked: tuple[Hold, ...] = ()
    named: Hold | None = None
    named_account: Account | None = None
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """One movement."""

    debit: int
    credit: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One item for the worklist."""

    kind: ItemKind
    amount_fen: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows: movements in the order of their legs, holds that end, one that is placed, items."""

    legs: tuple[Leg, ...] = ()
    ended: tuple[Hold, ...] = ()
    placed: Hold | None = None
    findings: tuple[Finding, ...] = ()
    settles: bool = False
    """Its reference is settled by this."""


def effect(case: Case) -> Effect:
    """The effect of the record that is next in its epoch. Asked holds up to it end, whatever it is."""
    if not case.is_proven:
        found = _unbelieved(case, ItemKind.BAD_TAC)
    else:
        found = _EFFECTS.get((case.record.kind, case.is_host), _without_effect)(case)
    legs = tuple(leg for leg in found.legs if leg.amount_fen > 0)
    assert len(legs) <= LEG_LIMIT
    return replace(found, legs=legs, ended=case.asked + found.ended)


def _sale(case: Case) -> Effect:
    if case.record.purse:
        return _from_purse(case, case.record.amount_fen)
    if case.account is None:
        return _unbelieved(case, ItemKind.UNKNOWN_SUBJECT)
    return _charge(case, case.account, case.merchant, case.record.amount_fen, case.asked)


def _opened(case: Case) -> Effect:
    """Take up the hold under its own name, or a booking's; what is not there is set aside anew, as far as available."""
    if case.record.purse:
        return _purse_step(case, None)
    account = case.account
    if account is None:
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    booking = case.named if case.named and case.named.kind == HoldKind.BOOKING and case.named.account == account.number else None
    if case.record.reference != NONE and booking is None:
        mismatch = (Finding(ItemKind.MISMATCH, case.record.amount_fen),)
    else:
        mismatch = ()
    before = booking or _own(case, HoldKind.SHOWER)
    ended = (booking,) if booking else ()
    available_fen = account.available_fen + _freed(account, case.asked + ended)
    wanted_fen = max(before.amount_fen if before else 0, case.record.amount_fen)
    amount_fen = min(wanted_fen, max(available_fen, 0))
    short = (Finding(ItemKind.UNCOVERED, wanted_fen - amount_fen),) if amount_fen < wanted_fen else ()
    placed = Hold(
        case.key,
        account.number,
        HoldKind.SHOWER,
        HoldState.TAKEN,
        amount_fen,
        used_fen=before.used_fen if before else 0,
        subject_kind=case.record.subject_kind,
        subject=case.record.subject,
        asked_fen=case.record.amount_fen,
    )
    return Effect(ended=ended, placed=placed, findings=mismatch + short)


def _step(case: Case) -> Effect:
    """A further purse debit of an open shower: under way in the mirror until it settles."""
    if case.named is None or case.named.kind != HoldKind.PURSE:
        return _purse_step(case, None)
    return _purse_step(case, case.named)


def _settled(case: Case) -> Effect:
    """Capture what was used; the rest of the hold is free, the rest of a purse's steps goes to the account."""
    amount_fen = case.record.amount_fen
    if case.is_settled:
        return _unbelieved(case, ItemKind.MISMATCH)
    if case.named and case.named_account and case.named.kind == HoldKind.SHOWER:
        found = _charge(case, case.named_account, case.merchant, amount_fen, (*case.asked, case.named))
        other = case.account is None or case.account.number != case.named.account
        findings = (*found.findings, Finding(ItemKind.MISMATCH, amount_fen)) if other else found.findings
        return replace(found, ended=(case.named,), findings=findings, settles=True)
    if case.named and case.named_account and case.named.kind == HoldKind.PURSE:
        return _settle_purse(case, case.named, case.named_account)
    if case.record.purse:
        return replace(_from_purse(case, amount_fen), settles=True)
    if case.account is None:
        return replace(_unbelieved(case, ItemKind.UNKNOWN_SUBJECT), settles=True)
    return replace(_charge(case, case.account, case.merchant, amount_fen, case.asked), settles=True)


def _load(case: Case) -> Effect:
    if case.account is None or case.mirror is None:
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    return _charge(case, case.account, case.mirror.number, case.record.amount_fen, case.asked)


def _give_back(case: Case) -> Effect:
    """A void or refund: its money leaves the merchant, and waits in suspense until somebody says whose sale it was."""
    return _unbelieved(case, ItemKind.NOT_EFFECTIVE)


def _fault(case: Case) -> Effect:
    return Effect(findings=(Finding(ItemKind.FAULT, unpack_fault(case.record.shown)),))


def _nothing(case: Case) -> Effect:
    return Effect()


def _recharge(case: Case) -> Effect:
    if case.account is None:
        return Effect(
            legs=(Leg(CASH, SUSPENSE, case.record.amount_fen),), findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),)
        )
    return Effect(legs=(Leg(CASH, case.account.number, case.record.amount_fen),))


def _booking(case: Case) -> Effect:
    account = case.account
    if account is None:
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    wanted_fen = case.record.amount_fen
    amount_fen = min(wanted_fen, max(account.available_fen, 0))
    short = (Finding(ItemKind.UNCOVERED, wanted_fen - amount_fen),) if amount_fen < wanted_fen else ()
    placed = Hold(
        case.key,
        account.number,
        HoldKind.BOOKING,
        HoldState.TAKEN,
        amount_fen,
        subject_kind=case.record.subject_kind,
        subject=case.record.subject,
        asked_fen=wanted_fen,
    )
    return Effect(placed=placed, findings=short)


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
    (kinds.RECHARGE, True): _recharge,
    (kinds.BOOKING, True): _booking,
    (kinds.CANCEL, True): _nothing,
}
"""By kind, and whether a host process wrote it: a device cannot recharge."""


def _charge(case: Case, account: Account, credit: int, amount_fen: int, freed: tuple[Hold, ...]) -> Effect:
    """Take `amount_fen` from an account, `freed` being the holds that end with it; what is not available is the school's loss."""
    taken_fen = min(amount_fen, max(account.available_fen + _freed(account, freed), 0))
    legs = (Leg(account.number, credit, taken_fen), Leg(LOSS, credit, amount_fen - taken_fen))
    return Effect(legs=legs, findings=_uncovered(amount_fen - taken_fen))


def _from_purse(case: Case, amount_fen: int) -> Effect:
    """Take `amount_fen` from a card's mirror; what it does not have waits in suspense for what the card proves."""
    if case.mirror is None:
        return _unbelieved(case, ItemKind.UNKNOWN_SUBJECT)
    taken_fen = min(amount_fen, max(case.mirror.available_fen, 0))
    legs = (Leg(case.mirror.number, case.merchant, taken_fen), Leg(SUSPENSE, case.merchant, amount_fen - taken_fen))
    return Effect(legs=legs, findings=_uncovered(amount_fen - taken_fen))


def _purse_step(case: Case, under_way: Hold | None) -> Effect:
    """Hold a purse debit in the mirror, beside what the same shower has deducted before."""
    if case.mirror is None or (under_way is not None and under_way.account != case.mirror.number):
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    step_fen = min(case.record.amount_fen, max(case.mirror.available_fen, 0))
    findings = _uncovered(case.record.amount_fen - step_fen)
    if under_way is None and case.record.kind == kinds.STEP:
        return Effect(findings=(*findings, Finding(ItemKind.MISMATCH, case.record.amount_fen)))
    held = under_way or Hold(case.key, case.mirror.number, HoldKind.PURSE, HoldState.TAKEN, 0)
    return Effect(placed=replace(held, amount_fen=held.amount_fen + step_fen), findings=findings)


def _settle_purse(case: Case, under_way: Hold, mirror: Account) -> Effect:
    used_fen = case.record.amount_fen
    taken_fen = min(used_fen, under_way.amount_fen)
    rest_fen = under_way.amount_fen - taken_fen
    legs = [Leg(mirror.number, case.merchant, taken_fen), Leg(SUSPENSE, case.merchant, used_fen - taken_fen)]
    findings = _uncovered(used_fen - taken_fen)
    if case.account is not None:
        legs.append(Leg(mirror.number, case.account.number, rest_fen))
    return Effect(legs=tuple(legs), ended=(under_way,), findings=findings, settles=True)


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
    """The hold under the record's own name, if it is what it was asked for."""
    subject = (case.record.subject_kind, case.record.subject)
    same = [hold for hold in case.asked if hold.key == case.key and hold.kind == kind and (hold.subject_kind, hold.subject) == subject]
    return same[0] if same else None


def _freed(account: Account, holds: tuple[Hold, ...]) -> int:
    return sum(hold.amount_fen for hold in holds if hold.account == account.number)


def _uncovered(amount_fen: int) -> tuple[Finding, ...]:
    return (Finding(ItemKind.UNCOVERED, amount_fen),) if amount_fen > 0 else ()
