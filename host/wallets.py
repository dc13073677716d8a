"""Wallets: named parts of what a holder has, from a giver, for some merchants, until some time (SPEC H12).

A kind of wallet is entered once; a holder has one of it from the first subsidy on. What an expired one still
has goes back to its giver, apart from what is held: that waits for the record that takes or frees it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from host.errors import AlreadyThere, InvalidValue, NotFound
from host.holders import new_account
from host.ledger.adjustment import Adjustment, Purpose, encode_annex
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.funds import has_expired
from host.ledger.kinds import AccountKind
from host.ledger.process import FACE_CLOCK, write_record
from host.ledger.refunds import Leg
from host.ledger.rows import Account, Holder, Wallet, WalletScope
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT

MOST_MERCHANTS = 200
_LONGEST_NAME = 20
_ORDER_MOST = 99
_EXPIRED_AT_ONCE = 500
"""Accounts emptied in one commit: a fraction of a second, so that tills do not wait for the rest."""
_ALL_FEN = 10**15


@dataclass(frozen=True, slots=True)
class WalletKind:
    """A kind of wallet with its words, how many holders have it, and what they have in it."""

    wallet: Wallet
    giver: str
    merchants: tuple[str, ...]
    holder_count: int
    balance_fen: int


def add(
    ledger: Ledger, name: str, *, giver: str, merchants: Sequence[str] = (), spending_order: int = 10, expires_s: int = 0
) -> WalletKind:
    """Enter a kind of wallet. `merchants`: bath houses and canteens that take it, all if none; `expires_s`: Unix, 0 never.

    Raises `InvalidValue`, `AlreadyThere`, `NotFound` (a merchant), `LedgerAway`.
    """
    for text in (name, giver):
        if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable() or text != text.strip():
            raise InvalidValue(f"名称不对 name {text!r}: 1 to {_LONGEST_NAME} printable characters")
    if not 0 <= spending_order <= _ORDER_MOST:
        raise InvalidValue(f"次序不对 order {spending_order}: 0 to {_ORDER_MOST}, the lowest is spent first")
    if len(merchants) > MOST_MERCHANTS:
        raise InvalidValue(f"商户太多 {len(merchants)} merchants: up to {MOST_MERCHANTS}; without any, all take it")
    return ledger.commit(lambda books: _add(books, name, giver, merchants, spending_order, expires_s))


def every(ledger: Ledger) -> list[WalletKind]:
    """All kinds of wallets, in the order of their making."""
    return ledger.view(lambda books: [_kind(books, wallet) for wallet in books.find(Wallet)])


def expire(ledger: Ledger, now_s: int) -> tuple[int, int]:
    """Give back what expired wallets have; returns how many accounts, and how much. To be called now and then. Raises `LedgerAway`."""
    count, amount_fen = 0, 0
    while ledger.view(lambda books: any(True for _ in _expired(books, now_s))):
        more, more_fen = ledger.commit(lambda books: _expire(books, now_s))
        count, amount_fen = count + more, amount_fen + more_fen
    return count, amount_fen


def need_wallet(books: Books, name: str) -> Wallet:
    """The kind of wallet of that name. Raises `NotFound`."""
    wallet = books.first(Wallet, name=name)
    if wallet is None:
        raise NotFound("钱包 wallet", name, "see `onecard wallet list`")
    return wallet


def account_in(books: Books, holder: Holder, wallet: Wallet) -> Account:
    """A holder's account for a wallet, opened if there is none."""
    found = books.first(Account, owner=holder.account, wallet=wallet.number)
    if found is not None:
        return found
    main = books.need(Account, holder.account)
    books.change(replace(main, wallet_count=main.wallet_count + 1))
    return new_account(books, AccountKind.WALLET, wallet.name, owner=holder.account, wallet=wallet.number)


def _add(books: Books, name: str, giver: str, merchants: Sequence[str], spending_order: int, expires_s: int) -> WalletKind:
    if 0 < expires_s <= books.now_s:
        raise InvalidValue("到期日已过 the wallet would have expired already: give a later day")
    if books.first(Wallet, name=name) is not None:
        raise AlreadyThere("钱包 wallet", name)
    accounts = [_merchant(books, merchant) for merchant in dict.fromkeys(merchants)]
    wallet = Wallet(books.highest(Wallet, "number") + 1, name, _giver(books, giver).number, spending_order, expires_s)
    books.add(wallet)
    for account in accounts:
        books.add(WalletScope(wallet.number, account.number))
    note(books, "wallet.add", name, giver=giver, merchants=", ".join(merchants), order=spending_order, expires_s=expires_s)
    return _kind(books, wallet)


def _merchant(books: Books, name: str) -> Account:
    account = books.first(Account, kind=AccountKind.MERCHANT, label=name)
    if account is None:
        raise NotFound("商户 merchant", name, "a bath house or canteen as `onecard terminal list` names it")
    return account


def _giver(books: Books, name: str) -> Account:
    return books.first(Account, kind=AccountKind.GIVER, label=name) or new_account(books, AccountKind.GIVER, name)


def _kind(books: Books, wallet: Wallet) -> WalletKind:
    accounts = books.find(Account, wallet=wallet.number)
    merchants = [books.need(Account, scope.merchant).label for scope in books.find(WalletScope, wallet=wallet.number)]
    giver = books.need(Account, wallet.giver).label
    return WalletKind(wallet, giver, tuple(merchants), len(accounts), sum(account.balance_fen for account in accounts))


def _expired(books: Books, now_s: int) -> Iterator[tuple[Wallet, Account]]:
    """Expired wallets with something to give back; none while a restore waits for records that may still take it."""
    if books.open_restore is not None:
        return
    for wallet in books.find(Wallet):
        if has_expired(wallet, now_s):
            for account in books.find(Account, wallet=wallet.number, balance_fen=(1, _ALL_FEN)):
                if account.available_fen > 0:
                    yield wallet, account


def _expire(books: Books, now_s: int) -> tuple[int, int]:
    count, amount_fen = 0, 0
    for wallet, account in list(_expired(books, now_s))[:_EXPIRED_AT_ONCE]:
        back_fen = account.available_fen
        adjustment = Adjustment(Purpose.EXPIRY, wallet.name, (Leg(account.number, wallet.giver, back_fen),))
        write_record(
            books,
            kind=kinds.ADJUST,
            subject_kind=SUBJECT_ACCOUNT,
            subject=account.owner,
            amount_fen=back_fen,
            face=FACE_CLOCK,
            annex=encode_annex(adjustment),
        )
        count, amount_fen = count + 1, amount_fen + back_fen
    note(books, "wallet.expire", count, amount_fen=amount_fen)
    return count, amount_fen
