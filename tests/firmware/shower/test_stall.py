"""firmware/shower/stall.py by card: from the slot to the summary, one promise a test."""

from typing import Any

import pytest

from firmware.drivers import beeper
from firmware.shower import states
from firmware.shower.stall import Stall
from firmware.terminal.actions import AskHost, Beep, OpenValve, ShutValve, Write
from firmware.terminal.events import KeypadChanged, NotWritten, Written
from protocol import codes
from protocol.messages import ASK_SHOWER, SUBJECT_CARD
from protocol.record import FAULT, NOTHING, OPENED, SETTLED, Name
from protocol.shown import CAUSE_PAUSE, unpack_settled
from tests.firmware.board_model import TERMINAL, BoardModel, ask_kinds
from tests.firmware.shower.showers import shower


def test_a_card_in_the_slot_starts_the_water_behind_a_durable_opened(stall: BoardModel[Stall]) -> None:
    assert stall.screen == "北区浴室12号\n请插卡\n或输入预约码\n"
    stall.put_card(1)
    assert stall.did(AskHost)[0][:6] == (ASK_SHOWER, SUBJECT_CARD, 1, 300, 0, b"\x01" * 32)
    assert not stall.valve_is_open
    stall.answer(account_fen=19_700)
    kinds: list[type[Any]] = [type(action) for action in stall.done]
    assert kinds.index(Write) < kinds.index(OpenValve)
    opened = stall.records[-1]
    assert (opened.kind, opened.subject, opened.amount_fen, opened.shown, opened.tariff) == (OPENED, 1, 300, b"\x01" * 14, 3)
    assert stall.valve_is_open
    assert stall.screen == "用水中     0.0升\n已用      0.00元\n余额    200.00元\n确认暂停拔卡结束"


def test_the_valve_shuts_before_anything_is_written_when_the_card_goes(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.done.clear()
    stall.take_card()
    assert [type(action) for action in stall.done] == [ShutValve, Write, Beep]
    assert stall.program.state == states.SUMMARY


def test_the_summary_says_what_was_used_and_goes(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(10_000)
    stall.take_card()
    assert stall.screen == "用水结束\n用水      10.0升\n扣款      1.00元\n余额    199.00元"
    stall.pass_time(10_000)
    assert stall.program.state == states.IDLE


def test_a_dry_session_costs_nothing(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.take_card()
    assert stall.records[-1].amount_fen == 0


def test_ok_pauses_and_resumes_and_a_pause_costs_nothing(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(10_000)
    stall.press("OK")
    assert not stall.valve_is_open
    stall.run_water(500)
    assert stall.screen.startswith("已暂停    10.0升\n已用      1.00元")
    stall.press("OK")
    assert stall.valve_is_open
    stall.run_water(1_000)
    stall.take_card()
    assert stall.records[-1].detail == 11_000


def test_a_pause_of_five_minutes_ends_the_session_and_reminds_of_the_card(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(10_000)
    stall.press("OK")
    stall.pass_time(299_000)
    assert stall.program.state == states.PAUSED
    stall.pass_time(1_000)
    assert stall.screen == "超时已结束\n用水      10.0升\n扣款      1.00元\n请取走卡片"
    assert unpack_settled(stall.records[-1].shown)[3] == CAUSE_PAUSE
    stall.done.clear()
    stall.pass_time(25_000)
    assert [beep.pattern for beep in stall.did(Beep)] == [beeper.REMINDER] * 2
    stall.take_card()
    stall.pass_time(10_000)
    assert stall.program.state == states.IDLE


def test_an_open_valve_without_flow_for_five_minutes_ends_the_session(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.pass_time(299_000)
    stall.run_water(1_000)
    stall.pass_time(299_000)
    assert stall.program.state == states.RUNNING
    stall.pass_time(2_000)
    assert stall.program.state == states.SUMMARY
    assert not stall.valve_is_open


@pytest.mark.parametrize(
    ("code", "fields", "text"),
    [
        (codes.BALANCE_LOW, {"lacking_fen": 120}, "余额不足\n请先充值\n差        1.20元\n请取走卡片   E06"),
        (codes.CARD_DENIED, {}, "此卡已停用\n请到卡务中心\n\n请取走卡片   E02"),
        (codes.CARD_EXPIRED, {}, "此卡已过期\n请到卡务中心\n\n请取走卡片   E05"),
        (codes.BUSY, {"text": "南区3号".encode("gb2312")}, "您在别处洗浴中\n请先结束那一次\n南区3号\n请取走卡片   E14"),
        (250, {}, "交易被拒绝\n请到卡务中心\n\n请取走卡片  E250"),
    ],
)
def test_a_refused_card_hears_why_and_what_to_do(stall: BoardModel[Stall], code: int, fields: dict[str, int], text: str) -> None:
    stall.put_card(1)
    stall.answer(code=code, **fields)
    assert stall.screen == text
    assert stall.kinds() == [NOTHING]
    assert not stall.valve_is_open
    assert [beep.pattern for beep in stall.did(Beep)] == [beeper.REFUSED]


def test_an_approval_of_nothing_opens_nothing(stall: BoardModel[Stall]) -> None:
    stall.put_card(1)
    stall.answer(held_fen=0)
    assert stall.program.state == states.REFUSED
    assert stall.kinds() == [NOTHING]


def test_a_refused_card_that_stays_is_reminded_of(stall: BoardModel[Stall]) -> None:
    stall.put_card(1)
    stall.answer(code=codes.BALANCE_LOW)
    stall.pass_time(10_000)
    assert stall.did(Beep)[-1].pattern == beeper.REMINDER
    stall.take_card()
    assert "余额不足" in stall.screen
    stall.pass_time(10_000)
    assert stall.program.state == states.IDLE


def test_without_a_host_nothing_is_asked_and_the_card_hears_so(stall: BoardModel[Stall]) -> None:
    stall.lose_link()
    assert stall.screen.endswith("脱机  仅限预约码")
    stall.put_card(1)
    assert stall.screen.startswith("网络中断\n请稍后再试")
    assert stall.kinds() == []
    stall.find_link()
    assert stall.pending is None


def test_a_card_that_leaves_before_the_answer_closes_the_name_and_a_late_yes_is_nothing(stall: BoardModel[Stall]) -> None:
    stall.put_card(1)
    late = stall.make_answer()
    stall.take_card()
    stall.deliver(late)
    assert stall.kinds() == [NOTHING]
    assert stall.program.state == states.IDLE
    assert not stall.valve_is_open


def test_no_answer_for_three_seconds_is_given_up(stall: BoardModel[Stall]) -> None:
    stall.put_card(1)
    late = stall.make_answer()
    stall.pass_time(3_000)
    stall.deliver(late)
    assert stall.screen.startswith("网络中断")
    assert stall.kinds() == [NOTHING]


def test_the_next_card_starts_while_the_summary_still_stands(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.take_card()
    stall.put_card(2)
    stall.answer()
    assert [made.subject for made in stall.records if made.kind == OPENED] == [1, 2]


def test_end_in_a_cards_session_says_how_it_ends(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.press("END", "END")
    assert stall.program.state == states.RUNNING
    assert stall.screen.endswith("拔卡即可结束")
    stall.pass_time(3_000)
    assert stall.screen.endswith("确认暂停拔卡结束")


def test_digits_and_clear_change_nothing_in_a_session(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.press("1", "CLEAR", "DOT", "PLUS", "TIMES")
    assert stall.program.state == states.RUNNING


def test_another_card_without_the_first_ones_leaving_ends_the_session(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.put_card(2)
    assert stall.program.state == states.SUMMARY
    assert stall.records[-1].subject == 1


@pytest.mark.parametrize(
    ("code", "text"),
    [(codes.TWO_CARDS, "有多张卡\n请只放一张卡"), (codes.CARD_UNKNOWN, "未知卡\n请到卡务中心")],
)
def test_what_cannot_pay_is_named(stall: BoardModel[Stall], code: int, text: str) -> None:
    stall.put_bad_card(code)
    assert stall.screen.startswith(text)
    assert stall.did(AskHost) == []


def test_a_dead_reader_is_named_and_is_no_forgotten_card(stall: BoardModel[Stall]) -> None:
    stall.book("123456")
    stall.put_bad_card(codes.READER_FAULT)
    stall.pass_time(60_000)
    assert stall.screen == "北区浴室12号\n读卡器故障\n请联系管理员 E15\n仅限预约码"
    assert stall.did(Beep) == []
    stall.press(*"123456", "OK", "END", "END")
    assert stall.kinds() == [OPENED, SETTLED], "codes are taken still"
    assert "请取走卡片" not in stall.screen
    stall.pass_time(10_000)
    stall.take_card()
    assert stall.screen == "北区浴室12号\n请插卡\n或输入预约码\n"


def test_a_stuck_key_is_named(stall: BoardModel[Stall]) -> None:
    stall.in_force.is_key_stuck = True
    stall.tell(KeypadChanged())
    assert stall.screen == "北区浴室12号\n请插卡\n按键故障\n"
    stall.put_bad_card(codes.READER_FAULT)
    assert stall.screen.endswith("按键故障")
    stall.lose_link()
    assert stall.screen.endswith("脱机    按键故障")


def test_without_a_tariff_nothing_is_asked(stall: BoardModel[Stall]) -> None:
    stall.in_force.tariff = None
    stall.put_card(1)
    assert stall.screen.startswith("设备未配置")
    assert ask_kinds(stall) == []


def test_a_card_that_power_on_finds_in_the_slot_starts_nothing() -> None:
    stall = BoardModel(Stall)
    stall.put_card(1)
    assert stall.screen.startswith("设备刚启动\n请取出卡再放入")
    stall.pass_time(5_000)
    assert stall.did(AskHost) == []
    stall.take_card()
    shower(stall)


@pytest.mark.parametrize("event", [NotWritten(FAULT, codes.JOURNAL_FULL), Written(Name(TERMINAL, 1, 9), FAULT)])
def test_what_became_of_another_record_changes_no_session(stall: BoardModel[Stall], event: Any) -> None:
    shower(stall)
    stall.tell(event)
    assert stall.program.state == states.RUNNING
    assert stall.valve_is_open


def test_a_record_of_something_else_is_not_the_settled_waited_for(stall: BoardModel[Stall], monkeypatch: pytest.MonkeyPatch) -> None:
    shower(stall)
    with monkeypatch.context() as patch:
        patch.setattr(type(stall.journal), "can_append", False)
        stall.take_card()
    stall.done.clear()
    stall.tell(Written(Name(TERMINAL, 1, 9), FAULT))
    stall.tell(Written(Name(TERMINAL, 1, 9), OPENED))
    stall.tell(NotWritten(FAULT, codes.JOURNAL_FULL))
    assert stall.program.state == states.SETTLING
    assert stall.done == []


def test_a_full_journal_opens_nothing(stall: BoardModel[Stall], monkeypatch: pytest.MonkeyPatch) -> None:
    stall.put_card(1)
    answer = stall.make_answer()
    monkeypatch.setattr(type(stall.journal), "can_append", False)
    stall.deliver(answer)
    assert stall.program.state == states.REFUSED
    assert not stall.valve_is_open


def test_settled_waits_for_room_with_the_valve_shut(stall: BoardModel[Stall], monkeypatch: pytest.MonkeyPatch) -> None:
    shower(stall)
    stall.run_water(10_000)
    with monkeypatch.context() as patch:
        patch.setattr(type(stall.journal), "can_append", False)
        stall.take_card()
        stall.pass_time(5_000)
        assert stall.program.state == states.SETTLING
        assert not stall.valve_is_open
    stall.pass_time(1_000)
    assert stall.program.state == states.SUMMARY
    assert stall.kinds() == [OPENED, SETTLED]
    assert stall.records[-1].amount_fen == 100
