"""Water: pulses for litres, whatever happens to the flow."""

from itertools import pairwise

import pytest

from sim.clock import Clock
from sim.parts.water import Water

MINUTE_US = 60_000_000


def make_water() -> tuple[Clock, Water, dict[str, list[tuple[int, bool]]]]:
    clock = Clock(0)
    edges: dict[str, list[tuple[int, bool]]] = {"cold": [], "hot": []}
    water = Water(
        clock,
        lambda level: edges["cold"].append((clock.now_us(), level)),
        lambda level: edges["hot"].append((clock.now_us(), level)),
    )
    return clock, water, edges


def test_an_open_valve_gives_450_pulses_a_litre_on_each_meter() -> None:
    clock, water, edges = make_water()
    water.l_per_min, water.hot_share = 8.0, 0.25
    water.command(True)
    clock.advance(MINUTE_US)
    assert water.litres == pytest.approx(8.0)
    assert (water.cold.pulses, water.hot.pulses) == (6 * 450, 2 * 450)
    assert sum(level for _, level in edges["cold"]) == 6 * 450


def test_a_shut_valve_gives_none() -> None:
    clock, water, edges = make_water()
    clock.advance(MINUTE_US)
    assert (water.litres, len(edges["cold"])) == (0, 1)


def test_a_pulse_begun_is_ended_when_the_valve_opens_again() -> None:
    """The turbine stops where it stands: opening and shutting makes no pulse and loses none."""
    clock, water, _ = make_water()
    water.l_per_min = 9.0
    for _ in range(1000):
        water.command(True)
        clock.advance(60_000)
        water.command(False)
        clock.advance(10_000)
    assert water.litres == pytest.approx(9.0)
    assert water.cold.pulses == pytest.approx(4.5 * 450, abs=1)


def test_pulses_are_high_half_the_time() -> None:
    clock, water, edges = make_water()
    water.command(True)
    clock.advance(1_000_000)
    times = [at_us for at_us, _ in edges["hot"][1:]]
    gaps = {b - a for a, b in pairwise(times)}
    assert max(gaps) - min(gaps) <= 1


def test_nothing_comes_in_an_outage_and_all_of_it_afterwards() -> None:
    clock, water, _ = make_water()
    water.command(True)
    water.outage = True
    clock.advance(MINUTE_US)
    assert (water.litres, water.is_open) == (0, True)
    water.outage = False
    clock.advance(MINUTE_US)
    assert water.litres == pytest.approx(9.0)


def test_a_leak_runs_while_the_valve_is_shut() -> None:
    clock, water, _ = make_water()
    water.leak_l_per_min = 0.2
    clock.advance(MINUTE_US)
    assert water.litres == pytest.approx(0.2)


@pytest.mark.parametrize(("stuck", "commanded", "is_open"), [("open", False, True), ("shut", True, False), (None, True, True)])
def test_a_stuck_valve_does_not_follow_its_pin(stuck: str | None, commanded: bool, is_open: bool) -> None:
    _, water, _ = make_water()
    water.command(commanded)
    water.stuck = stuck
    assert water.is_open is is_open
