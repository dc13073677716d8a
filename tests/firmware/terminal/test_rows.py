"""firmware/terminal/rows.py: sixteen columns, whatever goes in, and no character in halves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.terminal.rows import litres, row, yuan


def gb(text: str) -> bytes:
    return text.encode("gb2312")


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("", "", " " * 16),
        ("请插卡", "", "请插卡" + " " * 10),
        ("已付", "12.50元", "已付     12.50元"),
        ("一二三四五六七八", "", "一二三四五六七八"),
        ("一二三四五六七八九", "", "一二三四五六七八"),
        ("a一二三四五六七八", "", "a一二三四五六七 "),
        ("一二三四五六七八", "E06", "一二三四五六 E06"),
    ],
)
def test_a_row_is_sixteen_columns(left: str, right: str, shown: str) -> None:
    assert row(gb(left), gb(right)).decode("gb2312") == shown


@given(st.text("一丁七万a1 ", max_size=20), st.text("元1.", max_size=8))
def test_a_row_never_cuts_a_character(left: str, right: str) -> None:
    made = row(gb(left), gb(right))
    assert len(made) == 16
    assert made.decode("gb2312").endswith(right)


@pytest.mark.parametrize(("fen", "text"), [(0, b"0.00"), (5, b"0.05"), (1250, b"12.50"), (4_294_967_295, b"42949672.95")])
def test_money_has_two_decimals(fen: int, text: bytes) -> None:
    assert yuan(fen) == text


@pytest.mark.parametrize(("ml", "text"), [(0, b"0.0"), (99, b"0.0"), (100, b"0.1"), (12_399, b"12.3"), (100_000, b"100.0")])
def test_litres_are_rounded_down_to_a_decimal(ml: int, text: bytes) -> None:
    assert litres(ml) == text
