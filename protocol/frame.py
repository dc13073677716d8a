"""Frames: what stands between two zero bytes on the line (docs/protocol.md, section 2).

The codec (CRC and COBS) is handed in: the host's is made of `crcmod` and `cobs`, the device's of
`protocol.fast`, and `PLAIN` here of the plain twins.
"""

from collections import namedtuple

from . import cobs, crc
from .compat import const, make

TYPE_CHECKING = False

FROM_TERMINAL = const(0x80)  # bit 7: set from a terminal, clear from the host
SEALED = const(0x40)  # bit 6

ADDRESS_MAX = const(32)
BODY_SIZE_MAX = const(250)

_SIZE_MIN = const(4)
_SIZE_MAX = const(254)
_ENCODED_MAX = const(256)  # 254 bytes, one code byte, and the needless last block some encoders add
_WAITING_MAX = const(8192)  # what may wait for `next_event`; the host's reads are of 4,096 bytes at most

if TYPE_CHECKING:
    from typing import Callable, NamedTuple

    class Codec(NamedTuple):
        """CRC and COBS as three functions; `cobs_decode` raises ValueError."""

        crc16: Callable[[bytes], int]
        cobs_encode: Callable[[bytes], bytes]
        cobs_decode: Callable[[bytes], bytes]

    class Frame(NamedTuple):
        """A frame as it stands between CRC and COBS: address 0..32, control 0..255, body 0..250 bytes."""

        address: int
        control: int
        body: bytes

    class BadFrame(NamedTuple):
        """Bytes that were no frame, with the reason for the log."""

        reason: str

else:
    Codec = namedtuple("Codec", ("crc16", "cobs_encode", "cobs_decode"))
    Frame = namedtuple("Frame", ("address", "control", "body"))
    BadFrame = namedtuple("BadFrame", ("reason",))

PLAIN = Codec(crc.crc16, cobs.encode, cobs.decode)


def is_from_terminal(control: int) -> bool:
    """Tell whether a terminal sent the frame with this control byte."""
    return bool(control & FROM_TERMINAL)


def is_sealed(control: int) -> bool:
    """Tell whether the body is sealed (section 4)."""
    return bool(control & SEALED)


def encode_frame(codec: Codec, address: int, control: int, body: bytes) -> bytes:
    """Return the bytes for the line, with the zero that ends them: at most 256."""
    assert address <= ADDRESS_MAX
    assert len(body) <= BODY_SIZE_MAX
    crc16, cobs_encode, _ = codec
    plain = bytes((address, control)) + body
    return cobs_encode(plain + crc16(plain).to_bytes(2, "little")) + b"\0"


class Decoder:
    """Frames out of a byte stream that may start anywhere and break anywhere.

    Feed it with `receive`, then take events with `next_event` until it returns None.
    It never raises for what arrives: noise becomes a `BadFrame` with a reason, and decoding goes on
    after the next zero byte. Who the frame is for, and from, is the caller's question.

    Frame, after COBS decoding (docs/protocol.md, section 2):

        0    address   1 byte   0..32
        1    control   1 byte   direction, sealed, sequence, acknowledgement
        2    body      0..250 bytes
        n-2  crc       2 bytes  CRC-16/IBM-3740 over all before it, little-endian

    Holds at most 8,192 bytes that nobody took, and 256 of a frame that has not ended.
    """

    def __init__(self, codec: Codec):
        self._crc16, _, self._cobs_decode = codec
        self._waiting = b""  # bytes received and not yet looked at: those from _at on
        self._at = 0
        self._is_lost = False  # inside something too long: skip to the next zero

    def receive(self, data: "bytes | bytearray | memoryview") -> None:
        """Store what arrived; next, call `next_event` until it returns None."""
        if self._at < len(self._waiting):
            data = self._waiting[self._at :] + data
            if len(data) > _WAITING_MAX:
                # Nobody took events for long: what waited is worth less than what comes.
                data = data[len(data) - _WAITING_MAX :]
                self._is_lost = True
        self._waiting = bytes(data)
        self._at = 0

    def next_event(self) -> "Frame | BadFrame | None":
        """Return the next frame, or why bytes were none, or None when more bytes are needed."""
        while (end := self._waiting.find(b"\0", self._at)) >= 0:
            encoded = self._waiting[self._at : end]
            self._at = end + 1
            if self._is_lost or len(encoded) > _ENCODED_MAX:
                self._is_lost = False
                return BadFrame("too long")
            if encoded:
                return self._decode(encoded)
        if len(self._waiting) - self._at > _ENCODED_MAX:
            self._is_lost = True
        if self._is_lost:
            self._at = len(self._waiting)
        return None

    def _decode(self, encoded: bytes) -> "Frame | BadFrame":
        try:
            plain = self._cobs_decode(encoded)
        except ValueError:
            return BadFrame("not COBS")
        size = len(plain)
        if not _SIZE_MIN <= size <= _SIZE_MAX:
            return BadFrame("too short" if size < _SIZE_MIN else "too long")
        if self._crc16(plain[:-2]) != plain[-2] | plain[-1] << 8:
            return BadFrame("wrong CRC")
        address = plain[0]
        control = plain[1]
        if address > ADDRESS_MAX:
            return BadFrame("no such address")
        # Clear bodies carry neither sequence nor acknowledgement, empty ones no sequence.
        if not control & SEALED and control & (0x3F if size > _SIZE_MIN else 0x38):
            return BadFrame("wrong control")
        return make(Frame, (address, control, plain[2:-2]))
