"""Closing an epoch whose board is lost, and what follows when it is found (MONEY 7). Without a database.

What is still open there is settled by host records that stand under the names of the missing ones: a load
that was granted counts as loaded, a shower is settled at what its last extension said was used. A record
that comes late takes the place of what stands under its name: that is undone first.
"""

from collections.abc import Iterable, Mapping, Sequence

from host.ledger.cases import Effect
from host.ledger.funds import Share, draw
from host.ledger.host_effects import moved
from host.ledger.kinds import AccountKind, HoldKind, HoldState
from host.ledger.refunds import Leg
from host.ledger.rows import LOSS, Account, Hold


def needs_stand_in(hold: Hold) -> bool:
    """Whether something is posted for an open hold of a lost epoch; what was only asked for a sale or a shower is just released."""
    return hold.kind == HoldKind.LOAD or hold.state == HoldState.TAKEN


def stand_in(hold: Hold, *, merchant: int, mirror: int, main: int, payers: Sequence[Account], shares: Sequence[Share]) -> tuple[Leg, ...]:
    """The movements that stand for the record an open hold waits for.

    `mirror` and `main` are the card's and its holder's, 0 where there is no card; `payers` and `shares`
    whom the hold is on, and what each bears.
    """
    if hold.kind == HoldKind.LOAD:
        legs = [Leg(main, mirror, hold.amount_fen)] if mirror else []
    elif hold.kind == HoldKind.PURSE:
        used_fen = min(hold.used_fen, hold.amount_fen)
        legs = [Leg(hold.account, merchant, used_fen), Leg(hold.account, main, hold.amount_fen - used_fen)]
    else:
        drawn, short_fen = draw(hold.used_fen, payers, freed=shares, first=shares)
        legs = [*(Leg(number, merchant, share_fen) for number, share_fen in drawn), Leg(LOSS, merchant, short_fen)]
    return tuple(leg for leg in legs if leg.amount_fen > 0)


def undo(legs: Iterable[Leg], accounts: Mapping[int, Account]) -> Effect:
    """Take back what stood under a name. Of what was spent meanwhile, the school bears the loss."""
    return moved((Leg(leg.credit, leg.debit, leg.amount_fen) for leg in legs), accounts, freed=(), bounded=_BOUNDED)


def net(legs: Iterable[Leg]) -> list[Leg]:
    """Movements between the same two accounts as one: a record that says what stood for it moves nothing."""
    sums: dict[tuple[int, int], int] = {}
    for debit, credit, amount_fen in legs:
        pair, sign = ((debit, credit), 1) if (credit, debit) not in sums else ((credit, debit), -1)
        sums[pair] = sums.get(pair, 0) + sign * amount_fen
    ends = [(pair, amount_fen) if amount_fen > 0 else ((pair[1], pair[0]), -amount_fen) for pair, amount_fen in sums.items()]
    return [Leg(debit, credit, amount_fen) for (debit, credit), amount_fen in ends if amount_fen]


_BOUNDED = (AccountKind.HOLDER, AccountKind.WALLET, AccountKind.MIRROR)
