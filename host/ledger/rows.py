"""The rows of the ledger as values: one class a table, one field a column (docs/ledger.md has the why of each).

A row is never changed; `Books.change` takes a new one in its place. `KEY` names the primary key.
A `key` column is a record's name packed as in docs/protocol.md, 6.3, with leg 0 unless it is a movement.
Money is fen, times are Unix seconds UTC.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from host.ledger.kinds import AccountKind, ReservationState
from host.ledger.office_rows import Act, Day, Refund, Request, Restore, Reversal, StandIn, Wait, Wallet, WalletScope


@dataclass(slots=True)
class Account:
    """A place for money. Available is `balance_fen - held_fen`.

    The one row beside `Epoch` that changes in hand: `Books.move` and `Books.set_aside` keep its two amounts up to date, nobody else.
    """

    TABLE: ClassVar[str] = "accounts"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    kind: str
    label: str
    balance_fen: int = 0
    held_fen: int = 0
    owner: int = 0
    """The holder's account whose money this is: its own number, or that of a wallet or a mirror; 0 for the school's and merchants'."""
    wallet: int = 0
    """Which wallet (table `wallets`) of its owner; 0 for every other kind."""
    wallet_count: int = 0
    """A holder's main account: how many wallets there are beside it; 0 spares looking for them."""

    @property
    def available_fen(self) -> int:
        """What may still be set aside or charged."""
        return self.balance_fen - self.held_fen


@dataclass(frozen=True, slots=True)
class Holder:
    """A person, keyed by the account that is theirs. `number`: student or staff number, may change; the account does not."""

    TABLE: ClassVar[str] = "holders"
    KEY: ClassVar[tuple[str, ...]] = ("account",)
    account: int
    number: str
    name: str
    holder_class: int
    is_closed: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """A card as issued. `expiry_day`: days since 2020-01-01, 65535 never. `denied_s`: since when it is denied, None if it is not."""

    TABLE: ClassVar[str] = "cards"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    account: int
    mirror: int
    uid: bytes
    holder_class: int
    expiry_day: int
    key_version: int
    denied_s: int | None = None
    denied_for: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A stall or a window, apart from the device that stands there. `house`: the bath house or canteen, which is the merchant."""

    TABLE: ClassVar[str] = "places"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    name: str
    house: str
    merchant: int


@dataclass(frozen=True, slots=True)
class Terminal:
    """A device, or a host process (number 1 to 99, no place). `line`: which [[line]] of the settings, from 1; 0 none."""

    TABLE: ClassVar[str] = "terminals"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    kind: str
    role: str
    """Host processes: "serve" or "command"; devices: ""."""
    place: int | None
    line: int
    address: int
    key_version: int
    epoch: int = 0
    """The epoch in force; 0 before the first handshake."""
    firmware: str = ""
    next_epoch: int = 1
    """The least that may be given next: a restore adds to it, so that no epoch is given twice."""


@dataclass(slots=True)
class Epoch:
    """One life of a journal. `high_water`: the last sequence the ledger has; `list_version`: reservations as last activated.

    `Books.raise_high_water` changes it in hand.
    """

    TABLE: ClassVar[str] = "epochs"
    KEY: ClassVar[tuple[str, ...]] = ("terminal", "epoch")
    terminal: int
    epoch: int
    high_water: int = 0
    is_closed: int = 0
    list_version: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside, named after the record that will take it up. The last four columns are what was asked, to tell a repeat."""

    TABLE: ClassVar[str] = "holds"
    KEY: ClassVar[tuple[str, ...]] = ("key",)
    key: int
    account: int
    kind: str
    state: str
    amount_fen: int
    used_fen: int = 0
    """A shower: what its last extend said was used; settles a lost epoch."""
    subject_kind: int = 0
    subject: int = 0
    asked_fen: int = 0
    code: bytes = b""
    part_count: int = 0
    """How many wallets bear a part of it; 0 spares looking for them."""


@dataclass(frozen=True, slots=True)
class HoldPart:
    """How much of a hold a wallet bears; the holder's main account, `Hold.account`, bears the rest."""

    TABLE: ClassVar[str] = "hold_parts"
    KEY: ClassVar[tuple[str, ...]] = ("key", "account")
    key: int
    account: int
    amount_fen: int


class Movement(NamedTuple):
    """An amount from one account to another; `key` has the leg, and leg 0 has the record's bytes."""

    key: int
    debit: int
    credit: int
    amount_fen: int
    record: bytes | None
    owner: int = 0
    """The holder whose money moves, as `Account.owner`; 0 if nobody's. For bills: it follows from the two accounts."""

    TABLE = "movements"
    KEY = ("key",)


class Fact(NamedTuple):
    """A record that moves nothing."""

    key: int
    record: bytes

    TABLE = "facts"
    KEY = ("key",)


@dataclass(frozen=True, slots=True)
class Annex:
    """What does not fit into a host record's 64 bytes; the record's `shown` is the beginning of its SHA-256."""

    TABLE: ClassVar[str] = "annexes"
    KEY: ClassVar[tuple[str, ...]] = ("key",)
    key: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """Which record settled an `opened`: once."""

    TABLE: ClassVar[str] = "settlements"
    KEY: ClassVar[tuple[str, ...]] = ("opened",)
    opened: int
    settled: int


@dataclass(frozen=True, slots=True)
class Commit:
    """A link of the hash chain: all records between two keys of one terminal and epoch (ledger/chain.py)."""

    TABLE: ClassVar[str] = "commits"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    first_key: int
    last_key: int
    at_s: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """An entry on the worklist. `key`: the record it is about, 0 if none."""

    TABLE: ClassVar[str] = "items"
    KEY: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    kind: str
    at_s: int
    terminal: int
    key: int
    amount_fen: int = 0
    evidence: bytes = b""
    is_open: int = 1


@dataclass(frozen=True, slots=True)
class Writing:
    """Who wrote a card's counter, as somebody saw it: evidence for MONEY 5. All columns but the last are the key."""

    TABLE: ClassVar[str] = "writings"
    KEY: ClassVar[tuple[str, ...]] = ("card", "counter", "terminal", "sequence_low", "kind", "epoch_low", "amount_fen")
    card: int
    counter: int
    terminal: int
    sequence_low: int
    kind: int
    epoch_low: int
    amount_fen: int
    told_by: int
    """The key of the record, or of the ask, that told first; 0: a look-up, which has no name."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A version of what a terminal is handed down. Its bytes are made anew when fetched: no key lies in the database."""

    TABLE: ClassVar[str] = "resources"
    KEY: ClassVar[tuple[str, ...]] = ("terminal", "resource", "version")
    terminal: int
    resource: int
    version: int
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Active:
    """What a terminal says is in force there."""

    TABLE: ClassVar[str] = "actives"
    KEY: ClassVar[tuple[str, ...]] = ("terminal", "resource")
    terminal: int
    resource: int
    version: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Reservation:
    """A booking, keyed by its record. `day`: business day as yyyymmdd; `try_count`: how its code is found again (host/reservations.py)."""

    TABLE: ClassVar[str] = "reservations"
    KEY: ClassVar[tuple[str, ...]] = ("key",)
    key: int
    terminal: int
    house: str
    day: int
    account: int
    held_fen: int
    from_s: int
    until_s: int
    try_count: int
    lookup: bytes
    """CMAC of house, day and code under the site's code key: unique."""
    stall_epoch: int
    """The stall's epoch when it was booked: only that one or a later one can have had it on its list."""
    state: str = ReservationState.OPEN
    gone_version: int | None = None
    """The first version of the stall's list without it."""


Row = (
    Account
    | Holder
    | Card
    | Place
    | Terminal
    | Epoch
    | Hold
    | Movement
    | Fact
    | Annex
    | Settlement
    | Commit
    | Item
    | Writing
    | Resource
    | Active
    | Reservation
    | HoldPart
    | Wallet
    | WalletScope
    | Request
    | Refund
    | Reversal
    | StandIn
    | Day
    | Restore
    | Wait
    | Act
)

TABLES: tuple[type[Row], ...] = (
    Account,
    Holder,
    Card,
    Place,
    Terminal,
    Epoch,
    Movement,
    Fact,
    Annex,
    Settlement,
    Commit,
    Hold,
    Item,
    Writing,
    Resource,
    Active,
    Reservation,
    HoldPart,
    Wallet,
    WalletScope,
    Request,
    Refund,
    Reversal,
    StandIn,
    Day,
    Restore,
    Wait,
    Act,
)
"""In the order in which rows are inserted, so that what is referred to is there."""


LOCKED: tuple[type[Row], ...] = (Epoch, Account, Wait)
"""Rows that a terminal's arrivals change or decide by: while it is answered, no other process may touch them."""


BANK, CASH, FEES, LOSS, SUSPENSE, ALIPAY, WECHAT = range(1, 8)
"""The school's own accounts have fixed numbers."""

FIRST_ACCOUNT = 100
"""Holders, mirrors and merchants count from here, in the order of their making."""

SCHOOL_ACCOUNTS = (
    Account(BANK, AccountKind.BANK, "银行 bank"),
    Account(CASH, AccountKind.CASH, "现金 cash"),
    Account(FEES, AccountKind.FEES, "手续费 fees"),
    Account(LOSS, AccountKind.LOSS, "学校承担 school's loss"),
    Account(SUSPENSE, AccountKind.SUSPENSE, "待查 suspense"),
    Account(ALIPAY, AccountKind.CHANNEL, "支付宝 Alipay"),
    Account(WECHAT, AccountKind.CHANNEL, "微信 WeChat"),
)
