"""A process of its own for what cannot be measured here: it is told the name of a measurement, and answers with a number.

`main` of the helper's module ends with `serve(measurements)`; whoever measures starts it with `Helper`.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.row import Measured

_ROOT = Path(__file__).parent.parent


class Helper:
    """A module of bench that runs as a process, with arguments and additions to its environment; used in `with`."""

    def __init__(self, module: str, arguments: list[str], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **(environment or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it: it ends by itself when nobody asks any more."""
        self._process.communicate()

    def measured(self, name: str) -> Measured:
        """One of its measurements, as one of ours."""
        return lambda: self.ask(name)

    def ask(self, name: str) -> float:
        """Have it measure once."""
        self.begin(name)
        return self.end()

    def begin(self, name: str) -> None:
        """Let it begin; several helpers measure at the same time so."""
        assert self._process.stdin is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()

    def end(self) -> float:
        """Wait for its number."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a helper of the bench ended with {self._process.wait()}; its error is above")
        return float(line)


def serve(measurements: Mapping[str, Callable[[], float]]) -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        print(measurements[line.strip()](), flush=True)
