"""firmware/drivers/line.py: whole frames out, whatever comes in, and the line let go in time."""

import pytest

from firmware.drivers.line import Line
from tests.firmware.drivers.rig import Wire

BAUD = 115_200
BYTE_US = 10 * 1_000_000 / BAUD


class Port:
    """A UART in virtual time: bytes leave one by one; what leaves while the driver is off is lost."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.now_us = 0.0
        self.de = Wire()
        self.waiting = b""
        self.heard = b""
        self._leaving: list[tuple[float, int]] = []
        self._is_broken = is_broken
        self.line = Line(self, self.de)

    def advance(self, us: float) -> None:
        """Let bytes leave."""
        self.now_us += us
        while self._leaving and self._leaving[0][0] <= self.now_us:
            _, byte = self._leaving.pop(0)
            if self.de.level:
                self.heard += bytes([byte])

    def any(self) -> int:
        """How many bytes came."""
        return len(self.waiting)

    def readinto(self, buf: bytearray | memoryview, size: int) -> int | None:
        """Hand over what came; who asks for more waits, as with MicroPython."""
        assert size <= len(self.waiting)
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        buf[: len(data)] = data
        return len(data) or None

    def write(self, buf: bytes | bytearray | memoryview) -> int:
        """Queue."""
        self._leaving = [(self.now_us + (index + 1) * BYTE_US, byte) for index, byte in enumerate(bytes(buf))]
        return len(buf)

    def flush(self) -> None:
        """Wait until all have left."""
        self.advance(257 * BYTE_US if self._is_broken else max(at_us for at_us, _ in self._leaving) - self.now_us)
        if self._is_broken:
            raise OSError(110)


@pytest.mark.parametrize("size", [1, 4, 64, 256])
def test_frame_leaves_whole_and_the_line_is_let_go_at_once(size: int) -> None:
    port = Port()
    frame = bytes(index % 256 for index in range(size))

    port.line.transmit(frame)

    assert port.heard == frame
    assert port.de.history[-2:] == [1, 0]
    assert port.now_us < size * BYTE_US + 100


def test_uart_that_never_says_done_does_not_hold_the_line() -> None:
    port = Port(is_broken=True)

    port.line.transmit(bytes(256))

    assert port.de.level == 0
    assert port.line.unsent == 1


def test_line_is_let_go_from_the_start() -> None:
    assert Port().de.history == [0]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1000])
def test_everything_that_came_is_received_in_order(size: int) -> None:
    port = Port()
    port.waiting = sent = bytes(index % 251 for index in range(size))
    received = b""
    while piece := port.line.receive():
        assert len(piece) <= 64
        received += bytes(piece)

    assert received == sent


def test_waiting_bytes_are_seen_without_being_taken() -> None:
    port = Port()
    assert not port.line.is_waiting()
    port.waiting = b"\x01"

    assert port.line.is_waiting()
    assert bytes(port.line.receive()) == b"\x01"
    assert not port.line.is_waiting()
