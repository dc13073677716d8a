"""The one way into the books: a record under the next name of its epoch, and everything that follows from it.

Records of terminals come here by host/intake.py, the host's own by ledger/process.py.
"""

from dataclasses import replace

from host.ledger.bookings import activate, book, cancel, confirmed, use
from host.ledger.books import Books
from host.ledger.effects import LEG_LIMIT, Case, Effect, effect
from host.ledger.evidence import keep_shown
from host.ledger.kinds import HoldKind, HoldState, ItemKind, TerminalKind
from host.ledger.rows import Account, Annex, Card, Epoch, Fact, Hold, Holder, Item, Movement, Place, Reservation, Settlement, Terminal
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT, SUBJECT_CARD
from protocol.record import NONE, Record, decode, pack_key, verify

_LEG_MASK = LEG_LIMIT - 1


def post(books: Books, terminal: Terminal, epoch: Epoch, data: bytes, annex: bytes = b"") -> None:
    """Give the record of sequence `epoch.high_water + 1` its effect, and move the high water to it.

    Never refuses: what cannot be read, believed or understood is kept with an item, and what it moved is
    in suspense. `data` is 64 bytes; `annex` what a host record has beside them.
    """
    sequence = epoch.high_water + 1
    key = pack_key((terminal.number, epoch.epoch, sequence), 0)
    books.change(replace(epoch, high_water=sequence))
    asked = _asked_up_to(books, terminal.number, epoch.epoch, sequence)
    try:
        record = decode(data)
    except ValueError:
        _apply(books, key, data, Effect(ended=asked))
        report(books, ItemKind.UNREADABLE, terminal=terminal.number, key=key)
        return
    is_proven = verify(data, books.keys.record_cmac(terminal.number, terminal.key_version))
    case = _gather(books, terminal, key, record, asked, is_proven=is_proven)
    found = effect(case)
    _apply(books, key, data, found)
    for finding in found.findings:
        report(books, finding.kind, terminal=terminal.number, key=key, amount_fen=finding.amount_fen)
    # Only its own terminal ends a shower; another's claim would make the genuine one look like a second.
    if found.settles and record.reference != NONE and record.reference.terminal == terminal.number:
        books.add(Settlement(pack_key(record.reference, 0), key))
    if annex:
        books.add(Annex(key, annex))
    if is_proven:
        _follow(books, terminal, record, found, annex)


def report(books: Books, kind: ItemKind, *, terminal: int, key: int = 0, amount_fen: int = 0, evidence: bytes = b"") -> None:
    """Put an item on the worklist; the same one twice is one."""
    if books.first(Item, kind=kind, terminal=terminal, key=key, evidence=evidence) is None:
        books.add(Item(books.highest(Item, "number") + 1, kind, books.now_s, terminal, key, amount_fen, evidence))


def account_of(books: Books, subject_kind: int, subject: int) -> Account | None:
    """The account that a subject charges: a card's holder, or a holder's account itself. None: unknown."""
    if subject_kind == SUBJECT_CARD:
        card = books.get(Card, subject)
        return books.need(Account, card.account) if card else None
    if subject_kind == SUBJECT_ACCOUNT and books.get(Holder, subject) is not None:
        return books.need(Account, subject)
    return None


def mirror_of(books: Books, subject_kind: int, subject: int) -> Account | None:
    """The mirror of the card that is the subject, if it is one."""
    card = books.get(Card, subject) if subject_kind == SUBJECT_CARD else None
    return books.need(Account, card.mirror) if card else None


def place_hold(books: Books, hold: Hold) -> None:
    """Set a hold's money aside; one that is there under its name already is changed to it."""
    before = books.get(Hold, hold.key)
    assert before is None or before.account == hold.account, (before, hold)
    _set_aside(books, hold.account, hold.amount_fen - (before.amount_fen if before else 0))
    if before is None:
        books.add(hold)
    else:
        books.change(hold)


def end_hold(books: Books, hold: Hold) -> None:
    """Free what a hold has set aside."""
    _set_aside(books, hold.account, -hold.amount_fen)
    books.drop(hold)


def free_confirmed(books: Books, terminal: int) -> None:
    """Free the money of cancelled bookings once their stall has gone past them."""
    for hold in confirmed(books, terminal):
        end_hold(books, hold)


def _gather(books: Books, terminal: Terminal, key: int, record: Record, asked: tuple[Hold, ...], *, is_proven: bool) -> Case:
    place = books.get(Place, terminal.place) if terminal.place is not None else None
    named = _named(books, terminal, record)
    return Case(
        key=key,
        record=record,
        is_proven=is_proven,
        is_host=terminal.kind == TerminalKind.HOST,
        merchant=place.merchant if place else 0,
        account=account_of(books, record.subject_kind, record.subject),
        mirror=mirror_of(books, record.subject_kind, record.subject),
        asked=asked,
        named=named,
        named_account=books.need(Account, named.account) if named else None,
        is_settled=record.reference != NONE and books.get(Settlement, pack_key(record.reference, 0)) is not None,
    )


def _named(books: Books, terminal: Terminal, record: Record) -> Hold | None:
    """The taken hold a record names and may name: a booking of its own stall, or an opened of its own."""
    if record.reference == NONE:
        return None
    key = pack_key(record.reference, 0)
    hold = books.get(Hold, key)
    if hold is None or hold.state != HoldState.TAKEN:
        return None
    if record.kind == kinds.OPENED:
        booking = books.get(Reservation, key)
        return hold if hold.kind == HoldKind.BOOKING and booking is not None and booking.terminal == terminal.number else None
    is_own = record.reference.terminal == terminal.number and hold.kind in (HoldKind.SHOWER, HoldKind.PURSE)
    return hold if is_own and record.kind in (kinds.SETTLED, kinds.STEP) else None


def _asked_up_to(books: Books, terminal: int, epoch: int, sequence: int) -> tuple[Hold, ...]:
    span = (pack_key((terminal, epoch, 0), 0), pack_key((terminal, epoch, sequence), _LEG_MASK))
    return tuple(books.find(Hold, key=span, state=HoldState.ASKED))


def _apply(books: Books, key: int, data: bytes, found: Effect) -> None:
    """Holds first, so that what they free can be charged; then the movements, or the fact."""
    for hold in found.ended:
        end_hold(books, hold)
    if found.placed is not None:
        place_hold(books, found.placed)
    if not found.legs:
        books.add(Fact(key, data))
    for index, leg in enumerate(found.legs):
        owner = books.need(Account, leg.debit).owner or books.need(Account, leg.credit).owner
        books.add(Movement(key | index, leg.debit, leg.credit, leg.amount_fen, data if index == 0 else None, owner))
        for number, amount_fen in ((leg.debit, -leg.amount_fen), (leg.credit, leg.amount_fen)):
            account = books.need(Account, number)
            books.change(replace(account, balance_fen=account.balance_fen + amount_fen))


def _set_aside(books: Books, account: int, amount_fen: int) -> None:
    row = books.need(Account, account)
    books.change(replace(row, held_fen=row.held_fen + amount_fen))


def _follow(books: Books, terminal: Terminal, record: Record, found: Effect, annex: bytes) -> None:
    """What a proven record changes beside money."""
    keep_shown(books, record, pack_key((record.terminal, record.epoch, record.sequence), 0))
    if record.kind == kinds.ACTIVATED:
        activate(books, terminal, record)
        free_confirmed(books, terminal.number)
    elif record.kind == kinds.OPENED and any(hold.kind == HoldKind.BOOKING for hold in found.ended):
        use(books, pack_key(record.reference, 0))
    elif record.kind == kinds.BOOKING and terminal.kind == TerminalKind.HOST:
        book(books, record, annex)
    elif record.kind == kinds.CANCEL and terminal.kind == TerminalKind.HOST:
        cancel(books, pack_key(record.reference, 0))
