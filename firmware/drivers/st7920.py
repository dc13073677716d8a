"""An ST7920 display, 128x64, in text mode with its Chinese font ROM (GB2312), over the serial interface.

Source: Sitronix ST7920 data sheet V4.0; the sections named below are its own.
"""

from firmware.terminal.ticks import diff
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.drivers.wiring import Pin, Spi

LINES = const(4)
COLUMNS = const(16)

# The chip takes 72 us for an instruction or a byte, and has no buffer and, over this interface, no busy flag. A byte
# is 16 bits on the wire: at 200 kHz each takes 80 us to arrive, so the one before is always done.
SPI_HZ = const(200_000)

_INSTRUCTION = const(0xF8)  # five ones, RW 0, RS 0, 0: "Serial interface" of the data sheet
_DATA = const(0xFA)  # the same with RS 1
_SET_ADDRESS = const(0x80)
_LINE_ADDRESSES = const(b"\x00\x10\x08\x18")  # of a 128x64 panel: two rows of 16 cells, folded
_CELLS = const(8)  # of two columns each: the font ROM's characters begin only there

# Power-on ("Initialization, serial interface"): what to send, and how long to let the chip alone after it.
_START = (
    (0x30, 1),  # function set: 8 bits, basic instructions
    (0x30, 1),
    (0x0C, 1),  # display on, no cursor
    (0x06, 1),  # the address moves on by itself
    (0x01, 3),  # clear: 1.6 ms
)
_AGAIN_COUNT = const(4)  # all but the clear
_AGAIN_MS = const(60_000)
_POWER_ON_MS = const(50)  # more than 40 after the supply is up

_SPACE = const(0x20)
_QUESTION = const(0x3F)
_FIRST_CHINESE = const(0xA1)
_LAST_ROW = const(0xF7)
_LAST_CHINESE = const(0xFE)


class St7920:
    """Four lines of sixteen columns; a Chinese character takes two.

    `spi`: mode 3, at most SPI_HZ (see above); `cs`: output, active high; `rst`: output, active low.
    `show(lines)` says what should stand there; `poll(now_ms)` sends what differs, a run of cells of one line
    at a time (1.5 ms at most), so a new screen takes five polls and the loop never waits for the display. It cannot be read
    back, so nothing tells whether one is there, or has lost all in a dip of the supply. So once a minute it is set up anew,
    without the clear that one would see, and everything is sent again.
    """

    def __init__(self, spi: "Spi", cs: "Pin", rst: "Pin") -> None:
        self._spi = spi
        self._cs = cs
        self._rst = rst
        self._asked: "list[bytes]" = [b""] * LINES
        self._wanted = bytearray(b" " * (LINES * COLUMNS))
        self._shown = bytearray(b" " * (LINES * COLUMNS))
        self._is_changed = False
        # Power-on: how many of _START are sent, of how many; and since when the chip is let alone for `_pause_ms`.
        self._started = 0
        self._start_count = len(_START)
        self._since_ms = -1
        self._pause_ms = _POWER_ON_MS
        # An instruction of three bytes, and behind it in the same breath the data it is for. The slices of every
        # size are made now, since a slice is an allocation.
        out = bytearray(4 + 4 * _CELLS)
        out[0] = _INSTRUCTION
        out[3] = _DATA
        self._out = out
        self._instruction = memoryview(out)[:3]
        self._runs = tuple([memoryview(out)[: 4 + 4 * cells] for cells in range(_CELLS + 1)])
        cs.value(0)
        rst.value(0)

    def show(self, lines: "Sequence[bytes]") -> None:
        """Say what should stand on the four lines: GB2312, at most 16 columns each, the rest blank.

        A double-byte character that would begin in an odd column moves on by one; what the font lacks is shown as
        "?". Costs next to nothing when nothing changed.
        """
        for line in range(LINES):
            if lines[line] != self._asked[line]:
                self._asked[line] = lines[line]
                lay_out(lines[line], self._wanted, line * COLUMNS)
                self._is_changed = True

    def poll(self, now_ms: int) -> None:
        """Do the next step that is due: of power-on, then a run of cells that differ. `now_ms`: ticks."""
        if self._started < self._start_count:
            self._start(now_ms)
        elif diff(now_ms, self._since_ms) >= _AGAIN_MS:
            self._start_again(now_ms)
        elif self._is_changed and (self._pause_ms == 0 or diff(now_ms, self._since_ms) >= self._pause_ms):
            self._pause_ms = 0
            self._send_run()

    def _start(self, now_ms: int) -> None:
        if self._since_ms < 0:
            self._since_ms = now_ms
            self._rst.value(1)
        elif diff(now_ms, self._since_ms) >= self._pause_ms:
            instruction, self._pause_ms = _START[self._started]
            self._put(1, instruction)
            self._send(self._instruction)
            self._started += 1
            self._since_ms = now_ms

    def _start_again(self, now_ms: int) -> None:
        self._started = 0
        self._start_count = _AGAIN_COUNT
        self._since_ms = now_ms
        for index in range(LINES * COLUMNS):
            self._shown[index] = 0  # what nothing shows
        self._is_changed = True

    def _send_run(self) -> None:
        """Send the first run of cells that differ, or note that none does."""
        cell = 0
        while cell < LINES * _CELLS and not self._differs(cell):
            cell += 1
        if cell == LINES * _CELLS:
            self._is_changed = False
            return
        end = cell + 1
        while end % _CELLS and self._differs(end):
            end += 1
        self._put(1, _SET_ADDRESS | _LINE_ADDRESSES[cell // _CELLS] | cell % _CELLS)
        for index in range(2 * cell, 2 * end):
            self._put(4 + 2 * (index - 2 * cell), self._wanted[index])
            self._shown[index] = self._wanted[index]
        self._send(self._runs[end - cell])

    def _differs(self, cell: int) -> bool:
        at = 2 * cell
        return self._wanted[at] != self._shown[at] or self._wanted[at + 1] != self._shown[at + 1]

    def _put(self, at: int, byte: int) -> None:
        """Put a byte where it goes out in two halves, high one first, each in the upper four bits."""
        self._out[at] = byte & 0xF0
        self._out[at + 1] = byte << 4 & 0xF0

    def _send(self, data: memoryview) -> None:
        self._cs.value(1)
        self._spi.write(data)
        self._cs.value(0)


def lay_out(text: bytes, cells: bytearray, start: int) -> None:
    """Write `text` (GB2312) into the 16 columns of `cells` from `start` on, such that the ST7920 shows it.

    Double-byte characters begin in even columns, none is cut in half at the end, control bytes become spaces and
    what is no GB2312 becomes "?". Never raises.
    """
    column = 0
    at = 0
    while at < len(text) and column < COLUMNS:
        byte = text[at]
        at += 1
        is_double = _FIRST_CHINESE <= byte <= _LAST_ROW and at < len(text) and _FIRST_CHINESE <= text[at] <= _LAST_CHINESE
        if not is_double:
            cells[start + column] = _half_width(byte)
            column += 1
            continue
        if column % 2:
            cells[start + column] = _SPACE
            column += 1
        if column < COLUMNS:
            cells[start + column] = byte
            cells[start + column + 1] = text[at]
        at += 1
        column += 2
    while column < COLUMNS:
        cells[start + column] = _SPACE
        column += 1


def _half_width(byte: int) -> int:
    """Return the byte that shows `byte` in one column: the half-width ROM has ASCII, and below it the chip's own."""
    if byte >= 0x80:
        return _QUESTION
    return byte if byte >= _SPACE else _SPACE
