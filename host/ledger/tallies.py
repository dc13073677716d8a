"""Tallies: how many rows a table has, and the sum of what the site's key makes of their seals.

A seal tells that a row was altered or slipped in; that one was taken away, or put back as it was last week, its
tally tells. Kept for the tables that people and the host's own jobs write; in the others (ledger/schema.py, `SEALED`)
every sale writes, and a row that is gone shows in sums and records. Added to at the end of a commit, so that
nobody who has it waits for anybody who wants it.
"""

from collections import defaultdict
from collections.abc import Callable

from host.ledger.contract import Store
from host.ledger.rows import TABLES, Row
from host.ledger.schema import TALLIED

Cmac = Callable[[bytes], bytes]
Tally = tuple[int, int]
"""Rows, and the sum over them."""

TALLIED_KINDS: frozenset[type[Row]] = frozenset(kind for kind in TABLES if kind.TABLE in TALLIED)

_SHARE_SIZE = 4
"""Bytes of a row's share: two thousand million rows still add up to 63 bits."""

_ADD = "UPDATE tallies SET row_count = row_count + ?, row_sum = row_sum + ? WHERE name = ?"
_READ = "SELECT name, row_count, row_sum FROM tallies"


def share_of(cmac: Cmac, seal: bytes) -> int:
    """What a row adds to the sum of its table; nobody without the key can tell it from the seal."""
    return int.from_bytes(cmac(b"tally" + seal)[:_SHARE_SIZE], "little")


class Tallies:
    """What a commit adds to the tallies."""

    def __init__(self, cmac: Cmac) -> None:
        self._cmac = cmac
        self._added: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, kind: type[Row], seal: bytes) -> None:
        """A row is there now."""
        self._count(kind, 1, seal)

    def drop(self, kind: type[Row], seal: bytes) -> None:
        """A row is there no more."""
        self._count(kind, -1, seal)

    def write(self, store: Store) -> None:
        """Add it up, table by table in one order."""
        for name in sorted(self._added):
            row_count, row_sum = self._added[name]
            if row_count or row_sum:
                list(store.run(_ADD, (row_count, row_sum, name)))
        self._added.clear()

    def _count(self, kind: type[Row], sign: int, seal: bytes) -> None:
        if kind in TALLIED_KINDS:
            added = self._added[kind.TABLE]
            added[0] += sign
            added[1] += sign * share_of(self._cmac, seal)


def read_tallies(store: Store) -> dict[str, Tally]:
    """The tallies as they stand."""
    return {str(name): (int(row_count), int(row_sum)) for name, row_count, row_sum in store.run(_READ)}
