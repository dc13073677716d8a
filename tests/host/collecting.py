"""Journals collected from one ledger and brought into another, record by record, as a restore does."""

from dataclasses import replace
from functools import partial

from host.ledger.books import Books
from host.ledger.posting import post
from host.ledger.rows import Annex, Epoch, Fact, Movement, Terminal
from protocol.record import SEQUENCE_MAX, pack_key
from tests.host.site import Site

Life = tuple[int, int]
"""Terminal and epoch."""

Collected = tuple[bytes, bytes]
"""A record and its annex."""


def collect(site: Site, life: Life) -> list[Collected]:
    """All records of a terminal and epoch, in order."""
    span = (pack_key((*life, 0), 0), pack_key((*life, SEQUENCE_MAX), 15))

    def read(books: Books) -> list[Collected]:
        rows: list[Movement | Fact] = [*books.find(Movement, key=span), *books.find(Fact, key=span)]
        annexes = {row.key: row.content for row in books.find(Annex, key=span)}
        return [(row.record, annexes.get(row.key, b"")) for row in sorted(rows, key=lambda row: row.key) if row.record is not None]

    return site.ledger.view(read)


def bring(site: Site, life: Life, *collected: Collected) -> None:
    """Post records of a collected journal, a commit each; an epoch the ledger does not know is made again."""
    for one in collected:
        site.commit(partial(_post, life=life, one=one))


def _post(books: Books, *, life: Life, one: Collected) -> None:
    if books.get(Epoch, *life) is None:
        terminal = books.need(Terminal, life[0])
        newest = max(terminal.epoch, life[1])
        books.add(Epoch(*life))
        books.change(replace(terminal, epoch=newest, next_epoch=newest + 1))
    post(books, books.need(Terminal, life[0]), books.need(Epoch, *life), *one)
