"""The one table of messages between terminal and host (docs/protocol.md, section 3).

A message is a namedtuple here and one MessagePack array on the wire: its number, then its fields in
this order. `encode` and `decode` know nothing of who may say what when: see `is_in_place`.
"""

from collections import namedtuple

from . import packing
from .compat import const

TYPE_CHECKING = False

VERSION_LOWEST = const(1)  # the versions of the protocol this code speaks
VERSION_HIGHEST = const(1)

WHO = const(0)
HELLO = const(1)
WELCOME = const(2)
REFUSED = const(3)
STATE = const(4)
RESUME = const(5)
ASK = const(6)
ANSWER = const(7)
RECORDS = const(8)
ACK = const(9)
OFFER = const(10)
FETCH = const(11)
CHUNK = const(12)
UNREADABLE = const(255)  # in REFUSED: what came had no readable number

# Reasons of REFUSED (section 3.1).
UNKNOWN_MESSAGE = const(1)
MALFORMED = const(2)
OUT_OF_PLACE = const(3)
VERSION_UNKNOWN = const(4)
TERMINAL_UNKNOWN = const(5)
BUSY = const(6)

# Kinds of asks (section 3.2).
ASK_SALE = const(1)
ASK_SHOWER = const(2)
ASK_EXTEND = const(3)
ASK_LOAD = const(4)
ASK_LOOKUP = const(5)

# Kinds of subjects, in asks and records.
SUBJECT_NONE = const(0)
SUBJECT_CARD = const(1)
SUBJECT_ACCOUNT = const(2)

# Resources (section 3.4).
SETTINGS = const(1)
CLOCK = const(2)
TARIFF = const(3)
PRICES = const(4)
DENY_LIST = const(5)
RESERVATIONS = const(6)
FIRMWARE = const(7)

# Programs, in STATE.
PROGRAM_SHOWER = const(1)
PROGRAM_POS = const(2)

CHUNK_SIZE_MAX = const(192)
RECORDS_MAX = const(3)

if TYPE_CHECKING:
    from typing import Any, Callable, NamedTuple

    class Who(NamedTuple):
        """The host has no session with this address: say HELLO."""

    class Hello(NamedTuple):
        """A terminal asks for a session; the challenge is 16 fresh random bytes."""

        low: int
        high: int
        terminal: int
        key_version: int
        challenge: bytes

    class Welcome(NamedTuple):
        """The host's challenge (16 bytes), and its proof (8 bytes) that it has the link key."""

        version: int
        terminal: int
        host: int
        challenge: bytes
        proof: bytes

    class Refused(NamedTuple):
        """A message (its number) was not obeyed, with one of the reasons above. Never answered itself."""

        number: int
        reason: int

    class State(NamedTuple):
        """A terminal's journal, program and resources; `resources`: [resource, version, digest (8 bytes)] each."""

        epoch: int
        next: int
        oldest: int
        firmware: str
        program: int
        resources: "list[list[Any]] | tuple[tuple[int, int, bytes], ...]"

    class Resume(NamedTuple):
        """Where the terminal goes on, and the time."""

        epoch: int
        high_water: int
        at_s: int

    class Ask(NamedTuple):
        """May I? `copies`: both purse copies as read (32 bytes) or empty; `code`: 0 to 18 bytes."""

        epoch: int
        sequence: int
        kind: int
        subject_kind: int
        subject: int
        amount_fen: int
        used_fen: int
        copies: bytes
        code: bytes

    class Answer(NamedTuple):
        """The answer to the ask of that name and kind; `code` 0: granted. `text`: GB2312, 16 bytes at most."""

        epoch: int
        sequence: int
        kind: int
        code: int
        held_fen: int
        account_fen: int
        purse_fen: int
        lacking_fen: int
        load_fen: int
        text: bytes

    class Records(NamedTuple):
        """One to three records of 64 bytes, their sequences running on."""

        data: bytes

    class Ack(NamedTuple):
        """All records of the epoch up to the high water are durable in the ledger."""

        epoch: int
        high_water: int

    class Offer(NamedTuple):
        """A version of a resource to fetch; `digest`: SHA-256, empty for the clock."""

        resource: int
        version: int
        size: int
        digest: bytes

    class Fetch(NamedTuple):
        """Asks for the chunk of a resource that begins at `offset`."""

        resource: int
        version: int
        offset: int

    class Chunk(NamedTuple):
        """1 to 192 bytes of a resource; empty: no such version, wait for the next OFFER."""

        resource: int
        version: int
        offset: int
        data: bytes

    Message = Who | Hello | Welcome | Refused | State | Resume | Ask | Answer | Records | Ack | Offer | Fetch | Chunk
else:
    Who = namedtuple("Who", ())
    Hello = namedtuple("Hello", ("low", "high", "terminal", "key_version", "challenge"))
    Welcome = namedtuple("Welcome", ("version", "terminal", "host", "challenge", "proof"))
    Refused = namedtuple("Refused", ("number", "reason"))
    State = namedtuple("State", ("epoch", "next", "oldest", "firmware", "program", "resources"))
    Resume = namedtuple("Resume", ("epoch", "high_water", "at_s"))
    Ask = namedtuple("Ask", ("epoch", "sequence", "kind", "subject_kind", "subject", "amount_fen", "used_fen", "copies", "code"))
    Answer = namedtuple(
        "Answer",
        ("epoch", "sequence", "kind", "code", "held_fen", "account_fen", "purse_fen", "lacking_fen", "load_fen", "text"),
    )
    Records = namedtuple("Records", ("data",))
    Ack = namedtuple("Ack", ("epoch", "high_water"))
    Offer = namedtuple("Offer", ("resource", "version", "size", "digest"))
    Fetch = namedtuple("Fetch", ("resource", "version", "offset"))
    Chunk = namedtuple("Chunk", ("resource", "version", "offset", "data"))


class MessageError(Exception):
    """What came is no message; `number` and `reason` are what REFUSED must say, `number` 255 where none was readable."""

    def __init__(self, number: int, reason: int):
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


# A field's type, its least and greatest value or size, and for byte strings the step between sizes.
_U8 = (int, 0, 0xFF, 1)
_U32 = (int, 0, 0xFFFFFFFF, 1)
_TERMINAL = (int, 1, 0xFFFF, 1)
_EPOCH = (int, 0, 0xFFF, 1)
_SEQUENCE = (int, 0, 0x7FFFFFFF, 1)
_CHALLENGE = (bytes, 16, 16, 1)
_LISTS = (list, 0, 7, 1)
_RESOURCE_IN_FORCE = (_U8, _U32, (bytes, 8, 8, 1))

_TO_TERMINAL = const(1)
_TO_HOST = const(2)
_CLEAR = const(4)
_SEALED = const(8)

# Number (also the index), class, where it may stand, fields.
_TABLE = (
    (WHO, Who, _TO_TERMINAL | _CLEAR, ()),
    (HELLO, Hello, _TO_HOST | _CLEAR, (_U8, _U8, _TERMINAL, _U8, _CHALLENGE)),
    (WELCOME, Welcome, _TO_TERMINAL | _CLEAR, (_U8, _TERMINAL, _TERMINAL, _CHALLENGE, (bytes, 8, 8, 1))),
    (REFUSED, Refused, _TO_TERMINAL | _TO_HOST | _CLEAR | _SEALED, (_U8, _U8)),
    (STATE, State, _TO_HOST | _SEALED, (_EPOCH, _SEQUENCE, _SEQUENCE, (str, 0, 24, 1), _U8, _LISTS)),
    (RESUME, Resume, _TO_TERMINAL | _SEALED, (_EPOCH, _SEQUENCE, _U32)),
    (
        ASK,
        Ask,
        _TO_HOST | _SEALED,
        (_EPOCH, _SEQUENCE, (int, ASK_SALE, ASK_LOOKUP, 1), (int, SUBJECT_NONE, SUBJECT_ACCOUNT, 1), _U32, _U32, _U32)
        + ((bytes, 0, 32, 32), (bytes, 0, 18, 1)),
    ),
    (
        ANSWER,
        Answer,
        _TO_TERMINAL | _SEALED,
        (_EPOCH, _SEQUENCE, (int, ASK_SALE, ASK_LOOKUP, 1), _U8, _U32, _U32, _U32, _U32, _U32, (bytes, 0, 16, 1)),
    ),
    (RECORDS, Records, _TO_HOST | _SEALED, ((bytes, 64, 64 * RECORDS_MAX, 64),)),
    (ACK, Ack, _TO_TERMINAL | _SEALED, (_EPOCH, _SEQUENCE)),
    (OFFER, Offer, _TO_TERMINAL | _SEALED, (_U8, _U32, _U32, (bytes, 0, 32, 32))),
    (FETCH, Fetch, _TO_HOST | _SEALED, (_U8, _U32, _U32)),
    (CHUNK, Chunk, _TO_TERMINAL | _SEALED, (_U8, _U32, _U32, (bytes, 0, CHUNK_SIZE_MAX, 1))),
)
_ROWS = {row[1]: row for row in _TABLE}


def encode(message: "Message", pack: "Callable[[Any], bytes]" = packing.pack) -> bytes:
    """Return the MessagePack array of a message; `pack` may be another packer of the same format.

    A message that breaks its own table is our mistake: an assertion.
    """
    row = _ROWS[type(message)]
    assert _are_within(message, row[3]), message
    return pack((row[0],) + tuple(message))


def decode(data: bytes, unpack: "Callable[[bytes], Any]" = packing.unpack) -> "Message":
    """Return the message in `data`; `unpack` raises ValueError where `data` is not one MessagePack value.

    Raises MessageError for an unknown number, too few or too many fields, or one out of its range:
    answer REFUSED with its number and reason, unless it was a REFUSED itself, and change nothing.
    """
    try:
        items = unpack(data)
    except ValueError:
        raise MessageError(UNREADABLE, MALFORMED) from None
    if type(items) is not list or not items or not _is_within(items[0], _U8):
        raise MessageError(UNREADABLE, MALFORMED)
    number = items[0]
    if number >= len(_TABLE):
        raise MessageError(number, UNKNOWN_MESSAGE)
    _, make, _, fields = _TABLE[number]
    values = items[1:]
    if not _are_within(values, fields):
        raise MessageError(number, MALFORMED)
    return make(*values)


def is_in_place(message: "Message", *, to_host: bool, sealed: bool) -> bool:
    """Tell whether the table lets a message go in this direction, sealed or clear; if not, answer REFUSED, OUT_OF_PLACE."""
    place = _ROWS[type(message)][2]
    return bool(place & (_TO_HOST if to_host else _TO_TERMINAL) and place & (_SEALED if sealed else _CLEAR))


def number_of(message: "Message") -> int:
    """Return the number of a message, for REFUSED and for logs."""
    return _ROWS[type(message)][0]


def _are_within(values: "Any", fields: "tuple[Any, ...]") -> bool:
    return len(values) == len(fields) and all(_is_within(value, field) for value, field in zip(values, fields))


def _is_within(value: "Any", field: "tuple[type, int, int, int]") -> bool:
    kind, least, most, step = field
    if kind is list:
        # The one field that is an array: the resources in force.
        return type(value) in (list, tuple) and len(value) <= most and all(_is_in_force(item) for item in value)
    if type(value) is not kind:  # so that a bool is no number
        return False
    measure = value if kind is int else len(value.encode() if kind is str else value)
    return least <= measure <= most and measure % step == 0


def _is_in_force(item: "Any") -> bool:
    return type(item) in (list, tuple) and _are_within(item, _RESOURCE_IN_FORCE)
