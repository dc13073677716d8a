"""Idle passes of a terminal's loop allocate nothing, and a terminal runs as it does on a computer: run by MicroPython.

    micropython -X heapsize=4m terminal_idle.py ROOT

ROOT is the folder that has protocol/ and firmware/. The last line of the output is "idle passes N"; an allocation raises
MemoryError, since the heap is locked.
"""

import sys

import cryptolib
import micropython

sys.path.insert(0, sys.argv[1])

from firmware.drivers.mifare import NO_CARD
from firmware.terminal.identity import Identity
from firmware.terminal.terminal import Terminal
from protocol.crypto import Crypto
from protocol.frame import PLAIN

PASS_COUNT = 2000
PASS_MS = 5


class Storage:
    """A folder in memory."""

    def __init__(self):
        self._files = {}

    def names(self):
        return sorted(self._files)

    def read(self, name, offset=0, size=-1):
        if name not in self._files:
            raise OSError(2)
        data = self._files[name]
        return data[offset:] if size < 0 else data[offset : offset + size]

    def size(self, name):
        return len(self._files[name])

    def replace(self, name, data):
        self._files[name] = data

    def append(self, name, data):
        self._files[name] += data


class Parts:
    """Every part of a board in one, with nothing to say."""

    def __init__(self):
        self.tick = 0
        self.aes = cryptolib.aes
        self.pulses_per_l = 450
        self.is_stuck = False
        for name in ("valve", "display", "keypad", "beeper", "line", "reader", "watchdog", "meter_cold", "meter_hot"):
            setattr(self, name, self)

    def ticks_ms(self):
        return self.tick

    def random(self, size):
        return bytes(size)

    def reset_cause(self):
        return 1

    def activate(self):
        return NO_CARD

    def receive(self):
        return b""

    def poll(self, now_ms=0):
        return None

    def show(self, lines):
        pass

    def feed(self):
        pass


class Program:
    """A program with nothing to do."""

    def __init__(self, in_force):
        self._lines = (b"", b"", b"", b"")

    def handle(self, event, now_ms):
        return ()

    def poll(self, now_ms):
        return ()

    def meter(self, cold_ml, hot_ml, now_ms):
        return ()

    def lines(self, now_ms):
        return self._lines


def main():
    parts = Parts()
    terminal = Terminal(
        parts,
        Identity(100, 1, bytes(16), bytes(16), 1),
        program="shower",
        make_program=Program,
        codec=PLAIN,
        crypto=Crypto(cryptolib.aes),
        journal_storage=Storage(),
        resource_storage=Storage(),
    )
    terminal.journal.adopt(1)
    terminal.poll()  # writes `started`
    micropython.heap_lock()
    for _ in range(PASS_COUNT):
        parts.tick += PASS_MS
        terminal.poll()
    micropython.heap_unlock()
    assert terminal.journal.next == 2
    print(f"idle passes {PASS_COUNT}")


main()
