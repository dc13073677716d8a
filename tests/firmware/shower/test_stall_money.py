"""firmware/shower/stall.py: what water costs, what is marked, and what happens when the money runs low."""

from firmware.drivers import beeper
from firmware.shower.stall import Stall
from firmware.terminal.actions import AskHost, Beep, Mark
from protocol import codes
from protocol.messages import ASK_EXTEND, SUBJECT_CARD
from protocol.record import SETTLED
from protocol.shown import CAUSE_ENDED, CAUSE_MONEY, unpack_settled
from tests.firmware.board_model import BoardModel
from tests.firmware.shower.showers import shower


def extensions(stall: BoardModel[Stall]) -> list[AskHost]:
    return [asked for asked in stall.did(AskHost) if asked.kind == ASK_EXTEND]


def test_water_is_charged_by_the_tariff_on_its_totals(stall: BoardModel[Stall]) -> None:
    stall.run_water(4_000, 0)
    opened = shower(stall)
    for _ in range(7):
        stall.run_water(999, 333)
    stall.pass_time(42_000)
    assert stall.screen.startswith("用水中     9.3升\n已用      1.15元\n余额    198.85元")
    stall.take_card()
    settled = stall.records[-1]
    assert (settled.kind, settled.reference, settled.subject_kind, settled.subject) == (SETTLED, opened, SUBJECT_CARD, 1)
    assert (settled.amount_fen, settled.detail) == (69 + 46, 9_324)
    assert unpack_settled(settled.shown) == (6_993, 2_331, 42, CAUSE_ENDED)


def test_a_mark_comes_every_fifty_fen(stall: BoardModel[Stall]) -> None:
    opened = shower(stall)
    for _ in range(20):
        stall.run_water(1_000)
    assert stall.did(Mark) == [Mark(opened, 5_000, 0, 50, 0), Mark(opened, 10_000, 0, 100, 0), *stall.did(Mark)[2:]]
    assert len(stall.did(Mark)) == 4


def test_marks_of_the_next_session_begin_at_nothing(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(20_000)
    stall.take_card()
    opened = shower(stall, 2)
    stall.run_water(6_000)
    assert stall.did(Mark)[-1] == Mark(opened, 6_000, 0, 60, 0)


def test_a_mark_comes_every_minute_while_water_was_used(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(1_000)
    stall.pass_time(60_000)
    stall.pass_time(60_000)
    assert [(mark.cold_ml, mark.seconds) for mark in stall.did(Mark)] == [(1_000, 60)]


def test_when_little_is_left_a_higher_total_is_asked_for_while_the_water_runs(stall: BoardModel[Stall]) -> None:
    opened = shower(stall)
    stall.run_water(24_900)
    assert extensions(stall) == []
    stall.run_water(100)
    assert extensions(stall) == [AskHost(ASK_EXTEND, SUBJECT_CARD, 1, 600, 250, b"", b"", opened)]
    stall.run_water(1_000)
    assert len(extensions(stall)) == 1
    assert stall.valve_is_open
    stall.answer(account_fen=19_400)
    assert stall.screen.startswith("用水中    26.0升\n已用      2.60元\n余额    197.40元")
    stall.run_water(29_000)
    assert extensions(stall)[-1].amount_fen == 900


def test_when_no_more_is_to_be_had_a_warning_comes_first_and_the_valve_shuts_at_the_limit(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(25_000)
    stall.answer(code=codes.BALANCE_LOW, held_fen=300, lacking_fen=100)
    assert stall.screen.endswith("预扣将尽请冲净")
    assert [beep.pattern for beep in stall.did(Beep)] == [beeper.ACCEPTED, beeper.WARNING]
    stall.run_water(4_900)
    assert stall.valve_is_open
    stall.run_water(200)
    assert not stall.valve_is_open
    settled = stall.records[-1]
    assert (settled.amount_fen, settled.detail) == (300, 30_100)
    assert unpack_settled(settled.shown)[3] == CAUSE_MONEY
    assert stall.screen == "预扣用完已停水\n用水      30.1升\n扣款      3.00元\n请取走卡片"


def test_a_refused_extension_is_asked_for_again_after_a_while(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(25_000)
    stall.answer(code=codes.BALANCE_LOW, held_fen=300)
    stall.run_water(100)
    assert len(extensions(stall)) == 1
    stall.pass_time(5_000)
    stall.run_water(100)
    assert len(extensions(stall)) == 2
    stall.answer(held_fen=600)
    assert stall.screen.endswith("确认暂停拔卡结束")


def test_at_the_maximum_of_a_session_nothing_more_is_asked(stall: BoardModel[Stall]) -> None:
    shower(stall)
    for _ in range(6):
        stall.run_water(stall.program.session.funds.held_fen * 100 - stall.cold_ml - 5_000)
        stall.answer()
    assert extensions(stall)[-1].amount_fen == 2_000
    stall.run_water(195_000 - stall.cold_ml)
    assert len(extensions(stall)) == 6
    assert stall.screen.endswith("预扣将尽请冲净")
    stall.pass_time(60_000)
    stall.run_water(5_000)
    assert stall.records[-1].amount_fen == 2_000


def test_without_a_host_water_goes_on_to_what_is_held(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(10_000)
    stall.lose_link()
    assert stall.valve_is_open
    stall.run_water(15_000)
    assert stall.screen.endswith("预扣将尽请冲净")
    stall.run_water(5_000)
    assert (stall.records[-1].kind, stall.records[-1].amount_fen, stall.records[-1].away) == (SETTLED, 300, True)


def test_a_host_that_comes_back_is_asked_at_the_next_drop(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.lose_link()
    stall.run_water(26_000)
    stall.find_link()
    stall.run_water(10)
    assert stall.pending is not None
    assert (stall.pending.kind, stall.pending.amount_fen) == (ASK_EXTEND, 600)
    stall.answer()
    assert stall.screen.endswith("确认暂停拔卡结束")


def test_a_host_lost_with_an_extension_open_warns_and_its_answer_still_counts(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.run_water(25_000)
    stall.lose_link()
    assert stall.screen.endswith("预扣将尽请冲净")
    stall.find_link()
    stall.answer(held_fen=600)
    stall.run_water(10_000)
    assert stall.valve_is_open


def test_a_total_asked_again_in_a_new_session_of_the_line_takes_nothing_away(stall: BoardModel[Stall]) -> None:
    shower(stall)
    stall.find_link()
    stall.answer(code=codes.CLOSED, held_fen=0)
    assert stall.program.session.funds.held_fen == 300
    assert not stall.program.session.funds.is_warned
