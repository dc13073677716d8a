"""The card's one sector: identity, and the purse in two copies written in turn (docs/protocol.md, section 7).

`cmac` is a keyed CMAC under the card's MAC key (`protocol.keys.mac_key`), which binds every block to its UID.
A block whose MAC is wrong is no block: `None`, whatever the reason.
"""

import struct
from collections import namedtuple

from . import record
from .compat import const

TYPE_CHECKING = False

SECTOR = const(1)
BLOCK_IDENTITY = const(4)
BLOCK_COPY_A = const(5)
BLOCK_COPY_B = const(6)
BLOCK_TRAILER = const(7)

EXPIRY_NONE = const(0xFFFF)  # this card does not expire
COUNTER_RENEW = const(65_000)  # at this counter the card is renewed (MONEY: it never wraps)

# Both keys read data blocks, key B writes them; key B alone writes the trailer. The last byte is free.
_ACCESS_BITS = b"\x78\x77\x88\x69"
_IDENTITY_FORMAT = const("<IBHB")
_COPY_FORMAT = const("<HHHHHB")
_IDENTITY_SIZE = const(8)
_COPY_SIZE = const(11)

if TYPE_CHECKING:
    from typing import Callable, NamedTuple

    Cmac = Callable[[bytes], bytes]

    class Identity(NamedTuple):
        """Who the card is: number, class 0..15, expiry in days since 2020-01-01 (65535: none), version of its keys."""

        number: int
        holder_class: int
        expiry_day: int
        key_version: int

    class Copy(NamedTuple):
        """One copy of the purse, and the receipt of the operation that wrote it."""

        counter: int
        balance_fen: int
        amount_fen: int
        terminal: int
        sequence_low: int
        kind: int
        epoch_low: int

else:
    Identity = namedtuple("Identity", ("number", "holder_class", "expiry_day", "key_version"))
    Copy = namedtuple("Copy", ("counter", "balance_fen", "amount_fen", "terminal", "sequence_low", "kind", "epoch_low"))

NEW_COPY = Copy(1, 0, 0, 0, 0, record.LOAD, 0)  # copy A of a card as issued; copy B is zeros


def encode_identity(identity: "Identity", cmac: "Cmac") -> bytes:
    """Return block 4: number 4, class 1, expiry 2, key version 1, MAC 8."""
    plain = struct.pack(_IDENTITY_FORMAT, *identity)
    return plain + cmac(b"I" + plain)[:8]


def decode_identity(block: bytes, cmac: "Cmac") -> "Identity | None":
    """Return the identity in block 4, or None if its MAC is wrong."""
    plain = bytes(block[:_IDENTITY_SIZE])
    if len(block) != 16 or cmac(b"I" + plain)[:8] != block[_IDENTITY_SIZE:]:
        return None
    return Identity(*struct.unpack(_IDENTITY_FORMAT, plain))


def encode_copy(copy: "Copy", block_number: int, cmac: "Cmac") -> bytes:
    """Return block 5 or 6: counter 2, balance 2, amount 2, terminal 2, sequence low 2, kind and epoch low 1, MAC 5."""
    counter, balance_fen, amount_fen, terminal, sequence_low, kind, epoch_low = copy
    assert kind < 16
    assert epoch_low < 16
    plain = struct.pack(_COPY_FORMAT, counter, balance_fen, amount_fen, terminal, sequence_low, kind << 4 | epoch_low)
    return plain + cmac(bytes([block_number]) + plain)[:5]


def decode_copy(block: bytes, block_number: int, cmac: "Cmac") -> "Copy | None":
    """Return the copy in block 5 or 6, or None if it is torn, never written, or of another card or block."""
    plain = bytes(block[:_COPY_SIZE])
    if len(block) != 16 or cmac(bytes([block_number]) + plain)[:5] != block[_COPY_SIZE:]:
        return None
    counter, balance_fen, amount_fen, terminal, sequence_low, kinds = struct.unpack(_COPY_FORMAT, plain)
    return Copy(counter, balance_fen, amount_fen, terminal, sequence_low, kinds >> 4, kinds & 0x0F)


def newest(copies: "list[Copy | None] | tuple[Copy | None, ...]") -> "Copy | None":
    """Return the valid copy with the higher counter; None: the card is damaged."""
    found = None
    for copy in copies:
        if copy is not None and (found is None or copy[0] > found[0]):
            found = copy
    return found


def shown(copy_a: "Copy | None", copy_b: "Copy | None") -> bytes:
    """Return the two operations the copies witness, newest first, as a record's 14 bytes `shown`."""
    copies = [copy for copy in (copy_a, copy_b) if copy is not None]
    copies.sort(key=lambda copy: -copy[0])
    return record.pack_shown([record.Operation(copy[3], copy[4], copy[5], copy[6], copy[2]) for copy in copies])


def trailer(key_a: bytes, key_b: bytes) -> bytes:
    """Return block 7: key A 6 bytes, access bits 4, key B 6."""
    assert len(key_a) == len(key_b) == 6
    return key_a + _ACCESS_BITS + key_b


def new_card(identity: "Identity", cmac: "Cmac", *, key_a: bytes, key_b: bytes) -> "list[bytes]":
    """Return blocks 4 to 7 of a card as issued: counter 1, balance 0."""
    return [
        encode_identity(identity, cmac),
        encode_copy(NEW_COPY, BLOCK_COPY_A, cmac),
        bytes(16),
        trailer(key_a, key_b),
    ]
