"""What a host that serves does by itself when a day ends."""

from host.chores import Chores
from host.ledger.rows import Restore, Wait
from tests.host.day_site import CUT_S, DAY_S
from tests.host.site import NOW_S, TILL, Journal, Site

# The chores of a host that serves.


class Log:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, what: str, **more: str) -> None:
        """As structlog's."""
        self.lines.append((what, more.get("day", "")))

    def warning(self, what: str, **more: str) -> None:
        """As structlog's."""
        self.lines.append((what, more["reason"][:8]))


def test_a_host_closes_and_archives_by_itself_and_says_so(site: Site, till: Journal) -> None:
    log = Log()
    chores = Chores(site.ledger, log)
    assert chores.wait_s(CUT_S - 40) == 30
    assert chores.wait_s(CUT_S - 7) == 7
    chores.do(site.now_s)
    assert log.lines == []
    site.now_s = CUT_S
    chores.do(site.now_s)
    assert log.lines == [("day closed", "2026-11-24"), ("day archived", "2026-11-24")]


def test_a_host_closes_what_it_missed_before_it_hears_terminals(site: Site) -> None:
    log = Log()
    site.now_s = CUT_S + DAY_S
    Chores(site.ledger, log).close_missed()
    assert log.lines == [("day closed", "2026-11-24"), ("day closed", "2026-11-25")]


def test_a_host_says_once_why_a_day_must_wait(site: Site) -> None:
    log = Log()
    chores = Chores(site.ledger, log)
    site.commit(lambda books: [books.add(Restore(1, NOW_S, NOW_S)), books.add(Wait(TILL))])
    site.now_s = CUT_S
    chores.do(site.now_s)
    chores.do(site.now_s)
    assert log.lines == [("a business day must wait", "恢复未完成 th")]
