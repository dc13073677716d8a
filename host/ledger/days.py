"""Business days: the open one, and what a cut does when its record is posted.

Closing a day is a `cut` record of the host (ledger/cuts.py says what it names). Its effect is here: the
movements it covers are the closed day's, in a table of their own, what comes next goes to the new open day's.
After a restore a cut may be posted before records it covers, or after records it does not: then the table
it falls into is split. docs/ledger.md, "Days and the archive".
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from host.ledger.books import Books
from host.ledger.clock import next_day
from host.ledger.cuts import Cut, front_of, in_order, last_key_of, parse_cut
from host.ledger.rows import Annex, Commit, Day, Epoch
from host.ledger.schema import create_day, create_view, day_table
from protocol.record import pack_key, unpack_key

COLUMNS = "key, debit, credit, amount_fen, record, owner"

_LAST_DAY = 9999_12_31

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lack:
    """What a closed day still waits for: records of one terminal and epoch, up to `last`."""

    terminal: int
    epoch: int
    high_water: int
    last: int


def open_day(books: Books) -> Day:
    """The day that is not closed: there is always one."""
    day = books.first(Day, cut=0)
    assert day is not None
    return day


def date_of(books: Books, day: Day) -> int:
    """A day's business day; the open one's follows the last that was closed."""
    if day.date:
        return day.date
    if last := books.highest(Day, "date"):
        return next_day(last)
    first = books.peek(Commit, 1)
    return books.settings.site.business_day(first.at_s if first else books.now_s)


def days_in_order(books: Books) -> list[Day]:
    """All days, the open one last."""
    return in_order(books.find(Day))


def waters(books: Books) -> dict[Span, int]:
    """The high water of every (terminal, epoch) that has records."""
    return {(row.terminal, row.epoch): row.high_water for row in books.scan(Epoch) if row.high_water}


def cut_of(books: Books, day: Day) -> Cut:
    """What the cut of a closed day covers."""
    return parse_cut(books.need(Annex, day.cut).content)


def lacks(books: Books, day: Day) -> list[Lack]:
    """What must arrive before a closed day is whole. Gaps count as there, and so does what an operator has given up with its epoch."""
    there = {front_of(pack_key((row.terminal, row.epoch, 0), 0)): row for row in books.scan(Epoch)}
    missing: list[Lack] = []
    for front, last in sorted(cut_of(books, day).waters.items()):
        epoch = there.get(front)
        if epoch is None or (epoch.high_water < last and not epoch.is_closed):
            name, _ = unpack_key(last_key_of(front))
            missing.append(Lack(name.terminal, name.epoch, epoch.high_water if epoch else 0, last))
    return missing


def close_by(books: Books, key: int, at_s: int, annex: bytes) -> bool:
    """Give a cut its effect. False, and nothing happens: its annex is none, or a later day is in the archive already."""
    try:
        cut = parse_cut(annex)
    except ValueError:
        return False
    place = (cut.date, key)
    if any(day.archived_s and (day.date, day.cut) > place for day in books.find(Day, date=(cut.date, _LAST_DAY))):
        return False
    days = in_order(books.find(Day, archived_s=0))
    into = next(day for day in days if day.cut == 0 or (day.date, day.cut) > place)
    covered, rest = _parts(books, day_table(into.number), cut)
    closed = replace(into, date=cut.date, cut=key, closed_s=at_s)
    after = replace(into, opened_s=at_s)
    if covered and rest:
        _split(books, into, (closed, covered), (after, rest))
    elif rest:
        books.change(after)
        _begin(books, closed)
    else:
        books.change(closed)
        books.write()  # there is one open day, and it has not been added yet
        _begin(books, replace(after, after_commit=books.highest(Commit, "number")))
    return True


def show(books: Books, numbers: Iterable[int]) -> None:
    """Make the view `movements` show the archive and these days' tables. First of all: on a server readers refuse it (`LedgerAway`)."""
    for statement in create_view(sorted(numbers)):
        list(books.run(statement))


def kept_apart(books: Books) -> list[int]:
    """The numbers of the days that have a table of their own."""
    return [day.number for day in books.find(Day, archived_s=0)]


def _begin(books: Books, day: Day) -> Day:
    """Add a day under the next number, with its table."""
    made = _make(books, day, books.highest(Day, "number") + 1)
    show(books, kept_apart(books))
    return made


def _make(books: Books, day: Day, number: int) -> Day:
    made = replace(day, number=number)
    books.add(made)
    for statement in create_day(made.number):
        list(books.run(statement))
    books.guard(day_table(made.number))
    return made


def _split(books: Books, into: Day, *parts: tuple[Day, list[Span]]) -> None:
    """Share the movements of a day between two new ones, and let its table go once both have all of them."""
    table, free = day_table(into.number), books.highest(Day, "number") + 1
    books.drop(into)
    made = [(_make(books, day, number), spans) for number, (day, spans) in enumerate(parts, free)]
    show(books, kept_apart(books))
    for day, spans in made:
        for first, last in spans:
            values = f"SELECT {COLUMNS} FROM {table} WHERE key BETWEEN ? AND ? ORDER BY key"
            list(books.run(f"INSERT INTO {day_table(day.number)} ({COLUMNS}) {values}", first, last))
    counted = [_count(books, day_table(day.number)) for day, _ in made]
    assert tuple(map(sum, zip(*counted, strict=True))) == _count(books, table), (into, counted)
    list(books.run(f"DROP TABLE {table}"))


def _count(books: Books, table: str) -> tuple[int, int]:
    ((count, moved_fen),) = books.run(f"SELECT count(*), coalesce(sum(amount_fen), 0) FROM {table}")
    return int(count), int(moved_fen)


def _parts(books: Books, table: str, cut: Cut) -> tuple[list[Span], list[Span]]:
    """The keys of a table that a cut covers, and those it does not, as spans; a few look-ups for each terminal and epoch."""
    covered: list[Span] = []
    rest: list[Span] = []
    seen = 0
    while (key := _next_key(books, table, seen)) is not None:
        front = front_of(key)
        end = cut.last_key(front)
        span = (key, end if key <= end else last_key_of(front))
        (covered if key <= end else rest).append(span)
        seen = span[1]
    return covered, rest


def _next_key(books: Books, table: str, after: int) -> int | None:
    ((key,),) = books.run(f"SELECT min(key) FROM {table} WHERE key > ?", after)
    return None if key is None else int(key)
