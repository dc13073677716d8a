"""The proof of the books: everything recomputed from the records, naively, and compared.

It reads one snapshot and waits for nobody, so it runs beside a host that is serving. Every record goes by once,
in the order of names, and each file here looks at it for one thing; rows that follow from no record have a seal.
Each problem names the table and the key of the row. Ten million movements take no more memory than ten thousand.
"""

from collections.abc import Callable

from host.check.accounts import Accounts
from host.check.amounts import Amounts
from host.check.cards import Cards
from host.check.chain import Chain
from host.check.days import Days
from host.check.entered import Entered
from host.check.entries import Entries, Watcher
from host.check.holds import Holds
from host.check.links import Links
from host.check.names import Items, Names
from host.check.proof import Proof
from host.check.seals import check_seals
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.rows import Epoch, Terminal

__all__ = ["Progress", "Proof", "check"]

Progress = Callable[[int, int], None]
"""Told now and then how many records were looked at, and how many there are, about."""

_TELL_EVERY = 2_000

_CONSTRAINT = "CHECK constraint failed"
"""What SQLite calls it."""


def check(ledger: Ledger, progress: Progress = lambda _done, _all: None) -> Proof:
    """Recompute the books. Never raises for what is wrong in them. Raises `LedgerAway`."""
    return ledger.view(lambda books: _check(books, progress))


def _check(books: Books, progress: Progress) -> Proof:
    proof = Proof()
    damage = books.damage()
    for place in damage:
        proof.wrong(f"文件已损坏 the ledger's file is damaged, restore a backup: {place}")
    # A value that a constraint forbids is somebody's doing, and the rows can be read; after any other damage they mean nothing.
    if any(_CONSTRAINT not in place for place in damage):
        return proof
    items = Items(books, proof)
    names = Names(books, proof, items)
    accounts = Accounts(books, proof)
    watchers: tuple[Watcher, ...] = (
        Chain(books, proof),
        names,
        accounts,
        Amounts(proof, accounts.rows, names, items),
        Holds(books, proof, accounts.rows, names, items),
        Links(books, proof, accounts.rows, names, items),
        Cards(books, proof, accounts.rows, items),
        Days(books, proof, items),
        Entered(books, proof, items),
    )
    record_count = sum(epoch.high_water for epoch in books.scan(Epoch))
    for entry in Entries(books, proof, {row.number: row.key_version for row in books.scan(Terminal)}):
        for watcher in watchers:
            watcher.see(entry)
        if proof.record_count % _TELL_EVERY == 0:
            progress(proof.record_count, record_count)
    for watcher in watchers:
        watcher.end()
    check_seals(books, proof)
    progress(proof.record_count, proof.record_count)
    return proof
