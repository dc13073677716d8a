"""Days after a restore: records and cuts come back in any order, the days come out the same. At random: test_days_machine.py."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import pytest

from host import days, holders, intake
from host.ledger.cuts import pack_cut
from host.ledger.days import close_by
from host.ledger.process import write_record
from host.ledger.rows import Day, Epoch
from protocol import record as kinds
from protocol.messages import State
from tests.host.collecting import Life, bring, collect
from tests.host.day_site import CUT_S, DAY_S, TODAY, TOMORROW, MakeSite, closed, sell, states
from tests.host.site import NOW_S, TILL, Journal, Site

# After a restore records and cuts come back in any order; test_days_machine.py does it at random.

JOURNALS = {(1, 1): "serve", (2, 1): "office", (TILL, 1): "till"}
"""Three journals: the till sells on three days; the office closes the first of them, `serve` the second."""


def three_days(site: Site, till: Journal) -> None:
    office = site.open()
    office.start("command")
    sell(site, till, 100, NOW_S)
    holders.recharge(office, "20260001", 1_000)
    site.now_s = CUT_S
    assert days.close(office) == [TODAY]
    sell(site, till, 200, CUT_S)
    holders.recharge(site.ledger, "20260001", 2_000)
    site.now_s = CUT_S + DAY_S
    assert days.close(site.ledger) == [TOMORROW]
    sell(site, till, 400, CUT_S + DAY_S)
    office.close()


def make_again(make_site: MakeSite) -> Site:
    """The books as they were before any of it: what a backup has."""
    site = make_site()
    site.add_holder("20260001", 20_000)
    site.add_holder("20260002", 320, "李强")
    site.add_card("20260001")
    site.add_card("20260002")
    site.add_terminals()
    site.journal(TILL)
    office = site.open()
    office.start("command")
    office.close()
    return site


@pytest.mark.parametrize("order", list(permutations(JOURNALS)), ids=lambda order: "-".join(JOURNALS[life] for life in order))
def test_the_days_come_out_the_same_in_whatever_order_journals_come_back(
    site: Site, till: Journal, make_site: MakeSite, order: tuple[Life, ...]
) -> None:
    three_days(site, till)
    dates = (TODAY, TOMORROW, 20261126)
    expected = [days.report(site.ledger, date) for date in dates]
    restored = make_again(make_site)
    restored.now_s = site.now_s
    known = Counter({(1, 1): len(collect(restored, (1, 1)))})
    for life in order:
        bring(restored, life, *collect(site, life)[known[life] :])
    assert [days.report(restored.ledger, date) for date in dates] == expected
    assert days.archive_closed(restored.ledger) == days.archive_closed(site.ledger) == ([TODAY, TOMORROW], [])
    assert digests(restored) == digests(site)
    restored.prove()


def digests(site: Site) -> list[tuple[int, int, int, bytes]]:
    return sorted((day.date, day.movement_count, day.moved_fen, day.digest) for day in site.rows(Day))


def test_a_day_waits_for_what_its_cut_covers(site: Site, till: Journal, make_site: MakeSite) -> None:
    three_days(site, till)
    restored = make_again(make_site)
    bring(restored, (2, 1), *collect(site, (2, 1)))
    assert [(line.date, line.state, line.waiting) for line in days.every(restored.ledger)] == [(TODAY, "closed", 1), (TOMORROW, "open", 0)]
    done, (reason,) = days.archive_closed(restored.ledger)
    assert (done, "101-1 has come to 0 of 1" in str(reason)) == ([], True)
    bring(restored, (TILL, 1), *collect(site, (TILL, 1))[:1])
    assert days.archive_closed(restored.ledger) == ([TODAY], [])


def test_a_lost_epoch_that_the_operator_closed_is_not_waited_for(site: Site, till: Journal, make_site: MakeSite) -> None:
    three_days(site, till)
    restored = make_again(make_site)
    bring(restored, (2, 1), *collect(site, (2, 1)))
    restored.commit(lambda books: books.change(replace(books.need(Epoch, TILL, 1), is_closed=1)))
    assert days.archive_closed(restored.ledger) == ([TODAY], [])


def test_an_archived_day_is_not_divided_by_a_cut_that_comes_after_all(site: Site, till: Journal) -> None:
    sell(site, till, 300)
    site.now_s = CUT_S + DAY_S
    days.keep(site.ledger)
    before = digests(site)
    assert not site.commit(lambda books: close_by(books, 2 << 47, NOW_S, pack_cut(TODAY - 1, [(TILL, 1, 1)])))
    assert digests(site) == before


# What is no cut, and what never comes.


def test_a_gap_counts_as_there(site: Site, till: Journal) -> None:
    sell(site, till, 300)
    till.write(kinds.SALE, subject=1, amount_fen=100)
    data = till.write(kinds.SALE, subject=1, amount_fen=200)
    intake.resume(site.ledger, TILL, State(till.epoch, 4, 3, "test", 1, []), NOW_S)
    site.take(till, data)
    closed(site)
    assert days.archive_closed(site.ledger) == ([TODAY], [])


def test_a_cut_whose_annex_is_damaged_has_no_effect_but_an_item(site: Site) -> None:
    site.commit(lambda books: write_record(books, kind=kinds.CUT, annex=b"\xc1 no cut"))
    assert states(site) == [(TODAY, "open")]
    assert site.items() == ["not_effective"]
