"""A board with a real MicroPython in it, for the tests that need one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from sim.board import Board
from sim.clock import Clock
from sim.image import write_image
from sim.parts.line import Line

LIMIT_S = 20.0
"""Long enough for a busy machine; what works comes within milliseconds."""


@dataclass
class Bench:
    """Boards on one line under one clock, in a folder of their own."""

    folder: Path
    clock: Clock
    line: Line
    boards: list[Board] = field(default_factory=list[Board])

    def start(self, program: str, *, name: str = "bench", files: dict[str, bytes] | None = None) -> Board:
        """Flash a program as /main.py and switch the board on."""
        image = self.folder / f"{name}.img"
        write_image(image, {"/main.py": dedent(program).encode(), **(files or {})})
        board = Board(name, self.clock, self.line, image, self.folder / f"{name}.log")
        self.boards.append(board)
        board.power_on()
        return board

    def output(self, board: Board) -> list[str]:
        """What the program of a board has printed so far."""
        return (self.folder / f"{board.name}.log").read_text().splitlines()

    def run(self, program: str, *, name: str = "bench") -> list[str]:
        """Run a program to its end and return what it printed."""
        board = self.start(program, name=name)
        assert board.wait_for(lambda: board.terminal.exit_code is not None, LIMIT_S), self.output(board)
        output = self.output(board)
        assert board.terminal.exit_code == 0, output
        return output


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a bench at real speed, and leave nothing behind."""
    clock = Clock()
    line = Line(clock)
    bench = Bench(tmp_path, clock, line)
    yield bench
    for board in bench.boards:
        board.close()
        assert board.terminal.pid is None
    line.close()
    clock.close()


@pytest.fixture
def run(bench: Bench) -> Callable[[str], list[str]]:
    """Return a function that runs a program on a board and returns what it printed."""
    return bench.run
