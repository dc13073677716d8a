"""The audit log read: searched, and exported, which is itself an act that is logged."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from host.errors import InvalidValue
from host.exports import to_csv
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.rows import Act

MOST_ACTS = 100_000
"""Rows of one search: a year of a busy office."""

_FOR_EVER = 1 << 40

# Newest first; what a person looks for is mostly of today.
_BETWEEN = "SELECT number, at_s, actor, act, subject, detail FROM audit WHERE at_s BETWEEN ? AND ? ORDER BY number DESC"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; what is empty is not asked. `act`: whole, or its first word. `text`: anywhere in subject and detail."""

    since_s: int = 0
    until_s: int = _FOR_EVER
    actor: str = ""
    act: str = ""
    subject: str = ""
    text: str = ""
    limit: int = 50

    def fits(self, row: Act) -> bool:
        """Whether a row is looked for."""
        return (
            self.actor in ("", row.actor)
            and self.act in ("", row.act, row.act.partition(".")[0])
            and self.subject in ("", row.subject)
            and self.text.casefold() in f"{row.subject} {row.detail}".casefold()
        )


def find(ledger: Ledger, search: Search) -> list[Act]:
    """The newest acts that fit, oldest first. Raises `InvalidValue`."""
    _check(search)
    return ledger.view(lambda books: _find(books, search))


def export(ledger: Ledger, search: Search, name: str) -> bytes:
    """The same as a CSV file, whose making is in the log. `name`: how the file will be called. Raises `InvalidValue`, `LedgerAway`."""
    _check(search)
    return ledger.commit(lambda books: _export(books, search, name))


def _check(search: Search) -> None:
    if not 0 < search.limit <= MOST_ACTS:
        raise InvalidValue(f"行数不对 --limit {search.limit}: 1 to {MOST_ACTS}")
    if search.since_s > search.until_s:
        raise InvalidValue("时间不对 --since is after --until")


def _find(books: Books, search: Search) -> list[Act]:
    return list(islice(_fitting(books, search), search.limit))[::-1]


def _fitting(books: Books, search: Search) -> Iterator[Act]:
    rows = (Act(*row) for row in books.run(_BETWEEN, search.since_s, search.until_s))
    return (row for row in rows if search.fits(row))


def _export(books: Books, search: Search, name: str) -> bytes:
    found = _find(books, search)
    note(books, "audit.export", name, rows=len(found), actor=search.actor, act=search.act, subject=search.subject, text=search.text)
    heads = ("number", "at_s", "actor", "act", "subject", "detail")
    return to_csv(heads, ((row.number, row.at_s, row.actor, row.act, row.subject, row.detail) for row in found))
