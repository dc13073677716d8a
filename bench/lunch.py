"""What three hundred tills send at lunch: sales, signed, each till's sequences running on."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from bench.canteens import CANTEEN_COUNT, FIRST_TILL, HOLDER_COUNT, KEYS, NOW_S, TILL_COUNT
from host.ledger.clock import to_wire
from protocol import record as kinds
from protocol.messages import RECORDS_MAX, SUBJECT_CARD
from protocol.record import NO_TAC, NONE, NOTHING_SHOWN, TRUST_SET, Name, Record, encode, pack_key

EPOCH = 1


class Delivered(NamedTuple):
    """A message: the till it comes from, its records, and the sequence of the last."""

    till: int
    records: list[bytes]
    last: int


class Sale(NamedTuple):
    """What a sale is, apart from its bytes."""

    till: int
    sequence: int
    card: int
    amount_fen: int


class Lunch:
    """An endless lunch, the same for the same seed, at some of the tills; `after`: the last sequence each of all tills had before.

    A batch is spread over as many tills as it has records, and over all of them when it has more; each then
    sends as many as a message takes.
    """

    def __init__(self, seed: int = 1, tills: Sequence[int] = range(TILL_COUNT), after: Sequence[int] = (0,) * TILL_COUNT) -> None:
        self._random = random.Random(seed)
        self._tills = tills
        self._sequences = list(after)

    def sales(self, count: int) -> list[Sale]:
        """The next sales, those of one till after each other."""
        tills = self._random.sample(self._tills, min(count, len(self._tills)))
        return [self._next(tills[index * len(tills) // count]) for index in range(count)]

    def _next(self, till: int) -> Sale:
        self._sequences[till] += 1
        return Sale(FIRST_TILL + till, self._sequences[till], 1 + self._random.randrange(HOLDER_COUNT), 100 + self._random.randrange(2_000))


def delivered(sales: Sequence[Sale]) -> list[Delivered]:
    """Sales as messages of up to three records."""
    messages: list[Delivered] = []
    for sale in sales:
        if not messages or messages[-1].till != sale.till or len(messages[-1].records) == RECORDS_MAX:
            messages.append(Delivered(sale.till, [], 0))
        messages[-1].records.append(encoded(sale))
        messages[-1] = messages[-1]._replace(last=sale.sequence)
    return messages


def encoded(sale: Sale) -> bytes:
    """The record of a sale from the account, as its till signs it."""
    record = Record(
        kind=kinds.SALE,
        terminal=sale.till,
        epoch=EPOCH,
        sequence=sale.sequence,
        at_s=to_wire(NOW_S),
        trust=TRUST_SET,
        subject_kind=SUBJECT_CARD,
        subject=sale.card,
        purse=False,
        away=False,
        reference=NONE,
        amount_fen=sale.amount_fen,
        detail=7 | 1 << 16,
        balance_fen=0,
        counter=0,
        shown=NOTHING_SHOWN,
        tariff=1,
        list_version=1,
        tac=NO_TAC,
    )
    return encode(record, KEYS.record_cmac(sale.till, 1))


def key_of(sale: Sale) -> int:
    """The key of the movement it becomes."""
    return pack_key(Name(sale.till, EPOCH, sale.sequence), 0)


def canteen_of(till: int) -> int:
    """Which canteen a till stands in, from 0."""
    return (till - FIRST_TILL) % CANTEEN_COUNT
