"""Somebody in front of a terminal: eyes for its display, hands for its keys. Waits for what is shown, never for time alone."""

import re
import time
from collections.abc import Callable

from sim.board import Board

LIMIT_S = 90.0
"""How long anything may take until it is shown, in real seconds, on a machine that is busy with other things."""

_KEY_S = 0.3
_HOLD_MS = 150
"""From one key to the next, and how long it is held, by the simulator's clock: a person in a hurry."""

_AGAIN_US = 3_000_000
_PRESSES = 3
"""Who sees nothing happen for so long presses again: a machine may be too busy to look at its keys for a while."""

_LOOK_S = 0.1

_STILL_US = 200_000
"""A display that has not changed for so long is drawn to the end: a row takes 5 ms at most."""

_NUMBER = re.compile(r"(\d+)\.(\d\d)元")
_KEY_NAMES = {".": "DOT", "+": "PLUS", "x": "TIMES"}


class NotSeen(Exception):
    """The display did not come to show what it should; the message says what it shows instead."""


class Visitor:
    """Reads one board's display and presses its keys. Raises `NotSeen` when something is not shown in time.

    `valve_us`: when its valve was last opened or shut, by the simulator's clock.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.valve_us = 0
        self._drawn_us = 0
        board.on_change(self._note)

    # Eyes.

    @property
    def rows(self) -> str:
        """What stands on the display now, perhaps half drawn; blank rows left out."""
        return " | ".join(" ".join(line.split()) for line in self.board.display.text() if line.strip())

    def shows(self, *texts: str) -> bool:
        """Whether one of these stands on the display."""
        return any(text in line for line in self.board.display.text() for text in texts)

    def row(self, word: str) -> str:
        """The row with a word in it, "" if there is none."""
        return next((" ".join(line.split()) for line in self.board.display.text() if word in line), "")

    def fen(self, word: str) -> int:
        """The amount in the row with that word, -1 if there is none."""
        found = _NUMBER.search(self.row(word))
        return int(found[1]) * 100 + int(found[2]) if found else -1

    def watch(self, check: Callable[[], bool], wanted: str) -> None:
        """Wait until `check()` holds after some change of the board. A program that ends by itself shows nothing more."""
        if self.board.wait_for(lambda: check() or self._has_ended, LIMIT_S) and not self._has_ended:
            return
        ended = f"程序已退出 its program ended, exit {self.board.terminal.exit_code}: " if self._has_ended else ""
        raise NotSeen(f"{self.board.name} 应显示 should show {wanted!r}, 却是 but shows: {ended}{self.rows}")

    def see(self, *texts: str) -> None:
        """Wait until one of these stands on the display."""
        self.watch(lambda: self.shows(*texts), " / ".join(texts))

    def see_all(self, *texts: str) -> None:
        """Wait until all of these stand on the display."""
        self.watch(lambda: all(self.shows(text) for text in texts), " + ".join(texts))

    def see_not(self, *texts: str) -> None:
        """Wait until none of these stands there."""
        self.watch(lambda: not self.shows(*texts), f"no {' / '.join(texts)}")

    def read(self, *texts: str) -> str:
        """Wait until one of these stands there and the display is drawn to the end; then read all of it."""
        end_s = time.monotonic() + LIMIT_S
        clock = self.board.clock
        while time.monotonic() < end_s:
            self.see(*texts)
            clock.wait_until(self._drawn_us + _STILL_US)
            with clock.lock:
                if self.shows(*texts) and clock.now_us() - self._drawn_us >= _STILL_US:
                    return self.rows
        raise NotSeen(f"{self.board.name} never stands still at {texts}: {self.rows}")

    # Hands.

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.board.type_key(key, hold_ms=_HOLD_MS)
            self.pause(_KEY_S)

    def press_until(self, keys: tuple[str, ...], *texts: str) -> None:
        """Press keys until one of these stands on the display."""
        for _ in range(_PRESSES):
            self.press(*keys)
            if self._sees_soon(*texts):
                return
        raise NotSeen(f"{self.board.name}: {' '.join(keys)} brings no {' / '.join(texts)}, but: {self.rows}")

    def enter(self, text: str, *texts: str) -> None:
        """Clear what was keyed, key `text`, and press OK until one of these stands on the display."""
        for _ in range(_PRESSES):
            self.press("CLEAR")
            self.type(text)
            self.press("OK")
            if self._sees_soon(*texts):
                return
        raise NotSeen(f"{self.board.name}: {text} and OK bring no {' / '.join(texts)}, but: {self.rows}")

    def type(self, text: str) -> None:
        """Press the keys for digits, `.`, `+` and `x`."""
        self.press(*(_KEY_NAMES.get(character, character) for character in text))

    def pause(self, seconds: float) -> None:
        """Do nothing for so long, by the simulator's clock."""
        clock = self.board.clock
        clock.wait_until(clock.now_us() + int(seconds * 1_000_000))

    @property
    def _has_ended(self) -> bool:
        """Whether the program ended by itself; below 0 it was killed, and begins anew with the power."""
        code = self.board.terminal.exit_code
        return code is not None and code >= 0

    def _sees_soon(self, *texts: str) -> bool:
        clock = self.board.clock
        end_us = clock.now_us() + _AGAIN_US
        while clock.now_us() < end_us:
            if self.board.wait_for(lambda: self.shows(*texts), _LOOK_S):
                return True
        return False

    def _note(self, what: str) -> None:
        if what == "display":
            self._drawn_us = self.board.clock.now_us()
        elif what == "valve":
            self.valve_us = self.board.clock.now_us()
