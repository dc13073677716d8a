"""Which of a holder's money pays what: wallets in their order, the main account last. Without a database.

A *share* is an amount of one account. What a sale takes, what a hold sets aside, what a refund gives back
are shares; a holder without wallets has one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from host.ledger.rows import Account, Hold, Wallet

MOST_SHARES = 6
"""Accounts that bear one charge: with the school's loss, refunds that waited for it and suspense they are 15 of a record's 16 legs."""


class Share(NamedTuple):
    """So much of that account."""

    account: int
    amount_fen: int


Parts = Mapping[int, Sequence[Share]]
"""What wallets bear of holds, by the hold's key."""


@dataclass(frozen=True, slots=True)
class HolderWallet:
    """A wallet of one holder, and what its kind says. `merchants`: who takes it, all if there are none."""

    account: Account
    wallet: Wallet
    merchants: frozenset[int]


def payers(main: Account, wallets: Iterable[HolderWallet], *, merchant: int, now_s: int) -> tuple[Account, ...]:
    """The accounts that may pay this merchant now, in the order in which they are spent."""
    usable = [each for each in wallets if is_usable(each, merchant=merchant, now_s=now_s)]
    usable.sort(key=_in_order)
    return (*(each.account for each in usable), main)


def is_usable(each: HolderWallet, *, merchant: int, now_s: int) -> bool:
    """Whether a wallet pays this merchant, and has not run out."""
    return (not each.merchants or merchant in each.merchants) and not has_expired(each.wallet, now_s)


def has_expired(wallet: Wallet, now_s: int) -> bool:
    """Whether a wallet's time is over: at that second it pays no more."""
    return 0 < wallet.expires_s <= now_s


def available(accounts: Sequence[Account]) -> int:
    """What they have together, beside what is held."""
    return sum(max(account.available_fen, 0) for account in accounts)


def draw(
    amount_fen: int, accounts: Sequence[Account], *, freed: Sequence[Share] = (), first: Sequence[Share] = ()
) -> tuple[list[Share], int]:
    """Take an amount: what `first` names before anything else, then from the accounts in their order.

    `freed` is held now and counts as available; `first` is part of it, wallets too that have expired since. Returns the shares, at most
    `MOST_SHARES`, and what nobody could bear.
    """
    spare = {account.number: account.available_fen for account in accounts}
    for share in freed:
        spare[share.account] = spare.get(share.account, 0) + share.amount_fen
    taken: dict[int, int] = {}
    order = [*first, *(Share(account.number, amount_fen) for account in accounts)]
    main = accounts[-1].number if accounts else 0
    for number, most_fen in order:
        # The main account has a place kept for it.
        if number in taken or number == main or len(taken) - (main in taken) < MOST_SHARES - 1:
            share_fen = min(most_fen, amount_fen, spare[number])
            if share_fen > 0:
                taken[number] = taken.get(number, 0) + share_fen
                spare[number] -= share_fen
                amount_fen -= share_fen
    return [Share(number, share_fen) for number, share_fen in taken.items()], amount_fen


def shares_of(hold: Hold, parts: Parts) -> list[Share]:
    """What each account bears of a hold: wallets first, the main account the rest."""
    if not hold.part_count:
        return [Share(hold.account, hold.amount_fen)]
    of_wallets = list(parts[hold.key])
    rest_fen = hold.amount_fen - sum(share.amount_fen for share in of_wallets)
    return [*of_wallets, Share(hold.account, rest_fen)]


def freed_by(holds: Iterable[Hold], parts: Parts) -> list[Share]:
    """What is available again when holds end."""
    return [share for hold in holds for share in shares_of(hold, parts)]


def of_wallets(shares: Iterable[Share], main: int) -> tuple[Share, ...]:
    """The shares that are not the main account's: what a hold keeps beside itself."""
    return tuple(share for share in shares if share.account != main)


def _in_order(each: HolderWallet) -> tuple[int, bool, int, int]:
    """By spending order; of equals, what expires first."""
    wallet = each.wallet
    return (wallet.spending_order, wallet.expires_s == 0, wallet.expires_s, each.account.number)
