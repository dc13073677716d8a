"""firmware/pos/entry.py: what a cashier keys means one amount, whatever is pressed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.pos.entry import Entry

KEYS = {".": "DOT", "+": "PLUS", "x": "TIMES"}


def keyed(text: str) -> Entry:
    entry = Entry()
    for character in text:
        entry.press(KEYS.get(character, character))
    return entry


@pytest.mark.parametrize(
    ("typed", "total_fen", "term"),
    [
        ("", 0, b""),
        ("0", 0, b"0"),
        ("0.00", 0, b"0.00"),
        ("12.50", 1250, b"12.50"),
        ("12.5", 1250, b"12.5"),
        ("12.", 1200, b"12."),
        ("00012", 1200, b"12"),
        (".", 0, b"0."),
        (".5", 50, b"0.5"),
        ("1.2.3", 123, b"1.23"),
        ("1.234", 123, b"1.23"),
        ("123456", 123400, b"1234"),
        ("3+4.5", 750, b"+4.5"),
        ("3+", 300, b"+"),
        ("3++4", 700, b"+4"),
        ("+3", 300, b"3"),
        ("2.5x3", 750, b"2.5x3"),
        ("2.5x", 250, b"2.5x"),
        ("2.5x0", 0, b"2.5x0"),
        ("2.5x012", 3000, b"2.5x12"),
        ("2.5x123", 3000, b"2.5x12"),
        ("x3", 300, b"3"),
        ("2x3x4", 6800, b"2x34"),
        ("2x3.5", 7000, b"2x35"),
        ("2x3+1.5x2+4", 1300, b"+4"),
    ],
)
def test_keys_mean_an_amount(typed: str, total_fen: int, term: bytes) -> None:
    entry = keyed(typed)
    assert (entry.total_fen, entry.term) == (total_fen, term)


def test_clear_forgets_the_sum_too() -> None:
    entry = keyed("3+4")
    entry.clear()
    assert (entry.total_fen, entry.term) == (0, b"")


@given(st.text("0123456789.+x", max_size=400))
def test_any_keys_stay_bounded(typed: str) -> None:
    entry = keyed(typed)
    assert 0 <= entry.total_fen <= 120_000_000
    assert len(entry.term) <= 11


@given(st.lists(st.tuples(st.integers(0, 99_99), st.integers(1, 9)), min_size=1, max_size=20))
def test_a_sum_of_prices_and_counts_is_exact(terms: list[tuple[int, int]]) -> None:
    typed = "+".join(f"{fen // 100}.{fen % 100:02}x{count}" for fen, count in terms)
    assert keyed(typed).total_fen == sum(fen * count for fen, count in terms)
