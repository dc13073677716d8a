"""A shower whose power goes: what the next boot settles, whatever the moment."""

from collections.abc import Callable

import pytest

from firmware.shower.stall import Stall
from protocol.record import NOTHING, OPENED, SETTLED, STARTED
from protocol.shown import CAUSE_BOOT, unpack_settled
from tests.firmware.board_model import BoardModel
from tests.firmware.terminal.storage_model import PowerCut


def by_card(board: BoardModel[Stall]) -> None:
    """A whole shower by card, with marks, an extension and a pause."""
    board.pass_time(3_000)
    board.put_card(1)
    board.answer()
    for _ in range(22):
        board.run_water(1_000, 100)
    board.answer()
    board.press("OK", "OK")
    board.run_water(3_000)
    board.take_card()


def by_code(board: BoardModel[Stall]) -> None:
    """A whole shower by code."""
    board.book("123456")
    board.pass_time(3_000)
    board.press(*"123456", "OK")
    for _ in range(12):
        board.run_water(1_000)
    board.press("END", "END")


def unsettled(board: BoardModel[Stall]) -> list[object]:
    opened = [made for made in board.records if made.kind == OPENED]
    settled = [made.reference for made in board.records if made.kind == SETTLED]
    assert len(set(settled)) == len(settled)
    return [made for made in opened if (made.terminal, made.epoch, made.sequence) not in settled]


@pytest.mark.parametrize("story", [by_card, by_code])
def test_cut_before_every_action_the_boot_settles_at_the_last_mark(story: Callable[[BoardModel[Stall]], None]) -> None:
    whole = BoardModel(Stall)
    story(whole)
    action_count = len(whole.done)
    assert action_count > 10
    for cut_in in range(1, action_count + 1):
        board = BoardModel(Stall)
        board.cut_in = cut_in
        with pytest.raises(PowerCut):
            story(board)
        used_fen = board.program.session.usage.charge_fen
        assert not board.valve_is_open
        board.boot()
        assert unsettled(board) == []
        charged = [made for made in board.records if made.kind == SETTLED]
        assert all(used_fen - 60 <= made.amount_fen <= min(used_fen, 600) for made in charged)
        assert {made.kind for made in board.records} <= {STARTED, OPENED, SETTLED, NOTHING}


def test_the_boot_says_what_it_charged() -> None:
    board = BoardModel(Stall)
    board.pass_time(3_000)
    board.put_card(1)
    board.answer()
    board.run_water(5_000, 500)
    board.pass_time(30_000)
    board.run_water(4_000)
    board.cut_power()
    board.boot()
    settled = board.records[-1]
    assert (settled.kind, settled.subject, settled.amount_fen, settled.detail) == (SETTLED, 1, 60, 5_500)
    assert unpack_settled(settled.shown) == (5_000, 500, 0, CAUSE_BOOT)
    assert board.screen == "北区浴室12号\n正在启动\n上次扣款  0.60元\n"


def test_a_second_cut_while_the_boot_settles_settles_once() -> None:
    board = BoardModel(Stall)
    board.pass_time(3_000)
    board.put_card(1)
    board.answer()
    board.run_water(6_000)
    board.cut_power()
    board.boot()
    board.cut_power()
    board.boot()
    assert board.kinds() == [OPENED, SETTLED]
