"""A host that answers asks yes, no, late or never, and remembers what it granted."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from protocol import codes
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, Answer
from protocol.record import Name
from tests.firmware.board_model import TERMINAL, BoardModel
from tests.firmware.terminal.storage_model import PowerCut

BOOKED_FEN = 300


class WholeTerminal(RuleBasedStateMachine):
    """A program on its bench, with a host, a line, and a plug that is pulled between any two actions.

    A subclass makes `board`, adds the rules of its keys and cards, wrapped in `during`, and the laws of its own.
    """

    board: BoardModel[Any]

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []  # decided, not delivered
        self.granted: dict[Name, int] = {}  # by name: the most the terminal was told it may take
        self.card: int | None = None

    def during(self, act: Any, *args: Any, **kwargs: Any) -> None:
        """Do something that the power may go in; then start anew on what the flash holds."""
        try:
            act(*args, **kwargs)
        except PowerCut:
            self.restart()

    def restart(self) -> None:
        self.board.cut_in = 0
        self.board.cut_power()
        self.answers.clear()
        self.board.boot()
        if self.card is not None:
            self.during(self.board.put_card, self.card)

    # The card.

    @precondition(lambda self: self.card is None)
    @rule(number=st.integers(1, 3))
    def put_card(self, number: int) -> None:
        self.card = number
        self.during(self.board.put_card, number)

    @precondition(lambda self: self.card is None)
    @rule()
    def put_and_take_something_else(self) -> None:
        self.during(self.board.put_bad_card, codes.TWO_CARDS)
        self.during(self.board.take_card)

    @precondition(lambda self: self.card is not None)
    @rule()
    def take_card(self) -> None:
        self.card = None
        self.during(self.board.take_card)

    # The host.

    @precondition(lambda self: self.board.in_force.link_is_up and self.board.pending is not None and len(self.answers) < 4)
    @rule(code=st.sampled_from([0, 0, 0, codes.BALANCE_LOW]), now=st.booleans())
    def decide(self, code: int, now: bool) -> None:
        ask = self.board.pending
        assert ask is not None
        held_fen = ask.amount_fen
        if code and ask.kind == ASK_EXTEND:
            held_fen = self.granted.get(Name(TERMINAL, ask.epoch, ask.sequence), BOOKED_FEN)
        answer = self.board.make_answer(code=code, held_fen=held_fen)
        if now:
            self.during(self.deliver, answer)
        else:
            self.answers.append(answer)

    @precondition(lambda self: self.answers and self.board.in_force.link_is_up)
    @rule(data=st.data(), again=st.booleans())
    def deliver_late(self, data: st.DataObject, again: bool) -> None:
        answer = data.draw(st.sampled_from(self.answers))
        if not again:
            self.answers.remove(answer)
        self.during(self.deliver, answer)

    def deliver(self, answer: Answer) -> None:
        if answer.code == 0 and answer.kind != ASK_LOOKUP:
            name = Name(TERMINAL, answer.epoch, answer.sequence)
            self.granted[name] = max(self.granted.get(name, 0), answer.held_fen)
        self.board.deliver(answer)

    # The line, the time, the plug.

    @rule()
    def turn_link(self) -> None:
        if self.board.in_force.link_is_up:
            self.answers.clear()
            self.during(self.board.lose_link)
        else:
            self.during(self.board.find_link)

    @rule(ms=st.sampled_from([0, 100, 1_900, 3_000, 10_000, 60_000, 301_000]))
    def pass_time(self, ms: int) -> None:
        self.during(self.board.pass_time, ms)

    @rule(cut_in=st.integers(0, 20))
    def pull_plug(self, cut_in: int) -> None:
        """At once, or so many actions from now."""
        self.board.cut_in = cut_in
        if not cut_in:
            self.restart()

    def be_served(self, *keys: str) -> None:
        """What goes well on most days: nothing stands in the way, the keys, a card, and the host says yes."""
        if not self.board.in_force.link_is_up:
            self.turn_link()
        if self.card is not None:
            self.take_card()
        self.pass_time(10_000)
        for key in keys:
            self.press(key)
        self.put_card(1)
        if self.board.pending is not None:
            self.decide(0, True)

    def press(self, key: str) -> None:
        self.during(self.board.press, key)

    # Laws.

    @invariant()
    def every_name_opened_is_closed_once_by_what_it_was_opened_for(self) -> None:
        pending = self.board.asks.open
        by_name = {Name(made.terminal, made.epoch, made.sequence): made.kind for made in self.board.records}
        assert len(by_name) == len(self.board.records)
        assert len(set(self.board.named)) == len(self.board.named)
        for name in self.board.named:
            if pending is not None and name.sequence == pending.ask.sequence:
                assert name not in by_name
            else:
                assert by_name[name] in self.CLOSING

    CLOSING: tuple[int, ...] = ()

    @invariant()
    def every_row_is_sixteen_columns_of_whole_characters(self) -> None:
        assert self.board.screen
