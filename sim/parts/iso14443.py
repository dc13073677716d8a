"""Frames of ISO/IEC 14443-3 type A on the air at 106 kbit/s: bits, parity, CRC_A, time and collisions.

Time here is counted in periods of the 13.56 MHz carrier (`_fc`, as the standard writes it), so that it is whole
numbers all the way: a bit is 128 of them, 9.44 us.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2s

BIT_FC = 128
# From the end of a reader's frame to the start of the card's. The standard counts 1236 from the end of the last pause
# after a 1, and 1172 after a 0. The pause stands half a bit further in the second case, so both come to 1212
# after the last data bit; one bit of it is the end of the reader's frame, which `Frame.duration_fc` has in it already.
FRAME_DELAY_FC = 1212 - BIT_FC
# A card takes up to 5 ms of unmodulated field until it hears a request.
POWER_UP_FC = 67_800

CRC_A_PRESET = 0x6363


def carrier_periods(time_us: int) -> int:
    """Turn microseconds into carrier periods, rounding down."""
    return time_us * 339 // 25


def crc_a(data: bytes, preset: int = CRC_A_PRESET) -> int:
    """Compute the CRC of ISO/IEC 14443-3 annex B; it is sent low byte first."""
    crc = preset
    for byte in data:
        mixed = byte ^ crc & 0xFF
        mixed ^= mixed << 4 & 0xFF
        crc = crc >> 8 ^ mixed << 8 ^ mixed << 3 ^ mixed >> 4
    return crc


def with_crc(data: bytes) -> bytes:
    """Append CRC_A."""
    return data + crc_a(data).to_bytes(2, "little")


def has_crc(data: bytes) -> bool:
    """Say whether the last two bytes are the CRC_A of those before them."""
    return len(data) > 2 and crc_a(data) == 0


def odd_parity(byte: int) -> int:
    """Give the bit that makes the number of ones odd."""
    return ~byte.bit_count() & 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it goes over the air, between its start and its end.

    `stream`: the bits in the order sent, the first one lowest; parity bits are among them.
    `cipher`: 0 for plain, else the number of the session (crypto1.py) under which it was sent. The bits stay readable in
    here, since chip and card are both ours; whoever listens without that session hears noise.
    """

    stream: int
    length: int
    cipher: int = 0

    @property
    def duration_fc(self) -> int:
        """Time on the air, start and end included."""
        return (self.length + 2) * BIT_FC

    def heard_with(self, cipher: int) -> "Frame":
        """Give what a listener in the session `cipher` makes of it: itself, or noise of the same length."""
        if cipher == self.cipher:
            return self
        seed = self.cipher.to_bytes(8, "little") + cipher.to_bytes(8, "little") + self.length.to_bytes(4, "little")
        noise = b"".join(blake2s(seed + bytes([part])).digest() for part in range(self.length // 256 + 1))
        mask = (1 << self.length) - 1
        return Frame((self.stream ^ int.from_bytes(noise, "little")) & mask, self.length, cipher)

    def cut(self, length: int) -> "Frame":
        """Give its first `length` bits: the sender was taken away."""
        length = max(0, min(length, self.length))
        return replace(self, stream=self.stream & ((1 << length) - 1), length=length)


def encode(data: bytes, *, last_bits: int = 0, skip_bits: int = 0, parity: bool = True, cipher: int = 0) -> Frame:
    """Make a frame of bytes, each followed by its odd parity.

    `last_bits`: how many bits of the last byte to send, without parity (short frames, split bytes, acknowledgements);
    0 sends it whole. `skip_bits`: how many bits of the first byte the other side has sent already (anticollision).
    """
    group = 9 if parity else 8
    stream = 0
    for index, byte in enumerate(data):
        stream |= (byte | (odd_parity(byte) << 8 if parity else 0)) << group * index
    length = group * len(data)
    if last_bits and data:
        length += last_bits - group
        stream &= (1 << length) - 1
    return Frame(stream >> skip_bits, length - skip_bits, cipher)


@dataclass(frozen=True, slots=True)
class Bits:
    """What a receiver got out of a frame: `data` holds `count` bits, the first `align` of them not received but zero."""

    data: bytes
    count: int
    parity_ok: bool

    @property
    def is_whole(self) -> bool:
        """Whole bytes, and their parity right."""
        return self.parity_ok and self.count % 8 == 0


def decode(frame: Frame, *, align: int = 0, parity: bool = True) -> Bits:
    """Take a frame apart into bytes and check the parity of each.

    `align`: the position in the first byte at which the first bit belongs. The parity of a byte begun there is not
    checked (bit-oriented anticollision frames: the other half was in the reader's own frame).
    """
    group = 9 if parity else 8
    stream, length = frame.stream << align, frame.length + align
    whole, rest = divmod(length, group)
    data = bytearray()
    parity_ok = rest < 8
    for index in range(whole):
        byte = stream >> group * index & 0xFF
        data.append(byte)
        if parity and not (index == 0 and align):
            parity_ok &= stream >> group * index + 8 & 1 == odd_parity(byte)
    if rest:
        data.append(stream >> group * whole & 0xFF)
    return Bits(bytes(data), whole * 8 + rest, parity_ok)


@dataclass(frozen=True, slots=True)
class Heard:
    """What arrives at the reader when one or more cards answer: `clash` marks bits that some sent as 1 and some as 0."""

    frame: Frame
    clash: int = 0

    def collision(self, *, align: int = 0, parity: bool = True) -> int:
        """Give the first data bit in collision, counted from 1 at the start of the byte it is received into; 0: none."""
        group = 9 if parity else 8
        clash = self.clash << align
        while clash:
            position = (clash & -clash).bit_length() - 1
            if position % group < 8:
                return position // group * 8 + position % group + 1
            clash &= clash - 1
        return 0


def superpose(signals: Iterable[tuple[int, Frame]]) -> Heard:
    """Let frames that start at given times reach one receiver together.

    Each bit is a burst of the subcarrier in one half of the bit or the other (Manchester), so cards add up: where they
    differ, both halves are filled. The chip reads such a bit as 1.
    """
    ones = zeros = length = cipher = 0
    first_fc: int | None = None
    for start_fc, frame in sorted(signals, key=lambda signal: signal[0]):
        if first_fc is None:
            first_fc, cipher = start_fc, frame.cipher
        shift = (start_fc - first_fc + BIT_FC // 2) // BIT_FC
        ones |= frame.stream << shift
        zeros |= (frame.stream ^ (1 << frame.length) - 1) << shift
        length = max(length, shift + frame.length)
    return Heard(Frame(ones, length, cipher), ones & zeros)
