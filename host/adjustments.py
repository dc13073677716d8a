"""The office corrects: a record is reversed, money is moved, with a reason that stands in the books.

Nothing is changed or deleted: each is a record of the host's own, whose annex names what it moves and why.
What cannot be covered is said and refused before it is written.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from host.errors import AlreadyThere, InsufficientFunds, InvalidValue, NotFound
from host.ledger.adjustment import Adjustment, Purpose, decode_annex, encode_annex
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.funds import draw
from host.ledger.holding import account_of, payers_of
from host.ledger.kinds import AccountKind
from host.ledger.process import FACE_OFFICE, write_record
from host.ledger.refunds import Leg, give_back
from host.ledger.reports import KIND_NAMES, name_text
from host.ledger.requests import answered_adjustment
from host.ledger.rows import (
    ALIPAY,
    BANK,
    CASH,
    FEES,
    LOSS,
    SUSPENSE,
    WECHAT,
    Account,
    Annex,
    Holder,
    Movement,
    Reversal,
    Terminal,
)
from host.ledger.surroundings import merchant_at, sale_under
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT
from protocol.record import EPOCH_MAX, NONE, SEQUENCE_MAX, Name, Record, decode, pack_key, unpack_key

MOST_FEN = 1_000_000_00
"""One adjustment."""

_NAME = re.compile(r"([0-9]{1,5})-([0-9]{1,4})-([0-9]{1,10})")
_LONGEST_REASON = 200
_SCHOOL = {"bank": BANK, "cash": CASH, "fees": FEES, "loss": LOSS, "suspense": SUSPENSE, "alipay": ALIPAY, "wechat": WECHAT}
_SALES = (kinds.SALE, kinds.SETTLED)
_CHARGES = (*_SALES, kinds.LOAD)
_REVERSIBLE = (Purpose.MOVE, Purpose.SUBSIDY, Purpose.EXPIRY)
_BOUNDED = (AccountKind.HOLDER, AccountKind.WALLET)
_LEG_MASK = 15


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What was written: the record's name, and its movements with the labels of both sides."""

    name: str
    amount_fen: int
    legs: tuple[tuple[str, str, int], ...]


def reverse(ledger: Ledger, name: str, reason: str) -> Adjusted:
    """Undo a record, once: a sale or shower what is left of it, a recharge, an adjustment. `name`: 101-3-17.

    Money goes back to whom it came from; what a card paid goes to the account. Raises `NotFound`, `InvalidValue` for a
    record that cannot be undone, `AlreadyThere`, `InsufficientFunds`, `LedgerAway`; nothing is written then.
    """
    key, cleaned = key_of_name(name), _clean(reason)
    return ledger.commit(lambda books: _reverse(books, key, cleaned))


def adjust(ledger: Ledger, debit: str, credit: str, amount_fen: int, reason: str, *, request: str = "") -> Adjusted:
    """Move money between two accounts. An account: bank, cash, fees, loss, suspense, alipay, wechat; a holder's number; the
    name of a merchant or giver; or #105, its number.

    Raises `NotFound`, `InvalidValue`, `InsufficientFunds`, `LedgerAway`; nothing is written then.
    """
    if not 0 < amount_fen <= MOST_FEN:
        raise InvalidValue(f"金额不对 {amount_fen} fen: between 1 and {MOST_FEN}")
    cleaned = _clean(reason)
    return ledger.commit(lambda books: _adjust(books, debit, credit, amount_fen, cleaned, request))


def cover(books: Books, key: int, amount_fen: int, *, face: int, reason: str) -> int:
    """Take what is available now for a record that the school had to bear, up to `amount_fen`; returns what was taken.

    For the end of the wait after a restore (MONEY 7): what a terminal's account charge found uncovered then. A purse's is
    not the school's but suspense, and stays there for what the card proves. Only the main account fills a card.
    """
    record = _record(books, key)
    terminal = books.get(Terminal, record.terminal)
    account = account_of(books, record.subject_kind, record.subject)
    if account is None or record.kind not in _CHARGES or record.purse or terminal is None:
        return 0
    payers = (account,) if record.kind == kinds.LOAD else payers_of(books, account, merchant_at(books, terminal))
    shares, short_fen = draw(amount_fen, payers)
    if shares:
        legs = tuple(Leg(number, LOSS, share_fen) for number, share_fen in shares)
        _write(books, Adjustment(Purpose.COVER, reason, legs), reference=unpack_key(key)[0], subject=account.number, face=face)
    return amount_fen - short_fen


def key_of_name(name: str) -> int:
    """The key of a record from its name as people read it. Raises `InvalidValue`."""
    found = _NAME.fullmatch(name.strip())
    parts = tuple(int(part) for part in found.groups()) if found else (0, 0, 0)
    terminal, epoch, sequence = parts
    if not (0 < terminal <= 0xFFFF and 0 < epoch <= EPOCH_MAX and 0 < sequence <= SEQUENCE_MAX):
        raise InvalidValue(f"记录名不对 record {name!r}: terminal-epoch-sequence, as 101-3-17")
    return pack_key((terminal, epoch, sequence), 0)


def _reverse(books: Books, key: int, reason: str) -> Adjusted:
    record = _record(books, key)
    before = books.get(Reversal, key)
    if before is not None:
        raise AlreadyThere("冲正 reversal of", name_text(key), f"it is {name_text(before.key)}")
    legs = _opposite(books, key, record)
    if not legs:
        raise InvalidValue(f"没有可冲正的 nothing is left to reverse of {name_text(key)}: it was refunded, or moved nothing")
    _check_covered(books, legs)
    owner = next((account.owner for leg in legs for account in _both(books, leg) if account.owner), 0)
    written = _write(books, Adjustment(Purpose.REVERSAL, reason, legs), reference=unpack_key(key)[0], subject=owner)
    adjusted = _adjusted(books, written, legs)
    note(books, "reverse", name_text(key), record=adjusted.name, amount_fen=adjusted.amount_fen, reason=reason)
    return adjusted


def _opposite(books: Books, key: int, record: Record) -> tuple[Leg, ...]:
    """What undoes a record now."""
    if record.kind in _SALES:
        sold = sale_under(books, key)
        return give_back(sold, sold.left_fen) if sold else ()
    purpose = ""
    if record.kind == kinds.ADJUST:
        annex = books.get(Annex, key)
        adjustment = decode_annex(annex.content) if annex else None
        purpose = adjustment.purpose if adjustment else ""
    if record.kind != kinds.RECHARGE and purpose not in _REVERSIBLE:
        what = purpose or KIND_NAMES.get(record.kind, "unknown")
        raise InvalidValue(
            f"不能冲正 {name_text(key)} is a {what}: reverse sales, showers, recharges and adjustments; else `onecard adjust`"
        )
    rows = books.find(Movement, key=(key, key | _LEG_MASK))
    return tuple(Leg(row.credit, row.debit, row.amount_fen) for row in reversed(rows))


def _adjust(books: Books, debit_text: str, credit_text: str, amount_fen: int, reason: str, request: str) -> Adjusted:
    debit, credit = _account(books, debit_text), _account(books, credit_text)
    if debit.number == credit.number:
        raise InvalidValue(f"同一账户 {debit_text} and {credit_text} are one account")
    owner = debit.owner or credit.owner
    if debit.owner and credit.owner and debit.owner != credit.owner:
        # Each movement stands in one holder's bill.
        legs: tuple[Leg, ...] = (Leg(debit.number, SUSPENSE, amount_fen), Leg(SUSPENSE, credit.number, amount_fen))
    else:
        legs = (Leg(debit.number, credit.number, amount_fen),)
    adjustment = Adjustment(Purpose.MOVE, reason, legs)
    if (before := answered_adjustment(books, request, adjustment, subject=owner, amount_fen=adjustment.amount_fen)) is not None:
        return _adjusted(books, before, legs)
    _check_covered(books, legs)
    written = _write(books, adjustment, subject=owner, request=request)
    note(books, "adjust", name_text(written), debit=debit_text, credit=credit_text, amount_fen=amount_fen, reason=reason)
    return _adjusted(books, written, legs)


def _clean(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= _LONGEST_REASON or not reason.isprintable():
        raise InvalidValue(f"请写原因 a reason of 1 to {_LONGEST_REASON} printable characters: it stands in the books")
    return reason


def _account(books: Books, text: str) -> Account:
    """An account as people name it."""
    found: Account | None = None
    if text in _SCHOOL:
        found = books.need(Account, _SCHOOL[text])
    elif text.startswith("#") and text[1:].isascii() and text[1:].isdecimal():
        found = books.get(Account, int(text[1:][:15]))
    elif (holder := books.first(Holder, number=text)) is not None:
        found = books.need(Account, holder.account)
    else:
        for kind in (AccountKind.MERCHANT, AccountKind.GIVER):
            found = found or books.first(Account, kind=kind, label=text)
    if found is None:
        raise NotFound("账户 account", text, f"{', '.join(_SCHOOL)}, a holder's number, a merchant's or giver's name, or #number")
    if found.kind == AccountKind.MIRROR:
        raise InvalidValue(f"不能动卡片钱包 {text} is what a card should hold: only loads and what the card proves move it")
    return found


def _check_covered(books: Books, legs: Sequence[Leg]) -> None:
    """Refuse what an account that never falls below nothing cannot bear."""
    change: dict[int, int] = {}
    for debit, credit, amount_fen in legs:
        change[debit] = change.get(debit, 0) - amount_fen
        change[credit] = change.get(credit, 0) + amount_fen
    for number, change_fen in change.items():
        account = books.need(Account, number)
        if account.kind in _BOUNDED and account.available_fen + change_fen < 0:
            available_fen = max(account.available_fen, 0)
            raise InsufficientFunds(available_fen=available_fen, lacking_fen=-change_fen - available_fen)


def _record(books: Books, key: int) -> Record:
    data = books.records([(key, key)]).get(key)
    try:
        record = decode(data) if data else None
    except ValueError:
        record = None
    if record is None:
        raise NotFound("记录 record", name_text(key), "see `onecard bill` for names")
    return record


def _write(
    books: Books, adjustment: Adjustment, *, subject: int, reference: Name = NONE, request: str = "", face: int = FACE_OFFICE
) -> int:
    return write_record(
        books,
        kind=kinds.ADJUST,
        subject_kind=SUBJECT_ACCOUNT if subject else 0,
        subject=subject,
        reference=reference,
        amount_fen=adjustment.amount_fen,
        face=face,
        annex=encode_annex(adjustment),
        request=request,
    )


def _adjusted(books: Books, key: int, legs: Iterable[Leg]) -> Adjusted:
    lines = tuple((books.need(Account, leg.debit).label, books.need(Account, leg.credit).label, leg.amount_fen) for leg in legs)
    return Adjusted(name_text(key), sum(line[2] for line in lines), lines)


def _both(books: Books, leg: Leg) -> tuple[Account, Account]:
    return books.need(Account, leg.debit), books.need(Account, leg.credit)
