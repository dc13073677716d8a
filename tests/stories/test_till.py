"""A cashier sells, a student pays."""

import pytest

from host.ledger.reports import yuan
from protocol.record import SALE
from tests.stories.street import STUDENT, STUDENT_CARD, TEACHER_CARD, Street

pytestmark = pytest.mark.xdist_group("street")


def test_amount_ok_card_paid_beep_and_both_balances(street: Street) -> None:
    """Rows: X1, P1, K1."""
    till, books = street.till, street.books
    before, had_fen, beeps = books.commit, books.account_fen(STUDENT.number), len(till.board.beeps)
    assert "应收 12.50元" in street.key_amount("12.50")
    street.put("pos", STUDENT_CARD)
    till.see_all("已付", "12.50元", "账户", f"{yuan(had_fen - 1250)}元", "卡上", "0.00元")
    till.watch(lambda: len(till.board.beeps) == beeps + 1, "one beep")

    street.wait(lambda: books.sales(before) == [1250], "the sale in the books")
    record = books.posted(SALE, after=before)[0].record
    assert (record.subject, record.purse, record.away) == (STUDENT_CARD, False, False)
    assert books.account_fen(STUDENT.number) == had_fen - 1250
    assert books.holds() == []
    assert books.prove().problems == []


def test_sum_and_quantity_keys_make_the_amount(street: Street) -> None:
    """Rows: P1."""
    before = street.books.commit
    assert "应收 8.25元" in street.key_amount("3.5x2+1.25")
    street.put("pos", STUDENT_CARD)
    street.till.see("已付")
    street.wait(lambda: street.books.sales(before) == [825], "the sale in the books")


def test_card_left_on_the_reader_does_not_pay_for_the_next(street: Street) -> None:
    """Rows: P1. One tap, one charge: the card must leave and come back, and who waves it twice is told so."""
    till, books = street.till, street.books
    before = books.commit
    street.key_amount("1.00")
    street.put("pos", STUDENT_CARD)
    till.see("已付")
    assert "请拿开卡再刷" in street.key_amount("2.00")
    street.put("pos", TEACHER_CARD)
    till.see("已付")
    till.watch(lambda: till.fen("已付") == 200, "2.00 paid by the other card")
    street.wait(lambda: len(books.sales(before)) == 2, "both sales in the books")
    cards = [posted.record.subject for posted in books.posted(SALE, after=before)]
    assert (books.sales(before), cards) == ([100, 200], [STUDENT_CARD, TEACHER_CARD])


def test_next_amount_may_be_keyed_while_paid_is_still_shown(street: Street) -> None:
    """Rows: P1. A queue does not wait."""
    till, books = street.till, street.books
    before = books.commit
    for text, card in (("4.10", STUDENT_CARD), ("4.20", TEACHER_CARD), ("4.30", STUDENT_CARD)):
        till.type(text)
        till.press("OK")
        till.see("请刷卡")
        street.put("pos", card)
        till.watch(lambda t=text: till.fen("已付") == int(t.replace(".", "")), f"{text} paid")
        street.take("pos")
    street.wait(lambda: books.sales(before) == [410, 420, 430], "all three in the books")
