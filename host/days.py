"""Closing business days, archiving them, and what they came to.

`serve` calls `keep` at the cut hour; the commands of `onecard day` call the same functions.
"""

from dataclasses import dataclass

from host.errors import DayNotReady, NotFound
from host.ledger.archive import archive, prove
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.clock import day_text, next_day
from host.ledger.contract import Ledger
from host.ledger.cuts import pack_cut
from host.ledger.day_report import DayReport, report_on
from host.ledger.days import date_of, days_in_order, lacks, open_day, waters
from host.ledger.process import FACE_CLOCK, FACE_OFFICE, write_record
from host.ledger.reports import name_text
from host.ledger.rows import Day, Restore
from protocol import record as kinds

MISSED_DAY_COUNT = 62
"""Days that a host closes by itself when it was away: a summer's holiday. More is a clock that is wrong, more often than not."""


@dataclass(frozen=True, slots=True)
class DayLine:
    """A business day and how far it is: open, closed (`waiting`: for the records of so many epochs) or archived."""

    date: int
    state: str
    opened_s: int
    closed_s: int
    archived_s: int
    movement_count: int
    moved_fen: int
    waiting: int = 0


def every(ledger: Ledger) -> list[DayLine]:
    """All business days, the open one last. What moved is known of archived days."""
    return ledger.view(lambda books: [_line(books, day) for day in days_in_order(books)])


def close(ledger: Ledger, *, early: bool = False, limit: int = 0) -> list[int]:
    """Close every day that is over, and with `early` the one that is not; returns their business days.

    `limit`: the most that may be over, 0 for any number. Raises `DayNotReady` while a restored ledger waits, when
    more are over than `limit`, and with `early` when the open day has not begun; `LedgerAway`.
    """
    if limit and (over := ledger.view(_over_count)) > limit:
        raise DayNotReady(f"{over} 天未结 days are over and not closed: if the clock of this machine is right, run `onecard day close`")
    closed: list[int] = []
    while (date := ledger.commit(lambda books: _close(books, early=False))) is not None:
        closed.append(date)
    if early and (date := ledger.commit(lambda books: _close(books, early=True))) is not None:
        closed.append(date)
    return closed


def archive_closed(ledger: Ledger) -> tuple[list[int], list[DayNotReady]]:
    """Archive every closed day that is whole; returns their business days, and why others must wait. Raises `LedgerAway`."""
    done: list[int] = []
    waiting: list[DayNotReady] = []
    for day in ledger.view(_closed):
        try:
            _archive(ledger, day)
            done.append(day.date)
        except DayNotReady as error:
            waiting.append(error)
    return done, waiting


def archive_one(ledger: Ledger, date: int) -> None:
    """Archive a closed day. Raises `NotFound`, `DayNotReady`, `LedgerAway`."""
    for day in ledger.view(lambda books: _days_of(books, date)):
        _archive(ledger, day)


def report(ledger: Ledger, date: int = 0) -> DayReport:
    """What a business day came to; 0: the last that was closed, or the open one where none was. Raises `NotFound`."""
    return ledger.view(lambda books: report_on(books, date or last_closed(books), _days_of(books, date or last_closed(books))))


def last_closed(books: Books) -> int:
    """The last business day that was closed; before the first, the open one."""
    days = days_in_order(books)
    return date_of(books, days[-2] if len(days) > 1 else days[-1])


def keep(ledger: Ledger) -> tuple[list[int], list[int], list[DayNotReady]]:
    """Close what is over and archive what is whole: the chore of a host that serves. Returns both, and why others must wait.

    Raises `DayNotReady` when nothing may be closed just now, `LedgerAway`.
    """
    closed = close(ledger, limit=MISSED_DAY_COUNT)
    return closed, *archive_closed(ledger)


def next_cut_s(ledger: Ledger) -> int:
    """When the open day is over, in Unix seconds."""
    return ledger.view(lambda books: books.settings.site.day_begins_s(next_day(date_of(books, open_day(books)))))


def _close(books: Books, *, early: bool) -> int | None:
    """Close the open day if it is over; its business day, or None."""
    if books.first(Restore, ended_s=0) is not None:
        raise DayNotReady("恢复未完成 the restored ledger still waits for its terminals: no day is closed before that has ended")
    day = open_day(books)
    date, today = date_of(books, day), books.settings.site.business_day(books.now_s)
    if early and date > today:
        raise DayNotReady(f"营业日未开始 {day_text(date)} has not begun: nothing is closed in advance")
    if date >= today and not early:
        return None
    assert books.process is not None, "a ledger is started before it closes a day"
    # The cut record is the last of the day it closes, so that a day is whole with nothing that came after it.
    found = {**waters(books), books.process: books.next_sequence}
    annex = pack_cut(date, ((terminal, epoch, water) for (terminal, epoch), water in sorted(found.items())))
    face = FACE_OFFICE if early else FACE_CLOCK
    key = write_record(books, kind=kinds.CUT, face=face, annex=annex)
    note(books, "day.close", day_text(date), cut=name_text(key))
    return date


def _over_count(books: Books) -> int:
    """About how many days are over: calendar days between the open one and today."""
    site = books.settings.site
    begun_s = site.day_begins_s(date_of(books, open_day(books)))
    return max(site.day_begins_s(site.business_day(books.now_s)) - begun_s, 0) // 86_400


def _archive(ledger: Ledger, day: Day) -> None:
    """Measure and prove on a snapshot, then move in a commit: whoever sells meanwhile waits for the second only."""
    measured = ledger.view(lambda books: prove(books, day.number))

    def move(books: Books) -> None:
        archive(books, day.number, measured)
        note(books, "day.archive", day_text(day.date), movements=measured.movement_count)

    ledger.commit(move)


def _closed(books: Books) -> list[Day]:
    return [day for day in days_in_order(books) if day.cut and not day.archived_s]


def _days_of(books: Books, date: int) -> list[Day]:
    found = [day for day in days_in_order(books) if date_of(books, day) == date]
    if not found:
        raise NotFound("营业日 business day", day_text(date), "see `onecard day list`")
    return found


def _line(books: Books, day: Day) -> DayLine:
    state = "archived" if day.archived_s else "closed" if day.cut else "open"
    waiting = len(lacks(books, day)) if state == "closed" else 0
    return DayLine(date_of(books, day), state, day.opened_s, day.closed_s, day.archived_s, day.movement_count, day.moved_fen, waiting)
