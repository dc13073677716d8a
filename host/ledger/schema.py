"""The schema of the SQLite ledger, as migrations in order; docs/ledger.md says what each table is for.

Rules that a database can hold are constraints here: a holder's account never falls below what is held,
a movement has an amount above zero and two different accounts, a name stands once in movements or facts,
and what is posted is never changed or deleted.
"""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from host.errors import LedgerUnreadable
from host.ledger.rows import SCHOOL_ACCOUNTS

APPLICATION_ID = 0x4F4E4543
"""`PRAGMA application_id`: "ONEC"."""

migrations = Migrations("onecard")

_FOREVER = ("movements", "facts", "annexes", "settlements", "commits")
"""Tables of what has happened: rows are added, and that is all."""


def is_behind(database: Database) -> bool:
    """Whether a ledger needs `migrate`. Raises `LedgerUnreadable` for one that a newer version wrote."""
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    newer = [migration.name for migration in migrations.applied(database) if migration.name not in known]
    if newer:
        raise LedgerUnreadable(f"账本版本较新 the ledger was written by a newer onecard ({newer[-1]}): upgrade this one")
    return bool(migrations.pending(database))


def migrate(database: Database) -> None:
    """Bring a ledger to this version; a no-op when another process has done it just now. The caller holds the write lock."""
    migrations.apply(database)


def missing_guards(database: Database) -> list[str]:
    """The names of triggers that should keep the books from being changed, and are not there."""
    there = {name for (name,) in database.conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    names = [name for table in _FOREVER for name, _ in _guards(table)] + [name for name, _ in _once()]
    return sorted(name for name in names if name not in there)


@migrations(name="0001_books")
def _books(database: Database) -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            database.conn.execute(statement)
    for _, statement in [guard for table in _FOREVER for guard in _guards(table)] + _once():
        database.conn.execute(statement)
    for account in SCHOOL_ACCOUNTS:
        database.conn.execute("INSERT INTO accounts VALUES (?, ?, ?, 0, 0)", [account.number, str(account.kind), account.label])


def _guards(table: str) -> list[tuple[str, str]]:
    return [
        (
            f"{table}_no_{act}",
            f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: what is posted is never changed, it is reversed'); END",
        )
        for act in ("update", "delete")
    ]


def _once() -> list[tuple[str, str]]:
    """Triggers against INSERT OR REPLACE, which deletes without a delete trigger, and against one name in both tables."""
    return [
        (
            f"{table}_once",
            f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE key = NEW.key) OR EXISTS (SELECT 1 FROM {other} WHERE key = NEW.key) "
            "BEGIN SELECT RAISE(ABORT, 'one name, one content: this name is posted already'); END",
        )
        for table, other in (("movements", "facts"), ("facts", "movements"))
    ]


_TABLES = """
CREATE TABLE accounts (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    balance_fen INTEGER NOT NULL CHECK (balance_fen BETWEEN -1000000000000000 AND 1000000000000000),
    held_fen INTEGER NOT NULL CHECK (held_fen >= 0),
    CHECK (kind <> 'holder' OR balance_fen >= held_fen)
) STRICT;
CREATE TABLE holders (
    account INTEGER PRIMARY KEY REFERENCES accounts,
    number TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    holder_class INTEGER NOT NULL CHECK (holder_class BETWEEN 0 AND 15),
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1))
) STRICT;
CREATE TABLE cards (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
    account INTEGER NOT NULL REFERENCES holders,
    mirror INTEGER NOT NULL UNIQUE REFERENCES accounts,
    uid BLOB NOT NULL UNIQUE CHECK (length(uid) IN (4, 7)),
    holder_class INTEGER NOT NULL CHECK (holder_class BETWEEN 0 AND 15),
    expiry_day INTEGER NOT NULL CHECK (expiry_day BETWEEN 0 AND 65535),
    key_version INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
    denied_s INTEGER,
    denied_for TEXT NOT NULL
) STRICT;
CREATE INDEX cards_account ON cards (account);
CREATE TABLE places (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    house TEXT NOT NULL,
    merchant INTEGER NOT NULL REFERENCES accounts
) STRICT;
CREATE TABLE terminals (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
    kind TEXT NOT NULL CHECK (kind IN ('shower', 'pos', 'host')),
    role TEXT NOT NULL,
    place INTEGER REFERENCES places,
    line INTEGER NOT NULL CHECK (line >= 0),
    address INTEGER NOT NULL CHECK (address BETWEEN 0 AND 32),
    key_version INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4095),
    firmware TEXT NOT NULL,
    CHECK ((number < 100) = (kind = 'host')),
    CHECK ((kind = 'host') = (place IS NULL))
) STRICT;
CREATE UNIQUE INDEX terminals_address ON terminals (line, address) WHERE line > 0;
CREATE TABLE epochs (
    terminal INTEGER NOT NULL REFERENCES terminals,
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 4095),
    high_water INTEGER NOT NULL CHECK (high_water BETWEEN 0 AND 2147483647),
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1)),
    list_version INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE movements (
    key INTEGER PRIMARY KEY CHECK (key > 0),
    debit INTEGER NOT NULL REFERENCES accounts,
    credit INTEGER NOT NULL REFERENCES accounts,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    record BLOB CHECK (record IS NULL OR (length(record) = 64 AND (key & 15) = 0)),
    CHECK (debit <> credit)
) STRICT;
CREATE TABLE facts (
    key INTEGER PRIMARY KEY CHECK (key > 0 AND (key & 15) = 0),
    record BLOB NOT NULL CHECK (length(record) = 64)
) STRICT;
CREATE TABLE annexes (
    key INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE settlements (
    opened INTEGER PRIMARY KEY,
    settled INTEGER NOT NULL UNIQUE
) STRICT;
CREATE TABLE commits (
    number INTEGER PRIMARY KEY,
    first_key INTEGER NOT NULL,
    last_key INTEGER NOT NULL CHECK (last_key >= first_key),
    at_s INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;
CREATE TABLE holds (
    key INTEGER PRIMARY KEY CHECK (key > 0 AND (key & 15) = 0),
    account INTEGER NOT NULL REFERENCES accounts,
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'shower', 'load', 'booking', 'purse')),
    state TEXT NOT NULL CHECK (state IN ('asked', 'taken')),
    amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0),
    used_fen INTEGER NOT NULL CHECK (used_fen >= 0),
    subject_kind INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    asked_fen INTEGER NOT NULL,
    code BLOB NOT NULL
) STRICT;
CREATE INDEX holds_account ON holds (account);
CREATE TABLE items (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    key INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX items_once ON items (kind, terminal, key, evidence);
CREATE TABLE writings (
    card INTEGER NOT NULL REFERENCES cards,
    counter INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    sequence_low INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    epoch_low INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL,
    told_by INTEGER NOT NULL,
    PRIMARY KEY (card, counter, terminal, sequence_low, kind, epoch_low, amount_fen)
) STRICT, WITHOUT ROWID;
CREATE TABLE resources (
    terminal INTEGER NOT NULL REFERENCES terminals,
    resource INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    size INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (terminal, resource, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE actives (
    terminal INTEGER NOT NULL REFERENCES terminals,
    resource INTEGER NOT NULL,
    version INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (terminal, resource)
) STRICT, WITHOUT ROWID;
CREATE TABLE reservations (
    key INTEGER PRIMARY KEY,
    terminal INTEGER NOT NULL REFERENCES terminals,
    house TEXT NOT NULL,
    day INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES holders,
    held_fen INTEGER NOT NULL CHECK (held_fen > 0),
    from_s INTEGER NOT NULL,
    until_s INTEGER NOT NULL CHECK (until_s > from_s),
    try_count INTEGER NOT NULL,
    lookup BLOB NOT NULL,
    stall_epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'used', 'cancelled', 'freed')),
    gone_version INTEGER
) STRICT;
CREATE UNIQUE INDEX reservations_code ON reservations (house, day, lookup);
CREATE INDEX reservations_terminal ON reservations (terminal, state);
"""
