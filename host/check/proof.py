"""What the proof of the books found, and the few figures that fit on one page."""

from collections import Counter
from dataclasses import dataclass, field

from host.ledger.kinds import AccountKind
from host.ledger.reports import HoldLine

MOST_PROBLEMS = 200
"""Problems that are kept and shown; more of them only repeat what is known, and are counted."""

MOST_HOLDS = 50
"""Open holds that are shown one by one."""

OWED = (
    AccountKind.HOLDER,
    AccountKind.WALLET,
    AccountKind.MIRROR,
    AccountKind.MERCHANT,
    AccountKind.FEES,
    AccountKind.SUSPENSE,
    AccountKind.GIVER,
    AccountKind.LOSS,
)
"""One side of the solvency line: what the school owes, and what givers and the school itself have put in (below zero)."""

OWNED = (AccountKind.BANK, AccountKind.CASH, AccountKind.CHANNEL)
"""The other side: what is there. The ledger has it below zero, as all balances add up to nothing."""


@dataclass(slots=True)
class Proof:
    """What was looked at, what it adds up to, and every problem."""

    record_count: int = 0
    movement_count: int = 0
    fact_count: int = 0
    moved_fen: int = 0
    commit_count: int = 0
    row_counts: Counter[str] = field(default_factory=Counter[str])
    """Rows of each table whose seals were looked at."""
    open_days: int = 0
    archived_days: int = 0
    sum_fen: int = 0
    """All balances as they stand: 0."""
    account_count: int = 0
    totals: Counter[str] = field(default_factory=Counter[str])
    """For each kind of account, what its movements make."""
    held_fen: Counter[str] = field(default_factory=Counter[str])
    """For each kind of account, what is set aside of it."""
    hold_count: int = 0
    holds: list[HoldLine] = field(default_factory=list[HoldLine])
    """The first `MOST_HOLDS` of them."""
    under_way_fen: int = 0
    """Debits that a card has shown and whose record is still in a terminal's journal."""
    open_items: Counter[str] = field(default_factory=Counter[str])
    item_fen: int = 0
    """What the open items are about."""
    problems: list[str] = field(default_factory=list[str])
    problem_count: int = 0

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem_count

    @property
    def owed_fen(self) -> int:
        """What the school owes to everybody, as the movements make it."""
        return sum(self.totals[kind] for kind in OWED)

    @property
    def owned_fen(self) -> int:
        """What bank, cash desk and channels have, as the movements make it."""
        return -sum(self.totals[kind] for kind in OWNED)

    @property
    def most_under_way_fen(self) -> int:
        """What can lie in terminals' journals at most: cards never hold more than their mirrors."""
        return max(self.totals[AccountKind.MIRROR], 0)

    def wrong(self, what: str) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(what)
