"""Rows 4 and 25, for `make bench-long`: what ten million archived movements cost posting, and a host's memory.

The archive is filled by plain SQL, for time's sake: days of 180,000 movements, each sorted by holder, as archiving leaves them.
"""

import resource
import sqlite3
import statistics
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import host.serve
from bench import arrivals
from bench.bare import FIRST_CANTEEN, FIRST_HOLDER, BareTable
from bench.canteens import FIRST_TILL, HOLDER_COUNT, TILL_COUNT, Canteens, open_ledger
from bench.helper import Helper
from bench.helper import serve as answer
from bench.lunch import EPOCH, Lunch, Sale, encoded
from bench.plot import Chart, Line
from bench.posting import ledger_side
from bench.row import REPETITIONS, Row
from bench.side import Side
from host.ledger.bills import Wish, bill
from host.ledger.rows import Epoch, Holder
from host.writer import Writer

SIZES = (100_000, 1_000_000, 3_000_000, 10_000_000)
"""Movements, for the chart."""
MEMORY_MB = 200

_DAY_SIZE = 180_000
"""Movements of a campus-day."""
_BASE_COUNT = 20_000
_FIRST_SEQUENCE = 1 << 30
"""Archived records have names far from those that come."""
_FIRST_DATE, _FIRST_DAY = date(2026, 1, 1), 1_000
_BATCH_COUNT, _BILL_COUNT = 30, 100


def rows(canteens: Canteens, pictures: Path) -> Iterator[Row]:
    """Fill step by step, with a look at the rates at each step; then the two rows."""
    full, empty = (ledger_side(name, canteens.path(), arrivals.posting) for name in ("full", "empty"))
    one_table = BareTable(canteens.folder / "one-table.db")
    other = Side("one table", one_table.path, one_table.prepare, one_table.earned)
    for side in (full, empty, other):
        side.fill(_BASE_COUNT)
    rates: list[tuple[float, float]] = []
    for before, size in zip((0, *SIZES), SIZES, strict=False):
        _fill(full.path, "movements_archive", _INTO_ARCHIVE, before, size)
        _fill(other.path, "movements", _INTO_TABLE, before, size)
        found = [(full.rate(1_000)(), other.rate(1_000)()) for _ in range(REPETITIONS)]
        rates.append((statistics.median(ours for ours, _ in found), statistics.median(theirs for _, theirs in found)))
    _chart(rates).write(pictures / "rate-by-size.svg")
    yield Row("4 posting with 10 million archived, records/s", full.rate(1_000), empty.rate(1_000), ">= 0.80")
    with Helper("bench.archive", [str(full.path)]) as helper:
        yield Row("25 memory of a host with 10 million movements, MB", helper.measured("memory"), lambda: MEMORY_MB, "<= 1.0")


def main() -> None:
    """Do what a host does, and say how much memory it has ever had: the process that `rows` starts."""
    ledger = open_ledger(Path(sys.argv[1]))
    assert host.serve.serve  # imported with all that a host has: lines, pages, log
    waters = {epoch.terminal: epoch.high_water for epoch in ledger.view(lambda books: books.find(Epoch, epoch=EPOCH))}
    lunch = Lunch(after=[waters[FIRST_TILL + till] for till in range(TILL_COUNT)])
    owners = [holder.account for holder in ledger.view(lambda books: books.find(Holder, limit=_BILL_COUNT))]
    prepare = arrivals.intake(ledger)
    writer = Writer(ledger)

    def memory() -> float:
        for _ in range(_BATCH_COUNT):
            prepare(lunch.sales(1_000))()
        for owner in owners:
            lines = writer.view(lambda books, owner=owner: bill(books, owner, Wish()))
            assert lines, owner
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    answer({"memory": memory})
    writer.close()
    ledger.close()


def _fill(path: Path, table: str, statement: str, first: int, last: int) -> None:
    """Put movements number `first` to `last` into a table, day by day; its indexes and triggers are made anew afterwards."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        beside = connection.execute(query, (table,)).fetchall()
        connection.execute("BEGIN IMMEDIATE")
        for kind, name, _ in beside:
            connection.execute(f"DROP {kind} {name}")
        for start in range(first, last, _DAY_SIZE):
            day = start // _DAY_SIZE
            until = min(start + _DAY_SIZE, last)
            values = {**_VALUES, "first": start, "last": until, "day": _FIRST_DAY + day}
            connection.execute(statement, values)
            if table == "movements_archive":
                dated = int((_FIRST_DATE + timedelta(day)).strftime("%Y%m%d"))
                connection.execute(_DAY, (_FIRST_DAY + day, dated, 1 + day, until - start))
        for _, _, sql in beside:
            connection.execute(sql)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _chart(rates: list[tuple[float, float]]) -> Chart:
    ours, theirs = zip(*rates, strict=True)
    return Chart(
        title="入账速度与账本大小 Rate against size of the books",
        note="SQLite，每批 1000 条，每批落盘 batches of 1,000, each on disk before the next; medians of five",
        x_name="已有几笔 movements there already",
        y_name="每秒记录 records a second",
        lines=[
            Line("一卡通：未结日与归档 ours: open day, archive", list(zip(SIZES, ours, strict=True))),
            Line("只插一行，一张大表 the bare row, one growing table", list(zip(SIZES, theirs, strict=True))),
        ],
    )


_VALUES = {
    "first_till": FIRST_TILL,
    "till_count": TILL_COUNT,
    "first_holder": FIRST_HOLDER,
    "holder_count": HOLDER_COUNT,
    "canteen": FIRST_CANTEEN,
    "first_sequence": _FIRST_SEQUENCE,
    "record": encoded(Sale(FIRST_TILL, _FIRST_SEQUENCE, 1, 1_000)),
}
_NUMBERS = """
WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :last),
named (owner, key) AS (SELECT :first_holder + i * 7919 % :holder_count,
    ((:first_till + i % :till_count) << 47) + (1 << 35) + ((:first_sequence + i / :till_count) << 4) FROM numbers)
"""
"""Holders in no order, tills in turn."""
_INTO_ARCHIVE = f"""
INSERT INTO movements_archive (day, owner, key, debit, credit, amount_fen, record)
{_NUMBERS} SELECT :day, owner, key, owner, :canteen, 1000, :record FROM named ORDER BY owner, key
"""
_INTO_TABLE = f"""
INSERT INTO movements (key, debit, credit, amount_fen, record, owner)
{_NUMBERS} SELECT key, owner, :canteen, 1000, :record, owner FROM named ORDER BY key
"""
_DAY = """
INSERT OR IGNORE INTO days (number, date, opened_s, cut, closed_s, after_commit, archived_s, movement_count, moved_fen, digest)
VALUES (?1, ?2, 1, ?3, 1, 0, 1, ?4, 1, x'00')
"""


if __name__ == "__main__":
    main()
