"""firmware/shower/stall.py by reservation code: six digits, OK, and END twice."""

import pytest

from firmware.shower import states
from firmware.shower.stall import Stall
from firmware.terminal.actions import AskHost, Beep, OpenValve
from protocol import codes
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, SUBJECT_ACCOUNT, SUBJECT_CARD, SUBJECT_NONE
from protocol.record import OPENED, SETTLED, Name
from protocol.shown import CAUSE_PAUSE, unpack_settled
from tests.firmware.board_model import AT_S, BoardModel

CODE = "123456"


@pytest.fixture
def stall() -> BoardModel[Stall]:
    board = BoardModel(Stall)
    board.book(CODE)
    board.pass_time(3_000)
    return board


def start(stall: BoardModel[Stall], code: str = CODE) -> None:
    stall.press(*code, "OK")


def test_a_booked_code_and_ok_start_the_water_without_asking(stall: BoardModel[Stall]) -> None:
    stall.lose_link()
    stall.press(*CODE)
    assert stall.screen == "预约码    123456\n\n按确认键开始\n清除键重输"
    stall.press("OK")
    opened = stall.records[-1]
    assert (opened.kind, opened.subject_kind, opened.subject, opened.amount_fen) == (OPENED, SUBJECT_ACCOUNT, 9, 300)
    assert opened.reference == Name(1, 1, 123456)
    assert stall.did(AskHost) == []
    assert stall.screen == "用水中     0.0升\n已用      0.00元\n预扣      3.00元\n确认暂停双击结束"


def test_a_second_ok_within_two_seconds_does_not_pause(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.press("OK")
    stall.pass_time(1_700)
    stall.press("OK")
    assert stall.program.state == states.RUNNING
    stall.press("OK")
    assert stall.program.state == states.PAUSED
    stall.press("OK")
    assert stall.program.state == states.RUNNING


def test_end_once_only_says_so_and_twice_ends(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.run_water(10_000)
    stall.press("END")
    assert stall.valve_is_open
    assert stall.screen.endswith("再按一次结束")
    stall.press("END")
    settled = stall.records[-1]
    assert (settled.kind, settled.subject_kind, settled.subject, settled.amount_fen) == (SETTLED, SUBJECT_ACCOUNT, 9, 100)
    assert not stall.valve_is_open
    assert stall.screen == "用水结束\n用水      10.0升\n扣款      1.00元\n欢迎再来"


@pytest.mark.parametrize("between", ["wait", "OK", "5", "CLEAR"])
def test_two_ends_that_are_not_in_a_row_do_not_end(stall: BoardModel[Stall], between: str) -> None:
    start(stall)
    stall.press("END")
    if between == "wait":
        stall.pass_time(3_000)
    else:
        stall.press(between)
    stall.press("END")
    assert stall.program.state in (states.RUNNING, states.PAUSED)


def test_end_twice_ends_a_pause(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.pass_time(2_000)
    stall.press("OK", "END", "END")
    assert stall.program.state == states.SUMMARY


def test_a_third_end_leaves_the_summary_up(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.press("END", "END", "END")
    assert stall.program.state == states.SUMMARY


def test_who_walks_away_from_a_pause_is_ended(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.run_water(10_000)
    stall.pass_time(2_000)
    stall.press("OK")
    stall.pass_time(300_000)
    assert unpack_settled(stall.records[-1].shown)[3] == CAUSE_PAUSE
    assert stall.program.state == states.SUMMARY
    stall.pass_time(10_000)
    assert stall.program.state == states.IDLE


def test_a_codes_session_is_extended_on_the_account(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.run_water(25_000)
    asked = stall.did(AskHost)[-1]
    assert asked[:5] == (ASK_EXTEND, SUBJECT_ACCOUNT, 9, 600, 250)
    assert asked.name.sequence == stall.journal.next - 1
    stall.answer(account_fen=1_000)
    assert "余额     13.50元" in stall.screen


def test_fewer_than_six_digits_are_asked_for_again_and_a_seventh_is_ignored(stall: BoardModel[Stall]) -> None:
    stall.press(*"12345", "OK")
    assert stall.screen.endswith("请输入六位数字")
    stall.press("6", "7", "OK")
    assert stall.program.state == states.RUNNING


@pytest.mark.parametrize("key", ["CLEAR", "END"])
def test_a_half_keyed_code_is_forgotten(stall: BoardModel[Stall], key: str) -> None:
    stall.press("9", key)
    assert stall.program.state == states.IDLE
    start(stall)
    assert stall.program.state == states.RUNNING


def test_a_half_keyed_code_goes_by_itself(stall: BoardModel[Stall]) -> None:
    stall.press("9")
    stall.pass_time(30_000)
    assert stall.program.state == states.IDLE


def test_a_code_is_used_once_even_over_a_power_cut(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.press("END", "END")
    stall.cut_power()
    stall.boot()
    stall.pass_time(3_000)
    start(stall)
    stall.answer(code=codes.CODE_WRONG)
    assert stall.screen.startswith("预约码错误\n请重新输入")
    assert stall.kinds() == [OPENED, SETTLED]


@pytest.mark.parametrize(
    ("from_s", "until_s", "text"),
    [(AT_S + 4, AT_S + 3600, "未到预约时间"), (AT_S - 3600, AT_S + 3, "预约已过期")],
)
def test_a_booking_holds_at_its_time_only(stall: BoardModel[Stall], from_s: int, until_s: int, text: str) -> None:
    stall.book(CODE, from_s=from_s, until_s=until_s)
    start(stall)
    assert stall.screen.startswith(text)
    assert stall.did(OpenValve) == []


def test_a_booking_begins_in_its_first_second_and_in_its_last(stall: BoardModel[Stall]) -> None:
    """OK is pressed 3.6 seconds after AT_S."""
    stall.book(CODE, from_s=AT_S + 3, until_s=AT_S + 4)
    start(stall)
    assert stall.program.state == states.RUNNING


def test_without_a_clock_no_booking_begins(stall: BoardModel[Stall]) -> None:
    stall.in_force.clock.trust = 0
    start(stall)
    assert stall.screen.startswith("时间未校准")


def test_without_a_tariff_no_booking_begins(stall: BoardModel[Stall]) -> None:
    stall.in_force.tariff = None
    start(stall)
    assert stall.screen.startswith("设备未配置")


def test_an_unknown_code_is_looked_up_and_the_right_place_named(stall: BoardModel[Stall]) -> None:
    start(stall, "000000")
    assert stall.did(AskHost)[-1][:7] == (ASK_LOOKUP, SUBJECT_NONE, 0, 0, 0, b"", b"000000")
    stall.answer(code=codes.CODE_ELSEWHERE, text="南区3号".encode("gb2312"))
    assert stall.screen == "预约在别处\n请到预约的位置\n南区3号\n             E10"
    assert stall.kinds() == []


def test_a_code_that_is_on_its_way_down_is_not_wrong(stall: BoardModel[Stall]) -> None:
    for _ in range(6):
        start(stall, "000000")
        stall.answer()
        assert stall.screen.startswith("预约正在下发")


def type_wrong(stall: BoardModel[Stall]) -> None:
    start(stall, "000000")
    stall.answer(code=codes.CODE_WRONG)


def test_a_wrong_code_is_named(stall: BoardModel[Stall]) -> None:
    type_wrong(stall)
    assert stall.screen.startswith("预约码错误\n请重新输入")
    start(stall)
    assert stall.program.state == states.RUNNING


@pytest.mark.parametrize("how", ["no host", "no answer", "host lost"])
def test_an_unknown_code_without_a_host_is_not_called_wrong(stall: BoardModel[Stall], how: str) -> None:
    for _ in range(6):
        if how == "no host":
            stall.lose_link()
        start(stall, "000000")
        if how == "no answer":
            stall.pass_time(3_000)
        elif how == "host lost":
            stall.lose_link()
        assert stall.screen == "网络中断\n请稍后再试\n\n             E12"
        stall.find_link()
    start(stall)
    assert stall.program.state == states.RUNNING


def test_a_code_of_another_stall_is_not_wrong(stall: BoardModel[Stall]) -> None:
    for _ in range(6):
        start(stall, "000000")
        stall.answer(code=codes.CODE_ELSEWHERE)
        assert stall.screen.startswith("预约在别处")


def test_a_card_put_in_before_the_host_answers_does_not_hide_a_wrong_code(stall: BoardModel[Stall]) -> None:
    for _ in range(5):
        start(stall, "000000")
        stall.put_card(1)
        stall.take_card()
    start(stall)
    assert stall.screen.startswith("错误次数过多")


def test_five_wrong_codes_stop_codes_for_a_minute_but_not_cards(stall: BoardModel[Stall]) -> None:
    for _ in range(5):
        type_wrong(stall)
    assert stall.screen.startswith("错误次数过多\n请60秒后再试")
    stall.pass_time(20_000)
    start(stall)
    assert stall.screen.startswith("错误次数过多")
    stall.put_card(1)
    stall.answer()
    assert stall.program.state == states.RUNNING
    stall.take_card()
    stall.pass_time(40_000)
    start(stall)
    assert stall.program.state == states.RUNNING


def test_a_right_code_forgets_the_wrong_ones(stall: BoardModel[Stall]) -> None:
    for _ in range(4):
        type_wrong(stall)
    start(stall)
    stall.press("END", "END")
    type_wrong(stall)
    assert stall.screen.startswith("预约码错误")


def test_the_holders_own_card_ends_the_session(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.run_water(10_000)
    stall.put_card(5)
    asked = stall.did(AskHost)[-1]
    assert asked[:4] == (ASK_LOOKUP, SUBJECT_CARD, 5, 0)
    assert asked.code == CODE.encode()
    assert stall.screen.endswith("正在核对卡片")
    stall.answer()
    assert stall.records[-1].kind == SETTLED
    assert stall.screen.endswith("请取走卡片")
    assert OPENED not in [made.kind for made in stall.records[-1:]]


@pytest.mark.parametrize("link", ["up", "down", "lost"])
def test_another_card_hears_that_the_stall_is_taken_or_that_nobody_can_say(stall: BoardModel[Stall], link: str) -> None:
    start(stall)
    if link == "down":
        stall.lose_link()
    stall.put_card(5)
    if link == "up":
        stall.answer(code=codes.CODE_WRONG)
    elif link == "lost":
        stall.lose_link()
    assert stall.screen.endswith("此位使用中" if link == "up" else "网络中断双击结束")
    assert stall.valve_is_open
    stall.take_card()
    assert stall.program.state == states.RUNNING
    assert stall.kinds() == [OPENED]


def test_an_answer_about_a_card_that_has_left_ends_nothing(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.put_card(5)
    late = stall.make_answer()
    stall.take_card()
    stall.deliver(late)
    assert stall.program.state == states.RUNNING


def test_an_extension_granted_while_a_card_is_questioned_ends_nothing(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.run_water(25_000)
    stall.put_card(5)
    assert stall.pending is not None
    assert stall.pending.kind == ASK_EXTEND
    stall.answer()
    assert stall.program.state == states.RUNNING


def test_a_card_left_from_a_codes_session_starts_nothing(stall: BoardModel[Stall]) -> None:
    start(stall)
    stall.put_card(5)
    stall.answer(code=codes.CODE_WRONG)
    stall.press("END", "END")
    assert stall.screen.endswith("请取走卡片")
    stall.pass_time(60_000)
    assert stall.program.state == states.SUMMARY
    assert len(stall.did(Beep)) > 3
    stall.take_card()
    stall.pass_time(10_000)
    assert stall.program.state == states.IDLE


def test_a_card_put_in_over_a_half_keyed_code_is_asked_for(stall: BoardModel[Stall]) -> None:
    stall.press("1", "2")
    stall.put_card(1)
    stall.answer()
    assert stall.program.state == states.RUNNING
    assert not stall.program.session.is_by_code
