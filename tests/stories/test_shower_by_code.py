"""A teacher books a shower, and types the code."""

import re

import pytest

from protocol.shown import CAUSE_ENDED
from sim.demo import FIRST_TERMINAL
from tests.stories.street import TEACHER, TEACHER_CARD, Street, price_range

pytestmark = pytest.mark.xdist_group("street")

BOOKED_FEN = 300
_TRIES = 30


def test_code_and_ok_start_ok_pauses_end_twice_ends_and_the_code_is_used_up(street: Street) -> None:
    """Rows: X1, S4, S2, K1."""
    stall, books = street.stall, street.books
    before, had_fen, litres = books.commit, books.account_fen(TEACHER.number), stall.board.litres
    code = book(street)
    assert books.held_fen(TEACHER.number) == BOOKED_FEN

    enter(street, code)
    assert stall.board.valve_open
    stall.press("OK")
    assert stall.shows("用水中"), "a second OK within two seconds is the same finger still"
    stall.watch(lambda: stall.fen("已用") >= 35, "0.35 used")
    stall.press("OK")
    stall.see("已暂停")
    assert not stall.board.valve_open
    stall.press("OK")
    stall.see("用水中")

    stall.press("END")
    stall.see("再按一次结束")
    assert stall.board.valve_open
    stall.see_not("再按一次结束")
    stall.press("END", "1", "END")
    assert stall.board.valve_open, "END, another key, END is not END twice"
    stall.see_not("再按一次结束")
    stall.press("END", "END")
    assert "用水结束" in stall.read("扣款")
    assert not stall.board.valve_open

    charged_fen = stall.fen("扣款")
    assert charged_fen in price_range(stall.board.litres - litres)
    street.wait(lambda: len(books.settled(before)) == 1, "the session in the books")
    settled = books.settled(before)[0]
    assert (settled.record.amount_fen, settled.cause) == (charged_fen, CAUSE_ENDED)
    assert books.account_fen(TEACHER.number) == had_fen - charged_fen
    assert books.holds() == []

    stall.type(code)
    stall.press("OK")
    stall.see("预约码错误")
    assert not stall.board.valve_open


def test_card_of_the_same_holder_ends_a_session_begun_by_code(street: Street) -> None:
    """Rows: S4. So nobody is locked out who has forgotten how the keys go; another's card is told that the stall is taken."""
    stall = street.stall
    enter(street, book(street))
    street.put("shower", 1)
    stall.see("此位使用中")
    assert stall.board.valve_open
    street.take("shower")
    street.put("shower", TEACHER_CARD)
    stall.see("扣款")
    assert not stall.board.valve_open


def book(street: Street) -> str:
    """Book the stall from now on; the code."""
    printed = street.demo.host.command("reserve", TEACHER.number, str(FIRST_TERMINAL))
    found = re.search(r"\b\d{6}\b", printed)
    assert found is not None, printed
    return found[0]


def enter(street: Street, code: str) -> None:
    """Type a code and OK, again while the display says that it is still on its way."""
    stall = street.stall
    for _ in range(_TRIES):
        stall.type(code)
        stall.press("OK")
        stall.see("用水中", "正在下发")
        if stall.shows("用水中"):
            return
        stall.pause(1)
    pytest.fail(f"the code never reached the stall: {stall.rows}")
