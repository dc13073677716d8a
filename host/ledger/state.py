"""What a ledger holds, in a few numbers: how a backup is told from another."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from host.ledger.chain import NO_DIGEST
from host.ledger.rows import Account, Card, Fact, Holder, Item, Movement, Reservation, Terminal

_COUNTED = (Account, Holder, Card, Terminal, Movement, Fact, Reservation, Item)


class State(NamedTuple):
    """The last link of the chain (number, digest in hexadecimal, Unix seconds), and rows by table."""

    commit: int
    commit_digest: str
    commit_s: int
    counts: dict[str, int]


def read_state(run: Callable[[str], Iterable[tuple[Any, ...]]]) -> State:
    """The state of a ledger, by a function that runs a statement of SQL: a database's, or `Books.run`."""
    newest = list(run("SELECT number, digest, at_s FROM commits ORDER BY number DESC LIMIT 1")) or [(0, NO_DIGEST, 0)]
    number, digest, at_s = newest[0]
    counts = {kind.TABLE: next(iter(run(f"SELECT count(*) FROM {kind.TABLE}")))[0] for kind in _COUNTED}
    return State(number, bytes(digest).hex(), at_s, counts)
