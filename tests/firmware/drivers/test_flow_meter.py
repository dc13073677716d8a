"""firmware/drivers/flow_meter.py: pulses into millilitres."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.drivers.flow_meter import FlowMeter

PER_L = 450


class Counter:
    """A counter of 32 bits."""

    def __init__(self, start: int = 0) -> None:
        self.pulses = start

    def count(self) -> int:
        """Count modulo 2^32."""
        return self.pulses % (1 << 32)


@pytest.mark.parametrize(("pulses", "volume_ml"), [(0, 0), (1, 2), (9, 20), (449, 997), (450, 1000), (45_000, 100_000)])
def test_volume_is_that_of_all_pulses_rounded_down(pulses: int, volume_ml: int) -> None:
    counter = Counter()
    meter = FlowMeter(counter, PER_L)
    counter.pulses = pulses

    assert meter.poll() == volume_ml


@given(st.lists(st.integers(0, 2000), max_size=50), st.integers(1, 5000))
def test_however_often_it_is_polled_no_pulse_is_lost_or_counted_twice(steps: list[int], per_l: int) -> None:
    counter = Counter()
    meter = FlowMeter(counter, per_l)
    volumes: list[int] = []
    for step in steps:
        counter.pulses += step
        volumes.append(meter.poll())

    assert volumes == sorted(volumes)
    assert meter.poll() == sum(steps) * 1000 // per_l


def test_counter_may_wrap() -> None:
    counter = Counter((1 << 32) - 100)
    meter = FlowMeter(counter, PER_L)
    counter.pulses += 450

    assert meter.poll() == 1000


def test_what_the_counter_showed_before_is_no_water() -> None:
    assert FlowMeter(Counter(12_345), PER_L).poll() == 0


def test_total_follows_a_new_calibration() -> None:
    counter = Counter()
    meter = FlowMeter(counter, PER_L)
    counter.pulses = 900
    assert meter.poll() == 2000

    meter.pulses_per_l = 300

    assert meter.poll() == 3000
