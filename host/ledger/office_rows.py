"""More rows of the ledger (see rows.py): what the office, the clock and a restore do."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Wallet:
    """A kind of wallet that holders may have: whose money it is, in which order it is spent, until when (0: for ever)."""

    TABLE: ClassVar[str] = "wallets"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    name: str
    giver: int
    """The account the money comes from, and goes back to."""
    spending_order: int
    expires_s: int = 0


@dataclass(frozen=True, slots=True)
class WalletScope:
    """A merchant that takes a wallet; a wallet without any is taken by all."""

    TABLE: ClassVar[str] = "wallet_scopes"
    KEY: ClassVar[tuple[str, ...]] = ("wallet", "merchant")
    wallet: int
    merchant: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request from outside, by its own key (an order number, a form, a line of a batch), and the record it became: once."""

    TABLE: ClassVar[str] = "requests"
    KEY: ClassVar[tuple[str, ...]] = ("request",)
    request: str
    key: int


@dataclass(frozen=True, slots=True)
class Refund:
    """What a void or refund takes back of a sale. `is_waiting`: its sale is not here yet."""

    TABLE: ClassVar[str] = "refunds"
    KEY: ClassVar[tuple[str, ...]] = ("key",)
    key: int
    sale: int
    amount_fen: int
    is_waiting: int = 0


@dataclass(frozen=True, slots=True)
class Reversal:
    """Which host record undid a record: once."""

    TABLE: ClassVar[str] = "reversals"
    KEY: ClassVar[tuple[str, ...]] = ("reversed",)
    reversed: int
    key: int


@dataclass(frozen=True, slots=True)
class StandIn:
    """Which host record stands under the name of a record that a closed epoch never delivered (MONEY 7); for a shower, its `opened`."""

    TABLE: ClassVar[str] = "stand_ins"
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    name: int
    key: int


@dataclass(frozen=True, slots=True)
class Day:
    """A business day, from the cut before it. Its movements are in `movements_<number>` until they are archived.

    `cut`: the record that closed it, 0 while it is open; one day is. Days follow each other by (date, cut): a number is but a
    name. The last three are what the archive was compared with.
    """

    TABLE: ClassVar[str] = "days"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    date: int
    """The business day as yyyymmdd; 0 while it is open."""
    opened_s: int
    cut: int = 0
    closed_s: int = 0
    after_commit: int = 0
    """The newest link of the chain when it was opened: its movements stand in later ones."""
    archived_s: int = 0
    movement_count: int = 0
    moved_fen: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore from a backup, and the wait after it (MONEY 7). `ended_s`: 0 while asks are answered "away"."""

    TABLE: ClassVar[str] = "restores"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    at_s: int
    backup_s: int
    """When the backup was made."""
    ended_s: int = 0
    ended_by: str = ""
    next_account: int = 0
    """No account opened from now on has a lower number: one opened after the backup may have it."""
    next_card: int = 0
    """Likewise of cards."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A terminal that a restored ledger waits for: done once it has delivered up to the `next` it named."""

    TABLE: ClassVar[str] = "waits"
    KEY: ClassVar[tuple[str, ...]] = ("terminal",)
    terminal: int
    epoch: int = 0
    next: int = 0
    """0: it has not shaken hands yet."""
    is_done: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did, for the audit log: only ever added. `detail`: JSON, without secrets and identity numbers."""

    TABLE: ClassVar[str] = "audit"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    at_s: int
    actor: str
    act: str
    subject: str
    detail: str = ""
