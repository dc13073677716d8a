"""Requests from outside, by keys of their own: the same key again gives the same answer and no second record (MONEY 8).

A service that is given a key asks `answered` first, in the job, and hands the key to `write_record` when it is new.
"""

import re

from host.errors import InvalidValue, RequestDiffers
from host.ledger.books import Books
from host.ledger.contract import Written
from host.ledger.reports import name_text
from host.ledger.rows import Annex, Request
from protocol.record import Record, decode

_KEY = re.compile(r"[!-~]{1,64}")


def answered(books: Books, request: str, *, kind: int, subject: int, amount_fen: int) -> int | None:
    """The key of the record that a request became before, to answer from; None for a new one, and for none ("").

    The record is copied to this process's own journal too: the one that wrote it may not have come to that.
    Raises `InvalidValue` for what is no key, `RequestDiffers` when it was used for another kind, subject or amount.
    """
    if not request:
        return None
    if not _KEY.fullmatch(request):
        raise InvalidValue(f"请求号不对 request key {request!r}: 1 to 64 printable ASCII characters without spaces")
    row = books.get(Request, request)
    if row is None:
        return None
    data = books.records([(row.key, row.key)])[row.key]
    record: Record = decode(data)
    if (record.kind, record.subject, record.amount_fen) != (kind, subject, amount_fen):
        raise RequestDiffers(request, name_text(row.key))
    annex = books.get(Annex, row.key)
    books.written.append(Written(data, annex.content if annex else b"", request))
    return row.key
