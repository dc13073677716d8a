"""The bill of a holder: every movement of their money, newest first, from the archive and the days beside it.

A holder's movements are found day by day, by the holder: in the archive they lie side by side, in an open
day's table an index leads to them. So a page of a bill costs the same after ten years.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from host.ledger.books import Books
from host.ledger.clock import from_wire
from host.ledger.days import COLUMNS, date_of, days_in_order
from host.ledger.reports import kind_text, name_text
from host.ledger.rows import Account, Day, Movement
from host.ledger.schema import day_table
from protocol.record import TRUST_NONE, decode

PAGE_COUNT = 50
_DAY_COUNT = 100
"""Business days looked up in one statement."""
_LEG_MASK = 15


class Cursor(NamedTuple):
    """Where a bill goes on: after this line. Of a line, `BillLine.cursor`."""

    date: int
    at_s: int
    key: int


@dataclass(frozen=True, slots=True)
class BillLine:
    """A movement of a holder's money.

    `date`: the business day it belongs to; `origin`: the one its record was written on, if that is another and known.
    `at_s`: 0 where the terminal's clock was never set. `change_fen`: by how much the holder has more, 0 between their own accounts.
    """

    date: int
    origin: int
    at_s: int
    key: int
    name: str
    kind: str
    debit: int
    debit_label: str
    credit: int
    credit_label: str
    amount_fen: int
    change_fen: int

    @property
    def cursor(self) -> Cursor:
        """What to go on with after this line."""
        return Cursor(self.date, self.at_s, self.key)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which lines of a bill: business days from and to (0: no bound), kinds of record (none: all)."""

    from_date: int = 0
    to_date: int = 0
    kinds: frozenset[str] = frozenset()


def bill(books: Books, owner: int, wish: Wish, *, after: Cursor | None = None, limit: int = PAGE_COUNT) -> list[BillLine]:
    """A page of the bill of a holder's account: up to `limit` lines after `after`, or the newest."""
    lines: list[BillLine] = []
    for line in _lines(books, owner, wish, after):
        lines.append(line)
        if len(lines) == limit:
            break
    return lines


def whole_bill(books: Books, owner: int, wish: Wish) -> Iterator[BillLine]:
    """All lines, newest first, a day at a time."""
    return _lines(books, owner, wish, None)


def written_at(data: bytes) -> int:
    """When a record says it was written, in Unix seconds; 0 where it does not know."""
    try:
        record = decode(data)
    except ValueError:
        return 0
    return 0 if record.trust == TRUST_NONE else from_wire(record.at_s)


def _lines(books: Books, owner: int, wish: Wish, after: Cursor | None) -> Iterator[BillLine]:
    dated = [(date_of(books, day), day) for day in reversed(days_in_order(books))]
    last = min((date for date in (wish.to_date, after.date if after else 0) if date), default=0)
    wanted = [(date, day) for date, day in dated if date >= wish.from_date and (not last or date <= last)]
    for date, rows in _by_date(books, owner, wanted):
        lines = [_line(books, owner, date, row, data) for row, data in _with_records(books, rows)]
        lines.sort(key=lambda line: line.cursor, reverse=True)
        for line in lines:
            if (after is None or line.cursor < after) and (not wish.kinds or line.kind in wish.kinds):
                yield line


def _by_date(books: Books, owner: int, dated: Sequence[tuple[int, Day]]) -> Iterator[tuple[int, list[Movement]]]:
    """The holder's movements, a business day at a time, newest first. Two cuts of one day are one day."""
    groups = [(date, [day for _, day in days]) for date, days in groupby(dated, key=lambda one: one[0])]
    for start in range(0, len(groups), _DAY_COUNT):
        chunk = groups[start : start + _DAY_COUNT]
        archived = _archived(books, owner, [day.number for _, days in chunk for day in days if day.archived_s])
        for date, days in chunk:
            rows: list[Movement] = []
            for day in days:
                rows += archived[day.number] if day.archived_s else _in_table(books, owner, day)
            yield date, rows


def _archived(books: Books, owner: int, numbers: Sequence[int]) -> defaultdict[int, list[Movement]]:
    found: defaultdict[int, list[Movement]] = defaultdict(list)
    if numbers:
        places = ", ".join("?" * len(numbers))
        query = f"SELECT day, {COLUMNS} FROM movements_archive WHERE owner = ? AND day IN ({places}) ORDER BY day, key"
        for day, *row in books.run(query, owner, *numbers):
            found[day].append(Movement(*row))
    return found


def _in_table(books: Books, owner: int, day: Day) -> list[Movement]:
    query = f"SELECT {COLUMNS} FROM {day_table(day.number)} WHERE owner = ? ORDER BY key"
    return [Movement(*row) for row in books.run(query, owner)]


def _with_records(books: Books, rows: Sequence[Movement]) -> Iterator[tuple[Movement, bytes]]:
    """Each movement with its record, which stands on leg 0; that may be somebody else's."""
    records = {row.key: row.record for row in rows if row.record is not None}
    for row in rows:
        first = row.key & ~_LEG_MASK
        if first not in records:
            leading = books.peek(Movement, first)
            records[first] = (leading.record if leading else None) or b""
        yield row, records[first]


def _line(books: Books, owner: int, date: int, row: Movement, data: bytes) -> BillLine:
    debit, credit = books.need(Account, row.debit), books.need(Account, row.credit)
    at_s = written_at(data)
    origin = books.settings.site.business_day(at_s) if at_s else 0
    return BillLine(
        date=date,
        origin=origin if origin != date else 0,
        at_s=at_s,
        key=row.key,
        name=name_text(row.key),
        kind=kind_text(data),
        debit=row.debit,
        debit_label=debit.label,
        credit=row.credit,
        credit_label=credit.label,
        amount_fen=row.amount_fen,
        change_fen=row.amount_fen * ((credit.owner == owner) - (debit.owner == owner)),
    )
