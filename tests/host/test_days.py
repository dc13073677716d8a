"""Business days: closed at their hour, and what belongs to which."""

import pytest

from host import days, holders, terminals
from host.errors import DayNotReady, NotFound
from host.ledger.cuts import parse_cut
from host.ledger.days import days_in_order
from host.ledger.kinds import TerminalKind
from host.ledger.process import annex_digest
from host.ledger.rows import Annex, Commit, Epoch, Fact, Restore, Terminal
from host.settings import Settings
from host.settings import Site as SiteSettings
from protocol import record as kinds
from protocol.record import decode, unpack_key
from tests.host.day_site import CUT_S, DAY_S, TODAY, TOMORROW, MakeSite, closed, in_table, sell, states
from tests.host.site import NOW_S, TILL, Journal, Site

# Closing.


def test_a_day_is_closed_at_its_hour_and_not_before(site: Site, till: Journal) -> None:
    site.now_s = CUT_S - 1
    assert days.close(site.ledger) == []
    site.now_s = CUT_S
    assert days.close(site.ledger) == [TODAY]
    assert states(site) == [(TODAY, "closed"), (TOMORROW, "open")]
    assert days.close(site.ledger) == []


def test_a_cut_names_the_high_water_of_every_terminal_and_epoch_itself_included(site: Site, till: Journal) -> None:
    sell(site, till, 300)
    day = closed(site)
    annex = site.ledger.view(lambda books: books.need(Annex, day.cut).content)
    waters = {(row.terminal, row.epoch): row.high_water for row in site.rows(Epoch) if row.high_water}
    cut = parse_cut(annex)
    assert {unpack_key(front << 35)[0][:2]: water for front, water in cut.waters.items()} == waters
    assert (cut.date, cut.covers(day.cut)) == (TODAY, True)
    record = decode(site.ledger.view(lambda books: books.need(Fact, day.cut).record))
    assert (record.kind, record.shown) == (kinds.CUT, annex_digest(annex))


def test_what_comes_after_the_cut_is_the_next_days(site: Site, till: Journal) -> None:
    before = sell(site, till, 300)
    day = closed(site)
    after = sell(site, till, 400)
    recharged = holders.recharge(site.ledger, "20260001", 500)
    assert recharged.account_fen == 20_000 - 300 - 400 + 500
    opened = site.ledger.view(lambda books: days_in_order(books)[-1])
    assert before in in_table(site, day)
    assert after in in_table(site, opened)
    assert len(in_table(site, opened)) == 2
    site.prove()


def test_each_day_that_was_missed_is_closed(site: Site, till: Journal) -> None:
    site.now_s = CUT_S + 2 * DAY_S
    assert days.close(site.ledger) == [TODAY, TOMORROW, 20261126]
    assert states(site)[-1] == (20261127, "open")


def test_a_clock_that_is_years_ahead_closes_nothing_by_itself(site: Site) -> None:
    site.now_s = CUT_S + 3 * 365 * DAY_S
    with pytest.raises(DayNotReady, match="clock of this machine"):
        days.keep(site.ledger)
    assert states(site) == [(TODAY, "open")]


def test_a_clock_that_goes_back_closes_nothing(site: Site) -> None:
    closed(site)
    site.now_s = NOW_S - 5 * DAY_S
    assert days.close(site.ledger) == []
    with pytest.raises(DayNotReady, match="has not begun"):
        days.close(site.ledger, early=True)


def test_a_person_may_close_a_day_before_its_hour_and_no_day_in_advance(site: Site, till: Journal) -> None:
    assert days.close(site.ledger, early=True) == [TODAY]
    with pytest.raises(DayNotReady, match="has not begun"):
        days.close(site.ledger, early=True)
    site.now_s = CUT_S
    assert days.close(site.ledger) == []
    site.now_s = CUT_S + DAY_S
    assert days.close(site.ledger) == [TOMORROW]


def test_no_day_is_closed_while_a_restored_ledger_waits(site: Site) -> None:
    site.commit(lambda books: books.add(Restore(1, NOW_S, NOW_S)))
    site.now_s = CUT_S
    with pytest.raises(DayNotReady, match="restored ledger"):
        days.close(site.ledger)


def test_two_processes_close_a_day_once(site: Site, till: Journal) -> None:
    other = site.open()
    other.start("command")
    site.now_s = CUT_S
    assert days.close(site.ledger) + days.close(other) == [TODAY]
    other.close()


@pytest.mark.parametrize(
    ("zone", "cut", "date", "hours"),
    [
        ("Asia/Shanghai", "03:00", 20261124, 24),
        ("Asia/Shanghai", "03:00", 20261231, 24),
        ("Asia/Shanghai", "03:00", 20280228, 24),
        ("Asia/Shanghai", "03:00", 20280229, 24),
        ("Asia/Shanghai", "00:00", 20261231, 24),
        ("Europe/Berlin", "03:00", 20260328, 23),
        ("Europe/Berlin", "02:30", 20260328, 24),
        ("Europe/Berlin", "02:30", 20260329, 23),
        ("Europe/Berlin", "03:00", 20261024, 25),
        ("Europe/Berlin", "02:30", 20261024, 24),
        ("Europe/Berlin", "02:30", 20261025, 25),
        ("America/New_York", "01:30", 20261031, 24),
        ("America/New_York", "01:30", 20261101, 25),
    ],
)
@pytest.mark.stores("sqlite")
def test_a_day_ends_where_the_next_begins_whatever_the_clocks_do(make_site: MakeSite, zone: str, cut: str, date: int, hours: int) -> None:
    settings = SiteSettings(timezone=zone, day_cut=cut)
    begins_s = settings.day_begins_s(date)
    ends_s = begins_s + hours * 3_600
    seen = [settings.business_day(at_s) for at_s in (begins_s - 1, begins_s, ends_s - 1, ends_s)]
    assert (seen[0] < date, seen[1:3], seen[3] > date) == (True, [date, date], True)
    site = make_site(Settings(site=settings))
    site.now_s = begins_s
    site.add_holder("20260001", 100)
    assert days.next_cut_s(site.ledger) == ends_s
    site.now_s = ends_s - 1
    assert days.close(site.ledger) == []
    site.now_s = ends_s
    assert days.close(site.ledger) == [date]
    assert days.every(site.ledger)[-1].date == seen[3]


def test_the_days_of_two_years_follow_each_other_without_a_hole() -> None:
    for zone, cut in (("Asia/Shanghai", "03:00"), ("Europe/Berlin", "02:30"), ("America/Havana", "00:30"), ("Pacific/Apia", "03:00")):
        settings = SiteSettings(timezone=zone, day_cut=cut)
        seen = [settings.business_day(at_s) for at_s in range(NOW_S, NOW_S + 2 * 366 * DAY_S, 1_800)]
        assert seen == sorted(seen)
        assert len(set(seen)) in (733, 732)


# What belongs to which day.


def test_a_late_record_belongs_to_the_later_day_and_shows_where_it_is_from(site: Site, till: Journal) -> None:
    sell(site, till, 300, NOW_S)
    closed(site)
    sell(site, till, 400, NOW_S + 60)
    sell(site, till, 500, CUT_S + 60)
    sell(site, till, 600)
    report = days.report(site.ledger, TOMORROW)
    (merchant,) = report.merchants.values()
    assert (merchant.all.gross_fen, merchant.all.count) == (1_500, 3)
    assert {date: takings.gross_fen for date, takings in merchant.late.items()} == {TODAY: 400}


def test_a_void_is_money_back_of_the_day_it_came_in(site: Site, till: Journal) -> None:
    sell(site, till, 300, NOW_S)
    closed(site)
    site.take(till, till.write(kinds.VOID, subject=1, amount_fen=300, reference=till.name(1)))
    first, second = (next(iter(days.report(site.ledger, date).merchants.values())).all for date in (TODAY, TOMORROW))
    assert (first.gross_fen, first.back_fen, first.net_fen) == (300, 0, 300)
    assert (second.gross_fen, second.back_fen, second.net_fen, second.back_count) == (0, 300, -300, 1)


def test_a_merchants_terminals_add_up_to_the_merchant(site: Site, till: Journal) -> None:
    second = Journal(TILL + 2)
    terminals.add(site.ledger, second.number, TerminalKind.POS, "第一食堂 04 窗口", line=1)
    site.shake_hands(second)
    sell(site, till, 300)
    sell(site, till, 20)
    sell(site, second, 400)
    (merchant,) = days.report(site.ledger, TODAY).merchants.values()
    assert {number: (takings.count, takings.net_fen) for number, takings in merchant.terminals.items()} == {
        TILL: (2, 320),
        second.number: (1, 400),
    }
    assert (merchant.all.count, merchant.all.net_fen) == (3, 720)


def test_the_report_is_the_same_whenever_it_is_asked_for(site: Site, till: Journal) -> None:
    sell(site, till, 300, NOW_S)
    day = closed(site)
    at_once = days.report(site.ledger, TODAY)
    sell(site, till, 400, NOW_S)
    days.archive_closed(site.ledger)
    later = days.report(site.ledger, TODAY)
    at_once.state = "archived"
    assert (day.date, later) == (TODAY, at_once)


def test_the_accounts_of_a_day_change_by_nothing_together(site: Site, till: Journal) -> None:
    sell(site, till, 300)
    report = days.report(site.ledger, TODAY)
    assert report.changes == {"cash": -20_320, "holder": 20_020, "merchant": 300}
    assert {kind: (line.count, line.moved_fen) for kind, line in report.kinds.items()} == {"recharge": (2, 20_320), "sale": (1, 300)}


def test_a_day_that_never_was_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound, match="2026-11-30"):
        days.report(site.ledger, 20261130)


def test_a_cut_is_a_link_of_the_chain_like_any_record(site: Site) -> None:
    day = closed(site)
    newest = max(site.rows(Commit), key=lambda commit: commit.number)
    assert (newest.first_key, newest.last_key) == (day.cut, day.cut)
    assert any(row.number == 1 for row in site.rows(Terminal))
