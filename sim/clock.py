"""The simulator's one clock: virtual microseconds, timed calls, and the lock of the simulated world."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

_RATE_BITS = 16
_LOOK_S = 0.05
"""How often a wait looks whether `speed` was set: that is done by people, who do not see 50 ms."""

_FAST_LOOK_S = 0.0003
"""The same while the rate changes by itself, whenever a program rests: so late may a wait end, in real time."""


_SHORTEST_S = 0.0001


class Event:
    """A call that is due at `at_us`. `cancel` it, and it will not come."""

    __slots__ = ("at_us", "call", "is_cancelled")

    def __init__(self, at_us: int, call: Callable[[int], None]) -> None:
        self.at_us = at_us
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        """Forget the call. Cancelling twice, or after it was made, does nothing."""
        self.is_cancelled = True


class Clock:
    """Virtual time, in microseconds since the simulator started.

    `speed`: virtual seconds in a real one. With `speed=0` time stands still and only `advance` moves
    it, event by event: that is how parts are tested without waiting.

    Faster than real it runs only while every program rests (`working`, `resting`), and then no further than to what is
    due next, until that was done. What a program does costs real time, a look at a register some 50 us, and its
    time-outs are meant for a chip beside it: at eight times the speed they would all strike. So a high speed is as
    reliable as a low one, and the busier the machine, the less it brings.

    Whatever changes the simulated world (a device's request, a timed call, a key pressed) happens
    under `lock`, one at a time; so parts need no lock of their own. Timed calls come in order of their
    times, in a thread of the clock's own, and get the time they were due at, so that lateness of the
    machine does not add up. They must not wait.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._speed = speed
        self._working_count = 0
        self._rests_until_us: list[int] = []
        self._bound_us: int | None = None
        self._mapping = (_real_us(), 0, _rate(speed))
        self._events: list[tuple[int, int, Event]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def speed(self) -> float:
        """Virtual seconds in a real one, at most; 0: time stands still. May be set at any time."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        with self.lock:
            self._speed = speed
            self._adjust()
            self._start_thread()
            self._changed.notify_all()

    @contextmanager
    def working(self) -> Generator[None]:
        """While a program runs: what it does takes real time."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @contextmanager
    def resting(self, until_us: int) -> Generator[None]:
        """While a program at work waits for that time, or less."""
        with self.lock:
            self._rests_until_us.append(until_us)
            self._count(-1)
        try:
            yield
        finally:
            with self.lock:
                self._count(1)
                self._rests_until_us.remove(until_us)

    @property
    def mapping(self) -> tuple[int, int, int]:
        """How virtual time follows the machine's monotonic clock: (real_us, virtual_us, rate).

        virtual = virtual_us + ((monotonic - real_us) * rate >> 16), until `speed` is set again; the rate changes
        by itself only while no program works. A device computes its ticks with it, and needs no round trip to look at its clock.
        """
        return self._mapping

    def now_us(self) -> int:
        """Return the virtual time."""
        return self._virtual_us(_real_us())

    def now_ms(self) -> int:
        """Return the virtual time in whole milliseconds."""
        return self.now_us() // 1000

    def call_at(self, at_us: int, call: Callable[[int], None]) -> Event:
        """Have `call(at_us)` made when virtual time reaches `at_us`; at once if that is past."""
        event = Event(at_us, call)
        with self.lock:
            heapq.heappush(self._events, (at_us, next(self._order), event))
            self._adjust()
            self._start_thread()
            if self._events[0][2] is event:
                self._changed.notify_all()
        return event

    def wait_until(self, at_us: int, wake: "threading.Lock | None" = None) -> None:
        """Block until virtual time reaches `at_us`, or until another thread releases `wake`.

        `wake` is a lock used as a flag: held while there is nothing, released to wake the waiter, who
        holds it again afterwards. Not to be called under `lock`.
        """
        while (left_us := at_us - self.now_us()) > 0:
            left_s = min(self._real_s(left_us), self._look_s)
            if wake is None:
                time.sleep(left_s)
            elif wake.acquire(timeout=left_s):
                return

    def advance(self, us: int) -> None:
        """Move a clock that stands still on by `us`, making the calls due on the way, in order."""
        assert self.speed == 0, "only a clock that stands still is moved by hand"
        with self.lock:
            end_us = self.now_us() + us
            while self._events and self._events[0][0] <= end_us:
                self._mapping = (0, max(self.now_us(), self._events[0][0]), 0)
                self._call_first()
            self._mapping = (0, end_us, 0)

    def close(self) -> None:
        """Make no more calls, and end the thread."""
        with self.lock:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _virtual_us(self, at_real_us: int) -> int:
        real_us, virtual_us, rate = self._mapping
        now_us = virtual_us + ((at_real_us - real_us) * rate >> _RATE_BITS)
        bound_us = self._bound_us
        return now_us if bound_us is None else min(now_us, bound_us)

    def _count(self, change: int) -> None:
        with self.lock:
            self._working_count += change
            self._adjust()

    def _adjust(self) -> None:
        """Go on from now at the rate that speed and programs allow, and no further than to what is due next."""
        real_us = _real_us()
        now_us = self._virtual_us(real_us)
        rate = _rate(min(self._speed, 1.0) if self._working_count else self._speed)
        if rate != self._mapping[2]:
            self._mapping = (real_us, now_us, rate)
        if self._working_count or self._speed <= 1 or not self._rests_until_us:
            self._bound_us = None
        else:
            next_us = min(self._rests_until_us)
            self._bound_us = max(now_us, min(next_us, self._events[0][0]) if self._events else next_us)

    @property
    def _look_s(self) -> float:
        return _FAST_LOOK_S if self._speed > 1 and self._working_count else _LOOK_S

    def _real_s(self, virtual_us: int) -> float:
        rate = self._mapping[2]
        return (virtual_us << _RATE_BITS) / 1e6 / rate if rate else _LOOK_S

    def _start_thread(self) -> None:
        if self._thread is None and self.speed and self._events and not self._is_closed:
            self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        with self.lock:
            while not self._is_closed:
                if not self._events or not self.speed:
                    self._changed.wait()
                elif (left_us := self._events[0][0] - self.now_us()) > 0:
                    self._changed.wait(max(min(self._real_s(left_us), self._look_s), _SHORTEST_S))
                else:
                    self._call_first()

    def _call_first(self) -> None:
        _, _, event = heapq.heappop(self._events)
        if not event.is_cancelled:
            event.call(event.at_us)
        self._adjust()


def _real_us() -> int:
    return time.monotonic_ns() // 1000


def _rate(speed: float) -> int:
    if speed < 0:
        raise ValueError(f"time does not run backwards: speed {speed}")
    return round(speed * (1 << _RATE_BITS))
