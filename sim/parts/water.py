"""The water of one stall: a valve, a cold and a hot pipe, and a pulse meter on each."""

from collections.abc import Callable
from typing import Generic, TypeVar

from sim.clock import Clock, Event

T = TypeVar("T")

PULSES_PER_L = 450
"""Of the usual turbine meter with a Hall sensor, as its label says."""


class Meter:
    """A turbine whose output is high half the time: `PULSES_PER_L` pulses for a litre.

    `drive(level)` puts the output on its pin. `litres` and `pulses` (rising edges) count from power-on
    of the world, and never lose a part of one: a turbine stops where it stands.
    """

    def __init__(self, clock: Clock, drive: Callable[[bool], None]) -> None:
        self._clock = clock
        self._drive = drive
        self._l_per_min = 0.0
        self._litres = 0.0
        self._at_us = clock.now_us()
        self._half_pulses = 0
        self._event: Event | None = None
        drive(False)

    @property
    def litres(self) -> float:
        """What ran through until now."""
        return self._litres_at(self._clock.now_us())

    @property
    def pulses(self) -> int:
        """Pulses begun until now."""
        return (self._half_pulses + 1) // 2

    def set_flow(self, l_per_min: float) -> None:
        """Let this much run from now on."""
        if l_per_min != self._l_per_min:
            self._settle(self._clock.now_us())
            self._l_per_min = l_per_min
            self._schedule()

    def _litres_at(self, at_us: int) -> float:
        return self._litres + self._l_per_min * max(0, at_us - self._at_us) / 60e6

    def _settle(self, at_us: int) -> None:
        self._litres = self._litres_at(at_us)
        self._at_us = max(self._at_us, at_us)

    def _schedule(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._l_per_min > 0:
            missing = (self._half_pulses + 1) / (2 * PULSES_PER_L) - self._litres
            at_us = self._at_us + max(0, round(missing * 60e6 / self._l_per_min))
            self._event = self._clock.call_at(at_us, self._turn)

    def _turn(self, at_us: int) -> None:
        self._settle(at_us)
        self._half_pulses += 1
        self._drive(bool(self._half_pulses % 2))
        self._schedule()


class _Setting(Generic[T]):
    """An attribute of `Water` that anybody may set at any time: the flow follows at once."""

    def __init__(self, value: T) -> None:
        self._default = value

    def __set_name__(self, owner: type["Water"], name: str) -> None:
        self._name = name

    def __get__(self, water: "Water", owner: type["Water"]) -> T:
        return water.__dict__.get(self._name, self._default)

    def __set__(self, water: "Water", value: T) -> None:
        with water.clock.lock:
            water.__dict__[self._name] = value
            water.adjust()


class Water:
    """The pipes behind one valve, normally closed: power opens it.

    `l_per_min` runs when it is open, `hot_share` of it (0..1) through the hot meter. In an `outage`
    nothing comes, whatever is open. `leak_l_per_min` runs although the valve is shut. `stuck`: the valve
    stays "open" or "shut", whatever its pin says.
    """

    l_per_min = _Setting(9.0)
    hot_share = _Setting(0.5)
    outage = _Setting(False)
    leak_l_per_min = _Setting(0.0)
    stuck = _Setting[str | None](None)

    def __init__(self, clock: Clock, drive_cold: Callable[[bool], None], drive_hot: Callable[[bool], None]) -> None:
        self.clock = clock
        self.cold = Meter(clock, drive_cold)
        self.hot = Meter(clock, drive_hot)
        self._is_commanded = False

    def command(self, is_open: bool) -> None:
        """Follow the valve's pin."""
        self._is_commanded = is_open
        self.adjust()

    @property
    def is_open(self) -> bool:
        """Whether the valve stands open, commanded or stuck."""
        return self.stuck == "open" or (self._is_commanded and self.stuck is None)

    @property
    def litres(self) -> float:
        """What ran out in all."""
        return self.cold.litres + self.hot.litres

    def adjust(self) -> None:
        """Let as much run as the valve and the settings now allow."""
        l_per_min = 0.0 if self.outage else self.l_per_min if self.is_open else self.leak_l_per_min
        self.cold.set_flow(l_per_min * (1 - self.hot_share))
        self.hot.set_flow(l_per_min * self.hot_share)
