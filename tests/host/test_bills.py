"""The bill of a holder, and tables as a spreadsheet opens them; test_days_machine.py compares bills with a naive model."""

import csv
import io

import pytest

from host import bills, days, holders
from host.errors import InvalidValue, NotFound
from host.exports import BYTE_ORDER_MARK, to_csv
from host.ledger import bills as bill_rows
from host.ledger.bills import Wish
from protocol import record as kinds
from tests.host.site import TILL, Journal, Site

TODAY, CUT_S, DAY_S = 20261124, 1_795_546_800, 86_400


@pytest.fixture
def till(site: Site) -> Journal:
    """A till with its first epoch."""
    return site.journal(TILL)


def amounts(site: Site, wish: Wish | None = None) -> list[int]:
    return [line.change_fen for line in bills.page(site.ledger, "20260001", wish)[1]]


def test_a_bill_has_what_came_in_and_what_went_out_newest_first(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=300))
    site.now_s += 60
    holders.recharge(site.ledger, "20260001", 500)
    holder, lines = bills.page(site.ledger, "20260001")
    assert holder.name == "张小雨"
    assert [(line.kind, line.change_fen) for line in lines] == [("recharge", 500), ("recharge", 20_000), ("sale", -300)]
    assert {line.date for line in lines} == {TODAY}


def test_a_bill_has_nobody_elses_movements(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=300))
    assert amounts(site) == [20_000]


def test_a_load_changes_nothing_and_is_shown(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.LOAD, subject=1, amount_fen=700))
    (line,) = [line for line in bills.page(site.ledger, "20260001")[1] if line.kind == "load"]
    assert (line.amount_fen, line.change_fen) == (700, 0)


def test_the_schools_part_of_a_sale_is_not_the_holders(site: Site, till: Journal) -> None:
    """李强 has 3.20; a sale of 5.00 that was shown is the school's loss for the rest."""
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=500))
    _, lines = bills.page(site.ledger, "20260002")
    assert [(line.kind, line.change_fen) for line in lines if line.kind == "sale"] == [("sale", -320)]


def test_a_bill_goes_on_where_the_page_ended_though_a_day_was_archived_between(site: Site, till: Journal) -> None:
    for turn in range(3):
        for amount_fen in range(1, 6):
            site.take(till, till.write(kinds.SALE, subject=1, amount_fen=turn * 10 + amount_fen))
        site.now_s = CUT_S + turn * DAY_S
        days.close(site.ledger)
    whole = amounts(site)
    _, first = bills.page(site.ledger, "20260001", limit=7)
    days.archive_closed(site.ledger)
    _, rest = bills.page(site.ledger, "20260001", after=first[-1].cursor)
    assert [line.change_fen for line in (*first, *rest)] == whole
    assert amounts(site) == whole


def test_a_bill_of_more_days_than_one_statement_looks_up(site: Site, till: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill_rows, "_DAY_COUNT", 2)
    for turn in range(5):
        site.take(till, till.write(kinds.SALE, subject=1, amount_fen=turn + 1))
        site.now_s = CUT_S + turn * DAY_S
        days.keep(site.ledger)
    assert amounts(site) == [-5, -4, -3, -2, 20_000, -1]


def test_a_bill_may_be_of_some_days_and_some_kinds(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1))
    site.now_s = CUT_S
    days.keep(site.ledger)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=2))
    holders.recharge(site.ledger, "20260001", 3)
    assert amounts(site, Wish(from_date=TODAY + 1)) == [3, -2]
    assert amounts(site, Wish(to_date=TODAY)) == [20_000, -1]
    assert amounts(site, Wish(kinds=frozenset(("sale",)))) == [-2, -1]
    assert amounts(site, Wish(TODAY + 1, TODAY + 1, frozenset(("recharge",)))) == [3]


def test_what_makes_no_bill_is_said(site: Site) -> None:
    with pytest.raises(NotFound, match="holder 99999999"):
        bills.page(site.ledger, "99999999")
    with pytest.raises(InvalidValue, match="kind sail"):
        bills.page(site.ledger, "20260001", Wish(kinds=frozenset(("sail",))))
    with pytest.raises(InvalidValue, match="2026-11-25 to 2026-11-24"):
        bills.page(site.ledger, "20260001", Wish(TODAY + 1, TODAY))


def test_an_exported_bill_is_read_back_as_it_was_shown(site: Site, till: Journal) -> None:
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=300))
    text = bills.export(site.ledger, "20260001", Wish()).decode()
    assert text.startswith(BYTE_ORDER_MARK)
    rows = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert tuple(rows[0]) == bills.HEADS
    assert rows[2] == ["2026-11-24", "", "sale", "第一食堂", "-3.00", "3.00", "", "101-1-1"]


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=cmd|' /C calc'!A0"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(to_csv(("head",), [(text,)]).decode()[1:], newline=""))
    assert cell == "'" + text


@pytest.mark.parametrize("value", ["-3.00", 7, -7, "张小雨", "a,b", 'a"b', "two\nlines", "", "𠮷"])
def test_every_other_cell_is_read_back_as_it_was(value: object) -> None:
    (_, (cell, _)) = csv.reader(io.StringIO(to_csv(("head", "more"), [(value, "x")]).decode()[1:], newline=""))
    assert cell == str(value)
