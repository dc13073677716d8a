"""The movements as JSON, with the names and places around them, and a cursor to go on from."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from host.ledger.books import Books
from host.ledger.reports import MovementLine, last_commit, movements_after, newest_movements, records_after
from host.ledger.rows import Place, Terminal
from host.web.site import site_of
from protocol.record import unpack_key

COMMIT_COUNT = 100
"""Commits looked at for one answer, unless asked otherwise."""
COMMIT_COUNT_MAX = 1_000
COMMIT_MAX = 2**53 - 1
"""The largest number that every reader of JSON keeps exact."""

_LEG_MASK = 15


async def movements(request: Request) -> Response:
    """GET /api/movements?after=N&limit=M: what up to M commits after commit N moved; without `after`, the newest M.

    `next` is the `after` to ask with next. 422 for a number that is none.
    """
    after = number_of(request, "after", default=-1, most=COMMIT_MAX)
    count = number_of(request, "limit", default=COMMIT_COUNT, most=COMMIT_COUNT_MAX)
    site = site_of(request)
    return JSONResponse(site.ledger.view(lambda books: _page(books, after, count)))


def entries_after(books: Books, commit: int, count: int) -> tuple[list[dict[str, Any]], int]:
    """The records of up to `count` commits after one, each with its movements; and the commit they reach to."""
    moved: dict[int, list[dict[str, Any]]] = {}
    for line in movements_after(books, commit, count):
        moved.setdefault(line.key & ~_LEG_MASK, []).append(_movement(line))
    entries = [
        {
            "commit": line.commit,
            "name": line.name,
            "kind": line.kind,
            "terminal": unpack_key(line.key)[0].terminal,
            "place": _place(books, unpack_key(line.key)[0].terminal),
            "amount_fen": line.amount_fen,
            "at_s": line.at_s,
            "movements": moved.get(line.key, []),
        }
        for line in records_after(books, commit, count)
    ]
    return entries, _reached(books, commit, count)


def number_of(request: Request, name: str, *, default: int, most: int) -> int:
    """A whole number of the query, 0 to `most`; 422 for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and int(text) <= most):
        raise HTTPException(422, f"{name} 应为 must be a whole number from 0 to {most}")
    return int(text)


def _page(books: Books, after: int, count: int) -> dict[str, Any]:
    if after < 0:
        return {"movements": [_movement(line) for line in newest_movements(books, count)], "next": last_commit(books)}
    return {"movements": [_movement(line) for line in movements_after(books, after, count)], "next": _reached(books, after, count)}


def _reached(books: Books, after: int, count: int) -> int:
    """Commits are numbered without gaps, so `count` of them reach so far."""
    return max(after, min(after + count, last_commit(books)))


def _movement(line: MovementLine) -> dict[str, Any]:
    return {
        "commit": line.commit,
        "name": line.name,
        "kind": line.kind,
        "debit": {"account": line.debit, "label": line.debit_label},
        "credit": {"account": line.credit, "label": line.credit_label},
        "amount_fen": line.amount_fen,
        "at_s": line.at_s,
    }


def _place(books: Books, terminal: int) -> str:
    row = books.get(Terminal, terminal)
    place = books.get(Place, row.place) if row and row.place is not None else None
    return place.name if place else ""
