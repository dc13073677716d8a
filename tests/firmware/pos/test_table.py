"""Every row of the till's table, executed: it leads where it says, and a name it opened is closed."""

from typing import Any

import pytest

from firmware.drivers.st7920 import COLUMNS, lay_out
from firmware.pos import ignored, states
from firmware.pos.sale import Sale
from firmware.terminal.actions import NO_ACTIONS, AskHost, Beep, GiveUp, Write
from firmware.terminal.events import Answered, CardProblem, CardSeen, Key, NotWritten, Written
from protocol import codes
from protocol.messages import ASK_SALE, Answer
from protocol.record import NOTHING_SHOWN, SALE, Name
from tests.firmware.board_model import BoardModel
from tests.firmware.state_tables import rows

CARD = CardSeen(1, 1, 0xFFFF, bytes(32), NOTHING_SHOWN, 4, 0)
ANSWER = Answer(1, 1, ASK_SALE, 0, 1_250, 5_000, 0, 0, 0, "李四".encode("gb2312"))
EVENTS: dict[str, Any] = {
    states.KEYED: Key("1"),
    states.CARD_IN: CARD,
    states.CARD_AGAIN: CARD,
    states.CARD_BAD: CardProblem(codes.TWO_CARDS),
    states.GRANTED: Answered(ANSWER),
    states.DENIED: Answered(Answer(1, 1, ASK_SALE, codes.BALANCE_LOW, 0, 0, 0, 930, 0, b"")),
    states.WRITTEN: Written(Name(100, 1, 2), SALE),
    states.NOT_WRITTEN: NotWritten(SALE, codes.JOURNAL_FULL),
}
PAIRS = [(state, event) for state in ignored.STATES for event in ignored.EVENTS]
TABLE = rows(states)


def till_in(state: str) -> BoardModel[Sale]:
    """A till with everything that any act of its state may need."""
    board = BoardModel(Sale)
    board.program.state = state
    board.program.amount_fen = 1_250
    board.program.answer = ANSWER
    board.program._card = CARD
    return board


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_an_event_does_what_its_row_says_and_without_a_row_nothing(state: str, event: str) -> None:
    board = till_in(state)
    actions = board.program._step(event, EVENTS.get(event), board.now_ms)
    following, _ = TABLE.get((state, event), (state, ""))
    assert board.program.state == following
    wanted: list[type[Any]] = [type(action) for action in actions]
    if (state, event) not in TABLE:
        assert actions == NO_ACTIONS
    if state == states.ASKING and following not in (states.ASKING, states.WRITING):
        assert wanted[0] is GiveUp
    assert (AskHost in wanted) == (following == states.ASKING and state != states.ASKING)
    assert (Write in wanted) == (following == states.WRITING and state != states.WRITING)
    if Beep in wanted:
        assert wanted[-1] is Beep


@pytest.mark.parametrize("state", ignored.STATES)
@pytest.mark.parametrize("code", [None, 0, *codes.NAMES])
def test_every_screen_and_notice_fits_the_display_as_it_is(state: str, code: int | None) -> None:
    board = till_in(state)
    board.program.code = code or 0
    board.program.notice = code
    for line in board.program.lines(board.now_ms):
        cells = bytearray(COLUMNS)
        lay_out(line, cells, 0)
        assert bytes(cells) == line
