"""An ST7920 display, 128x64, in its serial mode, showing characters from its ROMs."""

from collections.abc import Callable

ROWS = 4
COLUMNS = 16
"""Half-width columns in a row; a Chinese character takes two."""

POWER_UP_US = 40_000
CLEAR_US = 1_600
EXECUTE_US = 72
"""Times at 540 kHz (data sheet, "Instruction set"); what arrives meanwhile is lost."""

_ROW_ADDRESSES = (0x00, 0x10, 0x08, 0x18)
"""Where each row begins in display RAM: a row runs on into the one two below it."""

_UNKNOWN = "□"


class St7920:
    """The controller, byte by byte as they come over SID and SCLK (data sheet, "Serial interface").

        11111 RW RS 0    start of a transfer: five ones, then direction, then instruction (0) or data (1)
        d7..d4 0000      first half of a byte
        d3..d0 0000      second half; the byte is carried out now

    It cannot be read in this mode, so a driver must wait: a byte that comes while the last one is
    being carried out is lost, and counted in `lost`. `byte_us()` says how long a byte on the bus is
    under way, so that a burst is judged by its own speed.

    Display RAM is 64 words of two bytes. A word holds one character of the 16x16 ROM (GB2312, first
    byte 0xA1 or more) or two of the 8x16 ROM.
    """

    def __init__(self, now_us: Callable[[], int], byte_us: Callable[[], float], on_change: Callable[[], None]) -> None:
        self._now_us = now_us
        self._byte_us = byte_us
        self._on_change = on_change
        self.lost = 0
        self.power(True)

    def power(self, is_on: bool) -> None:
        """Switch the supply: the RAM loses what it held, and the controller needs 40 ms to wake."""
        self._is_powered = is_on
        self._ready_at_us = self._now_us() + POWER_UP_US
        self._ram = bytearray(b" " * 128)
        self._reset_pin = True
        self._reset()

    def reset_pin(self, level: bool) -> None:
        """Follow the RST pin, active low: back to the state after power-up, the RAM untouched."""
        self._reset_pin = level
        if not level:
            self._reset()

    def _reset(self) -> None:
        self.is_display_on = False
        self._is_extended = False
        self._step = 1
        self._address = 0
        self._is_low_byte = False
        self._is_graphic_ram = False
        self.select()
        self._is_changed = True

    def select(self) -> None:
        """See CS go high: wait for the start of a transfer."""
        self._is_data: bool | None = None
        self._half: int | None = None

    def deselect(self) -> None:
        """See CS go low: a transfer under way is forgotten."""
        if self._is_changed:
            self._is_changed = False
            self._on_change()

    def exchange(self, mosi: bytes) -> bytes:
        """Take bytes from SID; there is no line back."""
        byte_us = self._byte_us()
        at_us = self._now_us()
        for index, byte in enumerate(mosi, 1):
            self._receive(byte, at_us + index * byte_us)
        return bytes(len(mosi))

    def text(self) -> list[str]:
        """Return what a person reads: four rows, each of 16 half-width columns."""
        if not (self._is_powered and self.is_display_on):
            return [" " * COLUMNS] * ROWS
        return ["".join(map(_characters, self._words(address))) for address in _ROW_ADDRESSES]

    def _words(self, address: int) -> list[bytes]:
        return [bytes(self._ram[2 * word : 2 * word + 2]) for word in range(address, address + COLUMNS // 2)]

    def _receive(self, byte: int, at_us: float) -> None:
        if byte & 0xF8 == 0xF8:
            self._is_data = bool(byte & 2)
            self._half = None
        elif self._is_data is None or byte & 0x0F:
            self._is_data = None
            self.lost += 1
        elif self._half is None:
            self._half = byte
        else:
            value = self._half | byte >> 4
            self._half = None
            self._carry_out(value, at_us)

    def _carry_out(self, value: int, at_us: float) -> None:
        if not self._is_powered or not self._reset_pin or at_us < self._ready_at_us:
            self.lost += 1
            return
        self._ready_at_us = int(at_us) + EXECUTE_US
        if self._is_data:
            self._write(value)
        else:
            self._instruct(value)

    def _write(self, value: int) -> None:
        if self._is_graphic_ram:
            return
        index = 2 * self._address + self._is_low_byte
        if self._ram[index] != value:
            self._ram[index] = value
            self._is_changed = True
        if self._is_low_byte:
            self._address = (self._address + self._step) % 64
        self._is_low_byte = not self._is_low_byte

    def _instruct(self, value: int) -> None:
        """Carry out one instruction; the highest bit that is set says which it is."""
        if value & 0xE0 == 0x20:
            self._is_extended = bool(value & 4)
        elif self._is_extended:
            self._is_graphic_ram = self._is_graphic_ram or bool(value & 0x80)
        elif value & 0x80:
            self._set_address(value & 0x3F)
        elif value & 0x40:
            self._is_graphic_ram = True
        elif value & 0x10:
            self._move_cursor(value)
        elif value & 0x08:
            self.is_display_on = bool(value & 4)
            self._is_changed = True
        elif value & 0x04:
            self._step = 1 if value & 2 else -1
        elif value & 0x02:
            self._set_address(0)
        elif value & 0x01:
            self._clear()

    def _set_address(self, address: int) -> None:
        self._address = address
        self._is_low_byte = False
        self._is_graphic_ram = False

    def _move_cursor(self, value: int) -> None:
        if not value & 8:
            self._address = (self._address + (1 if value & 4 else -1)) % 64
            self._is_low_byte = False

    def _clear(self) -> None:
        self._ready_at_us += CLEAR_US - EXECUTE_US
        self._ram[:] = b" " * len(self._ram)
        self._step = 1
        self._set_address(0)
        self._is_changed = True


def _characters(word: bytes) -> str:
    """Return what the ROMs show for a word of display RAM."""
    if word[0] < 0x80:
        return "".join(chr(byte) if 0x20 <= byte < 0x7F else " " if byte == 0 else "?" for byte in word)
    try:
        return word.decode("gb2312")
    except UnicodeDecodeError:
        return _UNKNOWN
