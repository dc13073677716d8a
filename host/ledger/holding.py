"""Money set aside and freed, in the books: a hold, and the parts of it that wallets bear."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from host.ledger.books import Books
from host.ledger.funds import HolderWallet, Parts, Share, draw, of_wallets, payers, shares_of
from host.ledger.kinds import AccountKind
from host.ledger.rows import Account, Card, Hold, Holder, HoldPart, Wallet, WalletScope
from protocol.messages import SUBJECT_ACCOUNT, SUBJECT_CARD

NO_PARTS: Parts = {}
"""For the many holds that no wallet bears."""


def account_of(books: Books, subject_kind: int, subject: int) -> Account | None:
    """The account that a subject charges: a card's holder, or a holder's account itself. None: unknown."""
    if subject_kind == SUBJECT_CARD:
        card = books.get(Card, subject)
        return books.need(Account, card.account) if card else None
    if subject_kind == SUBJECT_ACCOUNT and books.get(Holder, subject) is not None:
        return books.need(Account, subject)
    return None


def mirror_of(books: Books, subject_kind: int, subject: int) -> Account | None:
    """The mirror of the card that is the subject, if it is one."""
    card = books.get(Card, subject) if subject_kind == SUBJECT_CARD else None
    return books.need(Account, card.mirror) if card else None


def wallets_of(books: Books, main: Account) -> list[HolderWallet]:
    """The wallets of a holder, whatever they are worth and for."""
    accounts = books.find(Account, owner=main.number, kind=AccountKind.WALLET)
    return [
        HolderWallet(
            # What this commit has changed, a query may not have seen.
            books.need(Account, account.number),
            books.need(Wallet, account.wallet),
            frozenset(scope.merchant for scope in books.find(WalletScope, wallet=account.wallet)),
        )
        for account in accounts
    ]


def payers_of(books: Books, main: Account, merchant: int) -> tuple[Account, ...]:
    """The accounts of a holder that may pay this merchant now, in their order. Most holders have one."""
    if not main.wallet_count:
        return (main,)
    return payers(main, wallets_of(books, main), merchant=merchant, now_s=books.now_s)


def parts_of(books: Books, holds: Iterable[Hold]) -> Parts:
    """What wallets bear of these holds, by key."""
    split = [hold.key for hold in holds if hold.part_count]
    if not split:
        return NO_PARTS
    return {key: [Share(part.account, part.amount_fen) for part in books.find(HoldPart, key=key)] for key in split}


def place_hold(books: Books, hold: Hold, parts: Sequence[Share] = ()) -> None:
    """Set a hold's money aside, `parts` of it in wallets; one that is there under its name already is changed to it."""
    before = books.get(Hold, hold.key)
    assert before is None or before.account == hold.account, (before, hold)
    hold = replace(hold, part_count=len(parts)) if hold.part_count != len(parts) else hold
    if before is not None and before.part_count:
        _free_parts(books, before)
        before = replace(before, amount_fen=0) if before.amount_fen else before
        books.change(before)
    main_fen = hold.amount_fen - sum(part.amount_fen for part in parts)
    books.set_aside(hold.account, main_fen - (before.amount_fen if before else 0))
    if before is None:
        books.add(hold)
    else:
        books.change(hold)
    for number, amount_fen in parts:
        books.set_aside(number, amount_fen)
        books.add(HoldPart(hold.key, number, amount_fen))


def end_hold(books: Books, hold: Hold) -> None:
    """Free what a hold has set aside."""
    if hold.part_count:
        _free_parts(books, hold)
    else:
        books.set_aside(hold.account, -hold.amount_fen)
    books.drop(hold)


def raise_hold(books: Books, hold: Hold, total_fen: int, merchant: int) -> int:
    """Raise a hold to a total, as far as what may pay this merchant is available; returns what is held then."""
    before = shares_of(hold, parts_of(books, [hold]))
    wanted_fen = max(total_fen, hold.amount_fen)
    shares, short_fen = draw(wanted_fen, payers_of(books, books.need(Account, hold.account), merchant), freed=before, first=before)
    held_fen = wanted_fen - short_fen
    place_hold(books, replace(hold, amount_fen=held_fen), of_wallets(shares, hold.account))
    return held_fen


def _free_parts(books: Books, hold: Hold) -> None:
    """Free a hold with parts, the main account's share too."""
    shares = shares_of(hold, parts_of(books, [hold]))
    for number, amount_fen in shares:
        books.set_aside(number, -amount_fen)
    for part in books.find(HoldPart, key=hold.key):
        books.drop(part)
