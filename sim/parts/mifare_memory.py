"""The EEPROM of a MIFARE Classic 1K card: 16 sectors of 4 blocks of 16 bytes, and how long a write takes."""

from collections.abc import Callable

from sim.parts.iso14443 import carrier_periods

BLOCK_SIZE = 16
BLOCK_COUNT = 64
SIZE = BLOCK_COUNT * BLOCK_SIZE

# The data sheet only bounds the acknowledge of a write: 10 ms (MF1S50YYX, section 12.3). Cards take about 4.
WRITE_FC = carrier_periods(4_000)

# As delivered (section 8.6.3): both keys FF, key A alone rules, and a key B that can be read.
TRANSPORT_TRAILER = bytes.fromhex("ffffffffffff ff0780 69 ffffffffffff")
# Block 0 after the UID: manufacturer's data, of no meaning to a reader.
_MANUFACTURER = bytes.fromhex("08040062636465666768696a6b")


def new_image(uid: bytes) -> bytearray:
    """Make the 1024 bytes of a card as delivered: UID in block 0, zeros, and transport keys FFFFFFFFFFFF."""
    image = bytearray(SIZE)
    check = bytes([uid[0] ^ uid[1] ^ uid[2] ^ uid[3]]) if len(uid) == 4 else b""
    image[:BLOCK_SIZE] = (uid + check + _MANUFACTURER)[:BLOCK_SIZE]
    for trailer in range(3, BLOCK_COUNT, 4):
        image[trailer * BLOCK_SIZE : (trailer + 1) * BLOCK_SIZE] = TRANSPORT_TRAILER
    return image


def torn(old: bytes, new: bytes, fraction: float) -> bytes:
    """Give a block whose write stopped after `fraction` (0 to 1) of its time.

    The first half of the time erases byte after byte to 0, the second programs them. At 0 all is old, at 1 all is new.
    """
    erased = min(BLOCK_SIZE, int(fraction * 2 * BLOCK_SIZE))
    written = max(0, int((fraction * 2 - 1) * BLOCK_SIZE))
    return new[:written] + bytes(erased - written) + old[erased:]


class Memory:
    """The blocks, and at most one write under way.

    `image` is the caller's own 1024 bytes; it changes when a write ends, whole or torn, and `on_write(block, content)`
    is then called with what the block has become.
    """

    def __init__(self, image: bytearray, on_write: Callable[[int, bytes], None] | None) -> None:
        assert len(image) == SIZE, "a MIFARE Classic 1K has 1024 bytes"
        self.image = image
        self._on_write = on_write
        self._write: tuple[int, bytes, int] | None = None
        self._tear: float | None = None

    def tear_next(self, fraction: float) -> None:
        """Let the next write stop after this part of its time."""
        assert 0 <= fraction <= 1, "a part of the time, from 0 to 1"
        self._tear = fraction

    def block(self, number: int) -> bytes:
        """Read a block as the card itself sees it, keys included."""
        return bytes(self.image[number * BLOCK_SIZE : (number + 1) * BLOCK_SIZE])

    def write(self, number: int, data: bytes, at_fc: int) -> bool:
        """Begin a write, done at `at_fc + WRITE_FC`; False if it was torn at once, by `tear_next`."""
        assert self._write is None, "one write at a time"
        fraction, self._tear = self._tear, None
        if fraction is not None:
            self._put(number, torn(self.block(number), data, fraction))
            return False
        self._write = number, data, at_fc + WRITE_FC
        return True

    def advance(self, at_fc: int) -> None:
        """Finish the write that is due."""
        if self._write and at_fc >= self._write[2]:
            (number, data, _), self._write = self._write, None
            self._put(number, data)

    def lose_power(self, at_fc: int) -> None:
        """Leave a write under way as far as it got."""
        self.advance(at_fc)
        if self._write:
            (number, data, done_fc), self._write = self._write, None
            self._put(number, torn(self.block(number), data, 1 - (done_fc - at_fc) / WRITE_FC))

    def _put(self, number: int, data: bytes) -> None:
        self.image[number * BLOCK_SIZE : (number + 1) * BLOCK_SIZE] = data
        if self._on_write:
            self._on_write(number, data)
