"""Requests from outside, by keys of their own: the same key again gives the same answer and no second record (MONEY 8).

A service that is given a key asks `answered` first, in the job, and hands the key to `write_record` when it is new. What
is asked is compared field by field with what is stored: a key never stands for a second request.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from host.errors import InvalidValue, RequestDiffers
from host.ledger.adjustment import Adjustment, decode_annex
from host.ledger.books import Books
from host.ledger.kinds import KIND_NAMES
from host.ledger.process import written_under
from host.ledger.refunds import Leg
from host.ledger.reports import name_text
from host.ledger.rows import Request
from protocol import record as kinds
from protocol.record import decode

_KEY = re.compile(r"[!-~]{1,64}")


class Before(NamedTuple):
    """The record that a request became before."""

    key: int
    annex: bytes


def answered(books: Books, request: str, *, kind: int, subject: int, amount_fen: int) -> Before | None:
    """The record that a request became before, to answer from; None for a new one, and for none ("").

    Call `compare` with what else was asked. The record is copied to this process's own journal too: the one that wrote it
    may not have come to that. Raises `InvalidValue` for what is no key, `RequestDiffers` for another kind, subject or amount.
    """
    if not request:
        return None
    if not _KEY.fullmatch(request):
        raise InvalidValue(f"请求号不对 request key {request!r}: 1 to 64 printable ASCII characters without spaces")
    row = books.get(Request, request)
    if row is None:
        return None
    (written,) = written_under(books, [row.key])
    record = decode(written.record)
    compare(
        request,
        row.key,
        kind=(KIND_NAMES.get(record.kind, record.kind), KIND_NAMES.get(kind, kind)),
        subject=(record.subject, subject),
        amount_fen=(record.amount_fen, amount_fen),
    )
    books.written.append(written)
    return Before(row.key, written.annex)


def answered_adjustment(books: Books, request: str, asked: Adjustment, *, subject: int, amount_fen: int) -> int | None:
    """The same for an `adjust` record: its key. Legs are compared if `asked` has any."""
    before = answered(books, request, kind=kinds.ADJUST, subject=subject, amount_fen=amount_fen)
    if before is None:
        return None
    there = decode_annex(before.annex) or Adjustment("unknown")
    compare(
        request,
        before.key,
        purpose=(str(there.purpose), str(asked.purpose)),
        reason=(there.reason, asked.reason),
        detail=(there.detail, asked.detail),
        legs=(_text(there.legs if asked.legs else ()), _text(asked.legs)),
    )
    return before.key


def compare(request: str, key: int, **fields: tuple[object, object]) -> None:
    """See that each field's two values, in the record and in what is asked now, are one. Raises `RequestDiffers`."""
    for field, (there, here) in fields.items():
        if there != here:
            raise RequestDiffers(request, name_text(key), field, there=there, here=here)


def _text(legs: Iterable[Leg]) -> str:
    return ", ".join(f"#{leg.debit} to #{leg.credit} {leg.amount_fen} fen" for leg in legs)
