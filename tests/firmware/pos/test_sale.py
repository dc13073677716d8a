"""firmware/pos/sale.py: the cashier's day, one promise a test."""

import pytest

from firmware.drivers import beeper
from firmware.pos import states
from firmware.pos.sale import Sale
from firmware.terminal.actions import AskHost, Beep
from firmware.terminal.events import Answered, CardSeen, Key, KeypadChanged, NotWritten, Written
from protocol import codes
from protocol.messages import ASK_SALE, SUBJECT_CARD, Answer
from protocol.record import FAULT, NOTHING, SALE, Name
from tests.firmware.board_model import BoardModel


@pytest.fixture
def till() -> BoardModel[Sale]:
    return BoardModel(Sale)


def confirm(till: BoardModel[Sale], *keys: str) -> None:
    till.press(*(keys or ("1", "2", "DOT", "5")), "OK")


def pay(till: BoardModel[Sale], number: int = 1, **answer: int) -> None:
    till.put_card(number)
    till.answer(**answer)


def beeps(till: BoardModel[Sale]) -> list[object]:
    return [beep.pattern for beep in till.did(Beep)]


def test_a_card_after_ok_pays(till: BoardModel[Sale]) -> None:
    confirm(till)
    assert till.screen == "应收     12.50元\n请刷卡\n\n清除键取消"
    till.put_card(1)
    asked = till.did(AskHost)[0]
    assert asked[:6] == (ASK_SALE, SUBJECT_CARD, 1, 1250, 0, b"\x01" * 32)
    till.answer(account_fen=18_750, purse_fen=300)
    sold = till.records[-1]
    assert (sold.kind, sold.subject, sold.amount_fen, sold.shown, sold.counter) == (SALE, 1, 1250, b"\x01" * 14, 4)
    assert till.screen == "已付     12.50元\n张*雨\n账户    187.50元\n卡上      3.00元"
    assert beeps(till) == [beeper.ACCEPTED]


def test_little_money_left_beeps_twice(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till, account_fen=1_999)
    assert beeps(till) == [beeper.WARNING]


@pytest.mark.parametrize(
    ("keys", "notice"),
    [
        (["OK"], "金额为零\n请输入金额   E07"),
        (["0", "OK"], "金额为零\n请输入金额   E07"),
        (["0", "DOT", "0", "0", "OK"], "金额为零\n请输入金额   E07"),
        (["DOT", "OK"], "金额为零\n请输入金额   E07"),
        (["1", "0", "0", "OK"], "金额超限\n请重新输入   E08"),
        (["9", "9", "DOT", "9", "9", "PLUS", "DOT", "0", "1", "OK"], "金额超限\n请重新输入   E08"),
    ],
)
def test_an_amount_of_nothing_or_too_much_is_not_confirmed(till: BoardModel[Sale], keys: list[str], notice: str) -> None:
    till.press(*keys)
    assert till.program.state in (states.IDLE, states.TYPING)
    assert till.screen.endswith(notice)
    till.put_card(1)
    assert till.did(AskHost) == []


def test_the_greatest_amount_is_confirmed(till: BoardModel[Sale]) -> None:
    confirm(till, "9", "9", "DOT", "9", "9")
    assert till.program.state == states.WAITING


def test_a_notice_goes_by_itself(till: BoardModel[Sale]) -> None:
    till.press("OK")
    till.pass_time(3_000)
    assert "金额为零" not in till.screen


def test_sum_and_quantity_are_shown_as_keyed(till: BoardModel[Sale]) -> None:
    till.press("3", "PLUS", "4", "DOT", "5", "TIMES", "2")
    assert till.screen == "金额      +4.5x2\n合计     12.00元\n\n按确认键收款"
    till.press("OK")
    assert till.program.amount_fen == 1200


def test_a_refused_card_hears_why_and_the_amount_stands(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till, code=codes.BALANCE_LOW, lacking_fen=930)
    assert till.screen == "应收     12.50元\n余额不足\n差        9.30元\n清除键取消   E06"
    assert beeps(till) == [beeper.REFUSED]
    assert till.kinds() == [NOTHING]
    till.take_card()
    pay(till, 2)
    assert till.kinds() == [NOTHING, SALE]
    assert till.records[-1].subject == 2


def test_a_code_from_a_newer_host_is_a_refusal(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till, code=200)
    assert "交易被拒绝\n请到卡务中心" in till.screen


def test_a_hold_below_the_amount_is_no_approval(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till, held_fen=1249)
    assert till.program.state == states.REFUSED
    assert till.kinds() == [NOTHING]


@pytest.mark.parametrize("key", ["CLEAR", "END"])
def test_cancelled_before_a_card_nothing_is_written(till: BoardModel[Sale], key: str) -> None:
    confirm(till)
    till.press(key)
    assert till.program.state == states.IDLE
    assert till.kinds() == []


@pytest.mark.parametrize("key", ["CLEAR", "END"])
def test_cancelled_while_asking_the_name_is_closed_and_a_late_yes_is_nothing(till: BoardModel[Sale], key: str) -> None:
    confirm(till)
    till.put_card(1)
    late = till.make_answer()
    till.press(key)
    till.deliver(late)
    assert till.program.state == states.IDLE
    assert till.kinds() == [NOTHING]


def test_keys_while_a_card_is_charged_change_nothing(till: BoardModel[Sale]) -> None:
    confirm(till)
    till.put_card(1)
    till.press("9", "DOT", "PLUS", "TIMES", "OK")
    till.answer()
    assert till.records[-1].amount_fen == 1250


def test_the_card_may_go_before_the_answer(till: BoardModel[Sale]) -> None:
    confirm(till)
    till.put_card(1)
    till.take_card()
    till.answer()
    assert till.program.state == states.PAID


def test_a_card_left_lying_is_charged_once(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till)
    till.pass_time(5_000)
    confirm(till)
    assert till.program.state == states.WAITING
    assert "请拿开卡再刷" in till.screen
    till.take_card()
    pay(till)
    assert till.kinds() == [SALE, SALE]


def test_a_card_that_lies_there_before_ok_must_be_presented(till: BoardModel[Sale]) -> None:
    till.press("5")
    till.put_card(1)
    till.press("OK")
    assert till.did(AskHost) == []
    till.take_card()
    till.put_card(1)
    assert len(till.did(AskHost)) == 1


def test_the_same_card_within_three_seconds_has_just_paid(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till)
    till.take_card()
    till.put_card(1)
    assert till.screen.endswith("刚已扣款\n请拿开卡")
    assert len(beeps(till)) == 1
    till.take_card()
    confirm(till, "5")
    till.put_card(1)
    assert "刚已扣款\n请拿开卡" in till.screen
    till.take_card()
    pay(till, 2)
    assert [made.subject for made in till.records if made.kind == SALE] == [1, 2]


def test_after_three_seconds_the_same_card_may_pay_again(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till)
    till.take_card()
    till.pass_time(3_000)
    confirm(till, "5")
    pay(till)
    assert till.kinds() == [SALE, SALE]


def test_no_answer_for_three_seconds_is_given_up(till: BoardModel[Sale]) -> None:
    confirm(till)
    till.put_card(1)
    late = till.make_answer()
    till.pass_time(3_000)
    assert "网络中断\n请稍后再试" in till.screen
    till.deliver(late)
    assert till.kinds() == [NOTHING]


def test_a_host_lost_while_asking_is_given_up_at_once(till: BoardModel[Sale]) -> None:
    confirm(till)
    till.put_card(1)
    till.lose_link()
    assert till.program.state == states.REFUSED
    assert till.kinds() == [NOTHING]


def test_without_a_host_a_card_is_refused_and_nothing_is_asked(till: BoardModel[Sale]) -> None:
    till.lose_link()
    assert till.screen.endswith("脱机    暂不收款")
    confirm(till)
    assert till.screen.endswith("脱机    暂不收款")
    till.put_card(1)
    assert "网络中断\n请稍后再试" in till.screen
    assert till.kinds() == []
    till.find_link()
    assert till.pending is None


@pytest.mark.parametrize("keys", [("5",), ("5", "OK")])
def test_an_amount_left_standing_for_a_minute_is_cleared(till: BoardModel[Sale], keys: tuple[str, ...]) -> None:
    till.press(*keys)
    till.pass_time(59_800)
    assert till.program.state != states.IDLE
    till.pass_time(200)
    assert till.program.state == states.IDLE
    till.press("1")
    assert till.program.entry.total_fen == 100


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (codes.TWO_CARDS, "有多张卡\n请只放一张卡"),
        (codes.CARD_UNREADABLE, "读卡失败\n请重新放卡"),
        (codes.CARD_UNKNOWN, "未知卡\n请到卡务中心"),
        (codes.READER_FAULT, "读卡器故障\n请联系管理员"),
    ],
)
def test_what_cannot_pay_is_named(till: BoardModel[Sale], code: int, text: str) -> None:
    confirm(till)
    till.put_bad_card(code)
    assert text in till.screen
    assert beeps(till) == [beeper.REFUSED]
    till.take_card()
    pay(till)
    assert till.kinds() == [SALE]


def test_a_problem_on_the_reader_is_shown_without_an_amount_too(till: BoardModel[Sale]) -> None:
    till.put_bad_card(codes.TWO_CARDS)
    assert till.screen == "北区浴室12号\n请输入金额\n有多张卡\n请只放一张卡 E04"
    assert beeps(till) == []


def test_a_dead_reader_blocks_sales_until_it_answers_again(till: BoardModel[Sale]) -> None:
    till.put_bad_card(codes.READER_FAULT)
    till.pass_time(60_000)
    assert till.screen == "北区浴室12号\n读卡器故障\n请联系管理员 E15\n"
    assert beeps(till) == []
    confirm(till, "5")
    assert till.program.state == states.TYPING
    assert till.screen.endswith("读卡器故障\n请联系管理员 E15")
    assert beeps(till) == [beeper.REFUSED]
    till.take_card()
    till.press("OK")
    assert till.program.state == states.WAITING
    assert "请拿开卡" not in till.screen
    pay(till)
    assert till.kinds() == [SALE]


def test_a_stuck_key_is_named(till: BoardModel[Sale]) -> None:
    till.in_force.is_key_stuck = True
    till.tell(KeypadChanged())
    assert till.screen == "北区浴室12号\n请输入金额\n按键故障\n"


def test_a_card_without_an_amount_does_nothing(till: BoardModel[Sale]) -> None:
    till.put_card(1)
    assert till.program.state == states.IDLE
    assert till.did(AskHost) == []


def test_without_settings_no_amount_is_confirmed(till: BoardModel[Sale]) -> None:
    till.in_force.settings = None
    till.press("5", "OK")
    assert till.screen.endswith("设备未配置\n请联系管理员 E17")


def test_the_next_amount_begins_with_the_first_key_after_paid(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till)
    till.press("7")
    assert till.screen.startswith("金额           7\n合计      7.00元")


def test_ok_after_paid_changes_nothing_and_does_not_sound_unpaid(till: BoardModel[Sale]) -> None:
    confirm(till)
    pay(till)
    before = till.screen
    till.press("OK")
    assert till.program.state == states.PAID
    assert till.screen == before
    assert beeps(till) == [beeper.ACCEPTED]


def test_a_record_of_something_else_is_not_the_sale_waited_for() -> None:
    till = BoardModel(Sale).program
    for key in ("5", "OK"):
        till.handle(Key(key), 0)
    till.handle(CardSeen(1, 1, 0xFFFF, bytes(32), bytes(14), 4, 0), 0)
    till.handle(Answered(Answer(1, 2, ASK_SALE, 0, 500, 0, 0, 0, 0, b"")), 0)
    assert till.handle(Written(Name(100, 1, 9), FAULT), 0) == ()
    assert till.handle(NotWritten(FAULT, codes.JOURNAL_FULL), 0) == ()
    assert till.state == states.WRITING


def test_a_full_journal_refuses_before_anybody_is_asked(till: BoardModel[Sale], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(till.journal), "has_room", False)
    confirm(till)
    till.put_card(1)
    assert "存储已满\n请联系管理员" in till.screen
    assert till.kinds() == []


def test_a_sale_that_the_journal_does_not_take_is_not_paid(till: BoardModel[Sale], monkeypatch: pytest.MonkeyPatch) -> None:
    confirm(till)
    till.put_card(1)
    answer = till.make_answer()
    monkeypatch.setattr(type(till.journal), "can_append", False)
    till.deliver(answer)
    assert till.program.state == states.REFUSED
    assert "存储已满" in till.screen
    assert beeps(till) == [beeper.REFUSED]
