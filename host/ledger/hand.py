"""Rows in hand: what was read in this commit, and what need not be read again in the next.

Between two shared commits of one process nothing of a ledger changes but by somebody else's commit, and a database with
one writer can tell whether there was any (`Store.version`). So at noon the rows of tills, cards and accounts are read once.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from host.ledger.contract import Key
from host.ledger.rows import Account, Card, Epoch, Hold, Place, Row, Terminal

KEPT: frozenset[type[Row]] = frozenset((Terminal, Place, Card, Account, Epoch, Hold))
"""What arrivals read and change at every turn."""
KEPT_COUNT = 50_000
"""Rows kept, 300 bytes each: the cards and accounts of a campus of 25,000; what is more is read again."""


def _no_rows() -> defaultdict[type[Row], dict[Key, Any]]:
    return defaultdict(dict)


@dataclass(slots=True)
class Hand:
    """Rows by table and primary key, None where there is no such row; and the asked holds of journals, by journal and key."""

    rows: defaultdict[type[Row], dict[Key, Any]] = field(default_factory=_no_rows)
    asked: dict[int, dict[int, Hold]] = field(default_factory=dict[int, dict[int, Hold]])

    def keep(self) -> bool:
        """Let go of what need not be kept; returns whether the rest is little enough to be kept."""
        for kind in [kind for kind in self.rows if kind not in KEPT]:
            del self.rows[kind]
        return sum(len(rows) for rows in self.rows.values()) <= KEPT_COUNT
