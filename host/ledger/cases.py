"""What the rules are given and what they answer: a record with its surroundings, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from host.ledger.adjustment import Adjustment
from host.ledger.funds import Parts, Share
from host.ledger.kinds import ItemKind
from host.ledger.refunds import Leg, Sold
from host.ledger.rows import CASH, Account, Hold, Refund
from protocol.record import Record

LEG_LIMIT = 16
"""Movements of one record: the leg has 4 bits in the key."""

MOST_ADJUSTED = 8
"""Movements one adjustment may name; each may need the school's loss beside it."""


# Made for each record on the way of every sale: slotted, and not frozen, which would triple what they cost.
@dataclass(slots=True)
class Case:
    """A record and its surroundings.

    `merchant`: whose terminal it is. `account`: whom the subject charges, None if unknown. `mirror`: the
    purse of the card that is the subject. `payers`: the accounts of whom this record charges that may pay
    this merchant, in their order (ledger/funds.py). `asked`: the asked holds of its terminal and epoch up
    to its name, all of which end with it; `parts`: what wallets bear of holds. `named`: the taken hold
    under its reference, if this record may name it; `named_account` is the account it is on. `is_settled`:
    an earlier record settled its reference. `sold`: the sale it names; `is_to_come`: that sale is not here
    yet. `waiting`: refunds that waited for this record. For adjustments and recharges: `adjustment`, what
    it moves; `others`, the accounts it names that there are; `is_reversed`, its reference was undone before;
    `named_sale`, the device's record that a reversal undoes, here or still to come; `borne_fen`, what the school
    still bears of the record that is charged afterwards. `back_fen`: what was taken back of this record already.
    For late records of a closed epoch: `displaced`, what stood under the name of the shower it settles, and
    was undone for it; `is_stood_in`, something stands there.
    """

    key: int
    record: Record
    is_proven: bool
    is_host: bool
    merchant: int
    account: Account | None
    mirror: Account | None
    parts: Parts
    payers: Sequence[Account] = ()
    asked: tuple[Hold, ...] = ()
    named: Hold | None = None
    named_account: Account | None = None
    is_settled: bool = False
    sold: Sold | None = None
    is_to_come: bool = False
    waiting: Sequence[Refund] = ()
    adjustment: Adjustment | None = None
    source: int = CASH
    others: Mapping[int, Account] | None = None
    is_reversed: bool = False
    named_sale: int = 0
    borne_fen: int = 0
    back_fen: int = 0
    displaced: Sequence[Leg] = ()
    is_stood_in: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One item for the worklist. `key`: the record it is about, 0 for the one that has this effect."""

    kind: ItemKind
    amount_fen: int = 0
    key: int = 0


@dataclass(slots=True)
class Effect:
    """What follows: movements in the order of their legs, holds that end, one that is placed, items."""

    legs: Sequence[Leg] = ()
    ended: tuple[Hold, ...] = ()
    placed: Hold | None = None
    placed_parts: tuple[Share, ...] = ()
    """What wallets bear of it."""
    findings: tuple[Finding, ...] = ()
    settles: bool = False
    """Its reference is settled by this."""
    refunds: tuple[Refund, ...] = ()
    """Rows to put in place."""
    reverses: int = 0
    """The record that is undone."""


def uncovered(amount_fen: int) -> tuple[Finding, ...]:
    """The item of what nobody could bear."""
    return (Finding(ItemKind.UNCOVERED, amount_fen),) if amount_fen > 0 else ()
