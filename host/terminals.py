"""Terminals: a device, the place where it stands, its line and address, and the identity it is given."""

from host.errors import AlreadyThere, InvalidValue, NotFound
from host.holders import new_account
from host.keys import KEY_VERSION
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.kinds import AccountKind, TerminalKind
from host.ledger.rows import Place, Terminal

FIRST_NUMBER = 100
LAST_NUMBER = 65_535
ADDRESS_COUNT = 32
"""Terminals on one RS-485 line."""

_LONGEST_NAME = 40


def add(ledger: Ledger, number: int, kind: TerminalKind, place: str, *, house: str = "", line: int = 0, address: int = 0) -> Terminal:
    """Add a device and the place where it stands.

    `house` is the bath house or canteen, whose account is paid; without it, the place's name up to its
    first space. `line` counts the [[line]] tables of the settings from 1, 0 is none yet; `address` 0
    takes the first free one. Raises `InvalidValue`, `AlreadyThere`, `LedgerAway`, `RestoreWaiting` for a new house.
    """
    if not FIRST_NUMBER <= number <= LAST_NUMBER:
        raise InvalidValue(f"终端编号不对 terminal {number}: devices have numbers {FIRST_NUMBER} to {LAST_NUMBER}")
    if kind == TerminalKind.HOST:
        raise InvalidValue("a host process takes its number by itself: add showers and tills only")
    place = place.strip()
    house = house.strip() or place.split(" ")[0]
    if not all(0 < len(name) <= _LONGEST_NAME and name.isprintable() for name in (place, house)):
        raise InvalidValue(f"地点不对 place {place!r}: 1 to {_LONGEST_NAME} printable characters")
    if line < 0 or not 0 <= address <= ADDRESS_COUNT:
        raise InvalidValue(f"地址不对 a line counts from 1, an address from 1 to {ADDRESS_COUNT}")
    return ledger.commit(lambda books: _add(books, number, kind, place, house, line, address))


def every(ledger: Ledger) -> list[tuple[Terminal, Place | None]]:
    """All terminals, host processes too, with their places."""
    return ledger.view(lambda books: [(row, _place(books, row)) for row in books.find(Terminal)])


def on_line(ledger: Ledger, line: int) -> list[Terminal]:
    """The devices of one line, by number."""
    return ledger.view(lambda books: books.find(Terminal, line=line)) if line else []


def identity(ledger: Ledger, number: int) -> bytes:
    """The 38 bytes of a device's `/identity`, keys and all: for a file of mode 0600, never for a screen. Raises `NotFound`, `LedgerAway`.

    A commit: whoever takes a device's keys out stands in the audit log.
    """
    return ledger.commit(lambda books: _identity(books, number))


def _add(books: Books, number: int, kind: TerminalKind, place_name: str, house: str, line: int, address: int) -> Terminal:
    if books.get(Terminal, number) is not None:
        raise AlreadyThere("终端 terminal", number)
    if books.first(Place, name=place_name) is not None:
        raise AlreadyThere("地点 place", place_name, "one place has one device")
    place = Place(books.highest(Place, "number") + 1, place_name, house, _merchant(books, house))
    books.add(place)
    taken = {row.address for row in books.find(Terminal, line=line)} if line else set[int]()
    if address in taken:
        raise AlreadyThere("地址 address", f"{address} on line {line}")
    address = address or next((free for free in range(1, ADDRESS_COUNT + 1) if free not in taken), 0)
    if not address:
        raise InvalidValue(f"线路 line {line} has {ADDRESS_COUNT} terminals, which is all it can have")
    terminal = Terminal(number, kind, "", place.number, line, address, KEY_VERSION)
    books.add(terminal)
    note(books, "terminal.add", number, kind=str(kind), place=place_name, house=house, line=line, address=address)
    return terminal


def _merchant(books: Books, house: str) -> int:
    same_house = books.first(Place, house=house)
    return same_house.merchant if same_house else new_account(books, AccountKind.MERCHANT, house).number


def _place(books: Books, terminal: Terminal) -> Place | None:
    return books.get(Place, terminal.place) if terminal.place is not None else None


def _identity(books: Books, number: int) -> bytes:
    terminal = books.get(Terminal, number)
    if terminal is None or terminal.kind == TerminalKind.HOST:
        raise NotFound("终端 terminal", number, "see `onecard terminal list`")
    note(books, "terminal.identity", number)
    return books.keys.identity(terminal.number, terminal.address, terminal.key_version)
