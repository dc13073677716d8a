"""Time on a device: anchors, trust, and the tick that wraps."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.terminal.clock import ESTIMATED, NEVER_SET, SET_BY_HOST, Clock
from firmware.terminal.ticks import add, diff

PERIOD = 1 << 30


@given(st.integers(0, PERIOD - 1), st.integers(-(1 << 29), (1 << 29) - 1))
def test_a_difference_survives_the_wrap(tick: int, ms: int) -> None:
    assert diff(add(tick, ms), tick) == ms


def test_a_clock_never_set_says_zero() -> None:
    clock = Clock()
    clock.poll(500_000)
    assert (clock.at_s(900_000), clock.trust) == (0, NEVER_SET)


def test_time_goes_on_from_the_host_s_word() -> None:
    clock = Clock()
    clock.set(200_000_000, 5_500)
    assert (clock.at_s(5_500), clock.at_s(6_499), clock.at_s(6_500)) == (200_000_000, 200_000_000, 200_000_001)
    assert clock.trust == SET_BY_HOST


def test_an_estimate_never_replaces_what_the_host_said() -> None:
    clock = Clock()
    clock.estimate(0, 0)
    assert clock.trust == NEVER_SET
    clock.estimate(1000, 0)
    assert (clock.at_s(2_000), clock.trust) == (1002, ESTIMATED)
    clock.set(500, 2_000)
    clock.estimate(9_999, 2_000)
    assert (clock.at_s(3_000), clock.trust) == (501, SET_BY_HOST)


@given(st.integers(0, PERIOD - 1), st.lists(st.integers(0, (1 << 29) - 1_001), max_size=20))
def test_no_second_is_lost_over_any_number_of_wraps(start: int, steps: list[int]) -> None:
    clock = Clock()
    clock.set(1_000, start)
    for passed in range(len(steps)):
        clock.poll(add(start, sum(steps[: passed + 1])))
    assert clock.at_s(add(start, sum(steps))) == 1_000 + sum(steps) // 1_000
