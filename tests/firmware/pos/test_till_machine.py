"""The till against a host that answers yes, no, late or never, and a plug pulled between any two actions."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from firmware.pos import states
from firmware.pos.sale import Sale
from protocol.record import NOTHING, SALE, STARTED, Name, Record
from tests.firmware.board_model import BoardModel
from tests.firmware.host_model import WholeTerminal

KEYS = ["0", "1", "5", "9", "DOT", "PLUS", "TIMES", "CLEAR", "END", "OK"]


class TillMachine(WholeTerminal):
    CLOSING = (SALE, NOTHING, STARTED)

    def __init__(self) -> None:
        super().__init__()
        self.board: BoardModel[Sale] = BoardModel(Sale)
        self.confirmed: list[int] = []  # amounts confirmed, in order; the last may still be charged
        self.is_open = False  # whether it may
        self.charged_count = 0

    @rule(key=st.sampled_from(KEYS))
    def press(self, key: str) -> None:
        before = self.board.program.state
        super().press(key)
        if before == states.TYPING and self.board.program.state == states.WAITING:
            self.confirmed.append(self.board.program.amount_fen)
            self.is_open = True

    @rule(yuan=st.sampled_from("123"))
    def confirm_an_amount(self, yuan: str) -> None:
        self.press(yuan)
        self.press("OK")

    @rule(yuan=st.sampled_from("123"))
    def buy(self, yuan: str) -> None:
        self.be_served("CLEAR", yuan, "OK")

    def sales(self) -> list[Record]:
        return [made for made in self.board.records if made.kind == SALE]

    @invariant()
    def one_charge_for_each_confirmed_amount(self) -> None:
        sales = self.sales()
        if len(sales) > self.charged_count:
            assert len(sales) == self.charged_count + 1
            assert self.is_open
            assert sales[-1].amount_fen == self.confirmed[-1]
            self.charged_count += 1
            self.is_open = False
        if self.board.program.state in (states.IDLE, states.TYPING):
            self.is_open = False

    @invariant()
    def a_sale_is_what_the_host_granted_and_no_more(self) -> None:
        for sale in self.sales():
            assert 0 < sale.amount_fen <= self.granted[Name(sale.terminal, sale.epoch, sale.sequence)]

    @invariant()
    def paid_is_shown_only_for_the_durable_sale(self) -> None:
        if "已付" in self.board.screen:
            sale = self.board.records[-1]
            assert sale.kind == SALE
            amount = f"{sale.amount_fen // 100}.{sale.amount_fen % 100:02}"
            assert f"已付{amount:>10}元" in self.board.screen

    @invariant()
    def nothing_stays_open_while_nobody_is_served(self) -> None:
        if self.board.program.state not in (states.ASKING, states.WRITING):
            assert self.board.asks.open is None


TestTillMachine = TillMachine.TestCase
TestTillMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
