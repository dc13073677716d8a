"""What the host's own records do to the books: recharges, bookings, adjustments. Without a database."""

from collections.abc import Collection, Iterable, Mapping

from host.ledger.adjustment import Purpose
from host.ledger.cases import MOST_ADJUSTED, Case, Effect, Finding, uncovered
from host.ledger.funds import Share, draw, freed_by, of_wallets
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.refunds import Leg
from host.ledger.rows import CASH, LOSS, SUSPENSE, Account, Hold, Refund
from protocol.record import pack_key


def recharge(case: Case) -> Effect:
    """Money comes in over the counter, or through the account that the annex names."""
    amount_fen = case.record.amount_fen
    source = (case.others or {}).get(case.source)
    findings: list[Finding] = []
    if case.source != CASH and (source is None or source.kind not in _SOURCES):
        findings.append(Finding(ItemKind.MISMATCH, amount_fen))
    if case.account is None:
        findings.append(Finding(ItemKind.UNKNOWN_SUBJECT, amount_fen))
    debit = source.number if source is not None and source.kind in _SOURCES else CASH
    credit = case.account.number if case.account else SUSPENSE
    return Effect((Leg(debit, credit, amount_fen),), findings=tuple(findings))


_SOURCES = (AccountKind.CASH, AccountKind.BANK, AccountKind.CHANNEL)
"""Where money comes from when a holder pays in."""


def booking(case: Case) -> Effect:
    """A hold that is taken up from the start, for a stall's merchant."""
    account = case.account
    if account is None:
        return Effect(findings=(Finding(ItemKind.UNKNOWN_SUBJECT, case.record.amount_fen),))
    wanted_fen = case.record.amount_fen
    shares, short_fen = draw(wanted_fen, case.payers)
    parts = of_wallets(shares, account.number)
    placed = Hold(
        case.key,
        account.number,
        HoldKind.BOOKING,
        HoldState.TAKEN,
        wanted_fen - short_fen,
        subject_kind=case.record.subject_kind,
        subject=case.record.subject,
        asked_fen=wanted_fen,
        part_count=len(parts),
    )
    return Effect(placed=placed, placed_parts=parts, findings=uncovered(short_fen))


def adjust(case: Case) -> Effect:
    """The host moves what its annex says. It was covered when it was written; read again after a restore, it may be no more."""
    adjustment, amount_fen = case.adjustment, case.record.amount_fen
    if adjustment is None or adjustment.amount_fen != amount_fen or len(adjustment.legs) > MOST_ADJUSTED:
        return Effect(findings=(Finding(ItemKind.NOT_EFFECTIVE, amount_fen),))
    is_reversal, is_stand_in = adjustment.purpose == Purpose.REVERSAL, adjustment.purpose == Purpose.STAND_IN
    if adjustment.purpose == Purpose.COVER:
        return _cover(case, adjustment.legs)
    if is_reversal and case.is_reversed:
        return Effect(findings=(Finding(ItemKind.MISMATCH, amount_fen),))
    ended = (case.named,) if case.named and is_stand_in else ()
    found = moved(adjustment.legs, case.others or {}, freed=freed_by(case.asked + ended, case.parts), bounded=_BOUNDED)
    found.ended = ended
    found.settles = any(hold.state == HoldState.TAKEN for hold in ended)
    if is_stand_in:
        # Nobody will say it but this: the record it stands for is lost.
        found.findings += uncovered(sum(leg.amount_fen for leg in adjustment.legs if leg.debit == LOSS))
    if is_reversal:
        found.reverses = pack_key(case.record.reference, 0)
        if case.named_sale:
            # Its sale may come later, as after a restore: what went back must not go back again then.
            found.refunds = (Refund(case.key, case.named_sale, amount_fen),)
    return found


def _cover(case: Case, wanted: Iterable[Leg]) -> Effect:
    """Charge what the school bore, at most what it still bears: nothing while the record itself is to come, which charges by itself."""
    legs: list[Leg] = []
    left_fen = case.borne_fen
    for leg in wanted:
        legs.append(leg._replace(amount_fen=min(leg.amount_fen, left_fen)))
        left_fen -= legs[-1].amount_fen
    found = moved([leg for leg in legs if leg.amount_fen], case.others or {}, freed=(), bounded=_BOUNDED)
    if found.legs:
        # A row of nothing taken back: by it the sale finds who has paid the school's part (ledger/surroundings.py).
        found.refunds = (Refund(case.key, pack_key(case.record.reference, 0), 0),)
    return found


def moved(wanted: Iterable[Leg], accounts: Mapping[int, Account], *, freed: Iterable[Share], bounded: Collection[str]) -> Effect:
    """Movements between any accounts. What one of the `bounded` kinds does not have is the school's loss; for one nobody has, suspense."""
    spare = {number: account.available_fen for number, account in accounts.items() if account.kind in bounded}
    for number, amount_fen in freed:
        if number in spare:
            spare[number] += amount_fen
    legs: list[Leg] = []
    findings: list[Finding] = []
    for leg in wanted:
        debit, credit = (number if number in accounts else SUSPENSE for number in leg[:2])
        if (debit, credit) != leg[:2]:
            findings.append(Finding(ItemKind.UNKNOWN_SUBJECT, leg.amount_fen))
        taken_fen = min(leg.amount_fen, max(spare.get(debit, leg.amount_fen), 0))
        if debit in spare:
            spare[debit] -= taken_fen
        if credit in spare:
            spare[credit] += leg.amount_fen
        short_fen = leg.amount_fen - taken_fen
        both = (Leg(debit, credit, taken_fen), Leg(LOSS, credit, short_fen))
        legs += [each for each in both if each.amount_fen and each.debit != each.credit]
        findings += uncovered(short_fen)
    return Effect(legs, findings=tuple(findings))


_BOUNDED = (AccountKind.HOLDER, AccountKind.WALLET)
"""Accounts that never fall below nothing."""
