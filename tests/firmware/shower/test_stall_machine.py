"""The shower against a host that answers yes, no, late or never, and a plug pulled between any two actions."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from firmware.shower import states
from firmware.shower.stall import Stall
from protocol.record import NOTHING, OPENED, SETTLED, STARTED, Name, Record
from protocol.shown import CAUSE_BOOT, unpack_settled
from tests.firmware.board_model import TARIFF, BoardModel
from tests.firmware.host_model import BOOKED_FEN, WholeTerminal

BOOKED = "111111"
STEP_FEN = 50


def price_fen(cold_ml: int, hot_ml: int) -> int:
    return cold_ml * TARIFF.cold_fen_per_m3 // 1_000_000 + hot_ml * TARIFF.hot_fen_per_m3 // 1_000_000


def name_of(made: Record) -> Name:
    return Name(made.terminal, made.epoch, made.sequence)


class StallMachine(WholeTerminal):
    CLOSING = (OPENED, NOTHING, STARTED)

    def __init__(self) -> None:
        super().__init__()
        self.board: BoardModel[Stall] = BoardModel(Stall)
        self.flowed: dict[Name, list[int]] = {}  # by opened: cold, hot, and the dearest single flow
        self.settled_count = 0

    @initialize()
    def start(self) -> None:
        self.board.book(BOOKED)
        self.pass_time(3_000)

    @rule(key=st.sampled_from(["OK", "END", "1", "CLEAR"]))
    def press(self, key: str) -> None:
        super().press(key)

    @rule(code=st.sampled_from([BOOKED, "222222"]))
    def type_code(self, code: str) -> None:
        self.during(self.board.press, *code, "OK")

    @rule()
    def end_twice(self) -> None:
        self.during(self.board.press, "END", "END")

    @precondition(lambda self: not self.board.journal.open_sessions)
    @rule()
    def begin_by_card(self) -> None:
        self.be_served()

    @rule(cold_ml=st.integers(0, 4_000), hot_ml=st.integers(0, 1_000), times=st.integers(1, 8))
    def run_water(self, cold_ml: int, hot_ml: int, times: int) -> None:
        for _ in range(times):
            if self.board.valve_is_open:
                flowed = self.flowed.setdefault(self.open_session(), [0, 0, 0])
                flowed[0] += cold_ml
                flowed[1] += hot_ml
                flowed[2] = max(flowed[2], price_fen(cold_ml, hot_ml) + 2)
            self.during(self.board.run_water, cold_ml, hot_ml)

    def open_session(self) -> Name:
        (mark,) = self.board.journal.open_sessions
        return mark.name

    def of_kind(self, kind: int) -> list[Record]:
        return [made for made in self.board.records if made.kind == kind]

    @invariant()
    def water_flows_only_in_a_journalled_session_that_is_not_paused(self) -> None:
        assert self.board.valve_is_open == (self.board.program.state == states.RUNNING)
        if self.board.program.state in (states.RUNNING, states.PAUSED):
            assert self.open_session() == name_of(self.of_kind(OPENED)[-1])
        else:
            assert self.board.journal.open_sessions == ()

    @invariant()
    def a_session_opens_on_what_was_granted(self) -> None:
        for opened in self.of_kind(OPENED):
            held_fen = BOOKED_FEN if opened.reference.terminal else self.granted[name_of(opened)]
            assert 0 < opened.amount_fen <= held_fen
        booked = [opened.reference for opened in self.of_kind(OPENED) if opened.reference.terminal]
        assert len(booked) <= 1

    @invariant()
    def what_is_charged_is_the_price_of_what_flowed_and_never_above_the_hold(self) -> None:
        settled = self.of_kind(SETTLED)
        assert len({made.reference for made in settled}) == len(settled)
        opened = {name_of(made): made for made in self.of_kind(OPENED)}
        for made in settled[self.settled_count :]:
            cold_ml, hot_ml, _, cause = unpack_settled(made.shown)
            held_fen = max(self.granted.get(made.reference, 0), opened[made.reference].amount_fen)
            assert made.amount_fen == min(price_fen(cold_ml, hot_ml), held_fen)
            flowed_cold, flowed_hot, dearest_fen = self.flowed.get(made.reference, [0, 0, 0])
            if cause == CAUSE_BOOT:
                lost_fen = min(price_fen(flowed_cold, flowed_hot), held_fen) - made.amount_fen
                assert 0 <= lost_fen <= STEP_FEN + dearest_fen
            else:
                assert (cold_ml, hot_ml) == (flowed_cold, flowed_hot)
        self.settled_count = len(settled)

    @invariant()
    def nothing_stays_open_while_nobody_is_served(self) -> None:
        if self.board.program.state != states.ASKING:
            assert self.board.asks.open is None


TestStallMachine = StallMachine.TestCase
TestStallMachine.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
