"""Every row of the shower's table, executed: it leads where it says, in the order that money and water demand."""

from typing import Any

import pytest

from firmware.drivers.st7920 import COLUMNS, lay_out
from firmware.shower import acts, ignored, states
from firmware.shower.stall import Stall
from firmware.terminal.actions import NO_ACTIONS, Beep, OpenValve, ShutValve, Write
from firmware.terminal.events import Answered, CardProblem, CardSeen, Key, NotWritten, Written
from firmware.terminal.settings import Reservation
from protocol import codes
from protocol.messages import ASK_SHOWER, Answer
from protocol.record import NOTHING_SHOWN, OPENED, Name
from protocol.shown import CAUSE_ENDED
from tests.firmware.board_model import TARIFF, BoardModel
from tests.firmware.state_tables import rows

CARD = CardSeen(1, 1, 0xFFFF, bytes(32), NOTHING_SHOWN, 4, 0)
ANSWER = Answer(1, 1, ASK_SHOWER, 0, 300, 5_000, 0, 40, 0, "李四".encode("gb2312"))
REFUSAL = Answer(1, 1, ASK_SHOWER, codes.BALANCE_LOW, 0, 5_000, 0, 40, 0, b"")
EVENTS: dict[str, Any] = {
    states.CARD_IN: CARD,
    states.CARD_UNREADY: CARD,
    states.VISITOR_IN: CARD,
    states.CARD_BAD: CardProblem(codes.TWO_CARDS),
    states.DIGIT: Key("1"),
    states.GRANTED: Answered(ANSWER),
    states.EXTENDED: Answered(ANSWER),
    states.SAME_HOLDER: Answered(ANSWER),
    states.DENIED: Answered(REFUSAL),
    states.NOT_EXTENDED: Answered(REFUSAL),
    states.OTHER_HOLDER: Answered(REFUSAL),
    states.CODE_ANSWERED: Answered(REFUSAL),
    states.WRITTEN: Written(Name(100, 1, 2), OPENED),
    states.NOT_WRITTEN: NotWritten(OPENED, codes.JOURNAL_FULL),
}
PAIRS = [(state, event) for state in ignored.STATES for event in ignored.EVENTS]
TABLE = rows(states)


def stall_in(state: str) -> BoardModel[Stall]:
    """A stall with everything that any act of its state may need."""
    board = BoardModel(Stall)
    stall = board.program
    stall.state = state
    stall.card = CARD
    stall.booking = Reservation(Name(1, 1, 5), 9, 300, 0, 0xFFFFFFFF, b"")
    stall.reason = codes.CODE_WRONG
    stall.session.take_up(CARD, ANSWER)
    stall.session.begin(Name(100, 1, 2), TARIFF)
    stall.session.cause = CAUSE_ENDED
    stall.session.usage.open(board.now_ms)
    stall.session.usage.meter(9_999, 99)
    return board


def step(board: BoardModel[Stall], event: str) -> tuple[Any, ...]:
    return board.program._step(event, EVENTS.get(event), board.now_ms)


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_an_event_does_what_its_row_says_and_without_a_row_nothing(state: str, event: str) -> None:
    board = stall_in(state)
    actions = step(board, event)
    following, _ = TABLE.get((state, event), (state, ""))
    assert board.program.state == following
    if (state, event) not in TABLE:
        assert actions == NO_ACTIONS
    wanted: list[type[Any]] = [type(action) for action in actions]
    if following == states.SETTLING and Write in wanted:
        assert wanted == [ShutValve, Write]
    if state == states.RUNNING and following == states.PAUSED:
        assert wanted[0] is ShutValve
    assert (OpenValve in wanted) == (following == states.RUNNING and state != states.RUNNING)
    if Beep in wanted:
        assert wanted[-1] is Beep


@pytest.mark.parametrize("state", ignored.STATES)
@pytest.mark.parametrize("has_card", [False, True])
def test_every_screen_fits_the_display_as_it_is(state: str, has_card: bool) -> None:
    board = stall_in(state)
    board.program.has_card = has_card
    for line in board.program.lines(board.now_ms):
        cells = bytearray(COLUMNS)
        lay_out(line, cells, 0)
        assert bytes(cells) == line


@pytest.mark.parametrize("code", [*codes.NAMES, -1, -2, -3, -4, -5])
def test_every_reason_fits_the_display_as_it_is(code: int) -> None:
    board = stall_in(states.REFUSED)
    board.program.reason = code
    board.program.place = "南区三号".encode("gb2312")
    for line in board.program.lines(board.now_ms):
        cells = bytearray(COLUMNS)
        lay_out(line, cells, 0)
        assert bytes(cells) == line


def test_every_act_is_of_some_row() -> None:
    named = {act for _, act in TABLE.values()}
    public = {name for name in dir(acts) if callable(getattr(acts, name)) and getattr(acts, name).__module__ == acts.__name__}
    assert {name for name in public if not name.startswith("_")} == named
