"""The limits of the ledger rows: the bare parts, and the code a user would write first. Nothing of ours is in here."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from struct import unpack

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from bench.canteens import BALANCE_FEN, CANTEEN_COUNT, FIRST_TILL, HOLDER_COUNT, KEYS, TILL_COUNT
from bench.lunch import Sale, canteen_of, encoded, key_of

FIRST_CANTEEN = 100
FIRST_HOLDER = FIRST_CANTEEN + CANTEEN_COUNT
LAST_HOLDER = FIRST_HOLDER + HOLDER_COUNT
_LEG_BITS = 4
_SEQUENCE_BITS = 31

Wide = tuple[int, int, int, int, bytes, int]
"""A movement as a row: key, debit, credit, amount, record, owner."""


def wide(sale: Sale) -> Wide:
    """The row that a sale becomes."""
    holder = FIRST_HOLDER + sale.card
    return key_of(sale), holder, FIRST_CANTEEN + canteen_of(sale.till), sale.amount_fen, encoded(sale), holder


class BareTable:
    """The wide row with its index by holder, and nothing else: no balances, no triggers, no references, no chain.

    The connection is set as the ledger's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = connect(path)
        self.connection.execute("PRAGMA cache_size = -65536")
        self.connection.execute("PRAGMA wal_autocheckpoint = 10000")
        self.connection.execute(
            "CREATE TABLE movements (key INTEGER PRIMARY KEY CHECK (key > 0), debit INTEGER NOT NULL, credit INTEGER NOT NULL,"
            " amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),"
            " record BLOB CHECK (record IS NULL OR (length(record) = 64 AND (key & 15) = 0)),"
            " owner INTEGER NOT NULL, CHECK (debit <> credit)) STRICT"
        )
        self.connection.execute("CREATE INDEX movements_owner ON movements (owner, key)")

    def prepare(self, sales: Sequence[Sale]) -> Callable[[], None]:
        """Make a batch's rows ready."""
        return partial(self.insert, [wide(sale) for sale in sales])

    def earned(self) -> list[int]:
        """What each canteen has earned."""
        query = "SELECT sum(amount_fen) FROM movements GROUP BY credit ORDER BY credit"
        return [earned for (earned,) in self.connection.execute(query)]

    def insert(self, rows: Sequence[Wide]) -> None:
        """Insert a batch; returns once it is durable."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO movements VALUES (?, ?, ?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")


class PerRow:
    """Intake as a user would write it: a batch is a transaction, and each record is looked at, asked for and posted by itself.

    It keeps what must be kept: the same table and index, balances, high water, a repeat that changes nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        self._keys = {FIRST_TILL + till: KEYS.record_key(FIRST_TILL + till, 1) for till in range(TILL_COUNT)}
        self._connection.executescript(_PER_ROW)
        self._connection.execute("BEGIN")
        insert = self._connection.executemany
        insert("INSERT INTO accounts VALUES (?, ?)", [(FIRST_CANTEEN + index, 0) for index in range(CANTEEN_COUNT)])
        insert("INSERT INTO accounts VALUES (?, ?)", [(FIRST_HOLDER + card, BALANCE_FEN) for card in range(1, HOLDER_COUNT + 1)])
        insert("INSERT INTO cards VALUES (?, ?)", [(card, FIRST_HOLDER + card) for card in range(1, HOLDER_COUNT + 1)])
        tills = [(till, FIRST_CANTEEN + canteen_of(till), 0) for till in self._keys]
        insert("INSERT INTO tills VALUES (?, ?, ?)", tills)
        self._connection.execute("COMMIT")

    def prepare(self, sales: Sequence[Sale]) -> Callable[[], None]:
        """Make a batch's records ready."""
        return partial(self.take, [encoded(sale) for sale in sales])

    def earned(self) -> list[int]:
        """What each canteen has earned."""
        query = "SELECT balance_fen FROM accounts WHERE number < ? ORDER BY number"
        return [balance_fen for (balance_fen,) in self._connection.execute(query, (FIRST_HOLDER,))]

    def take(self, records: Sequence[bytes]) -> None:
        """Take a batch of records; returns once it is durable."""
        self._connection.execute("BEGIN IMMEDIATE")
        for data in records:
            self._take_one(data)
        self._connection.execute("COMMIT")

    def _take_one(self, data: bytes) -> None:
        execute = self._connection.execute
        _, _, till, epoch, sequence, _, _, card, _, _, _, amount_fen, *_ = unpack("<BBHHIIBIHHIIHBHH14sHH8s", data)
        mac = CMAC(AES(self._keys[till]))
        mac.update(data[:56])
        if mac.finalize()[:8] != data[56:]:
            raise ValueError(data)
        key = (((till << 12 | epoch) << _SEQUENCE_BITS) | sequence) << _LEG_BITS
        merchant, high_water = execute("SELECT merchant, high_water FROM tills WHERE number = ?", (till,)).fetchone()
        if sequence <= high_water:
            (before,) = execute("SELECT record FROM movements WHERE key = ?", (key,)).fetchone()
            if before != data:
                raise ValueError(data)
            return
        if sequence != high_water + 1:
            raise ValueError(data)
        (account,) = execute("SELECT account FROM cards WHERE number = ?", (card,)).fetchone()
        (balance_fen,) = execute("SELECT balance_fen FROM accounts WHERE number = ?", (account,)).fetchone()
        if balance_fen < amount_fen:
            raise ValueError(data)
        execute("INSERT INTO movements VALUES (?, ?, ?, ?, ?, ?)", (key, account, merchant, amount_fen, data, account))
        execute("UPDATE accounts SET balance_fen = balance_fen - ? WHERE number = ?", (amount_fen, account))
        execute("UPDATE accounts SET balance_fen = balance_fen + ? WHERE number = ?", (amount_fen, merchant))
        execute("UPDATE tills SET high_water = ? WHERE number = ?", (sequence, till))


def connect(path: Path) -> sqlite3.Connection:
    """Open a file with what durable commits need, the rest as SQLite has it."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


_PER_ROW = """
CREATE TABLE movements (key INTEGER PRIMARY KEY, debit INTEGER NOT NULL, credit INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0), record BLOB, owner INTEGER NOT NULL) STRICT;
CREATE INDEX movements_owner ON movements (owner, key);
CREATE TABLE accounts (number INTEGER PRIMARY KEY, balance_fen INTEGER NOT NULL) STRICT;
CREATE TABLE cards (number INTEGER PRIMARY KEY, account INTEGER NOT NULL) STRICT;
CREATE TABLE tills (number INTEGER PRIMARY KEY, merchant INTEGER NOT NULL, high_water INTEGER NOT NULL) STRICT;
"""
