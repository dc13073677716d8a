"""What the model of tests/host/ledger/test_office_machine.py knows: who holds what, who paid which sale, what a board wrote."""

from dataclasses import dataclass, field
from typing import Any

from protocol.record import Name
from tests.host.site import Journal

MAIN, WALLET, SCHOOL = "main", "wallet", "school"

Shares = list[tuple[str, int]]


@dataclass
class Held:
    """Money set aside, by pocket."""

    card: int
    parts: Shares
    is_taken: bool = False
    used_fen: int = 0


@dataclass
class Sale:
    """Who paid a sale, in order, and what went back."""

    card: int
    paid: Shares
    back_fen: int = 0
    is_reversed: bool = False

    @property
    def left_fen(self) -> int:
        return sum(fen for _, fen in self.paid) - self.back_fen


@dataclass
class Board:
    """A journal, what its records mean, and how far it has delivered."""

    journal: Journal
    meanings: list[tuple[str, int, int, Name | None]] = field(default_factory=list[tuple[str, int, int, Name | None]])
    """Kind, card, amount, whom it names."""
    delivered: int = 0
    asked: tuple[int, int] | None = None
    """The ask that is open: card, amount."""
    opened: tuple[Name, int, int] | None = None
    """The shower that runs: name, card, total."""

    def write(self, meaning: str, kind: int, card: int = 0, amount_fen: int = 0, named: Name | None = None) -> None:
        fields: dict[str, Any] = {"reference": named} if named else {}
        self.journal.write(kind, subject=card, amount_fen=amount_fen, **fields)
        self.meanings.append((meaning, card, amount_fen, named))
        self.asked = None

    @property
    def next_name(self) -> Name:
        return self.journal.name(self.journal.next)
