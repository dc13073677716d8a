"""What a ledger is to those who use it, and what a database must do to be one.

Services take a `Ledger` and hand it jobs. A job is a function of the `Books` of one commit: it reads
rows, changes them, and its result is returned only after the commit is on disk. It may be run again
from the start, so it touches nothing but its books. `Writer` (host/writer.py) is a `Ledger` too, for
many threads at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from host.ledger.books import Books
    from host.ledger.rows import Row

T = TypeVar("T")
R = TypeVar("R", bound="Row")

Value = int | str | bytes | None
Key = tuple[Value, ...]
Job = Callable[["Books"], T]


class Ledger(Protocol):
    """The books of a site, whatever database holds them."""

    def commit(self, job: Job[T]) -> T:
        """Run `job` in one commit, and return its result once that is durable.

        What `job` raises is raised here, and nothing of it stays. Raises `LedgerAway` when the database
        cannot commit; then nothing of it stays either.
        """
        ...

    def view(self, job: Job[T]) -> T:
        """Run `job` on a snapshot. It may not change anything; it never waits for a writer."""
        ...


class Store(Protocol):
    """One transaction of a database, row by row. Only `Books` uses it."""

    def get(self, kind: type[R], key: Key) -> R | None:
        """The row of that primary key."""
        ...

    def find(
        self, kind: type[R], where: Mapping[str, Value | tuple[int, int]], *, limit: int | None = None, newest_first: bool = False
    ) -> list[R]:
        """Rows whose columns equal the values, or lie between two (inclusive); in the order of the primary key."""
        ...

    def scan(self, kind: type[R]) -> Iterator[R]:
        """All rows of a table in the order of the primary key, a few at a time."""
        ...

    def highest(self, kind: "type[Row]", column: str) -> int:
        """The greatest value of an integer column, 0 in an empty table."""
        ...

    def write(self, *, inserts: "Sequence[Row]", updates: "Sequence[Row]", deletes: "Sequence[Row]") -> None:
        """Write changed rows. A key that is there already fails the whole job: one name, one content."""
        ...
