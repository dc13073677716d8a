"""Row 7: two host processes post into one PostgreSQL, beside two that run SQL written by hand for just that.

Both sides have the same holders and hot canteens; each process has half of the tills, as its lines would.
"""

import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from bench import arrivals
from bench.bare import FIRST_CANTEEN, LAST_HOLDER, wide
from bench.canteens import FIRST_TILL, KEYS, NOW_S, TILL_COUNT, Canteens
from bench.helper import Helper, serve
from bench.lunch import Lunch, Sale
from bench.row import Measured, Row
from host.ledger.postgres import postgres_ledger
from host.settings import Settings
from tests.postgres import ADMIN, start_server

PROCESS_COUNT = 2
BATCH_SIZE = 1_000

_BASE_BATCH_COUNT = 15
"""Batches of each process that are there before anything is measured."""
_BATCH_COUNT = 6
"""Batches of each process in a repetition."""


def rows(canteens: Canteens, _pictures: Path) -> Iterator[Row]:
    """The one row, on a server of our own."""
    template = canteens.path()
    server = start_server()
    try:
        urls = [server.url(server.create()) for _ in range(2)]
        postgres_ledger(urls[0], keys=KEYS, settings=Settings(), clock=lambda: NOW_S, create=True).close()
        _copy(template, urls[0].replace("user=onecard", f"user={ADMIN}"))
        with psycopg.connect(urls[1]) as connection:
            connection.execute(_BY_HAND)
            numbers = "SELECT number, 0 FROM generate_series(%s::bigint, %s::bigint) AS number"
            connection.execute(f"INSERT INTO accounts {numbers}", (FIRST_CANTEEN, LAST_HOLDER))
            connection.execute(f"INSERT INTO tills {numbers}", (FIRST_TILL, FIRST_TILL + TILL_COUNT))
        helpers = [Helper("bench.postgres", [*urls, str(index)]) for index in range(PROCESS_COUNT)]
        with helpers[0], helpers[1]:
            for side in ("ours", "by hand"):
                _rate(helpers, side, _BASE_BATCH_COUNT)()
            name = "7 PostgreSQL posting, batch 1000, 2 writers, records/s"
            yield Row(name, _rate(helpers, "ours", _BATCH_COUNT), _rate(helpers, "by hand", _BATCH_COUNT), ">= 0.80")
    finally:
        server.stop()


def _rate(helpers: Sequence[Helper], side: str, batch_count: int) -> Measured:
    """All processes at once: what they did together, by the time of the slower one."""

    def once() -> float:
        _together(helpers, f"prepare {side} {batch_count}")
        seconds = _together(helpers, side)
        return len(helpers) * batch_count * BATCH_SIZE / max(seconds)

    return once


def _together(helpers: Sequence[Helper], name: str) -> list[float]:
    for helper in helpers:
        helper.begin(name)
    return [helper.end() for helper in helpers]


def _copy(template: Path, url: str) -> None:
    """Fill a ledger's empty tables from a ledger in a file: they have the same columns."""
    source = sqlite3.connect(template)
    tables = [name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%'")]
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in tables:
            found = source.execute(f"SELECT * FROM {table}")
            columns = SQL(", ").join(Identifier(column[0]) for column in found.description)
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
            with connection.cursor().copy(SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), columns)) as copy:
                for row in found:
                    copy.write_row(row)
    source.close()


class ByHand:
    """What a batch comes to in SQL: rows in one INSERT, accounts locked in sorted order, balances and high waters in one UPDATE each."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def prepare(self, sales: Sequence[Sale]) -> Callable[[], None]:
        """Make a batch ready."""
        found = [wide(sale) for sale in sales]
        deltas: defaultdict[int, int] = defaultdict(int)
        for _, debit, credit, amount_fen, _, _ in found:
            deltas[debit] -= amount_fen
            deltas[credit] += amount_fen
        waters = {sale.till: sale.sequence for sale in sales}
        numbers, tills = sorted(deltas), sorted(waters)
        values = [list(column) for column in zip(*found, strict=True)]
        return partial(self._post, values, numbers, [deltas[number] for number in numbers], tills, [waters[till] for till in tills])

    def _post(self, values: list[list[object]], numbers: list[int], deltas: list[int], tills: list[int], waters: list[int]) -> None:
        with self._connection.transaction():
            self._connection.execute(_INSERT, values)
            self._connection.execute("SELECT 1 FROM accounts WHERE number = ANY(%s) ORDER BY number FOR NO KEY UPDATE", [numbers])
            self._connection.execute(_ADD, [numbers, deltas])
            self._connection.execute(_RAISE, [tills, waters])


def main() -> None:
    """Post when asked: one of the two processes that `rows` starts."""
    url, by_hand_url, index = sys.argv[1:]
    ledger = postgres_ledger(url, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)
    ledger.start("serve")
    forms = {"ours": arrivals.posting(ledger), "by hand": ByHand(by_hand_url).prepare}
    half = TILL_COUNT // PROCESS_COUNT
    tills = range(int(index) * half, (int(index) + 1) * half)
    lunches = {side: Lunch(seed=int(index), tills=tills) for side in forms}
    ready: list[Callable[[], None]] = []

    def prepare(side: str, batch_count: int) -> float:
        ready[:] = [forms[side](lunches[side].sales(BATCH_SIZE)) for _ in range(batch_count)]
        return 0

    def run() -> float:
        start = time.perf_counter()
        for work in ready:
            work()
        return time.perf_counter() - start

    counts = (_BASE_BATCH_COUNT, _BATCH_COUNT)
    preparing = {f"prepare {side} {count}": partial(prepare, side, count) for side in forms for count in counts}
    serve({**preparing, **dict.fromkeys(forms, run)})
    ledger.close()


_BY_HAND = """
CREATE TABLE accounts (number bigint PRIMARY KEY, balance_fen bigint NOT NULL);
CREATE TABLE tills (number bigint PRIMARY KEY, high_water bigint NOT NULL);
CREATE TABLE movements (key bigint PRIMARY KEY CHECK (key > 0), debit bigint NOT NULL, credit bigint NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0), record bytea, owner bigint NOT NULL, CHECK (debit <> credit));
CREATE INDEX movements_owner ON movements (owner, key)
"""
_INSERT = "INSERT INTO movements SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[], %s::bigint[])"
_ADD = """
UPDATE accounts SET balance_fen = balance_fen + d.fen FROM unnest(%s::bigint[], %s::bigint[]) AS d (number, fen)
    WHERE accounts.number = d.number
"""
_RAISE = "UPDATE tills SET high_water = d.water FROM unnest(%s::bigint[], %s::bigint[]) AS d (number, water) WHERE tills.number = d.number"


if __name__ == "__main__":
    main()
