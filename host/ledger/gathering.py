"""The rows that a batch of arrivals will read, read set by set before any of them is answered.

Each arrival says what it wants (`Wanted`); `gather` takes all of it in hand with a few queries, whatever the size
of the batch. In a shared commit this is also where rows are locked, in one order for every process: epochs, then
accounts, each sorted. What the rules read beyond that they read by themselves, row by row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from host.ledger.books import Books
from host.ledger.contract import Arrival
from host.ledger.rows import Account, Card, Epoch, Hold, Holder, Place, Reservation, Settlement, Terminal


@dataclass(slots=True)
class Wanted:
    """What arrivals will read: numbers and names; keys have leg 0."""

    terminals: set[int] = field(default_factory=set[int])
    epochs: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """(terminal, epoch); their asked holds come with them."""
    cards: set[int] = field(default_factory=set[int])
    """With the accounts they charge."""
    purses: set[int] = field(default_factory=set[int])
    """Those of the cards whose mirrors are read too."""
    owners: set[int] = field(default_factory=set[int])
    """Those of the cards whose holders are read too."""
    holders: set[int] = field(default_factory=set[int])
    """Accounts of holders, named as such."""
    holds: set[int] = field(default_factory=set[int])
    """Keys of holds by their own names."""
    records: set[int] = field(default_factory=set[int])
    """Keys of records that are here already, to be compared."""
    references: set[int] = field(default_factory=set[int])
    """Keys of records that are referred to: with holds, settlements and bookings under them."""


def gather(books: Books, arrivals: Sequence[Arrival[Any]]) -> None:
    """Take in hand what the arrivals want."""
    wanted = Wanted()
    for arrival in arrivals:
        arrival.want(wanted)
    books.load(Terminal, _keys(wanted.terminals))
    terminals = [books.get(Terminal, number) for number in wanted.terminals]
    books.load(Place, _keys({row.place for row in terminals if row is not None and row.place is not None}))
    books.load(Epoch, wanted.epochs)
    for arrival in arrivals:
        arrival.want_more(wanted, books)
    books.load_records(wanted.records)
    books.load_asked(wanted.epochs)
    books.load(Hold, _keys(wanted.holds | wanted.references))
    books.load(Settlement, _keys(wanted.references))
    books.load(Reservation, _keys(wanted.references))
    books.load(Card, _keys(wanted.cards))
    cards = [card for number in wanted.cards if (card := books.get(Card, number)) is not None]
    books.load(Holder, _keys(wanted.holders | {card.account for card in cards if card.number in wanted.owners}))
    # What no holder has may be anybody's account: a merchant's is never locked here.
    accounts = {card.account for card in cards} | {number for number in wanted.holders if books.get(Holder, number) is not None}
    accounts.update(card.mirror for card in cards if card.number in wanted.purses)
    accounts.update(hold.account for key in wanted.references if (hold := books.get(Hold, key)) is not None)
    books.load(Account, _keys(accounts))


def _keys(numbers: Iterable[int]) -> list[tuple[int]]:
    return [(number,) for number in numbers]
