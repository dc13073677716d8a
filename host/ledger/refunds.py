"""What a void or refund takes back of a sale, and from whom it came. Without a database.

Money goes back to whom it came from: the school's loss first, then who paid last is paid back first, so
that a wallet, which pays first, is filled last. A purse's sale goes to the account, never to the card.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from host.ledger.funds import Share
from host.ledger.rows import LOSS, Refund


class Leg(NamedTuple):
    """One movement."""

    debit: int
    credit: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale as the books have it.

    `paid`: who paid the merchant, in the order of legs, the holder's account in the place of a mirror.
    `owner`: the holder's account, 0 if nobody's. `back_fen`: what was taken back of it before.
    """

    key: int
    merchant: int
    owner: int
    paid: tuple[Share, ...]
    back_fen: int = 0

    @property
    def left_fen(self) -> int:
        """What can still be taken back."""
        return max(sum(share.amount_fen for share in self.paid) - self.back_fen, 0)


@dataclass(frozen=True, slots=True)
class Met:
    """What becomes of refunds that waited for a sale: movements, their rows, and those whose money is in suspense."""

    legs: tuple[Leg, ...]
    refunds: tuple[Refund, ...]
    excess: tuple[Refund, ...]


def give_back(sold: Sold, amount_fen: int) -> tuple[Leg, ...]:
    """The movements that take back `amount_fen`, which is at most what is left."""
    assert 0 <= amount_fen <= sold.left_fen
    legs: list[Leg] = []
    skipped_fen = sold.back_fen
    for share in _back_in_order(sold.paid):
        passed_fen = min(skipped_fen, share.amount_fen)
        skipped_fen -= passed_fen
        back_fen = min(share.amount_fen - passed_fen, amount_fen)
        amount_fen -= back_fen
        if back_fen:
            legs.append(Leg(sold.merchant, share.account, back_fen))
    return tuple(legs)


def meet(sold: Sold, waiting: Sequence[Refund], suspense: int) -> Met:
    """Let refunds that came before their sale take effect, in the order of their names.

    One above what is left goes to suspense, the whole. The movements of all of them are joined, so that
    they are never more than who paid, and suspense.
    """
    taken_fen, excess_fen = 0, 0
    rows: list[Refund] = []
    excess: list[Refund] = []
    for refund in waiting:
        if taken_fen + refund.amount_fen <= sold.left_fen:
            taken_fen += refund.amount_fen
            rows.append(replace(refund, is_waiting=0))
        else:
            excess_fen += refund.amount_fen
            rows.append(replace(refund, is_waiting=0, amount_fen=0))
            excess.append(refund)
    legs = list(give_back(sold, taken_fen))
    if excess_fen:
        legs.append(Leg(sold.merchant, suspense, excess_fen))
    return Met(tuple(legs), tuple(rows), tuple(excess))


def paid_by(legs: Iterable[Leg], merchant: int) -> tuple[Share, ...]:
    """Who paid a merchant, of the movements of a sale."""
    return tuple(Share(leg.debit, leg.amount_fen) for leg in legs if leg.credit == merchant)


def covered_by(paid: Iterable[Share], covers: Iterable[Share]) -> tuple[Share, ...]:
    """Who paid, once those whom `covers` names were charged for what the school had borne: they stand in its place, as far as it goes."""
    sums: dict[int, int] = {}
    for number, amount_fen in paid:
        sums[number] = sums.get(number, 0) + amount_fen
    for number, amount_fen in covers:
        covered_fen = min(amount_fen, sums.get(LOSS, 0))
        sums[LOSS] = sums.get(LOSS, 0) - covered_fen
        sums[number] = sums.get(number, 0) + covered_fen
    return tuple(Share(number, amount_fen) for number, amount_fen in sums.items() if amount_fen)


def _back_in_order(paid: Sequence[Share]) -> list[Share]:
    lost = [share for share in paid if share.account == LOSS]
    return lost + [share for share in reversed(paid) if share.account != LOSS]
