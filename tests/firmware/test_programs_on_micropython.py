"""Both programs, compiled as a board gets them, on the real MicroPython: step by step what they do on CPython."""

import subprocess
import sys
from pathlib import Path

from host.flash import compile_firmware
from sim.terminal import find_micropython

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "device" / "programs.py"


def told(command: list[str], root: Path) -> list[str]:
    done = subprocess.run([*command, str(SCRIPT), str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.splitlines()


def test_both_programs_do_the_same_on_both_pythons(tmp_path: Path) -> None:
    for name, data in compile_firmware("x64").items():
        path = tmp_path / name.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    on_board = told([find_micropython(), "-X", "heapsize=192k"], tmp_path)
    here = told([sys.executable], ROOT)
    assert on_board == here
    states = {line.split()[1] for line in here}
    assert {"paid", "refused", "running", "paused", "summary"} <= states
