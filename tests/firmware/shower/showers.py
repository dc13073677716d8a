"""A session by card, begun."""

from firmware.shower import states
from firmware.shower.stall import Stall
from protocol.record import Name
from tests.firmware.board_model import TERMINAL, BoardModel


def shower(stall: BoardModel[Stall], number: int = 1, **answer: int) -> Name:
    """A card's session, running; the name of its `opened`."""
    stall.put_card(number)
    stall.answer(**answer)
    assert stall.program.state == states.RUNNING
    return Name(TERMINAL, 1, stall.journal.next - 1)
