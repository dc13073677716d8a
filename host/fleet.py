"""What is known of lines and terminals at this moment: written by the lines, read by the pages.

Nothing here is kept: after a restart the lines tell it anew. What must be kept is in the ledger.
"""

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class LineState:
    """A serial line. `problem`: why it is not open, a word of `host.link.port.Cause`, "" if it is; `holder`: who has it then."""

    number: int
    url: str
    is_open: bool = False
    problem: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True)
class TerminalState:
    """A terminal as its line sees it. `heard_s`: when it last answered (Unix); `fault`: what was last
    wrong with its wiring, a word of `host.link.events.Fault`, "" since the last handshake.
    """

    terminal: int
    line: int
    is_up: bool = False
    heard_s: int | None = None
    epoch: int = 0
    next_sequence: int = 0
    """The next record it will write, as last heard: what it has and the ledger has not is the lag."""
    fault: str = ""


class Fleet:
    """The present state of every line and terminal. Any thread may use it.

    `version` grows with each change, so a reader can tell cheaply whether to look again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[int, LineState] = {}
        self._terminals: dict[int, TerminalState] = {}
        self.version = 0

    def lines(self) -> list[LineState]:
        """Every line, by number."""
        with self._lock:
            return [self._lines[number] for number in sorted(self._lines)]

    def terminals(self) -> dict[int, TerminalState]:
        """Every terminal some line has been told of, by number."""
        with self._lock:
            return dict(self._terminals)

    def set_line(self, state: LineState) -> None:
        """Say how a line is."""
        with self._lock:
            if self._lines.get(state.number) != state:
                self._lines[state.number] = state
                self.version += 1

    def set_terminal(self, terminal: int, line: int, **changes: int | str | bool | None) -> None:
        """Say what is new about a terminal; `changes` are fields of `TerminalState`."""
        with self._lock:
            before = self._terminals.get(terminal) or TerminalState(terminal, line)
            after = replace(before, line=line, **changes)  # type: ignore[arg-type]
            if terminal not in self._terminals or after != before:
                self._terminals[terminal] = after
                self.version += 1

    def drop_terminal(self, terminal: int) -> None:
        """Forget a terminal that is no longer on any line."""
        with self._lock:
            if self._terminals.pop(terminal, None) is not None:
                self.version += 1
