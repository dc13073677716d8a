"""Clocks that jump and calendars that bend: nothing in the books hangs on a time being right (ROBUSTNESS, db 7)."""

from datetime import UTC, datetime

import pytest

from host import holders
from host.ledger.clock import from_wire, to_wire
from host.ledger.rows import Commit
from host.settings import Site as Campus
from protocol import record as kinds
from tests.host.site import NOW_S, TILL, Site

DAY_S = 86_400
STEP_S = 600


def unix(text: str) -> int:
    """The Unix seconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


BUSINESS_DAYS = {
    "a minute before the cut it is still yesterday": ("Asia/Shanghai", "03:00", "2026-11-23T18:59:59", 20261123),
    "at the cut the day begins": ("Asia/Shanghai", "03:00", "2026-11-23T19:00:00", 20261124),
    "New Year's night belongs to the old year": ("Asia/Shanghai", "03:00", "2026-12-31T18:59:59", 20261231),
    "and ends with it": ("Asia/Shanghai", "03:00", "2026-12-31T19:00:00", 20270101),
    "a leap day is a day": ("Asia/Shanghai", "03:00", "2028-02-29T04:00:00", 20280229),
    "whose night reaches into March": ("Asia/Shanghai", "03:00", "2028-02-29T18:59:59", 20280229),
    "no leap day in a common year": ("Asia/Shanghai", "03:00", "2027-02-28T19:00:00", 20270301),
    "nor in 2100": ("Asia/Shanghai", "03:00", "2100-02-28T19:00:00", 21000301),
    "a cut at midnight": ("Asia/Shanghai", "00:00", "2026-11-23T16:00:00", 20261124),
    "the last second of the wire's clock": ("Asia/Shanghai", "03:00", "2156-02-07T06:28:15", 21560207),
    "the hour that does not exist": ("Europe/Berlin", "02:30", "2026-03-29T01:30:00", 20260329),
    "the hour that comes twice, first": ("Europe/Berlin", "02:30", "2026-10-25T00:30:00", 20261025),
    "the hour that comes twice, again": ("Europe/Berlin", "02:30", "2026-10-25T01:10:00", 20261025),
}


@pytest.mark.parametrize("case", BUSINESS_DAYS)
def test_the_business_day_of_a_time(case: str) -> None:
    timezone, day_cut, at, day = BUSINESS_DAYS[case]
    assert Campus(timezone=timezone, day_cut=day_cut).business_day(unix(at)) == day


@pytest.mark.parametrize("day_cut", ["00:00", "01:30", "02:00", "02:30", "03:00", "23:59"])
@pytest.mark.parametrize(
    ("timezone", "first"),
    [
        ("Europe/Berlin", "2026-03-27T00:00:00"),
        ("Europe/Berlin", "2026-10-23T00:00:00"),
        ("America/New_York", "2026-03-06T00:00:00"),
        ("America/New_York", "2026-10-30T00:00:00"),
        ("Australia/Lord_Howe", "2026-04-03T00:00:00"),
        ("Asia/Shanghai", "2026-12-30T00:00:00"),
        ("Asia/Shanghai", "2028-02-27T00:00:00"),
    ],
)
def test_days_follow_one_another_whatever_the_clock_on_the_wall_does(timezone: str, first: str, day_cut: str) -> None:
    """Never back, never one left out, and each lasts 23 to 25 hours."""
    campus = Campus(timezone=timezone, day_cut=day_cut)
    times = range(unix(first), unix(first) + 5 * DAY_S, STEP_S)
    days = [campus.business_day(at_s) for at_s in times]
    assert days == sorted(days)
    lengths = [days.count(day) * STEP_S for day in sorted(set(days))[1:-1]]
    assert lengths
    assert all(DAY_S - 3_600 <= length <= DAY_S + 3_600 for length in lengths)


@pytest.mark.parametrize(
    "at_s", [0, 1, unix("2019-12-31T23:59:59"), unix("2020-01-01T00:00:00"), 2**31, 2**32, unix("2200-01-01T00:00:00")]
)
def test_any_time_fits_the_wire_and_what_fits_comes_back(at_s: int) -> None:
    wire = to_wire(at_s)
    assert 0 <= wire <= 0xFFFF_FFFF
    assert from_wire(wire) == at_s or at_s < from_wire(0) or at_s > from_wire(0xFFFF_FFFF)


def test_a_host_whose_clock_goes_back_posts_in_the_order_of_names(site: Site) -> None:
    """A year back, 1970, 2106, and on again: order is by name and commit, so the books are right and nothing is lost."""
    till = site.journal(TILL)
    times = [NOW_S, NOW_S - 366 * DAY_S, 0, 2**32 + 5, NOW_S - 1, NOW_S]
    for now_s in times:
        site.now_s = now_s
        holders.recharge(site.ledger, "20260001", 7)
        site.take(till, till.write(kinds.SALE, subject=1, amount_fen=5, at_s=to_wire(now_s)))
    assert site.account(100).balance_fen == 20_000 + len(times) * 2
    assert {row.at_s for row in site.rows(Commit)} >= set(times[:2])
    site.prove()


def test_a_record_of_any_time_counts_the_same(site: Site) -> None:
    """A till's clock is its own trouble: wild times are kept as they are, and its money is right."""
    till = site.journal(TILL)
    for at_s in (0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, to_wire(NOW_S)):
        site.take(till, till.write(kinds.SALE, subject=1, amount_fen=5, at_s=at_s, trust=at_s % 3))
    assert site.account(100).balance_fen == 20_000 - 25
    site.prove()
