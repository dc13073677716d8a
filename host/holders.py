"""People and their accounts: opening one, paying in, what there is."""

import re
from dataclasses import dataclass

from host.errors import AlreadyThere, InvalidValue, NotFound
from host.ledger.adjustment import decode_source, source_annex
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.kinds import AccountKind
from host.ledger.process import write_record
from host.ledger.reports import name_text, yuan
from host.ledger.requests import answered, compare
from host.ledger.rows import CASH, FIRST_ACCOUNT, Account, Card, Holder, Restore
from host.restoring import refuse_while_waiting
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT

MOST_RECHARGED_FEN = 10_000_00
"""One payment over the counter."""

_NUMBER = re.compile(r"[0-9A-Za-z]{6,20}")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Balance:
    """What a holder has: the account, what of it is set aside, and what the cards' purses hold."""

    holder: Holder
    account_fen: int
    held_fen: int
    purses_fen: int
    cards: tuple[Card, ...]
    wallets: tuple[tuple[str, int], ...] = ()
    """Name and what is in it, beside the account."""

    @property
    def available_fen(self) -> int:
        """What of the account can be spent now."""
        return self.account_fen - self.held_fen


def add(ledger: Ledger, number: str, name: str, holder_class: int = 0) -> Holder:
    """Open an account for a person. Raises `InvalidValue`, `AlreadyThere`, `RestoreWaiting`, `LedgerAway`."""
    if not _NUMBER.fullmatch(number):
        raise InvalidValue(f"学号/工号不对 holder number {number!r}: 6 to 20 letters and digits")
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidValue(f"姓名不对 name {name!r}: 1 to {_LONGEST_NAME} printable characters")
    if not 0 <= holder_class <= 15:
        raise InvalidValue(f"类别不对 class {holder_class}: 0 to 15")
    return ledger.commit(lambda books: _add(books, number, name, holder_class))


def every(ledger: Ledger) -> list[Balance]:
    """All holders with their balances, in the order of their accounts."""
    return ledger.view(lambda books: [balance_in(books, holder) for holder in books.find(Holder)])


def balance(ledger: Ledger, number: str) -> Balance:
    """What one holder has. Raises `NotFound`."""
    return ledger.view(lambda books: balance_in(books, need_holder(books, number)))


def recharge(ledger: Ledger, number: str, amount_fen: int, *, source: int = CASH, request: str = "") -> Balance:
    """Pay into a holder's account, over the counter or through another `source`; the same `request` again pays nothing again.

    Raises `InvalidValue`, `NotFound`, `RequestDiffers`, `LedgerAway`, `CopyMissing` (it is paid, but not to be called so).
    """
    if not 0 < amount_fen <= MOST_RECHARGED_FEN:
        raise InvalidValue(f"充值金额不对 {yuan(amount_fen)} yuan: between 0.01 and {yuan(MOST_RECHARGED_FEN)}")
    return ledger.commit(lambda books: _recharge(books, number, amount_fen, source, request))


def need_holder(books: Books, number: str) -> Holder:
    """The holder of that number. Raises `NotFound`."""
    holder = books.first(Holder, number=number)
    if holder is None:
        raise NotFound("持卡人 holder", number, "see `onecard holder list`")
    return holder


def new_account(books: Books, kind: AccountKind, label: str, *, owner: int = 0, wallet: int = 0) -> Account:
    """Open an account; its number is the next one that nobody had. A holder's own account has itself for an owner.

    Raises `RestoreWaiting`.
    """
    refuse_while_waiting(books, "a new account would get a number that was perhaps given before")
    number = max(books.highest(Account, "number") + 1, books.highest(Restore, "next_account"), FIRST_ACCOUNT)
    account = Account(number, kind, label, owner=number if kind == AccountKind.HOLDER else owner, wallet=wallet)
    books.add(account)
    return account


def balance_in(books: Books, holder: Holder) -> Balance:
    """What a holder has, within a job."""
    account = books.need(Account, holder.account)
    cards = tuple(books.find(Card, account=holder.account))
    purses_fen = sum(books.need(Account, card.mirror).balance_fen for card in cards)
    wallets = tuple((row.label, row.balance_fen) for row in books.find(Account, owner=holder.account, kind=AccountKind.WALLET))
    return Balance(holder, account.balance_fen, account.held_fen, purses_fen, cards, wallets)


def _add(books: Books, number: str, name: str, holder_class: int) -> Holder:
    if books.first(Holder, number=number) is not None:
        raise AlreadyThere("持卡人 holder", number)
    holder = Holder(new_account(books, AccountKind.HOLDER, name).number, number, name, holder_class)
    books.add(holder)
    note(books, "holder.add", number, account=holder.account, holder_class=holder_class)
    return holder


def _recharge(books: Books, number: str, amount_fen: int, source: int, request: str) -> Balance:
    holder = need_holder(books, number)
    if (before := answered(books, request, kind=kinds.RECHARGE, subject=holder.account, amount_fen=amount_fen)) is not None:
        compare(request, before.key, source=(decode_source(before.annex) if before.annex else CASH, source))
        return balance_in(books, holder)
    if holder.is_closed:
        raise InvalidValue(f"账户已关闭 holder {number} is closed: nothing can be paid in")
    key = write_record(
        books,
        kind=kinds.RECHARGE,
        subject_kind=SUBJECT_ACCOUNT,
        subject=holder.account,
        amount_fen=amount_fen,
        annex=b"" if source == CASH else source_annex(source),
        request=request,
    )
    note(books, "recharge", number, record=name_text(key), amount_fen=amount_fen, source=source)
    return balance_in(books, holder)
