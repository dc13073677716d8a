"""Sales as they arrive at the ledger: as bytes; and for posting only, as the movements that they come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench.canteens import NOW_S
from bench.lunch import EPOCH, Sale, delivered, encoded, key_of
from host.intake import Delivery
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.contract import Arrival
from host.ledger.gathering import Wanted
from host.ledger.rows import Card, Epoch, Movement, Place, Terminal

Answer = tuple[int, int]
"""Epoch and high water."""
Prepare = Callable[[Sequence[Sale]], Callable[[], None]]


def intake(ledger: SiteLedger) -> Prepare:
    """The whole intake: messages of signed records, as the lines bring them."""

    def prepare(sales: Sequence[Sale]) -> Callable[[], None]:
        messages = delivered(sales)
        arrivals = [Delivery(message.till, b"".join(message.records), NOW_S) for message in messages]
        return partial(_post, ledger, arrivals, [(EPOCH, message.last) for message in messages])

    return prepare


def posting(ledger: SiteLedger) -> Prepare:
    """Posting only: which accounts a sale moves money between is known, and that it is new and genuine."""
    holders = {card.number: card.account for card in ledger.view(lambda books: books.find(Card))}
    merchants = {place.number: place.merchant for place in ledger.view(lambda books: books.find(Place))}
    tills = {till.number: merchants[till.place] for till in ledger.view(lambda books: books.find(Terminal)) if till.place is not None}

    def movement(sale: Sale) -> Movement:
        holder = holders[sale.card]
        return Movement(key_of(sale), holder, tills[sale.till], sale.amount_fen, encoded(sale), holder)

    def prepare(sales: Sequence[Sale]) -> Callable[[], None]:
        runs = by_till(sales)
        arrivals = [Decided(run[-1].till, run[-1].sequence, [movement(sale) for sale in run]) for run in runs]
        return partial(_post, ledger, arrivals, [(EPOCH, run[-1].sequence) for run in runs])

    return prepare


@dataclass(frozen=True, slots=True)
class Decided:
    """Movements of one till that only want posting, up to a sequence: an `Arrival`."""

    till: int
    sequence: int
    movements: Sequence[Movement]

    @property
    def is_alone(self) -> bool:
        """See `Arrival.is_alone`."""
        return False

    def want(self, wanted: Wanted) -> None:
        """See `Arrival.want`."""
        wanted.epochs.add((self.till, EPOCH))

    def want_more(self, wanted: Wanted, books: Books) -> None:
        """See `Arrival.want_more`."""

    def run(self, books: Books) -> Answer:
        """See `Arrival.run`."""
        for movement in self.movements:
            books.move(movement.debit, movement.credit, movement.amount_fen)
            books.add(movement)
        books.raise_high_water(books.need(Epoch, self.till, EPOCH), self.sequence)
        return EPOCH, self.sequence


def by_till(sales: Sequence[Sale]) -> list[list[Sale]]:
    """Sales that follow each other at one till, together."""
    runs: list[list[Sale]] = []
    for sale in sales:
        if not runs or runs[-1][-1].till != sale.till:
            runs.append([])
        runs[-1].append(sale)
    return runs


def _post(ledger: SiteLedger, arrivals: Sequence[Arrival[Answer]], expected: Sequence[Answer]) -> None:
    answers = ledger.post(arrivals)
    # A repeat is answered with the high water of now, which may lie above its own last record.
    if any(answer < least for answer, least in zip(answers, expected, strict=True)):
        raise AssertionError(answers)
