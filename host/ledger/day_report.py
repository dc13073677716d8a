"""What a business day came to, for each merchant and each of its terminals; computed from the movements each time.

So it is the same whenever it is asked for: a closed day gets no more movements but those its cut covers, an
archived one none at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from host.ledger.archive import movements_of
from host.ledger.bills import written_at
from host.ledger.books import Books
from host.ledger.cuts import in_order
from host.ledger.kinds import AccountKind
from host.ledger.reports import kind_text
from host.ledger.rows import Account, Day, Movement
from protocol.record import unpack_key

_LEG_MASK = 15


@dataclass(slots=True)
class Takings:
    """What a merchant took: `gross_fen` came in, `back_fen` went out again (voids, refunds, reversals).

    `count` and `back_count` are records. A day's `late` are those of another business day, by that day: they are in the sums.
    """

    gross_fen: int = 0
    back_fen: int = 0
    count: int = 0
    back_count: int = 0

    @property
    def net_fen(self) -> int:
        """What is left to the merchant."""
        return self.gross_fen - self.back_fen

    def add(self, amount_fen: int, *, is_new: bool) -> None:
        """Add a movement: above zero if it pays the merchant. `is_new`: the first of its record this way."""
        if amount_fen > 0:
            self.gross_fen += amount_fen
            self.count += is_new
        else:
            self.back_fen -= amount_fen
            self.back_count += is_new


@dataclass(slots=True)
class Merchant:
    """A merchant's day: all of it, by terminal, and of it what was written on another business day, by that day."""

    account: int
    label: str
    all: Takings = field(default_factory=Takings)
    terminals: defaultdict[int, Takings] = field(default_factory=lambda: defaultdict(Takings))
    late: defaultdict[int, Takings] = field(default_factory=lambda: defaultdict(Takings))


@dataclass(slots=True)
class KindSum:
    """How many records of a kind moved money, and how much they moved."""

    count: int = 0
    moved_fen: int = 0


@dataclass(slots=True)
class DayReport:
    """A business day. `state`: open, closed or archived. `changes`: by how much all accounts of a kind rose; their sum is zero."""

    date: int
    state: str
    movement_count: int = 0
    moved_fen: int = 0
    merchants: dict[int, Merchant] = field(default_factory=dict[int, Merchant])
    kinds: defaultdict[str, KindSum] = field(default_factory=lambda: defaultdict(KindSum))
    changes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


def report_on(books: Books, date: int, days: Iterable[Day]) -> DayReport:
    """The report of a business day: of one day, or of two that a restore has cut out of it."""
    days = in_order(days)
    last = days[-1]
    found = DayReport(date, "archived" if last.archived_s else "closed" if last.cut else "open")
    origin_of = _Origins(books)
    for key, data, legs in _records(row for day in days for row in movements_of(books, day)):
        origin = origin_of(written_at(data))
        _add_record(books, found, key, kind_text(data), origin if origin != date else 0, legs)
    return found


class _Origins:
    """The business day on which something was written; a business day begins on a whole minute, so each minute is looked up once."""

    def __init__(self, books: Books) -> None:
        self._site = books.settings.site
        self._known: dict[int, int] = {}

    def __call__(self, at_s: int) -> int:
        if not at_s:
            return 0
        minute = at_s // 60
        if minute not in self._known:
            self._known[minute] = self._site.business_day(at_s)
        return self._known[minute]


def _records(rows: Iterable[Movement]) -> Iterator[tuple[int, bytes, list[Movement]]]:
    """The records of movements that come in the order of their keys: key, bytes, legs."""
    for key, legs in groupby(rows, key=lambda row: row.key & ~_LEG_MASK):
        found = list(legs)
        yield key, found[0].record or b"", found


def _add_record(books: Books, found: DayReport, key: int, kind: str, origin: int, legs: list[Movement]) -> None:
    terminal = unpack_key(key)[0].terminal
    seen: set[tuple[int, bool]] = set()
    found.kinds[kind].count += 1
    for leg in legs:
        found.movement_count += 1
        found.moved_fen += leg.amount_fen
        found.kinds[kind].moved_fen += leg.amount_fen
        for number, amount_fen in ((leg.debit, -leg.amount_fen), (leg.credit, leg.amount_fen)):
            account = books.need(Account, number)
            found.changes[account.kind] += amount_fen
            if account.kind == AccountKind.MERCHANT:
                way = (number, amount_fen > 0)
                _add_taking(found, account, terminal, origin, amount_fen, is_new=way not in seen)
                seen.add(way)


def _add_taking(found: DayReport, account: Account, terminal: int, origin: int, amount_fen: int, *, is_new: bool) -> None:
    merchant = found.merchants.setdefault(account.number, Merchant(account.number, account.label))
    for takings in (merchant.all, merchant.terminals[terminal], *((merchant.late[origin],) if origin else ())):
        takings.add(amount_fen, is_new=is_new)
