"""firmware/shower/usage.py: every millilitre counted once, priced on totals."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.shower.usage import Usage
from firmware.terminal.settings import Tariff

TARIFF = Tariff(1, 30_000, 45_000)


def flowing(at_ms: int = 0) -> Usage:
    usage = Usage()
    usage.begin(TARIFF)
    usage.open(at_ms)
    return usage


def test_water_outside_of_open_and_shut_is_nobodys() -> None:
    usage = Usage()
    usage.meter(1_000, 0)
    usage.begin(TARIFF)
    usage.meter(1_500, 10)
    usage.open(0)
    usage.meter(2_500, 10)
    usage.shut(1)
    usage.meter(9_000, 90)
    usage.open(2)
    usage.meter(9_100, 90)
    assert (usage.cold_ml, usage.hot_ml, usage.volume_ml) == (1_100, 0, 1_100)


def test_meter_tells_whether_water_was_counted() -> None:
    usage = flowing()
    assert [usage.meter(5, 0), usage.meter(5, 0), usage.meter(5, 1)] == [True, False, True]
    usage.shut(0)
    assert not usage.meter(6, 1)


def test_seconds_are_those_the_valve_stood_open_across_a_wrap_of_the_tick() -> None:
    start = (1 << 30) - 1_000
    usage = flowing(start)
    assert usage.seconds(1_500) == 2
    usage.shut(1_500)
    usage.shut(9_000)
    assert usage.seconds(60_000) == 2
    usage.open(60_000)
    assert usage.seconds(61_000) == 3


def test_a_new_session_begins_at_nothing() -> None:
    usage = flowing()
    usage.meter(100_000, 100_000)
    usage.shut(5_000)
    usage.begin(TARIFF)
    assert (usage.volume_ml, usage.charge_fen, usage.seconds(9_000)) == (0, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), max_size=50))
def test_small_steps_cost_what_one_big_step_costs(steps: list[tuple[int, int]]) -> None:
    usage = flowing()
    cold = hot = 0
    for more_cold, more_hot in steps:
        cold, hot = cold + more_cold, hot + more_hot
        usage.meter(cold, hot)
    assert usage.charge_fen == cold * 30_000 // 1_000_000 + hot * 45_000 // 1_000_000
