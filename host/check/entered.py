"""What people have entered and terminals have said, against what else speaks of it: rows that were taken away.

Seals and tallies tell that a row was altered, added or taken away (check/seals.py). Which one is gone shows in the rows
that refer to it, in numbers that run on, in the records that made it, and in the audit log.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from host.check.entries import Entry
from host.check.names import Items
from host.check.proof import Proof
from host.ledger.books import Books
from host.ledger.rows import Act, Active, Card, Epoch, Holder, Resource, Restore, Row, Terminal
from protocol import record as kinds
from protocol.shown import unpack_activated

_ADDED: dict[str, tuple[type[Row], Callable[[Act, dict[str, Any]], tuple[int, ...]]]] = {
    "holder.add": (Holder, lambda _, detail: (int(detail["account"]),)),
    "card.add": (Card, lambda act, _: (int(act.subject),)),
    "terminal.add": (Terminal, lambda act, _: (int(act.subject),)),
}
"""Acts that add a row which is never taken away, and its key."""


class Entered:
    """Sees every entry once: what was activated. The rest is looked at in the end."""

    def __init__(self, books: Books, proof: Proof, items: Items) -> None:
        self._books = books
        self._proof = proof
        self._items = items
        self._activated: set[tuple[int, int]] = set()

    def see(self, entry: Entry) -> None:
        """Note which resources a terminal has ever put into force."""
        if entry.record is not None and entry.is_proven and entry.record.kind == kinds.ACTIVATED:
            self._activated.add((entry.name.terminal, unpack_activated(entry.record.shown)[0]))

    def end(self) -> None:
        """Look at every table that people or terminals enter something into."""
        self._look_at_terminals()
        self._look_at_resources()
        self._look_at_acts()
        self._look_at_restores()

    def _look_at_terminals(self) -> None:
        terminals = {row.number: row for row in self._books.scan(Terminal)}
        epochs = set[tuple[int, int]]()
        for epoch in self._books.scan(Epoch):
            epochs.add((epoch.terminal, epoch.epoch))
            if epoch.terminal not in terminals:
                self._proof.wrong(f"表 terminals, number {epoch.terminal}: it is gone, and has epoch {epoch.epoch}")
        for row in terminals.values():
            if row.epoch and (row.number, row.epoch) not in epochs:
                self._proof.wrong(f"表 epochs, terminal {row.number}, epoch {row.epoch}: it is gone, and it is the one in force")

    def _look_at_resources(self) -> None:
        counts: Counter[tuple[int, int]] = Counter()
        for row in self._books.scan(Resource):
            place = (row.terminal, row.resource)
            counts[place] += 1
            if row.version != counts[place]:
                lost, counts[place] = counts[place], row.version
                self._proof.wrong(f"表 resources, terminal {row.terminal}, resource {row.resource}, version {lost}: it is gone")
        for terminal, resource in sorted(self._activated - {(row.terminal, row.resource) for row in self._books.scan(Active)}):
            self._proof.wrong(f"表 actives, terminal {terminal}, resource {resource}: it is gone, a record activated it")

    def _look_at_acts(self) -> None:
        for act in self._books.scan(Act):
            detail = _detail(act)
            if act.act in _ADDED:
                table, key = _ADDED[act.act]
                if self._books.peek(table, *key(act, detail)) is None:
                    self._gone(table, key(act, detail), act)

    def _look_at_restores(self) -> None:
        for expected, restore in enumerate(self._books.scan(Restore), start=1):
            if restore.number != expected:
                self._proof.wrong(f"表 restores, number {expected}: it is gone, {restore.number} follows")
                break

    def _gone(self, table: type[Row], key: tuple[int, ...], act: Act) -> None:
        names = ", ".join(f"{column} {value}" for column, value in zip(table.KEY, key, strict=True))
        self._proof.wrong(f"表 {table.TABLE}, {names}: it is gone, act {act.number} of the audit log added it")


def _detail(act: Act) -> dict[str, Any]:
    try:
        found: Any = json.loads(act.detail or "{}")
    except ValueError:
        return {}  # its seal tells
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
