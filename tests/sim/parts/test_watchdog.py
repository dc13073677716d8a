"""The watchdog: fed it sleeps, hungry it bites once."""

from sim.clock import Clock
from sim.parts.watchdog import Watchdog


def make_watchdog() -> tuple[Clock, Watchdog, list[int]]:
    clock = Clock(0)
    bites: list[int] = []
    return clock, Watchdog(clock, lambda: bites.append(clock.now_ms())), bites


def test_it_bites_when_the_time_out_has_passed() -> None:
    clock, watchdog, bites = make_watchdog()
    watchdog.start(100)
    clock.advance(99_999)
    assert bites == []
    clock.advance(1_000_000)
    assert (bites, watchdog.is_on) == ([100], False)


def test_feeding_starts_the_time_out_anew() -> None:
    clock, watchdog, bites = make_watchdog()
    watchdog.start(100)
    for _ in range(10):
        clock.advance(90_000)
        watchdog.feed()
    clock.advance(200_000)
    assert bites == [1000]


def test_a_reset_ends_it() -> None:
    clock, watchdog, bites = make_watchdog()
    watchdog.start(100)
    watchdog.stop()
    clock.advance(1_000_000)
    assert bites == []
