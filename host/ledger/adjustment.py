"""The annex of an `adjust` record: what it moves, why, and for what (docs/ledger.md, "Adjustments").

MessagePack: [version 1, purpose, reason, [[debit, credit, amount], ...], [detail, ...]]. Its digest is in
the record, so what the office moved is proven by the same TAC as everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from host.ledger.refunds import Leg
from protocol.packing import pack, unpack

_VERSION = 1


class Purpose(StrEnum):
    """What an adjustment is for."""

    MOVE = "move"
    """The office moves money, for instance out of suspense to the owner it has found."""
    REVERSAL = "reversal"
    """Undoes the record that is its reference."""
    SUBSIDY = "subsidy"
    """A line of a batch; detail: number of the batch, line."""
    BATCH = "batch"
    """The head of a batch, moving nothing; detail: number, name of the wallet, lines, fen, SHA-256 of the file."""
    COVER = "cover"
    """What a restore's wait left to decide about the record that is its reference is taken now, for the school that bore it."""
    EXPIRY = "expiry"
    """What is left of an expired wallet goes back to its giver."""
    STAND_IN = "stand_in"
    """Stands under the name that is its reference, in an epoch about to be closed."""
    CLOSE = "close"
    """Closes the epoch of its reference, whose sequence is 0."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The content of the annex."""

    purpose: str
    reason: str = ""
    legs: tuple[Leg, ...] = ()
    detail: tuple[str | int | bytes, ...] = ()

    @property
    def amount_fen(self) -> int:
        """What it moves in all: the record's amount."""
        return sum(leg.amount_fen for leg in self.legs)


def encode_annex(adjustment: Adjustment) -> bytes:
    """The bytes of an annex."""
    legs = [list(leg) for leg in adjustment.legs]
    return pack([_VERSION, str(adjustment.purpose), adjustment.reason, legs, list(adjustment.detail)])


def decode_annex(annex: bytes) -> Adjustment | None:
    """An adjustment out of its annex; None if these bytes are none: another version's, or not whole."""
    try:
        found: Any = unpack(annex)
    except ValueError:
        return None
    if not isinstance(found, list) or len(cast("list[Any]", found)) != 5 or found[0] != _VERSION:
        return None
    _, purpose, reason, legs, detail = cast("list[Any]", found)
    if not (isinstance(purpose, str) and isinstance(reason, str) and isinstance(legs, list) and isinstance(detail, list)):
        return None
    if not all(_is_leg(leg) for leg in cast("list[Any]", legs)):
        return None
    return Adjustment(purpose, reason, tuple(Leg(*leg) for leg in cast("list[list[int]]", legs)), tuple(cast("list[Any]", detail)))


def source_annex(source: int) -> bytes:
    """What a recharge has beside its 64 bytes when the money did not come over the counter: the account it came through."""
    return pack([_VERSION, source])


def decode_source(annex: bytes) -> int | None:
    """The account a recharge came through; None if these bytes do not say."""
    try:
        found: Any = unpack(annex)
    except ValueError:
        return None
    fields = cast("list[Any]", found) if isinstance(found, list) else []
    return fields[1] if len(fields) == 2 and fields[0] == _VERSION and isinstance(fields[1], int) else None


def _is_leg(leg: Any) -> bool:
    if not isinstance(leg, list):
        return False
    numbers = cast("Sequence[Any]", leg)
    return len(numbers) == 3 and all(type(number) is int for number in numbers) and numbers[0] != numbers[1] and numbers[2] > 0
