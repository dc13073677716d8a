"""What is handed down to terminals: settings, tariff, reservations (docs/protocol.md, section 8).

A version grows when the content changes, for each terminal and resource apart. The database keeps version,
size and digest; the bytes are made anew when they are fetched, so neither keys nor codes lie in it. A
version that has been overtaken is answered with an empty chunk: the terminal waits for the next offer.
"""

import hashlib

from host.ledger.booking_codes import code_of
from host.ledger.bookings import publish_without
from host.ledger.books import Books
from host.ledger.clock import to_wire
from host.ledger.contract import Ledger
from host.ledger.kinds import ReservationState, TerminalKind
from host.ledger.posting import free_confirmed
from host.ledger.rows import Holder, Place, Reservation, Resource, Terminal
from host.ledger.texts import masked_name, one_line
from protocol.keys import code_hash
from protocol.messages import CHUNK_SIZE_MAX, RESERVATIONS, SETTINGS, TARIFF, Chunk, Fetch, Offer
from protocol.packing import pack
from protocol.record import unpack_key

_LAYOUT = 1
_CARD_KEY_VERSION = 1

RESOURCES_OF = {
    TerminalKind.SHOWER: (SETTINGS, TARIFF, RESERVATIONS),
    TerminalKind.POS: (SETTINGS,),
}
"""What each kind of terminal is handed."""


def offers(ledger: Ledger, terminal_number: int) -> list[Offer]:
    """The newest version of everything a terminal is handed. Publishes first what has changed; mostly nothing has."""
    found = ledger.view(lambda books: _offers_if_current(books, terminal_number))
    return ledger.commit(lambda books: _publish_all(books, terminal_number)) if found is None else found


def chunk(ledger: Ledger, terminal_number: int, fetch: Fetch) -> Chunk:
    """A piece of a resource, at most 192 bytes; empty when there is no such version (any more) or no such byte."""
    return ledger.view(lambda books: _chunk(books, terminal_number, fetch))


def publish(books: Books, terminal: Terminal, resource: int) -> Resource:
    """Make the present content the newest version, if it is another; returns the newest."""
    newest = _newest(books, terminal, resource)
    content = content_of(books, terminal, resource)
    digest, size = hashlib.sha256(content).digest(), len(content)
    if newest is None or newest.digest != digest:
        newest = Resource(terminal.number, resource, newest.version + 1 if newest else 1, size, digest)
        books.add(newest)
    if resource == RESERVATIONS:
        publish_without(books, terminal.number, newest.version)
        free_confirmed(books, terminal.number)
    return newest


def content_of(books: Books, terminal: Terminal, resource: int) -> bytes:
    """The bytes of a resource as they are now."""
    if resource == SETTINGS:
        return _settings(books, terminal)
    if resource == TARIFF:
        tariff = books.settings.tariff
        return pack([_LAYOUT, tariff.cold_fen_per_m3, tariff.hot_fen_per_m3])
    assert resource == RESERVATIONS, resource
    return pack([_LAYOUT, [_entry(books, terminal, booking) for booking in open_bookings(books, terminal.number)]])


def open_bookings(books: Books, terminal_number: int) -> list[Reservation]:
    """The bookings on a stall's list."""
    return books.find(Reservation, terminal=terminal_number, state=ReservationState.OPEN)


def _settings(books: Books, terminal: Terminal) -> bytes:
    assert terminal.place is not None, terminal
    place = books.need(Place, terminal.place)
    shower = books.settings.shower
    return pack(
        [
            _LAYOUT,
            one_line(place.name),
            books.keys.card_key(_CARD_KEY_VERSION),
            _CARD_KEY_VERSION,
            place.number,
            books.settings.limits.single_fen,
            shower.prededuct_fen,
            shower.extend_left_fen,
            shower.session_fen,
            shower.cold_pulses_per_l,
            shower.hot_pulses_per_l,
            shower.pause_s,
        ]
    )


def _entry(books: Books, terminal: Terminal, booking: Reservation) -> list[bytes | int]:
    code = code_of(books.keys, booking).encode()
    return [
        code_hash(books.keys.record_cmac(terminal.number, terminal.key_version), code),
        *unpack_key(booking.key)[0],
        booking.account,
        booking.held_fen,
        to_wire(booking.from_s),
        to_wire(booking.until_s),
        one_line(masked_name(books.need(Holder, booking.account).name)),
    ]


def _offers_if_current(books: Books, terminal_number: int) -> list[Offer] | None:
    """The offers, or None if something has changed since it was published."""
    terminal = books.need(Terminal, terminal_number)
    found: list[Offer] = []
    for resource in RESOURCES_OF.get(TerminalKind(terminal.kind), ()):
        newest = _newest(books, terminal, resource)
        if newest is None or newest.digest != hashlib.sha256(content_of(books, terminal, resource)).digest():
            return None
        found.append(_offer(newest))
    return found


def _publish_all(books: Books, terminal_number: int) -> list[Offer]:
    terminal = books.need(Terminal, terminal_number)
    return [_offer(publish(books, terminal, resource)) for resource in RESOURCES_OF.get(TerminalKind(terminal.kind), ())]


def _chunk(books: Books, terminal_number: int, fetch: Fetch) -> Chunk:
    terminal = books.need(Terminal, terminal_number)
    row = books.get(Resource, terminal_number, fetch.resource, fetch.version)
    data = b""
    if row is not None and fetch.resource in RESOURCES_OF.get(TerminalKind(terminal.kind), ()):
        content = content_of(books, terminal, fetch.resource)
        if hashlib.sha256(content).digest() == row.digest:
            data = content[fetch.offset : fetch.offset + CHUNK_SIZE_MAX]
    return Chunk(fetch.resource, fetch.version, fetch.offset, data)


def _newest(books: Books, terminal: Terminal, resource: int) -> Resource | None:
    found = books.find(Resource, terminal=terminal.number, resource=resource, newest_first=True, limit=1)
    return found[0] if found else None


def _offer(row: Resource) -> Offer:
    return Offer(row.resource, row.version, row.size, row.digest)
