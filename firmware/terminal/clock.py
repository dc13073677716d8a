"""What time it is, and how far that can be trusted."""

from firmware.terminal.ticks import add, diff
from protocol.compat import const

NEVER_SET = const(0)
ESTIMATED = const(1)
SET_BY_HOST = const(2)

_SECOND_MS = const(1000)


class Clock:
    """Seconds UTC since 2020-01-01 (docs/protocol.md), counted on from the last anchor by the tick.

    `trust` is what a record carries: 0 never set, 1 estimated (the time of the last record before this boot,
    which is never ahead), 2 set by the host. Call `poll` at least every six days, so that no wrap of the tick is
    missed; the main loop does at each pass. A host that sets the clock back is obeyed: order hangs on the
    sequence, never on the time.
    """

    def __init__(self) -> None:
        self.trust = NEVER_SET
        self._at_s = 0  # the time at _tick
        self._tick = 0

    def set(self, at_s: int, now_ms: int) -> None:
        """Take the host's time: RESUME's `at_s`, or the version of the clock resource."""
        self._anchor(at_s, now_ms, SET_BY_HOST)

    def estimate(self, at_s: int, now_ms: int) -> None:
        """Take the time of the last record in the journal, unless something better or nothing (0) is known."""
        if at_s and self.trust == NEVER_SET:
            self._anchor(at_s, now_ms, ESTIMATED)

    def poll(self, now_ms: int) -> None:
        """Carry whole seconds over."""
        seconds = diff(now_ms, self._tick) // _SECOND_MS
        if seconds > 0:
            self._tick = add(self._tick, seconds * _SECOND_MS)
            if self.trust:
                self._at_s += seconds

    def at_s(self, now_ms: int) -> int:
        """The time now; 0 when never set."""
        self.poll(now_ms)
        return self._at_s

    def _anchor(self, at_s: int, now_ms: int, trust: int) -> None:
        self._at_s = at_s
        self._tick = now_ms
        self.trust = trust
