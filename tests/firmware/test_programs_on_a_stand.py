"""Both programs in a whole terminal: real reader, link, journal; a card in the field at one end, records at a host at the other."""

from typing import Any

import pytest

from firmware.pos.sale import Sale
from firmware.shower.stall import Stall
from protocol import codes
from protocol.messages import RESERVATIONS, SETTINGS, TARIFF, Ask
from protocol.packing import pack
from protocol.record import ACTIVATED, NOTHING, OPENED, SALE, SETTLED, STARTED
from protocol.shown import CAUSE_BOOT, unpack_settled
from tests.firmware.board_model import AT_S
from tests.firmware.terminal.small_host import RECORD_CMAC, Host, grant
from tests.firmware.terminal.stand import Stand
from tests.firmware.terminal.test_reader import make_card
from tests.firmware.terminal.test_settings import SETTINGS_FIELDS

CARD = b"\1\2\3\4"
PROGRAMS: dict[str, Any] = {"shower": Stall, "pos": Sale}


class ProgramStand(Stand):
    """A stand whose terminal runs a real program, with all it needs handed down."""

    def boot(self, cut_at: int = 0, torn_percent: int = 0) -> None:
        super().boot(cut_at, torn_percent)
        self.terminal.program = PROGRAMS[self._program](self.terminal.in_force)

    def hand_down(self, *reservation: int | bytes) -> "ProgramStand":
        self.come_up()
        self.host.offer(SETTINGS, 1, pack(SETTINGS_FIELDS))
        self.run()
        self.host.offer(TARIFF, 1, pack([1, 10_000, 20_000]))
        self.run()
        self.host.offer(RESERVATIONS, 1, pack([1, [list(reservation)] if reservation else []]))
        self.run_until(lambda: self.kinds().count(ACTIVATED) == 3)
        self.pass_ms(3_000)
        return self

    def pass_ms(self, ms: int) -> None:
        for _ in range(ms // 50):
            self.step(50)

    def press(self, *names: str) -> None:
        for name in names:
            self.board.keys.append(name)
            self.pass_ms(100)

    def put_card(self, number: int = 7) -> None:
        self.card = make_card(CARD, number)
        self.rig.air.put(self.card)
        self.pass_ms(500)

    def take_card(self) -> None:
        self.rig.air.remove(self.card)
        self.pass_ms(500)

    def run_water(self, cold_ml: int) -> None:
        assert self.board.meter_cold is not None
        self.board.meter_cold.ml += cold_ml
        self.pass_ms(100)

    @property
    def screen(self) -> str:
        return "\n".join(line.decode("gb2312").rstrip() for line in self.board.lines)

    def money_kinds(self) -> list[int]:
        return [kind for kind in self.kinds() if kind not in (STARTED, ACTIVATED)]


def test_a_shower_by_card_from_the_slot_to_the_host() -> None:
    stand = ProgramStand("shower").hand_down()
    assert stand.screen == "北区浴室12号\n请插卡\n或输入预约码\n"
    stand.put_card()
    assert stand.board.is_open
    stand.run_water(12_000)
    stand.press("OK")
    assert not stand.board.is_open
    stand.press("OK")
    stand.run_water(14_000)
    stand.run_water(1_000)
    stand.take_card()
    assert not stand.board.is_open
    assert stand.money_kinds() == [OPENED, SETTLED]
    settled = stand.host.records[-1]
    assert (settled.amount_fen, settled.detail, settled.subject) == (270, 27_000, 7)
    assert [ask.amount_fen for ask in stand.host.asks] == [300, 600]
    assert stand.screen.startswith("用水结束\n用水      27.0升\n扣款      2.70元")


def test_a_card_that_leaves_while_opened_is_written_leaves_the_valve_shut_behind_it() -> None:
    stand = ProgramStand("shower").hand_down()
    stand.card = make_card(CARD, 7)
    stand.rig.air.put(stand.card)
    stand.run_until(lambda: stand.host.asks)
    storage = stand.journal_storage
    replace = storage.replace

    def replace_slowly(name: str, data: bytes) -> None:
        replace(name, data)
        stand.be_busy(500)
        stand.rig.air.remove(stand.card)
        storage.replace = replace

    storage.replace = replace_slowly
    stand.run_until(lambda: stand.board.is_open)
    assert stand.card not in stand.rig.air.cards
    stand.pass_ms(100)
    assert not stand.board.is_open
    stand.run_until(lambda: SETTLED in stand.kinds())
    assert stand.money_kinds() == [OPENED, SETTLED]
    assert stand.host.records[-1].amount_fen == 0


def test_water_that_flowed_before_the_card_left_is_charged() -> None:
    """Both in one pass of the loop, after the terminal was busy for a while."""
    stand = ProgramStand("shower").hand_down()
    stand.put_card()
    assert stand.board.meter_cold is not None
    stand.be_busy(100)
    stand.board.meter_cold.ml += 1_000
    stand.rig.air.remove(stand.card)
    stand.terminal.poll()
    assert not stand.board.is_open
    stand.run_until(lambda: SETTLED in stand.kinds())
    assert stand.host.records[-1].detail == 1_000


def test_a_shower_by_code_from_the_keypad_to_the_host() -> None:
    code = RECORD_CMAC(b"code123456")[:8]
    stand = ProgramStand("shower").hand_down(code, 1, 1, 5, 9, 300, AT_S - 60, AT_S + 3600, b"Z")
    stand.press(*"123456", "OK")
    assert stand.board.is_open
    stand.run_water(10_000)
    stand.press("END", "END")
    stand.pass_ms(500)
    assert stand.money_kinds() == [OPENED, SETTLED]
    assert [(one.amount_fen, one.subject_kind, one.subject) for one in stand.host.records[-2:]] == [(300, 2, 9), (100, 2, 9)]


def test_a_shower_cut_in_the_middle_is_settled_by_the_boot() -> None:
    stand = ProgramStand("shower").hand_down()
    stand.put_card()
    for _ in range(7):
        stand.run_water(1_000)
    stand.boot()
    assert not stand.board.is_open
    stand.come_up()
    stand.pass_ms(5_000)
    assert not stand.board.is_open, "the card lies in the slot still, and starts nothing"
    assert stand.money_kinds() == [OPENED, SETTLED]
    settled = stand.host.records[-1]
    assert settled.amount_fen == 50
    assert unpack_settled(settled.shown) == (5_000, 0, unpack_settled(settled.shown)[2], CAUSE_BOOT)
    stand.take_card()
    stand.put_card()
    assert stand.board.is_open


def test_a_host_that_dies_in_a_shower_leaves_what_was_held() -> None:
    stand = ProgramStand("shower").hand_down()
    stand.put_card()
    stand.loses = lambda number: True
    stand.pass_ms(4_000)
    assert stand.board.is_open
    stand.run_water(26_000)
    assert stand.screen.endswith("预扣将尽请冲净")
    stand.run_water(5_000)
    assert not stand.board.is_open
    stand.loses = lambda number: False
    stand.run_until(lambda: SETTLED in stand.kinds())
    assert stand.host.records[-1].amount_fen == 300


def test_a_sale_from_the_keypad_to_the_host() -> None:
    stand = ProgramStand("pos").hand_down()
    stand.press("1", "2", "DOT", "5", "OK")
    stand.put_card()
    assert stand.money_kinds() == [SALE]
    assert stand.host.records[-1].amount_fen == 1_250
    assert stand.screen == "已付     12.50元\n\n账户    100.00元\n卡上      0.00元"
    stand.take_card()
    assert stand.money_kinds() == [SALE]


@pytest.mark.parametrize("how", ["refused", "cancelled", "no answer"])
def test_a_sale_that_does_not_come_about_closes_its_name(how: str) -> None:
    def decide(ask: Ask) -> Any:
        return grant(ask)._replace(code=codes.BALANCE_LOW, held_fen=0, lacking_fen=930) if how == "refused" else None

    stand = ProgramStand("pos", Host(decide=decide)).hand_down()
    stand.press("5", "OK")
    stand.put_card()
    if how == "cancelled":
        stand.press("END")
    if how == "no answer":
        stand.pass_ms(3_000)
    stand.pass_ms(500)
    assert stand.money_kinds() == [NOTHING]
    assert {"refused": "余额不足", "cancelled": "请输入金额", "no answer": "网络中断"}[how] in stand.screen
