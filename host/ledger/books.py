"""The books of one commit: rows in hand, and what was done to them.

Rows are read once and kept; changes are written together when the job ends, so a batch of records costs
one statement a table. A job sees its own changes. What it adds to movements and facts becomes links of
the hash chain when it ends.
"""

from collections.abc import Iterator
from typing import TypeVar, cast

from host.keys import SiteKeys
from host.ledger.chain import link
from host.ledger.contract import Key, Store, Value
from host.ledger.rows import TABLES, Commit, Fact, Movement, Row
from host.settings import Settings

R = TypeVar("R", bound=Row)


class Books:
    """One job's view of the ledger, and its changes.

    `keys`, `settings` and `now_s` (Unix) are what a job may know beside the rows; `process` and
    `next_sequence` name the host's own next record (ledger/process.py), `process` None where the
    process writes none.
    """

    def __init__(
        self,
        store: Store,
        *,
        keys: SiteKeys,
        settings: Settings,
        now_s: int,
        process: "tuple[int, int] | None" = None,
        next_sequence: int = 1,
    ) -> None:
        self.keys = keys
        self.settings = settings
        self.now_s = now_s
        self.process = process
        """(terminal, epoch) of this host process."""
        self.next_sequence = next_sequence
        self._store = store
        self._rows: dict[tuple[type[Row], Key], Row | None] = {}
        self._before: dict[tuple[type[Row], Key], Row | None] = {}
        """What the database has, for each row changed since the last write."""
        self._changed: set[type[Row]] = set()
        """The tables of those."""
        self._posted: list[Movement | Fact] = []

    def get(self, kind: type[R], *key: Value) -> R | None:
        """The row of that primary key, or None."""
        place = (kind, key)
        if place not in self._rows:
            self._rows[place] = self._store.get(kind, key)
        return cast("R | None", self._rows[place])

    def need(self, kind: type[R], *key: Value) -> R:
        """The row of that primary key, which must be there."""
        row = self.get(kind, *key)
        assert row is not None, (kind.TABLE, key)
        return row

    def find(self, table: type[R], /, *, limit: int | None = None, newest_first: bool = False, **where: Value | tuple[int, int]) -> list[R]:
        """Rows whose columns equal the values, or lie between two (a pair, inclusive), in the order of the primary key."""
        self._write_if_changed(table)
        rows = self._store.find(table, where, limit=limit, newest_first=newest_first)
        for row in rows:
            self._rows[(table, key_of(row))] = row
        return rows

    def scan(self, table: type[R], /) -> Iterator[R]:
        """All rows of a table, a few at a time, none of them kept: for whoever reads the whole books."""
        self._write_if_changed(table)
        return self._store.scan(table)

    def first(self, table: type[R], /, **where: Value | tuple[int, int]) -> R | None:
        """The first of those rows, or None."""
        rows = self.find(table, limit=1, newest_first=False, **where)
        return rows[0] if rows else None

    def highest(self, kind: type[Row], column: str) -> int:
        """The greatest value of an integer column, 0 where there is none."""
        self._write_if_changed(kind)
        return self._store.highest(kind, column)

    def add(self, row: Row) -> None:
        """Add a row. A key that is there already fails the job when it is written."""
        place = (type(row), key_of(row))
        assert self._rows.get(place) is None, row
        self._put(place, row, before=None)
        if isinstance(row, Movement | Fact):
            self._posted.append(row)

    def change(self, row: Row) -> None:
        """Put a row in the place of the one with its key, which was read before."""
        place = (type(row), key_of(row))
        self._put(place, row, before=self._rows[place])

    def drop(self, row: Row) -> None:
        """Take a row away."""
        place = (type(row), key_of(row))
        self._put(place, None, before=self._rows[place])

    def write(self) -> None:
        """Write what was changed so far; queries do it by themselves."""
        if not self._before:
            return
        changed = sorted(self._before, key=lambda place: _ORDER[place[0]])
        inserts: list[Row] = []
        updates: list[Row] = []
        deletes: list[Row] = []
        for place in changed:
            before, row = self._before[place], self._rows[place]
            if before is None and row is not None:
                inserts.append(row)
            elif before is not None and row is None:
                deletes.append(before)
            elif row is not None and row != before:
                updates.append(row)
        self._before.clear()
        self._changed.clear()
        self._store.write(inserts=inserts, updates=updates, deletes=deletes)

    def finish(self) -> None:
        """Write everything, the chain's links too. The job has ended."""
        if self._posted:
            newest = self.find(Commit, limit=1, newest_first=True)
            for commit in link(newest[0] if newest else None, self._posted, self.now_s):
                self.add(commit)
            self._posted = []
        self.write()

    def _write_if_changed(self, table: type[Row]) -> None:
        """Before a query: it must see this job's changes, if there are any in its table."""
        if table in self._changed:
            self.write()

    def _put(self, place: tuple[type[Row], Key], row: Row | None, *, before: Row | None) -> None:
        self._before.setdefault(place, before)
        self._changed.add(place[0])
        self._rows[place] = row


def key_of(row: Row) -> Key:
    """The values of a row's primary key."""
    return tuple(getattr(row, column) for column in row.KEY)


_ORDER = {table: index for index, table in enumerate(TABLES)}
