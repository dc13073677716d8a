"""Water and its price: whole numbers, rounded down, always on totals."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.tariff import charge_fen, volume_ml

pulses = st.integers(0, 10**9)
prices = st.integers(0, 10**7)


def test_a_litre_is_450_pulses_and_a_cubic_metre_its_price():
    assert volume_ml(450, 450) == 1000
    assert charge_fen(1_000_000, 600) == 600
    assert charge_fen(41_833, 6000) == 250


@given(pulses, st.integers(1, 10_000))
def test_less_than_one_millilitre_is_lost(count: int, pulses_per_l: int):
    exact = volume_ml(count, pulses_per_l)
    assert exact * pulses_per_l <= count * 1000 < (exact + 1) * pulses_per_l


@given(st.integers(0, 10**9), prices)
def test_less_than_one_fen_is_lost_and_never_charged(volume: int, fen_per_m3: int):
    charge = charge_fen(volume, fen_per_m3)
    assert charge * 1_000_000 <= volume * fen_per_m3 < (charge + 1) * 1_000_000


@given(pulses, pulses, prices)
def test_more_water_never_costs_less(one: int, other: int, fen_per_m3: int):
    less, more = sorted((one, other))
    assert charge_fen(volume_ml(less, 450), fen_per_m3) <= charge_fen(volume_ml(more, 450), fen_per_m3)
