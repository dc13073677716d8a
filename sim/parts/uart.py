"""A UART of the chip: a receive buffer that overflows, and bytes that take their time to leave."""

from collections import deque
from collections.abc import Callable

from sim.clock import Clock, Event

_FIFO_SIZE = 32
"""Bytes the hardware holds beyond the driver's buffer (RP2040 data sheet, 4.2.3)."""

_MIN_BUFFER_SIZE = 32
"""The rp2 port makes a smaller `rxbuf` this large."""


class Uart:
    """One UART, from its registers to its pins.

    `transmit(data)` is called when bytes have left the TX pin, not when the program wrote them: a line
    driver switched off too early cuts them. `on_receive` is called when bytes came in.
    `lost` counts received bytes for which there was no room.
    """

    def __init__(self, clock: Clock, on_receive: Callable[[], None]) -> None:
        self._clock = clock
        self._on_receive = on_receive
        self.transmit: Callable[[bytes], None] = _into_the_air
        self.lost = 0
        self._event: Event | None = None
        self.reset()

    def reset(self) -> None:
        """Stop, and forget every byte."""
        self.byte_us = 0.0
        self.is_on = False
        self._received = bytearray()
        self._capacity = 0
        self._leaving: deque[tuple[int, int]] = deque()
        self._free_at_us = 0
        if self._event is not None:
            self._event.cancel()

    def configure(self, baud: int, frame_bits: int, rxbuf: int) -> None:
        """Switch on. `frame_bits`: start, data, parity and stop bits together."""
        self.reset()
        self.byte_us = frame_bits * 1e6 / baud
        self._capacity = max(rxbuf, _MIN_BUFFER_SIZE) + _FIFO_SIZE
        self.is_on = True

    @property
    def waiting(self) -> int:
        """How many received bytes wait to be read."""
        return len(self._received)

    @property
    def is_idle(self) -> bool:
        """Whether every byte written has left."""
        return self._clock.now_us() >= self._free_at_us

    @property
    def idle_at_us(self) -> int:
        """When the last byte written will have left."""
        return self._free_at_us

    def receive(self, data: bytes) -> None:
        """Take bytes from the RX pin; what finds no room is lost."""
        if not self.is_on:
            return
        room = self._capacity - len(self._received)
        self.lost += max(0, len(data) - room)
        self._received += data[:room]
        self._on_receive()

    def read(self, size: int) -> bytes:
        """Return up to `size` received bytes."""
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def write(self, data: bytes) -> None:
        """Queue bytes for transmission. The real driver waits when 288 wait already; this one never fills."""
        if not self.is_on or not data:
            return
        start_us = max(self._clock.now_us(), self._free_at_us)
        for index, byte in enumerate(data, 1):
            self._leaving.append((start_us + int(index * self.byte_us), byte))
        self._free_at_us = self._leaving[-1][0]
        self._event = self._clock.call_at(self._free_at_us, self.settle)

    def settle(self, now_us: int | None = None) -> None:
        """Hand over the bytes that have left by now: call it before anything changes on the line."""
        now_us = self._clock.now_us() if now_us is None else now_us
        data = bytearray()
        while self._leaving and self._leaving[0][0] <= now_us:
            data.append(self._leaving.popleft()[1])
        if data:
            self.transmit(bytes(data))


def _into_the_air(data: bytes) -> None:
    """A TX pin with nothing on it."""
