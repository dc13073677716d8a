"""What the ledger of a running demonstration says, read beside the host that writes it."""

import os
from dataclasses import dataclass
from pathlib import Path

from host import holders
from host.check import Proof, check
from host.ledger.books import Books
from host.ledger.opening import open_ledger
from host.ledger.reports import HoldLine, last_commit, open_holds
from host.ledger.rows import Commit, Fact, Item, Movement
from host.settings import load_settings
from protocol.record import SALE, SETTLED, Record, decode
from protocol.shown import unpack_settled

_LAST_COMMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Posted:
    """A record in the ledger, and the commit it came in."""

    commit: int
    record: Record

    @property
    def volume_ml(self) -> int:
        """What a `settled` says that ran."""
        cold_ml, hot_ml, _, _ = unpack_settled(self.record.shown)
        return cold_ml + hot_ml

    @property
    def cause(self) -> int:
        """Why a `settled` was written: CAUSE_* of protocol/shown.py."""
        return unpack_settled(self.record.shown)[3]


class LedgerReader:
    """Opens a ledger of its own on the folder; each question sees what was committed until then."""

    def __init__(self, data: Path) -> None:
        self._ledger = open_ledger(load_settings(data, os.environ), data)

    def close(self) -> None:
        """Let go of the file."""
        self._ledger.close()

    @property
    def commit(self) -> int:
        """The newest commit: what comes later has a greater one."""
        return self._ledger.view(last_commit)

    def posted(self, *kinds: int, after: int = 0) -> list[Posted]:
        """Every record of these kinds in commits after one, in the order they came; without kinds all."""
        return [posted for posted in self._ledger.view(lambda books: _posted(books, after)) if not kinds or posted.record.kind in kinds]

    def sales(self, after: int = 0) -> list[int]:
        """The amounts sold, in fen."""
        return [posted.record.amount_fen for posted in self.posted(SALE, after=after)]

    def settled(self, after: int = 0) -> list[Posted]:
        """The showers settled."""
        return self.posted(SETTLED, after=after)

    def available_fen(self, number: str) -> int:
        """What a holder can spend."""
        return holders.balance(self._ledger, number).available_fen

    def held_fen(self, number: str) -> int:
        """What of a holder's money is set aside."""
        return holders.balance(self._ledger, number).held_fen

    def account_fen(self, number: str) -> int:
        """What a holder's account has."""
        return holders.balance(self._ledger, number).account_fen

    def holds(self) -> list[HoldLine]:
        """Everything set aside."""
        return self._ledger.view(open_holds)

    def items(self) -> list[str]:
        """What stands on the worklist: kinds of items."""
        return self._ledger.view(lambda books: [str(item.kind) for item in books.scan(Item)])

    def prove(self) -> Proof:
        """What `onecard check` does."""
        return check(self._ledger)


def _posted(books: Books, after: int) -> list[Posted]:
    found: list[Posted] = []
    for commit in books.find(Commit, number=(after + 1, _LAST_COMMIT)):
        span = (commit.first_key, commit.last_key)
        rows: list[Movement | Fact] = [*books.find(Movement, key=span), *books.find(Fact, key=span)]
        rows.sort(key=lambda row: row.key)
        found += [Posted(commit.number, decode(row.record)) for row in rows if row.record is not None]
    return found
