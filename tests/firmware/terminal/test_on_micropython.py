"""The terminal on the real MicroPython: its journal on the real littlefs, and its loop in a locked heap."""

import subprocess
from pathlib import Path

import pytest

from sim.terminal import find_micropython

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "tests" / "device"


def run(script: str, *arguments: object) -> str:
    """The last line a script prints."""
    command = [find_micropython(), "-X", "heapsize=16m", str(SCRIPTS / script), str(ROOT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    ("block_size", "block_count", "program_size", "erases_max"),
    [(4096, 24, 256, 0.30), (512, 96, 32, 2.0)],
    ids=["a Pico's flash", "small blocks"],
)
def test_no_cut_of_a_program_or_an_erase_loses_a_record(block_size: int, block_count: int, program_size: int, erases_max: float) -> None:
    """At each of them the power goes, with nothing, a quarter, half or three quarters of it done."""
    words = run("journal_cuts.py", block_size, block_count, program_size).split()
    assert int(words[1].rstrip(",")) > 200
    assert float(words[-1]) < erases_max, "erases a record: what DESIGN 8 measured is 0.26"


def test_an_idle_pass_of_the_loop_allocates_nothing() -> None:
    assert run("terminal_idle.py") == "idle passes 2000"
