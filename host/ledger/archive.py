"""Archiving: a closed day's movements, sorted by holder, into the one table that keeps them for ever.

A holder's index on a table that grows for years costs more with every year; on a day's table, and on an
archive that only grows at its end, it costs the same for ever. First the day is measured and its links of the
chain are proved, on a snapshot, which nobody waits for; then, in one transaction, it is copied, what arrived is
compared with what was measured, and the day's table goes.
"""

import hashlib
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from host.errors import DayNotReady
from host.ledger.books import Books
from host.ledger.chain import NO_DIGEST, digest_of
from host.ledger.clock import day_text
from host.ledger.days import kept_apart, lacks, show
from host.ledger.reports import name_text
from host.ledger.rows import Commit, Day, Fact, Movement
from host.ledger.schema import day_table

_ROW = struct.Struct("<qqqqq")
_LINK_COUNT = 100
"""Links proved at a time: with 1,000 records each they still fit into 100 MB."""

_ARCHIVED = "SELECT key, debit, credit, amount_fen, record, owner FROM movements_archive WHERE day = ? ORDER BY key"


@dataclass(frozen=True, slots=True)
class Measured:
    """A day's movements: how many, how much, and a SHA-256 over all of them in the order of their keys.

    Each row: key, debit, credit, amount, owner (8 bytes each, little-endian, signed), then the record, if it has one.
    """

    movement_count: int
    moved_fen: int
    digest: bytes


def movements_of(books: Books, day: Day) -> Iterator[Movement]:
    """A day's movements in the order of their keys, wherever they are by now."""
    rows = books.run(_ARCHIVED, day.number) if day.archived_s else books.run(_in_table(day))
    return (Movement(*row) for row in rows)


def measure(rows: Iterable[Movement]) -> Measured:
    """Measure movements that come in the order of their keys."""
    count, moved_fen, digest = 0, 0, hashlib.sha256()
    for key, debit, credit, amount_fen, record, owner in rows:
        count += 1
        moved_fen += amount_fen
        digest.update(_ROW.pack(key, debit, credit, amount_fen, owner))
        digest.update(record or b"")
    return Measured(count, moved_fen, digest.digest())


def prove(books: Books, number: int) -> Measured:
    """Measure a closed day, and prove that its movements are those the hash chain has. Raises `DayNotReady`."""
    day = _ready(books, number)
    measured = measure(movements_of(books, day))
    linked_count = sum(_prove_links(books, day))
    if linked_count != measured.movement_count:
        raise _refused(day, f"{measured.movement_count - linked_count} of its movements stand in no commit of the chain")
    return measured


def archive(books: Books, number: int, measured: Measured) -> Day:
    """Move a day that was proved into the archive. Raises `DayNotReady` if it is not as it was measured; then nothing is done."""
    day = _ready(books, number)
    show(books, [other for other in kept_apart(books) if other != number])
    list(
        books.run(
            "INSERT INTO movements_archive (day, owner, key, debit, credit, amount_fen, record) "
            f"SELECT {number}, owner, key, debit, credit, amount_fen, record FROM {day_table(number)} ORDER BY owner, key"
        )
    )
    done = replace(
        day,
        archived_s=books.now_s,
        movement_count=measured.movement_count,
        moved_fen=measured.moved_fen,
        digest=measured.digest,
    )
    if measure(movements_of(books, done)) != measured:
        raise _refused(day, "its movements are not the ones that were measured: something arrived meanwhile, or was altered")
    list(books.run(f"DROP TABLE {day_table(number)}"))
    books.change(done)
    return done


def _ready(books: Books, number: int) -> Day:
    day = books.get(Day, number)
    if day is None or day.archived_s:
        raise DayNotReady(f"营业日 {number} 已归档 day number {number} is archived already, or was split: look at `onecard day list`")
    if not day.cut:
        raise DayNotReady("营业日未结 the open day is not archived: close it first")
    if missing := lacks(books, day):
        first = missing[0]
        what = f"{first.terminal}-{first.epoch} has come to {first.high_water} of {first.last}"
        raise DayNotReady(f"记录未齐 {day_text(day.date)} waits for records: {what}; {len(missing) - 1} more wait")
    return day


def _prove_links(books: Books, day: Day) -> Iterator[int]:
    """Compute every link since the day was opened; yields how many of the day's movements each batch has."""
    before = books.peek(Commit, day.after_commit)
    digest = before.digest if before else NO_DIGEST
    tables = [day_table(number) for number in kept_apart(books)]
    newest = books.highest(Commit, "number")
    for first in range(day.after_commit + 1, newest + 1, _LINK_COUNT):
        last = min(first + _LINK_COUNT - 1, newest)
        found: defaultdict[int, list[Movement | Fact]] = defaultdict(list)
        for table in ("movements_archive", *tables):
            rows = [(number, Movement(*row)) for number, *row in _linked(books, table, first, last, "debit, credit, amount_fen, record")]
            for number, row in rows:
                found[number].append(row)
            if table == day_table(day.number):
                yield len(rows)
        for number, *row in _linked(books, "facts", first, last, "record"):
            found[number].append(Fact(*row))
        expected = first
        for number, first_key, last_key, at_s, said in books.run(
            "SELECT number, first_key, last_key, at_s, digest FROM commits WHERE number BETWEEN ? AND ? ORDER BY number", first, last
        ):
            digest = digest_of(digest, number, first_key, last_key, at_s, sorted(found[number], key=lambda row: row.key))
            if number != expected or digest != bytes(said):
                raise _refused(day, f"commit {number} ({name_text(first_key)} to {name_text(last_key)}) does not match its digest")
            expected += 1


def _linked(books: Books, table: str, first: int, last: int, columns: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a table with the link each stands in, the links leading: each is a look-up by key."""
    listed = ", ".join(f"m.{column}" for column in columns.split(", "))
    return books.run(
        f"SELECT c.number, m.key, {listed} FROM commits c CROSS JOIN {table} m "
        "WHERE c.number BETWEEN ? AND ? AND m.key BETWEEN c.first_key AND c.last_key",
        first,
        last,
    )


def _in_table(day: Day) -> str:
    return f"SELECT key, debit, credit, amount_fen, record, owner FROM {day_table(day.number)} ORDER BY key"


def _refused(day: Day, why: str) -> DayNotReady:
    return DayNotReady(f"不能归档 {day_text(day.date)} is not archived: {why}; run `onecard check`")
