"""What a ledger is to those who use it, and what a database must do to be one.

Services take a `Ledger` and hand it jobs. A job is a function of the `Books` of one commit: it reads
rows, changes them, and its result is returned only after the commit is on disk. It may be run again
from the start, so it touches nothing but its books. What terminals send is an `Arrival`: many of them share
one commit and one `Books`. `Writer` (host/writer.py) is a `Ledger` too, for many threads at once.

A database brings a `Database` and its `Store`; all else is in commits.py and books.py, once for all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from host.ledger.books import Books
    from host.ledger.gathering import Wanted
    from host.ledger.rows import Commit, Row

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound="Row")

Value = int | str | bytes | None
Key = tuple[Value, ...]
Where = Mapping[str, Value | tuple[int, int]]
Job = Callable[["Books"], T]


class Arrival(Protocol[T_co]):
    """What a terminal sent, to be answered in a commit with others: records (host/intake.py), an ask (host/approvals.py).

    It never raises for what arrived, and says beforehand which rows it will read, so that those of a whole
    batch are read set by set, and locked in one order (ledger/gathering.py).
    """

    @property
    def is_alone(self) -> bool:
        """Whether it touches more than its terminal's own rows, so that it is a job like the host's own."""
        ...

    def want(self, wanted: "Wanted") -> None:
        """Say which terminals and epochs it is about."""
        ...

    def want_more(self, wanted: "Wanted", books: "Books") -> None:
        """Say which other rows it will read; those it named first are in hand."""
        ...

    def run(self, books: "Books") -> T_co:
        """Have its effect; returns the answer."""
        ...


class Written(NamedTuple):
    """One of the host's own records, as its journal file has it: 64 bytes, annex, and the key of the request it came from."""

    record: bytes
    annex: bytes
    request: str


class Copies(Protocol):
    """Where the host's own records are copied to before anybody is answered (MONEY 8)."""

    def make_ready(self) -> None:
        """Called before an own record is written. Raises `LedgerAway`: none may be written now."""
        ...

    def lacking(self, next_sequence: int) -> Sequence[int]:
        """Which of the process's records below that one `keep` was never given: the answer to their COMMIT was lost."""
        ...

    def keep(self, written: Sequence[Written]) -> None:
        """Called after the commit. Raises `CopyMissing`: committed, but the copy is not on disk."""
        ...


class Ledger(Protocol):
    """The books of a site, whatever database holds them."""

    def commit(self, job: Job[T]) -> T:
        """Run `job` in one commit, alone, and return its result once that is durable.

        What `job` raises is raised here, and nothing of it stays. Raises `LedgerAway` when the database
        cannot commit; then nothing of it stays either.
        """
        ...

    def post(self, arrivals: Sequence[Arrival[T]]) -> list[T]:
        """Answer what terminals sent, in order, in one commit, beside those of other host processes.

        Returns once it is durable. Raises `LedgerAway`: then nothing of it stays, and terminals send again.
        """
        ...

    def view(self, job: Job[T]) -> T:
        """Run `job` on a snapshot. It may not change anything; it waits for no writer, but for a day that is being archived."""
        ...


class Database(Protocol):
    """A database that holds the books: transactions, and a store in each."""

    def transaction(self, *, is_shared: bool) -> AbstractContextManager["Store"]:
        """A transaction that is committed when the block ends, and rolled back when it raises.

        `is_shared`: beside other processes' shared ones, for arrivals; otherwise alone. Raises `LedgerAway` when nothing
        of it stays, `TryAgain` when the same block may succeed if it is run again from the start.
        """
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Within a transaction: a block that leaves nothing when it raises.

        What the database refused comes out as `RuleBroken`, other errors of it as `LedgerAway`; `TransactionLost`
        and `TryAgain` when the transaction itself is gone.
        """
        ...

    def snapshot(self) -> AbstractContextManager["Store"]:
        """A store that shows one moment and changes nothing. Any thread may use it, at any time."""
        ...

    def claim(self) -> bool:
        """Keep every other process from opening this database until it is closed here; False while one has it open.

        Only a server knows; a file's users are looked for by `sqlite_backup.user_of`. Raises `LedgerAway`.
        """
        ...

    def close(self) -> None:
        """Close it. Committed work needs no closing."""
        ...


class Changes(NamedTuple):
    """What is to be written to one table, as values ready for the database.

    `inserts` have the columns of `stored_columns(kind)`, `updates` those that are not in the key and then the key,
    `deletes` keys. With `is_once` an insert whose key, or another unique column, is there already is no error and changes nothing.
    """

    kind: "type[Row]"
    inserts: Sequence[tuple[Any, ...]]
    updates: Sequence[tuple[Any, ...]]
    deletes: Sequence[Key]
    is_once: bool = False
    table: str = ""
    """The table of an open day, for movements; "" is the one of the class."""


class Store(Protocol):
    """One transaction of a database. Only `Books` uses it.

    In a shared transaction rows of `LOCKED` (ledger/rows.py) are locked as they are read, until the commit.
    """

    def version(self) -> int | None:
        """A number that changes when anybody else commits; None: this database cannot tell."""
        ...

    def get(self, kind: type[R], key: Key) -> R | None:
        """The row of that primary key."""
        ...

    def load(self, kind: type[R], keys: Sequence[Key]) -> list[R]:
        """The rows of those primary keys, as far as they are there; read, and locked, in the order of `keys`, which are sorted."""
        ...

    def spans(self, kind: type[R], column: str, spans: Sequence[tuple[int, int]], where: Where) -> list[R]:
        """The rows with a column between two values, one of `spans` (inclusive, none overlaps another), that `where` is true of."""
        ...

    def find(self, kind: type[R], where: Where, *, limit: int | None = None, newest_first: bool = False) -> list[R]:
        """Rows whose columns equal the values, or lie between two (inclusive); in the order of the primary key."""
        ...

    def scan(self, kind: type[R], *, order: Sequence[str] = ()) -> Iterator[R]:
        """All rows of a table in the order of those columns, or of the primary key, a few at a time."""
        ...

    def scan_sealed(self, kind: type[R]) -> Iterator[tuple[R, bytes]]:
        """All rows of a table of `SEALED` with their seals, in the order of the primary key."""
        ...

    def highest(self, kind: "type[Row]", column: str) -> int:
        """The greatest value of an integer column, 0 in an empty table."""
        ...

    def last_link(self) -> "Commit | None":
        """The newest link of the hash chain; nobody else adds one until this transaction has ended."""
        ...

    def write(self, changes: Sequence[Changes]) -> None:
        """Write changed rows, in this order. A key that is there already fails the whole job: one name, one content."""
        ...

    def add_up(self, deltas: Sequence[tuple[int, int, int]]) -> None:
        """Add to accounts: (balance, held, number) each, sorted by number."""
        ...

    def damage(self) -> list[str]:
        """What the database itself finds wrong with its files: pages, indexes, values that no rule of the schema allows."""
        ...

    def run(self, statement: str, values: Sequence[Value] = ()) -> Iterator[tuple[Any, ...]]:
        """One statement of schema.py's portable SQL, `?` for each value; its rows, a few at a time."""
        ...

    def guard(self, table: str) -> None:
        """Let the database refuse changes of a table that was made in this transaction."""
        ...
