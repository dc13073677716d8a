"""A serial port as the link needs it: opened with a named reason when it cannot be, and read with a wait that can be cut.

This is the only file that knows pyserial. `serial_for_url` takes devices, `socket://host:port`, `rfc2217://...`.
"""

import errno
import os
import selectors
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, cast

import serial

from host.processes import holder_of_file

WRITE_TIMEOUT_S = 1.0
"""The longest frame takes 22 ms: a write that lasts longer is stuck in a dead adapter."""

READ_SIZE = 4096
SLICE_S = 0.01
"""How long a read of a port without a file descriptor (rfc2217, loop) blocks at a time."""

LATENCY_GOOD_MS = 1


class Cause(StrEnum):
    """Why a line is not open. `REMEDIES` says what to do, for the log; the pages have their own words."""

    ABSENT = "absent"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    WRONG = "wrong"
    LOST = "lost"


REMEDIES = {
    Cause.ABSENT: "the port is not there: plug the adapter in, or mend [[line]] url",
    Cause.BUSY: "another program has the port: end it",
    Cause.FORBIDDEN: "no permission: add this user to the group that owns the device (usually dialout), then sign in again",
    Cause.WRONG: "not a port that can be opened this way: mend [[line]] url or baud",
    Cause.LOST: "the adapter went away: plug it in again",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A port that could not be opened: why, who has it (process id and name, "" if unknown), and the system's own words."""

    cause: Cause
    holder: str
    detail: str


class PortLost(Exception):
    """The adapter went away, or takes nothing any more. Close the port and open it again."""


class _Serial(Protocol):
    """What is used of pyserial, which has no types."""

    def read(self, size: int) -> bytes: ...
    def write(self, data: bytes) -> int | None: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...


class Port:
    """An open port. One thread reads and writes; any thread may `wake` it. Made by `open_port`."""

    def __init__(self, opened: _Serial, *, url: str) -> None:
        self.url = url
        self._serial = opened
        self._lock = threading.Lock()
        self._is_closed = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._is_selectable = True
        try:
            self._selector.register(opened.fileno(), selectors.EVENT_READ)
        except (OSError, ValueError):  # io.UnsupportedOperation is both
            self._is_selectable = False
            cast(Any, opened).timeout = SLICE_S

    def read(self, timeout_ms: float) -> bytes:
        """Return what has arrived, after waiting `timeout_ms` at most for something; b"" also when woken. Raises `PortLost`."""
        try:
            if self._is_selectable:
                ready = [key.fd for key, _ in self._selector.select(max(timeout_ms, 0) / 1000)]
                if self._wake_read in ready:
                    os.read(self._wake_read, READ_SIZE)
                    ready.remove(self._wake_read)
                return self._serial.read(READ_SIZE) if ready else b""
            first = self._serial.read(1)
            return first + self._serial.read(cast(Any, self._serial).in_waiting) if first else b""
        except (OSError, TypeError, ValueError) as error:  # SerialException is an OSError; the others come from a descriptor just closed
            raise PortLost(str(error)) from error

    def write(self, data: bytes) -> None:
        """Write all of `data`. Raises `PortLost`, also when the port takes nothing for a second."""
        try:
            self._serial.write(data)
        except (OSError, TypeError, ValueError) as error:
            raise PortLost(str(error)) from error

    def wake(self) -> None:
        """End a `read` that waits, from any thread."""
        with self._lock, suppress(BlockingIOError):  # full: it wakes anyway
            if not self._is_closed:  # its number may be another file's by now
                os.write(self._wake_write, b"w")

    def close(self) -> None:
        """Close the port; nothing is raised, whatever is left of it."""
        with self._lock:
            self._is_closed = True
            self._selector.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
        with suppress(OSError, TypeError, ValueError):
            self._serial.close()


def open_port(url: str, baud: int) -> Port | Obstacle:
    """Open a port for this process alone, at `baud`, 8N1, its adapter set to answer at once where it can be."""
    try:
        opened: Any = serial.serial_for_url(url, baudrate=baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
    except (OSError, ValueError) as error:
        return _obstacle(url, error)
    with suppress(AttributeError, OSError, ValueError):  # only a Linux driver of a real adapter knows it
        opened.set_low_latency_mode(True)
    return Port(opened, url=url)


def latency_ms(url: str) -> int | None:
    """The latency timer of a USB adapter, None where there is none. Above 1 ms it rules the whole line (PERFORMANCE, "Link")."""
    try:
        return int(Path("/sys/class/tty", Path(url).resolve().name, "device/latency_timer").read_text())
    except (OSError, ValueError):
        return None


def _obstacle(url: str, error: Exception) -> Obstacle:
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return Obstacle(Cause.FORBIDDEN, "", str(error))
    if number in (errno.EBUSY, errno.EWOULDBLOCK):
        return Obstacle(Cause.BUSY, holder_of_file(url), str(error))
    if isinstance(error, ValueError):
        return Obstacle(Cause.WRONG, "", str(error))
    return Obstacle(Cause.ABSENT, "", str(error))
