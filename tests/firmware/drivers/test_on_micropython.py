"""The drivers under the real MicroPython: they import, and a pass of the loop in which nothing happens allocates nothing."""

import subprocess
from pathlib import Path

import pytest

from firmware.drivers import mifare
from host.flash import compile_firmware
from sim.terminal import find_micropython

IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
"""

# A chip on which no card answers (its timer runs out at once), and idle pins and ports behind everything else.
IDLE_PASSES = (
    IMPORTS
    + f"NO_CARD = {mifare.NO_CARD}\n"
    + """
import micropython
from firmware.drivers.beeper import REMINDER, Beeper
from firmware.drivers.flow_meter import FlowMeter
from firmware.drivers.keypad import Keypad
from firmware.drivers.line import Line
from firmware.drivers.mifare import Reader
from firmware.drivers.rc522 import Rc522
from firmware.drivers.st7920 import St7920

class Pin:
    def value(self, level=None):
        return 1

class Chip:
    def __init__(self):
        self.registers = bytearray(128)
        self.registers[0x37 << 1] = 0x92
    def write(self, data):
        self.registers[data[0]] = 1 if data[0] == 4 << 1 else data[1]
    def write_readinto(self, out, into):
        for index in range(len(out) - 1):
            into[index + 1] = self.registers[out[index] & 0x7E]

class Port:
    waiting = 0
    def any(self):
        return self.waiting
    def readinto(self, into, size):
        self.waiting = 0
        return size
    def write(self, data):
        return len(data)
    def flush(self):
        pass
    def freq(self, hertz):
        pass
    def duty_u16(self, duty):
        pass
    def count(self):
        self.waiting += 3
        return self.waiting

class Bus:
    def write(self, data):
        pass

now_ms = 0
def ticks_ms():
    global now_ms
    now_ms += 1
    return now_ms

port = Port()
chip = Rc522(Chip(), Pin(), Pin(), ticks_ms)
assert chip.reset()
reader = Reader(chip)
keypad = Keypad((Pin(),) * 4, (Pin(),) * 4, tuple("0123456789ABCDEF"))
line = Line(port, Pin())
beeper = Beeper(Port())
meter = FlowMeter(Port(), 450)
display = St7920(Bus(), Pin(), Pin())
frame = bytes(100)
screens = ((b"a", b"b", b"c", b"d"), (b"a", b"B", b"", b"0123456789"))

def passes():
    for turn in range(500):
        assert reader.activate() == NO_CARD
        assert reader.presence() == NO_CARD
        keypad.poll(ticks_ms())
        line.receive()
        port.waiting = 5
        line.receive()
        line.transmit(frame)
        if turn == 100:
            beeper.beep(REMINDER)
        beeper.poll(ticks_ms())
        meter.poll()
        display.show(screens[turn // 50 % 2])
        display.poll(ticks_ms())

passes()
micropython.heap_lock()
passes()
micropython.heap_unlock()
print("done")
"""
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled firmware, as it lies on a board."""
    root = tmp_path_factory.mktemp("board")
    for name, code in compile_firmware("x64").items():
        path = root / name.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code)
    return root


def run(tree: Path, script: str) -> str:
    """Run a script with a Pico's heap; what it printed."""
    path = tree / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [find_micropython(), "-X", "heapsize=192k", str(path), str(tree)], capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.stderr, done.stderr
    return done.stdout


def test_every_driver_imports(tree: Path) -> None:
    names = sorted(path.stem for path in (tree / "firmware" / "drivers").glob("*.mpy"))
    imports = "\n".join(f"import firmware.drivers.{name}" for name in names if name != "__init__")

    assert run(tree, f"{IMPORTS}{imports}\nprint({len(names)})") == f"{len(names)}\n"
    assert "mifare" in names


def test_idle_passes_allocate_nothing(tree: Path) -> None:
    assert run(tree, IDLE_PASSES) == "done\n"
