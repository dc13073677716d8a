"""Bookings: a stall, a time, a six-digit code, and money set aside.

A booking is a record of the host's own, and holds like an open shower until the stall's `opened` takes it
over. Its code is made from the site's code key and the booking's name, so it can be shown again and is
stored nowhere; terminals get it as a CMAC under their own key, the host finds it by another. It is unique
per bath house and day, and opens one stall.
"""

from dataclasses import dataclass

from host.errors import AlreadyEnded, AlreadyThere, InsufficientFunds, InvalidValue, NotFound
from host.holders import need_holder
from host.ledger.audit_log import note
from host.ledger.booking_codes import code_of, lookup_hash, make_code
from host.ledger.bookings import booking_annex
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.funds import available
from host.ledger.holding import payers_of
from host.ledger.kinds import ReservationState, TerminalKind
from host.ledger.process import FACE_CLOCK, FACE_OFFICE, write_record
from host.ledger.reports import name_text
from host.ledger.requests import answered, compare
from host.ledger.rows import Account, Place, Reservation, Terminal
from host.resources import publish
from host.restoring import refuse_while_waiting
from protocol import record as kinds
from protocol.messages import RESERVATIONS, SUBJECT_ACCOUNT
from protocol.record import pack_key, unpack_key

OPEN_PER_STALL = 64
"""Bookings on one stall's list: a day in half hours, and some; the terminal keeps the list in memory."""
LONGEST_S = 4 * 3600
FURTHEST_S = 14 * 86_400

_TRIES = 1_000
"""With half of all codes of a house and day given away, a thousand tries in a row fail never."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as people see it; times in Unix seconds."""

    code: str
    place: str
    terminal: int
    state: str
    from_s: int
    until_s: int
    held_fen: int


def book(ledger: Ledger, holder_number: str, terminal_number: int, from_s: int, until_s: int, amount_fen: int, *, request: str = "") -> str:
    """Book a stall for a time, set `amount_fen` aside, and return the code; the same `request` again gets the same code. Unix seconds.

    Raises `NotFound`, `InvalidValue`, `AlreadyThere` (the stall is booked then), `InsufficientFunds`, `RequestDiffers`,
    `LedgerAway`, `CopyMissing`.
    """
    return ledger.commit(lambda books: _book(books, holder_number, terminal_number, from_s, until_s, amount_fen, request))


def cancel(ledger: Ledger, holder_number: str, code: str) -> Booking:
    """Cancel a holder's booking. Its money is free once the stall has confirmed a list without it.

    Raises `NotFound`, `AlreadyEnded`, `LedgerAway`.
    """
    return ledger.commit(lambda books: _cancel(books, holder_number, code))


def expire(ledger: Ledger, now_s: int) -> int:
    """Take bookings whose time is over off their lists; returns how many. To be called every minute or so."""
    if not ledger.view(lambda books: _overdue(books, now_s)):
        return 0
    return ledger.commit(lambda books: _expire(books, now_s))


def bookings_of(ledger: Ledger, holder_number: str) -> list[Booking]:
    """All bookings of a holder, oldest first."""
    return ledger.view(
        lambda books: [_booking(books, row) for row in books.find(Reservation, account=need_holder(books, holder_number).account)]
    )


def _book(books: Books, holder_number: str, terminal_number: int, from_s: int, until_s: int, amount_fen: int, request: str) -> str:
    holder = need_holder(books, holder_number)
    if (before := answered(books, request, kind=kinds.BOOKING, subject=holder.account, amount_fen=amount_fen)) is not None:
        booking = books.need(Reservation, before.key)
        compare(
            request,
            before.key,
            terminal=(booking.terminal, terminal_number),
            from_s=(booking.from_s, from_s),
            until_s=(booking.until_s, until_s),
        )
        return code_of(books.keys, booking)
    refuse_while_waiting(books, "a booking would set money aside that is perhaps spent already")
    terminal, place = _stall(books, terminal_number)
    _check_time(books, terminal, from_s, until_s)
    if not 0 < amount_fen <= books.settings.shower.session_fen:
        raise InvalidValue(f"金额 amount {amount_fen} fen: between 1 and {books.settings.shower.session_fen}")
    if holder.is_closed:
        raise InvalidValue(f"账户已关闭 holder {holder_number} is closed: it books nothing")
    available_fen = available(payers_of(books, books.need(Account, holder.account), place.merchant))
    if available_fen < amount_fen:
        raise InsufficientFunds(available_fen=available_fen, lacking_fen=amount_fen - available_fen)
    assert books.process is not None, "`start` comes before the first record"
    key = pack_key((*books.process, books.next_sequence), 0)
    day = books.settings.site.business_day(from_s)
    code, try_count, lookup = _fresh_code(books, key, place.house, day)
    annex = booking_annex(
        terminal=terminal_number, house=place.house, day=day, from_s=from_s, until_s=until_s, try_count=try_count, lookup=lookup
    )
    written = write_record(
        books, kind=kinds.BOOKING, subject_kind=SUBJECT_ACCOUNT, subject=holder.account, amount_fen=amount_fen, annex=annex, request=request
    )
    assert written == key
    publish(books, terminal, RESERVATIONS)
    note(
        books,
        "booking.add",
        holder_number,
        record=name_text(key),
        terminal=terminal_number,
        from_s=from_s,
        until_s=until_s,
        amount_fen=amount_fen,
    )
    return code


def _cancel(books: Books, holder_number: str, code: str) -> Booking:
    account = need_holder(books, holder_number).account
    mine = [row for row in books.find(Reservation, account=account) if code_of(books.keys, row) == code]
    if not mine:
        raise NotFound("预约 booking", code, "holder and code must belong together")
    still_open = [row for row in mine if row.state == ReservationState.OPEN]
    if not still_open:
        raise AlreadyEnded(code, mine[-1].state)
    note(books, "booking.cancel", holder_number, booking=name_text(still_open[0].key), terminal=still_open[0].terminal)
    return _take_off(books, still_open[0], FACE_OFFICE)


def _expire(books: Books, now_s: int) -> int:
    overdue = _overdue(books, now_s)
    for booking in overdue:
        _take_off(books, booking, FACE_CLOCK)
    return len(overdue)


def _overdue(books: Books, now_s: int) -> list[Reservation]:
    return books.find(Reservation, state=ReservationState.OPEN, until_s=(0, now_s))


def _take_off(books: Books, booking: Reservation, face: int) -> Booking:
    name, _ = unpack_key(booking.key)
    write_record(
        books,
        kind=kinds.CANCEL,
        subject_kind=SUBJECT_ACCOUNT,
        subject=booking.account,
        reference=name,
        amount_fen=booking.held_fen,
        face=face,
    )
    publish(books, books.need(Terminal, booking.terminal), RESERVATIONS)
    return _booking(books, books.need(Reservation, booking.key))


def _stall(books: Books, terminal_number: int) -> tuple[Terminal, Place]:
    terminal = books.get(Terminal, terminal_number)
    if terminal is None:
        raise NotFound("终端 terminal", terminal_number, "see `onecard terminal list`")
    if terminal.kind != TerminalKind.SHOWER or terminal.place is None:
        raise InvalidValue(f"终端 terminal {terminal_number} is no shower: only showers are booked")
    return terminal, books.need(Place, terminal.place)


def _check_time(books: Books, terminal: Terminal, from_s: int, until_s: int) -> None:
    if not (from_s < until_s <= from_s + LONGEST_S and books.now_s < until_s and from_s <= books.now_s + FURTHEST_S):
        raise InvalidValue(
            f"预约时间不对 a booking ends after it begins and after now, lasts up to {LONGEST_S // 3600} hours, "
            f"and begins within {FURTHEST_S // 86_400} days"
        )
    booked = books.find(Reservation, terminal=terminal.number, state=ReservationState.OPEN)
    if any(row.from_s < until_s and from_s < row.until_s for row in booked):
        raise AlreadyThere("预约 a booking of stall", terminal.number, "take another time or another stall")
    if len(booked) >= OPEN_PER_STALL:
        raise InvalidValue(f"预约已满 stall {terminal.number} has {OPEN_PER_STALL} bookings, which is all its list holds")


def _fresh_code(books: Books, key: int, house: str, day: int) -> tuple[str, int, bytes]:
    """A code nobody has in this house on this day, which of the tries it was, and what it is found by."""
    for try_count in range(_TRIES):
        code = make_code(books.keys, key, try_count)
        lookup = lookup_hash(books.keys, house=house, day=day, code=code.encode())
        if books.first(Reservation, house=house, day=day, lookup=lookup) is None:
            return code, try_count, lookup
    raise InvalidValue(f"预约码已用完 all codes of {house} on {day} are given away")


def _booking(books: Books, row: Reservation) -> Booking:
    terminal = books.need(Terminal, row.terminal)
    place = books.need(Place, terminal.place) if terminal.place is not None else None
    return Booking(code_of(books.keys, row), place.name if place else "", row.terminal, row.state, row.from_s, row.until_s, row.held_fen)
