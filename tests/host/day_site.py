"""What the tests of business days share: a till that sells, and days that end."""

from collections.abc import Callable

from host import days
from host.ledger.days import days_in_order
from host.ledger.rows import Day
from protocol import record as kinds
from protocol.record import TRUST_SET, pack_key
from tests.host.site import Journal, Site

TODAY, TOMORROW = 20261124, 20261125
CUT_S = 1_795_546_800
"""2026-11-25 03:00 in Shanghai."""
DAY_S = 86_400
WIRE_S = 1_577_836_800

MakeSite = Callable[..., Site]


def sell(site: Site, till: Journal, amount_fen: int, at_s: int = 0) -> int:
    """A sale to the first holder, delivered; returns its key."""
    sequence = till.next
    clock = {"at_s": at_s - WIRE_S, "trust": TRUST_SET} if at_s else {}
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=amount_fen, **clock))
    return pack_key((till.number, till.epoch, sequence), 0)


def states(site: Site) -> list[tuple[int, str]]:
    return [(line.date, line.state) for line in days.every(site.ledger)]


def closed(site: Site, at_s: int = CUT_S) -> Day:
    """Let the open day end; returns it as it is then."""
    site.now_s = at_s
    days.close(site.ledger)
    return site.ledger.view(lambda books: days_in_order(books)[-2])


def in_table(site: Site, day: Day) -> set[int]:
    return {key for (key,) in site.execute(f"SELECT key FROM movements_{day.number}")}
