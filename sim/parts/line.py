"""An RS-485 line: a pair of wires with terminals on it, and the host's serial port at one end."""

import contextlib
import os
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from random import Random

from sim.clock import Clock

_FRAME_BITS = 10
"""Start bit, eight data bits, stop bit."""

_PIECE = 16
"""Bytes that arrive at a receiver together: half a hardware FIFO, as its interrupt comes."""

LATEST_S = 0.01
"""A thread that was due runs by then, on any machine fit to run this."""

_LATE_PIECES = 32

_READ_SIZE = 4096
"""What a pseudo-terminal holds at most."""


class Transceiver:
    """The RS-485 chip of one terminal, receiver and driver switched by one pin (DE and /RE tied).

    While it is sending its bytes go onto the wires and it hears nothing, its own bytes neither; else
    it hears, and what it is given to send goes nowhere. `is_plugged` False: its connector is out.

    A program lets go of the wires within microseconds of its last bit; ours may be late by whatever
    else the machine is busy with. So what comes after that bit (`is_idle()`) is kept, and heard if the
    driver is then switched off within `LATEST_S` of real time. A driver left on for longer is deaf.
    """

    def __init__(self, line: "Line", receive: Callable[[bytes], None], is_idle: Callable[[], bool]) -> None:
        self._line = line
        self._receive = receive
        self._is_idle = is_idle
        self._late: deque[tuple[float, bytes]] = deque(maxlen=_LATE_PIECES)
        self.is_sending = False
        self.is_plugged = True

    def switch(self, is_sending: bool) -> None:
        """Switch the driver on and the receiver off, or the other way round."""
        self.is_sending = is_sending
        if not is_sending:
            oldest_s = time.monotonic() - LATEST_S
            for at_s, data in self._late:
                if at_s >= oldest_s:
                    self._receive(data)
        self._late.clear()

    def send(self, data: bytes) -> None:
        """Put bytes onto the wires that have just left the UART."""
        if self.is_sending and self.is_plugged:
            self._line.carry(self, data)

    def hear(self, data: bytes) -> None:
        """Take bytes off the wires."""
        if not self.is_plugged:
            return
        if not self.is_sending:
            self._receive(data)
        elif self._is_idle():
            self._late.append((time.monotonic(), data))


class Line:
    """The wires. `path` is the serial port to open at the host's end: a pseudo-terminal in raw mode.

    What anybody sends reaches everybody else. The host's bytes take the time they take at `baud`.
    Faults, to be set at any time: `drop` and `corrupt` are the chance of each byte to vanish or to
    change (0..1), `is_cut` lets nothing through between terminals and host. Seeded, so that noise
    repeats; bytes the host does not fetch are lost when its port is full.
    """

    def __init__(self, clock: Clock, *, baud: int = 115_200, seed: int = 0) -> None:
        self._clock = clock
        self._byte_us = _FRAME_BITS * 1e6 / baud
        self._random = Random(seed)
        self._transceivers: list[Transceiver] = []
        self._host_free_at_us = 0
        self.drop = 0.0
        self.corrupt = 0.0
        self.is_cut = False
        # The slave stays open here too: else the port would hang up whenever the host closes it.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._end_read, self._end_write = os.pipe()
        self._thread = threading.Thread(target=self._read, name="line", daemon=True)
        self._thread.start()

    def attach(self, receive: Callable[[bytes], None], is_idle: Callable[[], bool]) -> Transceiver:
        """Join a terminal to the wires; `receive(data)` gets what it hears, `is_idle()` says that it has no more to send."""
        transceiver = Transceiver(self, receive, is_idle)
        self._transceivers.append(transceiver)
        return transceiver

    def carry(self, sender: Transceiver | None, data: bytes) -> None:
        """Bring bytes to everybody but their sender; None is the host."""
        data = self._disturb(data)
        for transceiver in self._transceivers:
            if transceiver is not sender and not (sender is None and self.is_cut):
                transceiver.hear(data)
        if sender is not None and not self.is_cut:
            # If nobody reads at the host's end the port is full: as on wires, the bytes are gone.
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, data)

    def close(self) -> None:
        """Take the port away and end the thread."""
        os.close(self._end_write)
        self._thread.join()
        for fd in (self._end_read, self._master, self._slave):
            os.close(fd)

    def _disturb(self, data: bytes) -> bytes:
        if not self.drop and not self.corrupt:
            return data
        kept = (byte for byte in data if self._random.random() >= self.drop)
        return bytes(byte ^ 1 << self._random.randrange(8) if self._random.random() < self.corrupt else byte for byte in kept)

    def _read(self) -> None:
        """Put the host's bytes onto the wires, in pieces, as they would come."""
        while True:
            ready, _, _ = select.select([self._master, self._end_read], [], [])
            if self._end_read in ready:
                return
            data = os.read(self._master, _READ_SIZE)
            with self._clock.lock:
                for start in range(0, len(data), _PIECE):
                    self._schedule(data[start : start + _PIECE])

    def _schedule(self, piece: bytes) -> None:
        start_us = max(self._clock.now_us(), self._host_free_at_us)
        self._host_free_at_us = start_us + int(len(piece) * self._byte_us)
        self._clock.call_at(self._host_free_at_us, lambda _: self.carry(None, piece))
