"""A student showers with her card."""

import pytest

from protocol.shown import CAUSE_ENDED
from tests.stories.street import STUDENT, STUDENT_CARD, Street, price_range

pytestmark = pytest.mark.xdist_group("street")

PREDEDUCTED_FEN = 300
SHUT_LIMIT_US = 500_000
"""At worst, when a flash erase is under way (SPEC S3)."""


def test_card_in_water_runs_pause_resume_card_out_and_only_what_was_used_is_charged(street: Street) -> None:
    """Rows: X1, S1, S2, S3, K1."""
    stall, books = street.stall, street.books
    before, had_fen, litres = books.commit, books.account_fen(STUDENT.number), stall.board.litres

    street.put("shower", STUDENT_CARD)
    stall.see("用水中")
    assert stall.board.valve_open
    assert books.held_fen(STUDENT.number) == PREDEDUCTED_FEN

    stall.watch(lambda: stall.fen("已用") >= 30, "0.30 used")
    stall.press("OK")
    paused = stall.read("已暂停")
    assert not stall.board.valve_open
    paused_litres = stall.board.litres
    stall.pause(5)
    assert (stall.rows, stall.board.litres) == (paused, paused_litres), "water or money ran during the pause"

    stall.press("OK")
    stall.watch(lambda: stall.fen("已用") >= 60, "0.60 used")
    out_us = street.demo.clock.now_us()
    street.take("shower")
    stall.watch(lambda: not stall.board.valve_open, "the valve shut")
    assert stall.valve_us - out_us <= SHUT_LIMIT_US

    assert "用水结束" in stall.read("扣款")
    charged_fen = stall.fen("扣款")
    assert charged_fen in price_range(stall.board.litres - litres)
    street.wait(lambda: len(books.settled(before)) == 1, "the session in the books")
    settled = books.settled(before)[0]
    assert (settled.record.amount_fen, settled.cause) == (charged_fen, CAUSE_ENDED)
    assert books.account_fen(STUDENT.number) == had_fen - charged_fen
    assert books.holds() == []
    assert books.prove().problems == []


def test_second_end_or_end_at_all_means_nothing_while_a_card_pays(street: Street) -> None:
    """Rows: S3. The card's session ends by the card; END says so, twice as well."""
    stall = street.stall
    street.put("shower", STUDENT_CARD)
    stall.see("用水中")
    stall.press("END", "END")
    stall.see("拔卡即可结束")
    assert stall.board.valve_open
    street.take("shower")
    stall.see("扣款")
    assert not stall.board.valve_open


def test_more_than_the_first_amount_is_held_while_the_water_runs(street: Street) -> None:
    """Rows: S1, K1. What is held grows before it is used up, and no drop is missed."""
    stall, books = street.stall, street.books
    before = books.commit
    stall.board.water.l_per_min = 40.0
    try:
        street.put("shower", STUDENT_CARD)
        stall.watch(lambda: stall.fen("已用") >= PREDEDUCTED_FEN + 20, "more used than was held at first")
        assert books.held_fen(STUDENT.number) == 2 * PREDEDUCTED_FEN
        street.take("shower")
        stall.read("扣款")
    finally:
        stall.board.water.l_per_min = 9.0
    charged_fen = stall.fen("扣款")
    street.wait(lambda: len(books.settled(before)) == 1, "the session in the books")
    assert books.settled(before)[0].record.amount_fen == charged_fen > PREDEDUCTED_FEN
    assert books.holds() == []
