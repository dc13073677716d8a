"""A stall in service: the seconds after power-on are over."""

import pytest

from firmware.shower.stall import Stall
from tests.firmware.board_model import BoardModel


@pytest.fixture
def stall() -> BoardModel[Stall]:
    board = BoardModel(Stall)
    board.pass_time(3_000)
    return board
