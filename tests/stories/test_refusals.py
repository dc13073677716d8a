"""What goes wrong in front of a terminal, and what the display then says."""

import pytest

from host.ledger.reports import yuan
from protocol.record import SALE
from sim.parts.mifare import MifareClassic
from tests.stories.street import POOR, POOR_CARD, STUDENT, STUDENT_CARD, TEACHER_CARD, Street
from tests.stories.witness import Eye

pytestmark = pytest.mark.xdist_group("street")

FOREIGN_UID = bytes.fromhex("04998877")

# How long a card lies there before it is pulled away: shorter than it takes to read it, and longer than it takes to pay.
PULLED_AFTER_MS = (2, 8, 15, 22, 30, 38, 46, 55, 70, 90, 120, 160)

BAD_AMOUNTS = (("", "金额为零"), ("0.00", "金额为零"), ("50.01", "金额超限"), ("9999.99", "金额超限"))


@pytest.mark.parametrize("place", ["shower", "pos"])
def test_unknown_card_is_told_where_to_go_and_charged_nothing(street: Street, place: str) -> None:
    """Rows: S1, P1. A card as the factory makes it: the keys of this site do not open it."""
    before = street.books.commit
    visitor = street.stall if place == "shower" else street.till
    if place == "pos":
        street.key_amount("3.00")
    street.put(place, MifareClassic(FOREIGN_UID))
    visitor.see_all("未知卡", "请到卡务中心", "E01")
    assert not visitor.board.valve_open
    assert street.books.posted(after=before) == []


def test_two_cards_are_refused_and_none_is_picked(street: Street) -> None:
    """Rows: P1."""
    before = street.books.commit
    street.key_amount("3.00")
    for card in (STUDENT_CARD, TEACHER_CARD):
        street.put("pos", street.demo.cards[card])
    street.till.see_all("有多张卡", "请只放一张卡", "E04")
    assert street.books.sales(before) == []


def test_too_little_money_says_how_much_is_lacking(street: Street) -> None:
    """Rows: P1. Refused, three low beeps, nothing charged and nothing held; the amount stands for another card."""
    till, books = street.till, street.books
    before, has_fen = books.commit, books.available_fen(POOR.number)
    street.key_amount("12.50")
    street.put("pos", POOR_CARD)
    till.see_all("余额不足", "差", f"{yuan(1250 - has_fen)}元", "E06")
    street.take("pos")
    street.put("pos", STUDENT_CARD)
    till.see("已付")
    street.wait(lambda: books.sales(before) == [1250], "the sale to somebody else in the books")
    assert books.posted(SALE, after=before)[0].record.subject == STUDENT_CARD
    assert books.available_fen(POOR.number) == has_fen
    assert books.holds() == []


@pytest.mark.parametrize(("keyed", "said"), BAD_AMOUNTS)
def test_amount_of_nothing_or_too_much_is_not_confirmed(street: Street, keyed: str, said: str) -> None:
    """Rows: P1."""
    till = street.till
    till.type(keyed)
    till.press("OK")
    till.see(said)
    assert not till.shows("请刷卡")


def test_wrong_code_opens_nothing(street: Street) -> None:
    """Rows: S4."""
    stall, before = street.stall, street.books.commit
    stall.type("12")
    stall.press("OK")
    stall.see("请输入六位数字")
    stall.type("3456")
    stall.press("OK")
    stall.see_all("预约码错误", "请重新输入", "E09")
    assert not stall.board.valve_open
    assert street.books.posted(after=before) == []


def test_host_away_is_said_at_once_and_is_over_when_it_is_back(street: Street) -> None:
    """Rows: P1, S1, L3."""
    stall, till, before = street.stall, street.till, street.books.commit
    street.demo.host.stop()
    try:
        till.see("暂不收款")
        stall.see("仅限预约码")
        assert "脱机" in street.key_amount("6.60")
        for place, visitor, card in (("pos", till, STUDENT_CARD), ("shower", stall, TEACHER_CARD)):
            street.put(place, card)
            visitor.see_all("网络中断", "请稍后再试", "E12")
            street.take(place)
        assert not stall.board.valve_open
    finally:
        street.demo.host.start()
    street.come_to_rest()
    street.key_amount("6.60")
    street.put("pos", STUDENT_CARD)
    till.see("已付")
    street.wait(lambda: street.books.sales(before) == [660], "one sale in the books")


def test_shower_goes_on_while_the_host_is_away_and_is_charged_when_it_is_back(street: Street) -> None:
    """Rows: S3, L3, K1."""
    stall, books, before = street.stall, street.books, street.books.commit
    street.put("shower", STUDENT_CARD)
    stall.watch(lambda: stall.fen("已用") >= 10, "water running")
    street.demo.host.stop()
    try:
        used_fen = stall.fen("已用")
        stall.watch(lambda: stall.fen("已用") >= used_fen + 20, "water running on")
        street.take("shower")
        stall.read("扣款")
        charged_fen = stall.fen("扣款")
        assert books.settled(before) == []
    finally:
        street.demo.host.start()
    street.wait(lambda: [posted.record.amount_fen for posted in books.settled(before)] == [charged_fen], "the session in the books")
    assert books.held_fen(STUDENT.number) == 0


def test_card_pulled_away_at_any_moment_pays_once_or_not_at_all(street: Street) -> None:
    """Rows: P1, K1. What the display says was paid is what the books have."""
    till, books, before, eye = street.till, street.books, street.books.commit, Eye(street.till.board)
    for index, after_ms in enumerate(PULLED_AFTER_MS):
        street.key_amount(yuan(101 + index))
        street.put("pos", (STUDENT_CARD, TEACHER_CARD)[index % 2])
        till.pause(after_ms / 1000)
        street.take("pos")
        till.read("请刷卡", "已付", "读卡失败")
    assert eye.seen, "a card that lies there long enough has paid"
    street.wait(lambda: books.sales(before) == eye.seen, "what was shown in the books")
    street.wait(lambda: books.holds() == [], "nothing set aside any more")


def test_card_pulled_out_at_any_moment_leaves_no_water_running_and_no_money_held(street: Street) -> None:
    """Rows: S1, S3, K1."""
    stall, books, before = street.stall, street.books, street.books.commit
    shown: list[int] = []
    for after_ms in PULLED_AFTER_MS:
        street.put("shower", STUDENT_CARD)
        stall.pause(after_ms / 1000)
        street.take("shower")
        if "扣款" in stall.read("请插卡", "扣款", "读卡失败"):
            shown.append(stall.fen("扣款"))
            stall.press("1", "CLEAR")
        assert not stall.board.valve_open
        stall.see("请插卡")
    street.wait(lambda: [posted.record.amount_fen for posted in books.settled(before)] == shown, f"{shown} in the books")
    street.wait(lambda: books.holds() == [], "nothing set aside any more")
