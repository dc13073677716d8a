"""Every record of the books, once, in the order of names, with its movements; and tables that name records walked beside it.

Ten million records are more than fit into memory, so everything here is a stream: two sorted ones are
joined by stepping through both, and nothing is kept but where they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from host.check.proof import Proof
from host.keys import SiteKeys
from host.ledger.books import Books
from host.ledger.reports import name_text
from host.ledger.rows import Fact, Movement
from protocol.record import Name, Record, decode, unpack_key, verify

R = TypeVar("R")


class Watcher(Protocol):
    """What looks at every entry for one thing."""

    def see(self, entry: "Entry") -> None:
        """Look at the next entry, in the order of names."""
        ...

    def end(self) -> None:
        """Nothing follows: look at what only the whole tells."""
        ...


_LEG_MASK = 15


@dataclass(slots=True)
class Entry:
    """A record and what it moved. `record` is None for bytes that are none; `is_fact`: it stands in `facts`."""

    key: int
    name: Name
    data: bytes
    legs: list[Movement]
    is_fact: bool
    record: Record | None
    is_proven: bool

    def __str__(self) -> str:
        return f"记录 record {name_text(self.key)} (key {self.key})"


class Entries:
    """All records in the order of names. Iterate once."""

    def __init__(self, books: Books, proof: Proof, key_versions: dict[int, int]) -> None:
        self._books = books
        self._proof = proof
        self._key_versions = key_versions

    def __iter__(self) -> Iterator[Entry]:
        facts = self._books.scan(Fact)
        fact = next(facts, None)
        for legs in self._legs():
            key = legs[0].key & ~_LEG_MASK
            while fact is not None and fact.key < key:
                yield self._entry(fact.key, fact.record, [])
                fact = next(facts, None)
            if fact is not None and fact.key == key:
                self._proof.wrong(f"记录 record {name_text(key)} (key {key}) stands in movements and in facts")
            yield self._entry(key, legs[0].record or b"", legs)
        while fact is not None:
            yield self._entry(fact.key, fact.record, [])
            fact = next(facts, None)

    def _legs(self) -> Iterator[list[Movement]]:
        legs: list[Movement] = []
        for row in self._books.scan(Movement):
            if legs and legs[0].key | _LEG_MASK < row.key:
                yield legs
                legs = []
            legs.append(row)
        if legs:
            yield legs

    def _entry(self, key: int, data: bytes, legs: list[Movement]) -> Entry:
        name, _ = unpack_key(key)
        self._proof.record_count += 1
        self._proof.movement_count += len(legs)
        self._proof.fact_count += not legs
        try:
            record = decode(data)
        except ValueError:
            record = None
        is_proven = record is not None and _is_proven(self._books.keys, name.terminal, self._key_versions, data)
        return Entry(key, name, data, legs, not legs, record, is_proven)


class Follower(Generic[R]):
    """Rows of a table that name records, in the order of those names, walked beside the records.

    `at` returns the rows that name a record; rows passed on the way name one that is not there, and go to `astray`.
    """

    def __init__(self, rows: Iterator[R], name: Callable[[R], int], astray: Callable[[R], None] = lambda _: None) -> None:
        self._rows = rows
        self._name = name
        self._astray = astray
        self._row = next(rows, None)

    def at(self, key: int) -> list[R]:
        """The rows that name this record, which comes after those asked for before."""
        found: list[R] = []
        row = self._row
        while row is not None and (name := self._name(row)) <= key:
            if name == key:
                found.append(row)
            else:
                self._astray(row)
            row = next(self._rows, None)
        self._row = row
        return found

    def end(self) -> None:
        """No record is left: what is still to come names none."""
        if self._row is not None:
            self._astray(self._row)
            self._row = None
        for row in self._rows:
            self._astray(row)


def _is_proven(keys: SiteKeys, terminal: int, key_versions: dict[int, int], data: bytes) -> bool:
    version = key_versions.get(terminal)
    return version is not None and verify(data, keys.record_cmac(terminal, version))
