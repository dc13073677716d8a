"""What records do to bookings: made, used, cancelled, and freed once the stall has confirmed.

A cancelled booking's code may still open the valve until its stall has activated a list without it, and
that record is in the ledger (MONEY 6). Only then is its money free.
"""

from dataclasses import replace
from typing import Any, cast

from host.ledger.books import Books
from host.ledger.kinds import ReservationState
from host.ledger.rows import Active, Epoch, Hold, Reservation, Terminal
from protocol.messages import RESERVATIONS
from protocol.packing import pack, unpack
from protocol.record import Record, pack_key
from protocol.shown import unpack_activated

_ANNEX_VERSION = 1
_ANNEX_TYPES = [int, int, str, int, int, int, int, bytes]


def booking_annex(*, terminal: int, house: str, day: int, from_s: int, until_s: int, try_count: int, lookup: bytes) -> bytes:
    """What a booking has beside its 64 bytes."""
    return pack([_ANNEX_VERSION, terminal, house, day, from_s, until_s, try_count, lookup])


def stall_of(books: Books, annex: bytes) -> Terminal | None:
    """The stall a booking is for; None if its annex is not whole, or nobody knows the stall (a restore has lost it)."""
    try:
        found: Any = unpack(annex)
    except ValueError:
        return None
    fields = cast("list[Any]", found) if isinstance(found, list) else []
    types: list[type[Any]] = [type(field) for field in fields]
    if types != _ANNEX_TYPES or fields[0] != _ANNEX_VERSION:
        return None
    return books.get(Terminal, cast(int, fields[1]))


def book(books: Books, record: Record, annex: bytes) -> None:
    """Enter a booking from its record and annex, whose stall is there."""
    _, terminal, house, day, from_s, until_s, try_count, lookup = unpack(annex)
    books.add(
        Reservation(
            key=pack_key((record.terminal, record.epoch, record.sequence), 0),
            terminal=terminal,
            house=house,
            day=day,
            account=record.subject,
            held_fen=record.amount_fen,
            from_s=from_s,
            until_s=until_s,
            try_count=try_count,
            lookup=lookup,
            stall_epoch=books.need(Terminal, terminal).epoch,
        )
    )


def use(books: Books, key: int) -> None:
    """An `opened` has taken a booking's hold over."""
    books.change(replace(books.need(Reservation, key), state=ReservationState.USED))


def cancel(books: Books, key: int) -> None:
    """Take a booking off its stall's list, from its next version on."""
    booking = books.get(Reservation, key)
    if booking is not None and booking.state == ReservationState.OPEN:
        books.change(replace(booking, state=ReservationState.CANCELLED))


def publish_without(books: Books, terminal: int, version: int) -> None:
    """Note the first list that lacks each cancelled booking of a stall."""
    for booking in books.find(Reservation, terminal=terminal, state=ReservationState.CANCELLED, gone_version=None):
        books.change(replace(booking, gone_version=version))


def activate(books: Books, terminal: Terminal, record: Record) -> None:
    """Note that a terminal has put a resource into force."""
    resource, version, digest = unpack_activated(record.shown)
    active = Active(terminal.number, resource, version, digest)
    if books.get(Active, terminal.number, resource) is None:
        books.add(active)
    else:
        books.change(active)
    if resource == RESERVATIONS:
        epoch = books.need(Epoch, terminal.number, record.epoch)
        books.change(replace(epoch, list_version=max(epoch.list_version, version)))


def confirmed(books: Books, terminal: int) -> list[Hold]:
    """The holds of cancelled bookings that nothing can take up any more; each is given once, to be ended."""
    free: list[Hold] = []
    for booking in books.find(Reservation, terminal=terminal, state=ReservationState.CANCELLED):
        if _has_come(books, booking):
            books.change(replace(booking, state=ReservationState.FREED))
            if (hold := books.get(Hold, booking.key)) is not None:
                free.append(hold)
    return free


def _has_come(books: Books, booking: Reservation) -> bool:
    """Whether every epoch that can have had the booking on its list has gone past it, or is closed."""
    if booking.gone_version is None:
        return False
    epochs = books.find(Epoch, terminal=booking.terminal, epoch=(booking.stall_epoch, 0xFFF), is_closed=0)
    return all(epoch.list_version >= booking.gone_version for epoch in epochs)
