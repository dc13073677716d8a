"""The chip's watchdog: not fed in time, it resets the chip."""

from collections.abc import Callable

from sim.clock import Clock, Event


class Watchdog:
    """Calls `bite()` when `feed` did not come for `timeout_ms`. Once started it only stops with a reset.

    Feeding only notes the time: the timed call that finds the dog fed looks again later.
    """

    def __init__(self, clock: Clock, bite: Callable[[], None]) -> None:
        self._clock = clock
        self._bite = bite
        self._event: Event | None = None
        self._timeout_us = 0
        self._fed_at_us = 0

    @property
    def is_on(self) -> bool:
        """Whether it was started since the last reset."""
        return self._timeout_us > 0

    def start(self, timeout_ms: int) -> None:
        """Start, or set another time-out."""
        self.stop()
        self._timeout_us = timeout_ms * 1000
        self.feed()
        self._look_at(self._fed_at_us + self._timeout_us)

    def feed(self) -> None:
        """Start the time-out anew."""
        self._fed_at_us = self._clock.now_us()

    def stop(self) -> None:
        """End, as a reset of the chip does."""
        self._timeout_us = 0
        if self._event is not None:
            self._event.cancel()

    def _look_at(self, at_us: int) -> None:
        self._event = self._clock.call_at(at_us, self._look)

    def _look(self, now_us: int) -> None:
        due_us = self._fed_at_us + self._timeout_us
        if due_us > now_us:
            self._look_at(due_us)
        else:
            self.stop()
            self._bite()
