"""The one way into the books: a record under the next name of its epoch, and everything that follows from it.

Records of terminals come here by host/intake.py, the host's own by ledger/process.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from host.ledger.adjustment import Purpose, decode_annex
from host.ledger.bookings import activate, book, cancel, confirmed, use
from host.ledger.books import Books
from host.ledger.cases import Effect, Finding
from host.ledger.clock import from_wire
from host.ledger.days import close_by
from host.ledger.effects import effect, unreadable
from host.ledger.epochs import net
from host.ledger.evidence import keep_shown
from host.ledger.holding import end_hold, place_hold
from host.ledger.kinds import HoldKind, ItemKind
from host.ledger.refunds import Leg
from host.ledger.rows import Account, Annex, Epoch, Fact, Item, Movement, Refund, Request, Reversal, Settlement, StandIn, Terminal, Wait
from host.ledger.surroundings import Displaced, displace, gather_case, merchant_at, waiting_for
from protocol import record as kinds
from protocol.record import NONE, Name, Record, decode, pack_key, unpack_key, verify


def post(books: Books, terminal: Terminal, epoch: Epoch, data: bytes, annex: bytes = b"", request: str = "") -> None:
    """Give the record of sequence `epoch.high_water + 1` its effect, and move the high water to it.

    Never refuses: what cannot be read, believed or understood is kept with an item, and what it moved is
    in suspense. `data` is 64 bytes; `annex` what a host record has beside them; `request` the key of the
    request from outside that it answers. A request that was answered by another record has no effect again.
    """
    sequence = epoch.high_water + 1
    key = pack_key((terminal.number, epoch.epoch, sequence), 0)
    books.raise_high_water(epoch, sequence)
    try:
        record = decode(data)
    except ValueError:
        asked = books.asked_up_to(terminal.number, epoch.epoch, sequence)
        _apply(books, key, None, data, unreadable(key, merchant_at(books, terminal), asked, waiting_for(books, key)), {})
        return
    is_proven = verify(data, books.keys.record_cmac(terminal.number, terminal.key_version))
    post_record(books, terminal, epoch, key, record, data, annex, request, is_proven=is_proven)


def post_record(
    books: Books,
    terminal: Terminal,
    epoch: Epoch,
    key: int,
    record: Record,
    data: bytes,
    annex: bytes = b"",
    request: str = "",
    *,
    is_proven: bool,
) -> None:
    """The same for a record that is read and verified, `key` being its name; the high water stands at it already."""
    asked = books.asked_up_to(record.terminal, record.epoch, record.sequence)
    if annex:
        books.add(Annex(key, annex))
    if request and books.get(Request, request) is not None:
        _apply(books, key, record, data, Effect(ended=asked, findings=(Finding(ItemKind.REQUEST_TWICE, record.amount_fen),)), {})
        return
    if request:
        books.add(Request(request, key))
    displaced = _displace(books, key, record) if epoch.is_closed and is_proven else None
    case, owners = gather_case(books, terminal, key, record, asked, annex, displaced, is_proven=is_proven)
    found = effect(case)
    _apply(books, key, record, data, found, owners, displaced)
    if is_proven:
        keep_shown(books, record, key)
        follow = _FOLLOWERS.get((record.kind, case.is_host))
        if follow is not None:
            follow(books, terminal, record, found, annex)


def report(books: Books, kind: ItemKind, *, terminal: int, key: int = 0, amount_fen: int = 0, evidence: bytes = b"") -> None:
    """Put an item on the worklist; the same one twice is one."""
    books.add_once(Item(0, kind, books.now_s, terminal, key, amount_fen, evidence))


def free_confirmed(books: Books, terminal: int) -> None:
    """Free the money of cancelled bookings once their stall has gone past them."""
    for hold in confirmed(books, terminal):
        end_hold(books, hold)


def _apply(
    books: Books,
    key: int,
    record: Record | None,
    data: bytes,
    found: Effect,
    owners: Mapping[int, int],
    displaced: Displaced | None = None,
) -> None:
    """Holds first, so that what they free can be charged; then the movements, or the fact, and the rows beside them."""
    for hold in found.ended:
        end_hold(books, hold)
    if found.placed is not None:
        place_hold(books, found.placed, found.placed_parts)
    for debit, credit, amount_fen in found.legs:
        books.move(debit, credit, amount_fen)
    legs, findings = found.legs, found.findings
    if displaced is not None:
        legs, findings = net([*displaced.legs, *legs]), (*displaced.findings, *findings)
    _enter(books, key, data, legs, owners)
    if found.refunds:
        _put_refunds(books, found.refunds)
    if found.reverses:
        books.add(Reversal(found.reverses, key))
    if found.settles and record is not None:
        _settle(books, key, record)
    for finding in findings:
        about = finding.key or key
        # What a restore may have lost the cover of is decided when the wait after it ends (MONEY 7).
        is_undecided = finding.kind is ItemKind.UNCOVERED and books.open_restore is not None
        kind = ItemKind.UNDECIDED if is_undecided else finding.kind
        report(books, kind, terminal=unpack_key(about)[0].terminal, key=about, amount_fen=finding.amount_fen)


def _enter(books: Books, key: int, data: bytes, legs: Sequence[Leg], owners: Mapping[int, int]) -> None:
    if not legs:
        books.add(Fact(key, data))
    for index, (debit, credit, amount_fen) in enumerate(legs):
        owner = owners.get(debit) or owners.get(credit)
        if owner is None:
            owner = books.need(Account, debit).owner or books.need(Account, credit).owner
        books.add(Movement(key | index, debit, credit, amount_fen, data if index == 0 else None, owner))


def _put_refunds(books: Books, refunds: Sequence[Refund]) -> None:
    for refund in refunds:
        if books.get(Refund, refund.key) is None:
            books.add(refund)
        else:
            books.change(refund)
    books.forget_waiting()


def _settle(books: Books, key: int, record: Record) -> None:
    """Note what settled a shower: the first does.

    Only its own terminal ends a shower, or the host in its stead: another's claim would make the genuine one look like a second.
    """
    is_own = record.reference.terminal == record.terminal or record.kind == kinds.ADJUST
    opened = pack_key(record.reference, 0)
    if record.reference != NONE and is_own and books.get(Settlement, opened) is None:
        books.add(Settlement(opened, key))


def _displace(books: Books, key: int, record: Record) -> Displaced | None:
    """Undo what stands under the name of a late record, and of the shower it settles."""
    names = [key]
    if record.kind == kinds.SETTLED and record.reference.terminal == record.terminal:
        names.append(pack_key(record.reference, 0))
    displaced = displace(books, names)
    if displaced is not None:
        for debit, credit, amount_fen in displaced.legs:
            books.move(debit, credit, amount_fen)
        for stood in displaced.stood:
            books.add(Reversal(stood, key))
    return displaced


# What a proven record changes beside money and evidence.


def _follow_activated(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    activate(books, terminal, record)
    free_confirmed(books, terminal.number)


def _follow_opened(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    if any(hold.kind == HoldKind.BOOKING for hold in found.ended):
        use(books, pack_key(record.reference, 0))


def _follow_booking(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    if found.placed is not None:
        book(books, record, annex)


def _follow_cancel(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    cancel(books, pack_key(record.reference, 0))


def _follow_adjust(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    adjustment = decode_annex(annex)
    name = pack_key(record.reference, 0)
    if adjustment is not None and adjustment.purpose == Purpose.STAND_IN and books.get(StandIn, name) is None:
        books.add(StandIn(name, pack_key(Name(record.terminal, record.epoch, record.sequence), 0)))
    if adjustment is not None and adjustment.purpose == Purpose.CLOSE:
        _close(books, record.reference)


def _follow_cut(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    key = pack_key(Name(record.terminal, record.epoch, record.sequence), 0)
    if not close_by(books, key, from_wire(record.at_s), annex):
        report(books, ItemKind.NOT_EFFECTIVE, terminal=terminal.number, key=key)


def _close(books: Books, name: Name) -> None:
    """Close an epoch: what waited for it waits no more."""
    epoch = books.get(Epoch, name.terminal, name.epoch)
    if epoch is not None and not epoch.is_closed:
        books.change(replace(epoch, is_closed=1))
        free_confirmed(books, name.terminal)
        _end_wait(books, name)


def _end_wait(books: Books, name: Name) -> None:
    """A terminal whose newest epoch was closed counts as come (MONEY 6): a restored ledger waits for it no longer."""
    if books.open_restore is None or books.need(Terminal, name.terminal).epoch != name.epoch:
        return
    if (wait := books.get(Wait, name.terminal)) is not None and not wait.is_done:
        books.change(replace(wait, is_done=1))


_FOLLOWERS: dict[tuple[int, bool], Callable[[Books, Terminal, Record, Effect, bytes], None]] = {
    (kinds.ACTIVATED, False): _follow_activated,
    (kinds.OPENED, False): _follow_opened,
    (kinds.BOOKING, True): _follow_booking,
    (kinds.CANCEL, True): _follow_cancel,
    (kinds.CUT, True): _follow_cut,
    (kinds.ADJUST, True): _follow_adjust,
}
"""By kind, and whether a host process wrote it."""
