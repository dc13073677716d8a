"""What the host has handed down, decoded: settings, tariff, reservations, as a program sees them."""

from collections import namedtuple

from protocol.compat import const
from protocol.keys import code_hash
from protocol.messages import RESERVATIONS, SETTINGS, TARIFF
from protocol.packing import pack, unpack
from protocol.record import Name

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Callable, NamedTuple

    from firmware.terminal.clock import Clock

    class Settings(NamedTuple):
        """Resource 1. `place`: GB2312; amounts in fen; `pulses_per_l_*`: pulses a litre of either meter; `pause_limit_s` seconds."""

        place: bytes
        card_key: bytes
        card_key_version: int
        place_number: int
        sale_max_fen: int
        prededuct_fen: int
        extend_when_left_fen: int
        session_max_fen: int
        pulses_per_l_cold: int
        pulses_per_l_hot: int
        pause_limit_s: int

    class Tariff(NamedTuple):
        """Resource 3, in fen per cubic metre, with the version that goes into records."""

        version: int
        cold_fen_per_m3: int
        hot_fen_per_m3: int

    class Reservation(NamedTuple):
        """One booked code of resource 6. `booking`: the name whose hold `opened` takes over by its reference;
        `held_fen`: what it holds; `from_s` to `until_s`: when it may start; `holder`: masked name, GB2312."""

        booking: Name
        account: int
        held_fen: int
        from_s: int
        until_s: int
        holder: bytes

else:
    Settings = namedtuple(
        "Settings",
        (
            "place",
            "card_key",
            "card_key_version",
            "place_number",
            "sale_max_fen",
            "prededuct_fen",
            "extend_when_left_fen",
            "session_max_fen",
            "pulses_per_l_cold",
            "pulses_per_l_hot",
            "pause_limit_s",
        ),
    )
    Tariff = namedtuple("Tariff", ("version", "cold_fen_per_m3", "hot_fen_per_m3"))
    Reservation = namedtuple("Reservation", ("booking", "account", "held_fen", "from_s", "until_s", "holder"))

_LAYOUT = const(1)
_SETTINGS_NUMBERS = const(9)  # behind place and card key
_NUMBER_MAX = const(0xFFFFFFFF)
_KEY_SIZE = const(16)
_HASH_SIZE = const(8)
_HASH_AT = const(3)  # in a packed row, behind the array's first byte and the two of a byte string
_RESERVATIONS_MAX = const(64)  # a day of half hours, and some; each takes 96 bytes of heap, at most
_PLACE_SIZE_MAX = const(16)


class InForce:
    """What is in force on this terminal now; one object for its whole life, read by the program by attribute.

    `settings` and `tariff` are None until the host has handed them down; `link_is_up` says whether an ask will be
    answered, `is_key_stuck` that a key is down and blocks the keypad; `clock` gives the time (`clock.at_s(now_ms)`,
    `clock.trust`). The terminal fills it in.
    `record_cmac`: CMAC under the record key; `is_used(booking)`: whether the journal has taken that booking up already.
    """

    def __init__(self, clock: "Clock", record_cmac: "Callable[[bytes], bytes]", is_used: "Callable[[Name], bool]") -> None:
        self.settings: Settings | None = None
        self.tariff: Tariff | None = None
        self.link_is_up = False
        self.is_key_stuck = False
        self.clock = clock
        self._record_cmac = record_cmac
        self._is_used = is_used
        self._reservations = ()

    def find_reservation(self, code: bytes) -> Reservation | None:
        """The booking that the six ASCII digits `code` open here; None for an unknown code and for one used already.

        Whether its time has come is for the caller to compare, with the clock's trust in mind.
        """
        wanted = code_hash(self._record_cmac, code)
        for packed in self._reservations:
            if packed[_HASH_AT : _HASH_AT + _HASH_SIZE] == wanted:
                row = unpack(packed)
                found = Reservation(Name(row[1], row[2], row[3]), row[4], row[5], row[6], row[7], row[8])
                return None if self._is_used(found.booking) else found
        return None

    def take(self, resource: int, version: int, content: bytes) -> None:
        """Put verified `content` in force. Raises ValueError when it is not what docs/protocol.md 8 says; then nothing changed."""
        if resource == SETTINGS:
            self.settings = _decode_settings(_fields(content))
        elif resource == TARIFF:
            self.tariff = _decode_tariff(version, _fields(content))
        elif resource == RESERVATIONS:
            self._reservations = _decode_reservations(_fields(content))
        else:
            raise ValueError("resource not known here")


def _fields(content: bytes) -> list:
    """The fields behind the layout number. More than we know, from a newer host, is no error."""
    value = unpack(content)
    if not isinstance(value, list) or not value or value[0] != _LAYOUT:
        raise ValueError("layout not known")
    return value[1:]


def _decode_settings(fields: list) -> Settings:
    count = _SETTINGS_NUMBERS + 2
    if len(fields) < count or not _is_text(fields[0], _PLACE_SIZE_MAX) or not _is_bytes(fields[1], _KEY_SIZE):
        raise ValueError("settings malformed")
    if not _are_numbers(fields[2:count]) or not fields[8] or not fields[9]:
        raise ValueError("settings out of range")
    return Settings(*fields[:count])


def _decode_tariff(version: int, fields: list) -> Tariff:
    if len(fields) < 2 or not _are_numbers(fields[:2]):
        raise ValueError("tariff malformed")
    return Tariff(version, fields[0], fields[1])


def _decode_reservations(fields: list) -> tuple:
    """Each row checked, and packed again, since that is a third of the size: hash, booking's terminal, epoch,
    sequence, account, held, from, until, holder."""
    if len(fields) < 1 or not isinstance(fields[0], list) or len(fields[0]) > _RESERVATIONS_MAX:
        raise ValueError("reservations malformed")
    for row in fields[0]:
        if not isinstance(row, list) or not 9 <= len(row) <= 15 or not _is_bytes(row[0], _HASH_SIZE):
            raise ValueError("reservation malformed")
        if not _are_numbers(row[1:8]) or not _is_text(row[8], _PLACE_SIZE_MAX):
            raise ValueError("reservation out of range")
    return tuple([pack(row) for row in fields[0]])


def _are_numbers(values) -> bool:
    return all(type(value) is int and 0 <= value <= _NUMBER_MAX for value in values)


def _is_bytes(value, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size


def _is_text(value, size_max: int) -> bool:
    """GB2312 text travels as bytes; it must fit one line of the display."""
    return isinstance(value, bytes) and len(value) <= size_max
