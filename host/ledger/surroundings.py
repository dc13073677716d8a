"""What the rules are told about a record, read from the books: whose it is, what it names, what waits for it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from host.ledger.adjustment import Purpose, decode_annex, decode_source
from host.ledger.bookings import stall_of
from host.ledger.books import Books
from host.ledger.cases import LEG_LIMIT, Case, Finding
from host.ledger.epochs import net, undo
from host.ledger.funds import Share
from host.ledger.holding import NO_PARTS, account_of, mirror_of, parts_of, payers_of
from host.ledger.kinds import AccountKind, HoldKind, HoldState, TerminalKind
from host.ledger.refunds import Leg, Sold, covered_by, paid_by
from host.ledger.rows import (
    CASH,
    LOSS,
    Account,
    Epoch,
    Fact,
    Hold,
    Movement,
    Place,
    Refund,
    Reservation,
    Reversal,
    Settlement,
    StandIn,
    Terminal,
)
from protocol import record as kinds
from protocol.record import NONE, SEQUENCE_MAX, Record, decode, pack_key

_LEG_MASK = LEG_LIMIT - 1
_SALES = (kinds.SALE, kinds.SETTLED)
"""What can be taken back."""

Owners = Mapping[int, int]
"""Whose money accounts have, by number, as far as it is known without reading."""


class Displaced(NamedTuple):
    """What stood under the name of a late record and is undone for it: host records, what undoes them, what they had moved."""

    stood: tuple[int, ...]
    legs: tuple[Leg, ...]
    findings: tuple[Finding, ...]
    was: tuple[Leg, ...]


def gather_case(
    books: Books,
    terminal: Terminal,
    key: int,
    record: Record,
    asked: tuple[Hold, ...],
    annex: bytes,
    displaced: Displaced | None,
    *,
    is_proven: bool,
) -> tuple[Case, Owners]:
    """The record's case, and whose the accounts in it are."""
    account = account_of(books, record.subject_kind, record.subject)
    # A sale from the account needs no purse: at noon nearly every record is one.
    has_purse = record.purse or record.kind != kinds.SALE
    mirror = mirror_of(books, record.subject_kind, record.subject) if has_purse else None
    case = Case(
        key=key,
        record=record,
        is_proven=is_proven,
        is_host=terminal.kind == TerminalKind.HOST,
        merchant=merchant_at(books, terminal),
        account=account,
        mirror=mirror,
        parts=NO_PARTS,
        payers=(account,) if account else (),
        asked=asked,
        waiting=waiting_for(books, key),
    )
    if case.waiting:
        case.back_fen = sum(refund.amount_fen for refund in books.find(Refund, sale=key, is_waiting=0))
    if case.is_host:
        _add_annex(books, case, annex)
    elif record.reference != NONE:
        _add_reference(books, terminal, case, displaced)
    charged = case.named_account if case.named_account and record.kind == kinds.SETTLED else account
    if charged is not None and charged.kind == AccountKind.HOLDER:
        case.payers = payers_of(books, charged, case.merchant)
    if case.asked or case.named:
        case.parts = parts_of(books, (*case.asked, case.named) if case.named else case.asked)
    owners = {each.number: each.owner for each in case.payers}
    for each in (account, mirror):
        if each is not None:
            owners[each.number] = each.owner
    return case, owners


def merchant_at(books: Books, terminal: Terminal | None) -> int:
    """The account that is paid at a terminal, 0 for none."""
    place = books.get(Place, terminal.place) if terminal is not None and terminal.place is not None else None
    return place.merchant if place else 0


def waiting_for(books: Books, key: int) -> list[Refund]:
    """The refunds that came before this record, which is their sale, in the order of their names."""
    waiting = books.waiting_refunds()
    return waiting.get(key, []) if waiting else []


def sale_under(books: Books, key: int) -> Sold | None:
    """The sale of that name, or the shower it settled, as the books have it; None if there is no such thing."""
    try:
        record = decode(books.records([(key, key)])[key])
    except (KeyError, ValueError):
        return None
    if record.kind not in _SALES:
        return None
    legs, stood = legs_of(books, key), _stood_before(books, key, record)
    if not legs and not stood:
        return None
    merchant = merchant_at(books, books.get(Terminal, record.terminal))
    # What stood in for it was undone by its own movements, of which only the difference is there.
    before = [leg for each in stood for leg in legs_of(books, each)]
    shares = paid_by(net([*before, *legs]) if stood else legs, merchant)
    refunds = books.find(Refund, sale=key, is_waiting=0)
    covers = [leg for refund in refunds if not refund.amount_fen for leg in legs_of(books, refund.key)]
    shares = covered_by(shares, paid_by(covers, LOSS))
    accounts = {share.account: books.need(Account, share.account) for share in shares}
    # What a card paid goes to its holder's account.
    paid = tuple(
        Share(accounts[number].owner if accounts[number].kind == AccountKind.MIRROR else number, amount_fen)
        for number, amount_fen in shares
    )
    owner = next((account.owner for account in accounts.values() if account.owner), 0)
    back_fen = sum(refund.amount_fen for refund in refunds)
    return Sold(key, merchant, owner, paid, back_fen)


def borne_fen(books: Books, key: int) -> int:
    """What the school still bears of a record: less what refunds gave back to it, and what was charged afterwards."""
    try:
        record = decode(books.records([(key, key)])[key])
    except (KeyError, ValueError):
        return 0
    names = [key, *_stood_before(books, key, record), *(row.key for row in books.find(Refund, sale=key, is_waiting=0))]
    legs = [leg for name in names for leg in legs_of(books, name) if LOSS in leg[:2]]
    return max(sum(leg.amount_fen if leg.debit == LOSS else -leg.amount_fen for leg in legs), 0)


def legs_of(books: Books, key: int) -> list[Leg]:
    """The movements of a record."""
    return [Leg(row.debit, row.credit, row.amount_fen) for row in books.find(Movement, key=(key, key | _LEG_MASK))]


def _stood_before(books: Books, key: int, record: Record) -> list[int]:
    """The host records that stood in for a record until it came."""
    standing = [books.get(StandIn, name) for name in (key, pack_key(record.reference, 0))]
    stood = [row.key for row in standing if row is not None]
    return [each for each in stood if (undone := books.get(Reversal, each)) is not None and undone.key == key]


def displace(books: Books, names: Iterable[int]) -> Displaced | None:
    """What stands under names, as far as no record has taken its place yet, and how it is undone; None for nothing."""
    stood: list[int] = []
    was: list[Leg] = []
    for name in names:
        standing = books.get(StandIn, name)
        if standing is not None and books.get(Reversal, standing.key) is None:
            stood.append(standing.key)
            was += legs_of(books, standing.key)
    if not stood:
        return None
    undone = undo(was, {number: books.need(Account, number) for leg in was for number in leg[:2]})
    return Displaced(tuple(stood), tuple(undone.legs), undone.findings, tuple(was))


def _add_reference(books: Books, terminal: Terminal, case: Case, displaced: Displaced | None) -> None:
    """What a terminal's record says of the one it names."""
    record = case.record
    name = pack_key(record.reference, 0)
    if record.kind in (kinds.VOID, kinds.REFUND):
        case.sold = sale_under(books, name) if _may_name(terminal, record) else None
        case.is_to_come = case.sold is None and _is_to_come(books, terminal, case)
        return
    case.named = _named(books, terminal, record, name)
    case.named_account = books.need(Account, case.named.account) if case.named else None
    settlement = books.get(Settlement, name)
    stood = displaced.stood if displaced else ()
    case.is_settled = settlement is not None and settlement.settled not in stood
    if settlement is not None and settlement.settled in stood and displaced:
        case.displaced = displaced.was
    case.is_stood_in = record.kind == kinds.STEP and books.get(StandIn, name) is not None


def _may_name(terminal: Terminal, record: Record) -> bool:
    """Whether a till may take back the sale it names: a void, only its own; nobody, one that is still to be made."""
    reference = record.reference
    is_own = reference.terminal == terminal.number
    is_before = not is_own or (reference.epoch, reference.sequence) < (record.epoch, record.sequence)
    return is_before and (is_own or record.kind == kinds.REFUND)


def _is_to_come(books: Books, terminal: Terminal, case: Case) -> bool:
    """Whether the sale that is named may still come: nothing stands under its name, at a terminal of the same merchant."""
    record = case.record
    if not _may_name(terminal, record) or _is_posted(books, pack_key(record.reference, 0)):
        return False
    other = books.get(Terminal, record.reference.terminal)
    return other is not None and other.kind != TerminalKind.HOST and merchant_at(books, other) == case.merchant


def _is_posted(books: Books, key: int) -> bool:
    return books.get(Movement, key) is not None or books.get(Fact, key) is not None


def _named(books: Books, terminal: Terminal, record: Record, name: int) -> Hold | None:
    """The taken hold a record names and may name: a booking of its own stall, or an opened of its own."""
    hold = books.get(Hold, name)
    if hold is None or hold.state != HoldState.TAKEN:
        return None
    if record.kind == kinds.OPENED:
        booking = books.get(Reservation, name)
        return hold if hold.kind == HoldKind.BOOKING and booking is not None and booking.terminal == terminal.number else None
    is_own = record.reference.terminal == terminal.number and hold.kind in (HoldKind.SHOWER, HoldKind.PURSE)
    return hold if is_own and record.kind in (kinds.SETTLED, kinds.STEP) else None


def _add_annex(books: Books, case: Case, annex: bytes) -> None:
    """What a host's record has beside its 64 bytes."""
    record = case.record
    if record.kind == kinds.BOOKING:
        stall = stall_of(books, annex)
        case.merchant = merchant_at(books, stall)
        case.account = case.account if stall else None
    elif record.kind == kinds.RECHARGE:
        case.source = decode_source(annex) or CASH if annex else CASH
        case.others = _accounts(books, [case.source])
    elif record.kind == kinds.ADJUST:
        case.adjustment = adjustment = decode_annex(annex)
        if adjustment is not None:
            case.others = _accounts(books, [number for leg in adjustment.legs for number in leg[:2]])
            _add_purpose(books, case, adjustment.purpose)


def _add_purpose(books: Books, case: Case, purpose: str) -> None:
    name = pack_key(case.record.reference, 0)
    if purpose == Purpose.REVERSAL:
        case.is_reversed = books.get(Reversal, name) is not None
        other = books.get(Terminal, case.record.reference.terminal)
        case.named_sale = name if other is None or other.kind != TerminalKind.HOST else 0
    elif purpose == Purpose.COVER:
        case.borne_fen = borne_fen(books, name)
    elif purpose == Purpose.STAND_IN:
        case.named = books.get(Hold, name)
    elif purpose == Purpose.CLOSE:
        reference = case.record.reference
        epoch = books.get(Epoch, reference.terminal, reference.epoch)
        if epoch is not None:
            case.asked += books.asked_up_to(reference.terminal, reference.epoch, SEQUENCE_MAX)


def _accounts(books: Books, numbers: Iterable[int]) -> dict[int, Account]:
    return {number: account for number in numbers if (account := books.get(Account, number)) is not None}
