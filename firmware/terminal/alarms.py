"""The few moments a program waits for, by number."""

from firmware.terminal.ticks import add, diff


class Alarms:
    """`count` alarms, numbered from 0, each off or set to a tick.

    `take` gives the number of one that has come and turns it off; a program takes until it gets None. While nothing has
    come, `take` compares one tick and allocates nothing. Alarms are minutes away at most, never days: see ticks.py.
    """

    def __init__(self, count: int) -> None:
        self._at: "list[int | None]" = [None] * count
        self._next: "int | None" = None

    def set(self, number: int, now_ms: int, after_ms: int) -> None:
        """Let the alarm come `after_ms` from now; forget what it was set to."""
        self._at[number] = add(now_ms, after_ms)
        self._find_next()

    def turn_off(self, number: int) -> None:
        """Let the alarm not come."""
        if self._at[number] is not None:
            self._at[number] = None
            self._find_next()

    def is_set(self, number: int) -> bool:
        """Whether the alarm is still to come."""
        return self._at[number] is not None

    def take(self, now_ms: int) -> "int | None":
        """The number of an alarm that has come, earliest first, now off; None when none has."""
        if self._next is None or diff(self._next, now_ms) > 0:
            return None
        number = self._at.index(self._next)
        self.turn_off(number)
        return number

    def due(self) -> "int | None":
        """The tick of the next alarm, or None."""
        return self._next

    def _find_next(self) -> None:
        self._next = None
        for at in self._at:
            if at is not None and (self._next is None or diff(at, self._next) < 0):
                self._next = at
