"""Subsidies: a batch from a file, from a giver into a wallet of each holder, never paid twice (SPEC H12).

A batch has a number. The number, and number and row of each line, are keys of requests: a batch broken off is
finished by giving it again, one that is paid says so, and another file under its number is refused. Nothing
is paid unless every row is right.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from host.errors import InvalidValue, OnecardError
from host.ledger.adjustment import Adjustment, Purpose, decode_annex, encode_annex
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.funds import has_expired
from host.ledger.process import write_record
from host.ledger.refunds import Leg
from host.ledger.requests import answered_adjustment
from host.ledger.rows import Annex, Holder, Request, Wallet
from host.restoring import refuse_while_waiting
from host.sheets import Sheet, read
from host.wallets import account_in, need_wallet
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT

MOST_FEN = 10_000_00
"""One line."""

_LINES_AT_ONCE = 500
"""Lines in one commit: a fraction of a second, so that tills do not wait for the rest."""
_ERRORS_SHOWN = 1_000
_BATCH = re.compile(r"[0-9A-Za-z._-]{1,40}")
_AMOUNT = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,2}))?")
_NUMBER_HEADS = ("学号", "工号", "学号/工号", "编号", "number", "holder")
_AMOUNT_HEADS = ("金额", "补助金额", "金额(元)", "amount", "yuan")
_NAME_HEADS = ("姓名", "name")


@dataclass(frozen=True, slots=True)
class Line:
    """A row that is right. `row`: its number in the file."""

    row: int
    number: str
    account: int
    amount_fen: int


@dataclass(slots=True)
class Plan:
    """What a file would pay, and every row that is wrong, as (row, what to do about it)."""

    batch: str
    wallet: Wallet
    encoding: str
    lines: list[Line] = field(default_factory=list[Line])
    errors: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    paid_count: int = 0
    """Lines that an earlier run has paid."""

    @property
    def amount_fen(self) -> int:
        """The sum of all lines."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def digest(self) -> bytes:
        """What tells this batch from another under the same number: SHA-256 over rows, holders and amounts."""
        text = "\n".join(f"{line.row} {line.account} {line.amount_fen}" for line in self.lines)
        return hashlib.sha256(text.encode()).digest()


class BatchDiffers(OnecardError):
    """The number of a batch was used for other lines or another wallet."""


def examine(ledger: Ledger, path: Path, *, wallet: str, batch: str) -> Plan:
    """Read a file and say what it would pay: the dry run.

    Raises `InvalidValue`, `NotFound`, `BatchDiffers`, `RequestDiffers` (a line's key stands for another record), `OSError`.
    """
    if not _BATCH.fullmatch(batch):
        raise InvalidValue(f"批次号不对 batch {batch!r}: 1 to 40 letters, digits, dots, dashes")
    sheet = read(path)
    return ledger.view(lambda books: _examine(books, sheet, wallet, batch))


def pay(ledger: Ledger, path: Path, *, wallet: str, batch: str) -> Plan:
    """Pay a batch, or what is missing of it. Nothing is paid if `errors` of the result has anything.

    Raises what `examine` raises, `RestoreWaiting`, and `LedgerAway`: then the same command finishes it.
    """
    plan = examine(ledger, path, wallet=wallet, batch=batch)
    if not plan.errors:
        ledger.commit(lambda books: _begin(books, plan))
        for start in range(0, len(plan.lines), _LINES_AT_ONCE):
            lines = plan.lines[start : start + _LINES_AT_ONCE]
            ledger.commit(lambda books, lines=lines: _pay(books, plan, lines))
    return plan


def _examine(books: Books, sheet: Sheet, wallet_name: str, batch: str) -> Plan:
    wallet = need_wallet(books, wallet_name)
    if has_expired(wallet, books.now_s):
        raise InvalidValue(f"钱包已过期 wallet {wallet_name} has expired: it takes no more")
    plan = Plan(batch, wallet, sheet.encoding)
    number_at, amount_at, name_at, rows = _columns(sheet)
    seen: dict[str, int] = {}
    for row, cells in rows:
        cell = dict(enumerate(cells))
        number, amount, name = cell.get(number_at, ""), cell.get(amount_at, ""), cell.get(name_at, "")
        holder = books.first(Holder, number=number)
        amount_fen = _fen(amount)
        if wrong := _wrong(holder, number, name, amount, amount_fen, seen.get(number)):
            plan.errors.append((row, wrong))
        elif holder is not None:
            seen[number] = row
            plan.lines.append(Line(row, number, holder.account, amount_fen))
        if len(plan.errors) >= _ERRORS_SHOWN:
            plan.errors.append((row, "错误太多 too many errors: look at the columns first"))
            break
    if not plan.lines and not plan.errors:
        plan.errors.append((0, "没有数据 no rows: a holder's number and an amount in each"))
    if not plan.errors:
        _compare(books, plan)
    return plan


def _columns(sheet: Sheet) -> tuple[int, int, int, Sequence[tuple[int, tuple[str, ...]]]]:
    """Where number, amount and name stand, and the rows below the head; without one they are the first two columns."""
    if sheet.rows:
        heads = [cell.lower() for cell in sheet.rows[0][1]]
        found = [next((heads.index(word) for word in words if word in heads), -1) for words in (_NUMBER_HEADS, _AMOUNT_HEADS, _NAME_HEADS)]
        if found[0] >= 0 and found[1] >= 0:
            return found[0], found[1], found[2], sheet.rows[1:]
    return 0, 1, -1, sheet.rows


def _wrong(holder: Holder | None, number: str, name: str, amount: str, amount_fen: int, earlier: int | None) -> str:
    """What is wrong with a row, "" if nothing is."""
    if holder is None:
        return f"没有持卡人 no holder {number!r}: a number that lost its zeros in a spreadsheet is text there"
    if holder.is_closed:
        return f"账户已关闭 holder {number} is closed"
    if name and name != holder.name:
        return f"姓名不符 holder {number} has another name than {name!r}"
    if not 0 < amount_fen <= MOST_FEN:
        return f"金额不对 amount {amount!r}: yuan as 50 or 12.50, up to {MOST_FEN // 100}"
    return f"重复 holder {number} stands in row {earlier} already" if earlier is not None else ""


def _fen(text: str) -> int:
    """An amount in yuan; 0 for what is none."""
    found = _AMOUNT.fullmatch(text)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0


def _compare(books: Books, plan: Plan) -> None:
    """See how far an earlier run has come; refuse another batch under the same number."""
    head = books.get(Request, _key(plan.batch))
    annex = books.get(Annex, head.key) if head else None
    before = decode_annex(annex.content) if annex else None
    if head and (before is None or before.purpose != Purpose.BATCH or before.detail != _detail(plan)):
        raise BatchDiffers(f"批次号已用过 batch {plan.batch} was given for another list or wallet: take a new number")
    plan.paid_count = sum(1 for line in plan.lines if _is_paid(books, plan, line))


def _begin(books: Books, plan: Plan) -> None:
    """Write the head of the batch, which moves nothing."""
    refuse_while_waiting(books, "a subsidy may open an account, whose number was perhaps given before")
    _compare(books, plan)
    adjustment = Adjustment(Purpose.BATCH, plan.wallet.name, detail=_detail(plan))
    if answered_adjustment(books, _key(plan.batch), adjustment, subject=0, amount_fen=0) is None:
        write_record(books, kind=kinds.ADJUST, annex=encode_annex(adjustment), request=_key(plan.batch))
        note(books, "subsidy.pay", plan.batch, wallet=plan.wallet.name, lines=len(plan.lines), amount_fen=plan.amount_fen)


def _pay(books: Books, plan: Plan, lines: Sequence[Line]) -> None:
    for line in lines:
        if _is_paid(books, plan, line):
            continue
        account = account_in(books, books.need(Holder, line.account), plan.wallet)
        legs = (Leg(plan.wallet.giver, account.number, line.amount_fen),)
        adjustment = Adjustment(Purpose.SUBSIDY, plan.wallet.name, legs, (plan.batch, line.row))
        write_record(
            books,
            kind=kinds.ADJUST,
            subject_kind=SUBJECT_ACCOUNT,
            subject=line.account,
            amount_fen=line.amount_fen,
            annex=encode_annex(adjustment),
            request=_key(plan.batch, line.row),
        )


def _is_paid(books: Books, plan: Plan, line: Line) -> bool:
    """Whether an earlier run has paid a line. Raises `RequestDiffers` if another record stands under its key."""
    asked = Adjustment(Purpose.SUBSIDY, plan.wallet.name, detail=(plan.batch, line.row))
    return answered_adjustment(books, _key(plan.batch, line.row), asked, subject=line.account, amount_fen=line.amount_fen) is not None


def _detail(plan: Plan) -> tuple[str | int | bytes, ...]:
    return (plan.batch, plan.wallet.name, len(plan.lines), plan.amount_fen, plan.digest)


def _key(batch: str, row: int = 0) -> str:
    return f"subsidy/{batch}/{row}" if row else f"subsidy/{batch}"
