"""Real MicroPython processes: started, reset, crashed and killed as boards are."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sim import terminal
from sim.board import VALVE, Board
from sim.image import read_tree

if TYPE_CHECKING:
    from tests.sim.conftest import Bench

LIMIT_S = 20.0

COUNT_BOOTS = """
import machine
try:
    with open("/boots") as file:
        boots = int(file.read())
except OSError:
    boots = 0
with open("/boots", "w") as file:
    file.write(str(boots + 1))
print("boot", boots + 1, "cause", machine.reset_cause())
"""


def test_a_program_runs_from_its_flash_with_192_kb_of_heap(bench: "Bench") -> None:
    output = bench.run(
        """
        import gc, os, sys
        print(__name__, sys.path, os.getcwd(), sorted(os.listdir("/")))
        gc.collect()
        print(160_000 < gc.mem_free() < 192 * 1024 or gc.mem_free())
        """
    )
    assert output == ["__main__ ['', '.frozen', '/lib'] / ['main.py']", "True"]


def test_a_program_imports_from_the_root_and_from_lib(bench: "Bench") -> None:
    board = bench.start("import a, b; print(a.X + b.Y)", files={"/a.py": b"X = 1\n", "/lib/b.py": b"Y = 2\n"})
    assert board.wait_for(lambda: board.terminal.exit_code == 0, LIMIT_S)
    assert bench.output(board) == ["3"]


def test_an_exception_ends_the_program_with_its_traceback_in_the_log(bench: "Bench") -> None:
    board = bench.start("import machine\nmachine.Pin(99)")
    assert board.wait_for(lambda: board.terminal.exit_code is not None, LIMIT_S)
    assert board.terminal.exit_code == 1
    assert bench.output(board)[-1] == "ValueError: invalid pin"
    assert any('"main.py", line 2' in line for line in bench.output(board))


def test_a_crashed_program_leaves_its_pins_until_the_watchdog_bites(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine
        if machine.reset_cause() == machine.PWRON_RESET:
            machine.Pin(22, machine.Pin.OUT, value=1)
            machine.WDT(timeout=300)
            raise RuntimeError("crash")
        print("again", machine.Pin(22).value())
        """
    )
    seen: list[tuple[str, bool]] = []
    board.on_change(lambda what: seen.append((what, board.valve_open)))
    assert board.wait_for(lambda: board.terminal.starts == 2 and board.terminal.exit_code == 0, LIMIT_S)
    assert ("power", True) in seen, "crashed, and the valve stays open"
    assert not board.valve_open
    assert bench.output(board)[-1] == "again 0"


def test_a_hanging_program_is_reset_by_its_watchdog(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine
        print(machine.reset_cause())
        if machine.reset_cause() != machine.WDT_RESET:
            dog = machine.WDT(timeout=1000)
            for _ in range(300):
                machine.idle()
                dog.feed()
            print("fed")
            while True:
                pass
        """
    )
    assert board.wait_for(lambda: board.terminal.exit_code == 0, LIMIT_S)
    assert bench.output(board) == ["1", "fed", "3"]


def test_a_program_may_reset_its_board(bench: "Bench") -> None:
    board = bench.start(COUNT_BOOTS + "if boots < 2: machine.reset()")
    assert board.wait_for(lambda: board.terminal.exit_code == 0, LIMIT_S)
    assert bench.output(board) == ["boot 1 cause 1", "boot 2 cause 3", "boot 3 cause 3"]


def test_files_written_before_a_power_cut_are_there_after_it(bench: "Bench") -> None:
    board = bench.start(COUNT_BOOTS + "machine.Pin(22, machine.Pin.OUT, value=1)\nwhile True: machine.idle()")
    for boot in range(1, 4):
        assert board.wait_for(lambda: board.valve_open, LIMIT_S)
        pid = board.terminal.pid
        assert pid is not None
        board.cut_power()
        assert not board.valve_open, "unpowered means shut"
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert bench.output(board)[-1] == f"boot {boot} cause 1"
        board.power_on()
    board.close()
    assert read_tree(bench.folder / "bench.img")["/boots"] in (b"3", b"4")


def test_a_process_killed_from_outside_stays_dead_until_power_comes_again(bench: "Bench") -> None:
    board = bench.start(COUNT_BOOTS + "machine.Pin(22, machine.Pin.OUT, value=1)\nwhile True: machine.idle()")
    assert board.wait_for(lambda: board.valve_open, LIMIT_S)
    assert board.terminal.pid is not None
    os.kill(board.terminal.pid, signal.SIGKILL)
    assert board.wait_for(lambda: board.terminal.exit_code == -signal.SIGKILL, LIMIT_S)
    board.cut_power()
    board.power_on()
    assert board.wait_for(lambda: board.valve_open, LIMIT_S)
    assert bench.output(board)[-1] == "boot 2 cause 1"


def test_power_can_be_cut_from_a_callback(bench: "Bench") -> None:
    """That is how a test cuts power at a certain moment."""
    board = bench.start("import machine\nmachine.Pin(22, machine.Pin.OUT, value=1)\nwhile True: machine.idle()")
    board.on_change(lambda what: board.cut_power() if what == "valve" and board.valve_open else None)
    assert board.wait_for(lambda: board.terminal.exit_code is not None, LIMIT_S)
    assert not board.valve_open
    assert board.chip.pins.driven(VALVE) is None


def test_two_boards_never_run_from_the_same_flash(bench: "Bench", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_IMAGE_LIMIT_S", 0)
    board = bench.start("import machine\nwhile True: machine.idle()")
    other = Board("other", bench.clock, bench.line, bench.folder / "bench.img", bench.folder / "other.log")
    with pytest.raises(terminal.Busy):
        other.power_on()
    board.cut_power()
    board.terminal.close()
    other.power_on()
    other.close()


KILLED = """
import sys, time
from pathlib import Path
from sim.board import Board
from sim.clock import Clock
from sim.parts.line import Line

clock = Clock()
folder = Path(sys.argv[1])
board = Board("bench", clock, Line(clock), folder / "bench.img", folder / "bench.log")
board.power_on()
board.wait_for(lambda: board.valve_open)
print(board.terminal.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("work", ["machine.idle()", "pass"])
def test_no_process_outlives_a_killed_simulator(bench: "Bench", work: str) -> None:
    board = bench.start(f"import machine\nmachine.Pin(22, machine.Pin.OUT, value=1)\nwhile True: {work}")
    board.close()
    root = str(Path(terminal.__file__).parent.parent)
    with subprocess.Popen([sys.executable, "-c", KILLED, str(bench.folder)], stdout=subprocess.PIPE, cwd=root) as simulator:
        assert simulator.stdout is not None
        device = os.pidfd_open(int(simulator.stdout.readline()))
        simulator.kill()
    try:
        assert select.select([device], [], [], LIMIT_S)[0], "the device ended"
    finally:
        os.close(device)
