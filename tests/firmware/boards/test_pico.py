"""firmware/boards/pico.py: what it opens first, and whether every part is on the pins that the wiring says."""

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from firmware.drivers import mifare
from host.flash import compile_firmware
from sim.board import Board
from sim.clock import Clock
from sim.image import write_image
from sim.parts.line import Line
from sim.parts.mifare import MifareClassic

UID = bytes.fromhex("deadbeef")
FRAME = b"a frame for the whole line\x00"

# Says on the display what each part did: the card's UID, the key, pulses; lets water run for the card, sends back what came.
_RESULT = b"OK = %d\n" % mifare.OK  # on a board a constant is no name that could be imported
PROGRAM = (
    _RESULT
    + b"""
from firmware.boards.pico import open_board
from firmware.drivers.beeper import ACCEPTED

board = open_board("shower")
lines = [b"ready", b"", b"", b"%d" % board.reset_cause()]
heard = b""
while True:
    now_ms = board.ticks_ms()
    board.watchdog.feed()
    if (key := board.keypad.poll(now_ms)):
        lines[1] = key.encode()
        board.beeper.beep(ACCEPTED)
    if lines[0] == b"ready" and board.reader.activate() == OK:
        lines[0] = board.reader.uid.hex().encode()
        board.valve.open()
    if board.meter_cold.poll() >= 100 and board.valve.is_open:
        board.valve.shut()
    if not board.valve.is_open:
        board.meter_hot.poll()
        lines[2] = b"%d %d" % (board.meter_cold.pulses, board.meter_hot.pulses)
    while (piece := board.line.receive()):
        heard += bytes(piece)
        if heard[-1:] == bytes(1):
            board.line.transmit(heard)
            heard = b""
    board.display.show(lines)
    board.display.poll(now_ms)
    board.beeper.poll(now_ms)
    board.wait(5)
"""
)


class Terminal:
    """A simulated board that runs PROGRAM on the shipped drivers."""

    def __init__(self, folder: Path) -> None:
        # Twice real speed: the tests wait for what the board does, never for time.
        self._clock = Clock(2.0)
        self.line = Line(self._clock)
        self._log = folder / "log"
        image = folder / "flash"
        write_image(image, {**compile_firmware("x64"), "/main.py": PROGRAM})
        self.board = Board("test", self._clock, self.line, image, self._log)
        self.board.power_on()

    def wait_for(self, check: Callable[[], bool]) -> None:
        """Wait until something is so; what the program printed, if it never is."""
        assert self.board.wait_for(check, 20), self._log.read_text() or self.board.display.text()

    def shows(self, row: int) -> str:
        """What one line of the display says."""
        return self.board.display.text()[row].strip()

    def close(self) -> None:
        """Switch off."""
        self.board.close()
        self.line.close()
        self._clock.close()


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A board that has started."""
    terminal = Terminal(tmp_path_factory.mktemp("board"))
    terminal.wait_for(lambda: terminal.shows(0) == "ready")
    yield terminal
    terminal.close()


def test_board_starts_shut_and_says_why_it_started(terminal: Terminal) -> None:
    assert not terminal.board.valve_open
    terminal.wait_for(lambda: terminal.shows(3) == "1")


def test_key_is_seen_and_heard(terminal: Terminal) -> None:
    terminal.board.type_key("TIMES")

    terminal.wait_for(lambda: terminal.shows(1) == "TIMES")
    terminal.wait_for(lambda: bool(terminal.board.beeps))


def test_bytes_come_and_go_whole_over_the_line(terminal: Terminal) -> None:
    port = os.open(terminal.line.path, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(port, FRAME)
        answer = b""
        while not answer.endswith(b"\0"):
            answer += os.read(port, 256)
    finally:
        os.close(port)

    assert answer == FRAME


def test_water_runs_for_a_card_and_every_pulse_is_counted(terminal: Terminal) -> None:
    water = terminal.board.water
    terminal.board.put_card(MifareClassic(UID))
    terminal.wait_for(lambda: terminal.shows(0) == UID.hex() and terminal.board.valve_open)

    terminal.wait_for(lambda: not terminal.board.valve_open)

    # A turbine may stop in the middle of a pulse, which is counted when it ends.
    wanted = {f"{cold} {hot}" for cold in (water.cold.pulses, water.cold.pulses - 1) for hot in (water.hot.pulses, water.hot.pulses - 1)}
    terminal.wait_for(lambda: terminal.shows(2) in wanted)


class Recorder:
    """Stands for every class of `machine` and `rp2`: writes down how it was made."""

    IN, OUT, OPEN_DRAIN, PULL_UP = 0, 1, 2, 1

    def __init__(self, made: list[tuple[str, tuple[Any, ...], dict[str, Any]]], name: str) -> None:
        self._made = made
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> "Recorder":
        self._made.append((self._name, args, kwargs))
        return self

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *args, **kwargs: 0


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """Every object of `machine` and `rp2` that the board makes from now on."""
    made: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    modules = {"machine": ("PWM", "SPI", "UART", "WDT", "Pin", "idle", "reset_cause"), "rp2": ("StateMachine",), "cryptolib": ("aes",)}
    for module_name, names in modules.items():
        module = ModuleType(module_name)
        for name in names:
            setattr(module, name, Recorder(made, name))
        monkeypatch.setitem(sys.modules, module_name, module)
    vars(sys.modules["rp2"])["asm_pio"] = lambda: lambda function: function  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr("time.ticks_ms", lambda: 0, raising=False)
    for name in ("pico", "pulse_counter"):
        monkeypatch.delitem(sys.modules, f"firmware.boards.{name}", raising=False)
    return made


@pytest.mark.parametrize("program", ["shower", "pos"])
def test_valve_is_driven_low_before_anything_else(made: list[tuple[str, tuple[Any, ...], dict[str, Any]]], program: str) -> None:
    import_module("firmware.boards.pico").open_board(program)

    assert made[0] == ("Pin", (22, Recorder.OUT), {"value": 0})


def test_till_counts_no_pulses(made: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
    board = import_module("firmware.boards.pico").open_board("pos")

    assert board.meter_cold is None
    assert board.meter_hot is None
    assert "StateMachine" not in [name for name, _, _ in made]


def test_no_pin_is_given_to_two_parts(made: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
    import_module("firmware.boards.pico").open_board("shower")
    pins = [args[0] for name, args, _ in made if name == "Pin"]

    assert len(pins) == len(set(pins))
