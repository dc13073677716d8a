"""The record: 64 bytes for a fact that must never be lost (docs/protocol.md, section 6).

All kinds have this one layout, unused fields zero. What `shown` and `detail` mean for a kind
stands in `protocol.shown`.
"""

from collections import namedtuple
from struct import pack, unpack

from .compat import const, make

TYPE_CHECKING = False

SIZE = const(64)
VERSION = const(1)

# Kinds a terminal writes (6.1).
SALE = const(1)
OPENED = const(2)
STEP = const(3)
SETTLED = const(4)
LOAD = const(5)
VOID = const(6)
REFUND = const(7)
NOTHING = const(8)
STARTED = const(9)
ACTIVATED = const(10)
SHIFT = const(11)
FAULT = const(12)

# Kinds a host process writes.
RECHARGE = const(32)
BOOKING = const(33)
CANCEL = const(34)
CUT = const(35)
ADJUST = const(36)

# How far a record's time is to be trusted.
TRUST_NONE = const(0)
TRUST_ESTIMATED = const(1)
TRUST_SET = const(2)

EPOCH_MAX = const(0xFFF)
SEQUENCE_MAX = const(0x7FFFFFFF)

_SIGNED_SIZE = const(56)
_PURSE = const(0x10)
_AWAY = const(0x20)
_RESERVED = const(0xC0)
_LEG_BITS = const(4)
_SEQUENCE_BITS = const(31)
_EPOCH_BITS = const(12)

# version, kind, terminal, epoch, sequence, at_s, flags, subject, reference (3), amount, detail (2 and 1 bytes),
# balance, counter, shown, tariff, list_version, tac
_SIGNED_FORMAT = const("<BBHHIIBIHHIIHBHH14sHH")
_FORMAT = const("<BBHHIIBIHHIIHBHH14sHH8s")
_OPERATION_FORMAT = const("<HHBH")

if TYPE_CHECKING:
    from typing import Callable, NamedTuple

    class Name(NamedTuple):
        """The identity of a record, and of the hold it will take up; `NONE` is all zeros."""

        terminal: int
        epoch: int
        sequence: int

    class Operation(NamedTuple):
        """One of the two operations a card remembers: whose, which, of what kind, and how much."""

        terminal: int
        sequence_low: int
        kind: int
        epoch_low: int
        amount_fen: int

    class Record(NamedTuple):
        """A record's fields; amounts in fen, `at_s` seconds UTC since 2020 (0: never set), `shown` 14 bytes, `tac` 8.

        `purse`: paid from the purse; `away`: written while the host was away. `encode` fills in the TAC.
        """

        kind: int
        terminal: int
        epoch: int
        sequence: int
        at_s: int
        trust: int
        subject_kind: int
        subject: int
        purse: bool
        away: bool
        reference: Name
        amount_fen: int
        detail: int
        balance_fen: int
        counter: int
        shown: bytes
        tariff: int
        list_version: int
        tac: bytes

else:
    Name = namedtuple("Name", ("terminal", "epoch", "sequence"))
    Operation = namedtuple("Operation", ("terminal", "sequence_low", "kind", "epoch_low", "amount_fen"))
    Record = namedtuple(
        "Record",
        ("kind", "terminal", "epoch", "sequence", "at_s", "trust", "subject_kind", "subject", "purse", "away", "reference")
        + ("amount_fen", "detail", "balance_fen", "counter", "shown", "tariff", "list_version", "tac"),
    )

NONE = Name(0, 0, 0)
NO_TAC = b"\0" * 8  # what a record carries until `encode` has signed it
NOTHING_SHOWN = b"\0" * 14


def encode(record: "Record", cmac: "Callable[[bytes], bytes]") -> bytes:
    """Return the record's 64 bytes, signed by `cmac` under the device's record key; `record.tac` is not looked at.

    A field out of its range is our own mistake: an assertion.
    """
    assert record.terminal
    assert 1 <= record.epoch <= EPOCH_MAX
    assert 1 <= record.sequence <= SEQUENCE_MAX
    assert record.trust <= TRUST_SET
    assert record.subject_kind <= 2
    assert len(record.shown) == 14
    flags = record.trust | record.subject_kind << 2
    if record.purse:
        flags |= _PURSE
    if record.away:
        flags |= _AWAY
    reference = record.reference
    signed = pack(
        _SIGNED_FORMAT,
        VERSION,
        record.kind,
        record.terminal,
        record.epoch,
        record.sequence,
        record.at_s,
        flags,
        record.subject,
        reference[0],
        reference[1],
        reference[2],
        record.amount_fen,
        record.detail & 0xFFFF,
        record.detail >> 16,
        record.balance_fen,
        record.counter,
        record.shown,
        record.tariff,
        record.list_version,
    )
    return signed + cmac(signed)[:8]


def decode(data: bytes) -> "Record":
    """Return the fields of a record; says nothing about its TAC: see `verify`.

    Takes every kind, known or not. Raises ValueError for another size, version or reserved bit, or a record
    or a reference without a name.
    """
    if len(data) != SIZE:
        raise ValueError("not 64 bytes")
    (
        version,
        kind,
        terminal,
        epoch,
        sequence,
        at_s,
        flags,
        subject,
        of_terminal,
        of_epoch,
        of_sequence,
        amount_fen,
        detail_low,
        detail_high,
        balance_fen,
        counter,
        shown,
        tariff,
        list_version,
        tac,
    ) = unpack(_FORMAT, data)
    trust = flags & 3
    subject_kind = flags >> 2 & 3
    if version != VERSION or flags & _RESERVED or trust == 3 or subject_kind == 3:
        raise ValueError("not a record of version 1")
    if not (kind and terminal and epoch and sequence) or (epoch | of_epoch) > EPOCH_MAX or (sequence | of_sequence) > SEQUENCE_MAX:
        raise ValueError("no name")
    if of_terminal:
        reference = make(Name, (of_terminal, of_epoch, of_sequence))
    elif of_epoch or of_sequence:
        raise ValueError("a reference to no name")
    else:
        reference = NONE
    return make(
        Record,
        (
            kind,
            terminal,
            epoch,
            sequence,
            at_s,
            trust,
            subject_kind,
            subject,
            flags & _PURSE != 0,
            flags & _AWAY != 0,
            reference,
            amount_fen,
            detail_low | detail_high << 16,
            balance_fen,
            counter,
            shown,
            tariff,
            list_version,
            tac,
        ),
    )


def verify(data: bytes, cmac: "Callable[[bytes], bytes]") -> bool:
    """Tell whether a record's TAC is right under the key of `cmac`; the record is 64 bytes long."""
    return cmac(data[:_SIGNED_SIZE])[:8] == data[_SIGNED_SIZE:]


def pack_key(name: "Name | tuple[int, int, int]", leg: int) -> int:
    """Return the ledger's key of a movement (6.3): 63 bits, ordered by terminal, epoch, sequence, leg (0..15)."""
    assert 0 <= leg < 1 << _LEG_BITS
    terminal, epoch, sequence = name
    return ((terminal << _EPOCH_BITS | epoch) << _SEQUENCE_BITS | sequence) << _LEG_BITS | leg


def unpack_key(key: int) -> "tuple[Name, int]":
    """Return the name and the leg that `pack_key` packed."""
    sequence = key >> _LEG_BITS
    epoch = sequence >> _SEQUENCE_BITS
    name = Name(epoch >> _EPOCH_BITS, epoch & EPOCH_MAX, sequence & SEQUENCE_MAX)
    return name, key & (1 << _LEG_BITS) - 1


def pack_shown(operations: "list[Operation] | tuple[Operation, ...]") -> bytes:
    """Return the 14 bytes `shown` for the operations a card showed, newest first: none, one or two."""
    assert len(operations) <= 2
    packed = b"".join(
        [pack(_OPERATION_FORMAT, item[0], item[1], item[2] << 4 | item[3], item[4]) for item in operations],
    )
    return packed + NOTHING_SHOWN[len(packed) :]


def unpack_shown(shown: bytes) -> "list[Operation]":
    """Return the operations in the 14 bytes `shown`, newest first; zeros are none."""
    operations = []
    for at in (0, 7):
        terminal, sequence_low, kinds, amount_fen = unpack(_OPERATION_FORMAT, shown[at : at + 7])
        if kinds:
            operations.append(Operation(terminal, sequence_low, kinds >> 4, kinds & 0x0F, amount_fen))
    return operations
