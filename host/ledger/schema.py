"""The schema of the ledger, as migrations in order, in SQL that both databases understand; docs/ledger.md says what each table is for.

Words in braces differ: `render` puts in a database's own (`SQLITE`, `POSTGRES`). Rules that a database can hold are constraints here: a
holder's account never falls below what is held, a movement has an amount above zero and two different accounts, a name stands once,
and what is posted is never changed or deleted (`guards`, in the file of each store).
"""

from collections.abc import Mapping

from host.ledger.rows import SCHOOL_ACCOUNTS
from host.ledger.views import create_views, drop_views

SQLITE = {
    "int": "INTEGER",
    "bytes": "BLOB",
    "strict": " STRICT",
    "keyed": " STRICT, WITHOUT ROWID",
    "empty": "x''",
    "length": "length",
    "position": "instr",
    "hex_record": "hex(record)",
    "utc": "datetime(at_s, 'unixepoch')",
}
POSTGRES = {
    "int": "BIGINT",
    "bytes": "BYTEA",
    "strict": "",
    "keyed": "",
    "empty": "''::bytea",
    "length": "octet_length",
    "position": "strpos",
    "hex_record": "upper(encode(record, 'hex'))",
    "utc": "to_char(to_timestamp(at_s) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
}

FOREVER = ("facts", "annexes", "settlements", "commits", "requests", "reversals", "stand_ins", "audit", "movements_archive")
"""Tables of what has happened, beside the movements of each open day: rows are added, and that is all."""

SEALED = (
    "holders", "cards", "places", "terminals", "epochs", "holds", "hold_parts", "items", "writings", "resources", "actives", "reservations",
    "wallets", "wallet_scopes", "refunds", "days", "restores", "waits", "requests", "audit",
)  # fmt: skip
"""Tables whose rows follow from no record alone: each row has a seal by the site's key, so that `check` finds one that was altered."""

TALLIED = (
    "holders", "cards", "places", "terminals", "resources", "actives", "reservations",
    "wallets", "wallet_scopes", "refunds", "days", "restores", "waits", "requests", "audit",
)  # fmt: skip
"""Tables of those that are counted too, so that `check` finds a row that was taken away (ledger/tallies.py)."""


def render(statement: str, words: Mapping[str, str]) -> str:
    """Put a database's own words in."""
    for word, meaning in words.items():
        statement = statement.replace("{" + word + "}", meaning)
    return statement


def day_table(day: int) -> str:
    """The table of an open day's movements."""
    return f"movements_{day}"


def create_day(day: int) -> list[str]:
    """Statements that make the table of a day; the guards come from the store."""
    table = day_table(day)
    return [_DAY.replace("{table}", table), f"CREATE INDEX {table}_owner ON {table} (owner, key)"]


def create_view(days: "list[int]") -> list[str]:
    """Statements that make `movements` show the archive and these days' tables, and what operators look at with it (ledger/views.py)."""
    columns = "key, debit, credit, amount_fen, record, owner"
    parts = [f"SELECT {columns} FROM {table}" for table in ["movements_archive", *(day_table(day) for day in days)]]
    shown = ["DROP VIEW IF EXISTS movements", f"CREATE VIEW movements AS {' UNION ALL '.join(parts)}"]
    return [*drop_views(), *shown, *create_views()]


def _statements(text: str) -> list[str]:
    return [statement.strip() for statement in text.split(";\n") if statement.strip()]


def _school_accounts() -> list[str]:
    columns = "number, kind, label, balance_fen, held_fen"
    labels = {row.number: row.label.replace("'", "''") for row in SCHOOL_ACCOUNTS}
    return [
        f"INSERT INTO accounts ({columns}) VALUES ({row.number}, '{row.kind}', '{labels[row.number]}', 0, 0)" for row in SCHOOL_ACCOUNTS
    ]


_BOOKS = """
CREATE TABLE accounts (
    number {int} PRIMARY KEY,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    balance_fen {int} NOT NULL CHECK (balance_fen BETWEEN -1000000000000000 AND 1000000000000000),
    held_fen {int} NOT NULL CHECK (held_fen >= 0),
    CHECK (kind <> 'holder' OR balance_fen >= held_fen)
){strict};
CREATE TABLE holders (
    account {int} PRIMARY KEY REFERENCES accounts,
    number TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    holder_class {int} NOT NULL CHECK (holder_class BETWEEN 0 AND 15),
    is_closed {int} NOT NULL CHECK (is_closed IN (0, 1))
){strict};
CREATE TABLE cards (
    number {int} PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
    account {int} NOT NULL REFERENCES holders,
    mirror {int} NOT NULL UNIQUE REFERENCES accounts,
    uid {bytes} NOT NULL UNIQUE CHECK ({length}(uid) IN (4, 7)),
    holder_class {int} NOT NULL CHECK (holder_class BETWEEN 0 AND 15),
    expiry_day {int} NOT NULL CHECK (expiry_day BETWEEN 0 AND 65535),
    key_version {int} NOT NULL CHECK (key_version BETWEEN 1 AND 255),
    denied_s {int},
    denied_for TEXT NOT NULL
){strict};
CREATE INDEX cards_account ON cards (account);
CREATE TABLE places (
    number {int} PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    house TEXT NOT NULL,
    merchant {int} NOT NULL REFERENCES accounts
){strict};
CREATE TABLE terminals (
    number {int} PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
    kind TEXT NOT NULL CHECK (kind IN ('shower', 'pos', 'host')),
    role TEXT NOT NULL,
    place {int} REFERENCES places,
    line {int} NOT NULL CHECK (line >= 0),
    address {int} NOT NULL CHECK (address BETWEEN 0 AND 32),
    key_version {int} NOT NULL CHECK (key_version BETWEEN 1 AND 255),
    epoch {int} NOT NULL CHECK (epoch BETWEEN 0 AND 4095),
    firmware TEXT NOT NULL,
    CHECK ((number < 100) = (kind = 'host')),
    CHECK ((kind = 'host') = (place IS NULL))
){strict};
CREATE UNIQUE INDEX terminals_address ON terminals (line, address) WHERE line > 0;
CREATE TABLE epochs (
    terminal {int} NOT NULL REFERENCES terminals,
    epoch {int} NOT NULL CHECK (epoch BETWEEN 1 AND 4095),
    high_water {int} NOT NULL CHECK (high_water BETWEEN 0 AND 2147483647),
    is_closed {int} NOT NULL CHECK (is_closed IN (0, 1)),
    list_version {int} NOT NULL,
    PRIMARY KEY (terminal, epoch)
){keyed};
CREATE TABLE movements (
    key {int} PRIMARY KEY CHECK (key > 0),
    debit {int} NOT NULL REFERENCES accounts,
    credit {int} NOT NULL REFERENCES accounts,
    amount_fen {int} NOT NULL CHECK (amount_fen > 0),
    record {bytes} CHECK (record IS NULL OR ({length}(record) = 64 AND (key & 15) = 0)),
    CHECK (debit <> credit)
){strict};
CREATE TABLE facts (
    key {int} PRIMARY KEY CHECK (key > 0 AND (key & 15) = 0),
    record {bytes} NOT NULL CHECK ({length}(record) = 64)
){strict};
CREATE TABLE annexes (
    key {int} PRIMARY KEY,
    content {bytes} NOT NULL
){strict};
CREATE TABLE settlements (
    opened {int} PRIMARY KEY,
    settled {int} NOT NULL UNIQUE
){strict};
CREATE TABLE commits (
    number {int} PRIMARY KEY,
    first_key {int} NOT NULL,
    last_key {int} NOT NULL CHECK (last_key >= first_key),
    at_s {int} NOT NULL,
    digest {bytes} NOT NULL CHECK ({length}(digest) = 32)
){strict};
CREATE TABLE holds (
    key {int} PRIMARY KEY CHECK (key > 0 AND (key & 15) = 0),
    account {int} NOT NULL REFERENCES accounts,
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'shower', 'load', 'booking', 'purse')),
    state TEXT NOT NULL CHECK (state IN ('asked', 'taken')),
    amount_fen {int} NOT NULL CHECK (amount_fen >= 0),
    used_fen {int} NOT NULL CHECK (used_fen >= 0),
    subject_kind {int} NOT NULL,
    subject {int} NOT NULL,
    asked_fen {int} NOT NULL,
    code {bytes} NOT NULL
){strict};
CREATE INDEX holds_account ON holds (account);
CREATE TABLE items (
    number {int} PRIMARY KEY,
    kind TEXT NOT NULL,
    at_s {int} NOT NULL,
    terminal {int} NOT NULL,
    key {int} NOT NULL,
    amount_fen {int} NOT NULL,
    evidence {bytes} NOT NULL,
    is_open {int} NOT NULL CHECK (is_open IN (0, 1))
){strict};
CREATE UNIQUE INDEX items_once ON items (kind, terminal, key, evidence);
CREATE TABLE writings (
    card {int} NOT NULL REFERENCES cards,
    counter {int} NOT NULL,
    terminal {int} NOT NULL,
    sequence_low {int} NOT NULL,
    kind {int} NOT NULL,
    epoch_low {int} NOT NULL,
    amount_fen {int} NOT NULL,
    told_by {int} NOT NULL,
    PRIMARY KEY (card, counter, terminal, sequence_low, kind, epoch_low, amount_fen)
){keyed};
CREATE TABLE resources (
    terminal {int} NOT NULL REFERENCES terminals,
    resource {int} NOT NULL,
    version {int} NOT NULL CHECK (version > 0),
    size {int} NOT NULL,
    digest {bytes} NOT NULL CHECK ({length}(digest) = 32),
    PRIMARY KEY (terminal, resource, version)
){keyed};
CREATE TABLE actives (
    terminal {int} NOT NULL REFERENCES terminals,
    resource {int} NOT NULL,
    version {int} NOT NULL,
    digest {bytes} NOT NULL,
    PRIMARY KEY (terminal, resource)
){keyed};
CREATE TABLE reservations (
    key {int} PRIMARY KEY,
    terminal {int} NOT NULL REFERENCES terminals,
    house TEXT NOT NULL,
    day {int} NOT NULL,
    account {int} NOT NULL REFERENCES holders,
    held_fen {int} NOT NULL CHECK (held_fen > 0),
    from_s {int} NOT NULL,
    until_s {int} NOT NULL CHECK (until_s > from_s),
    try_count {int} NOT NULL,
    lookup {bytes} NOT NULL,
    stall_epoch {int} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'used', 'cancelled', 'freed')),
    gone_version {int}
){strict};
CREATE UNIQUE INDEX reservations_code ON reservations (house, day, lookup);
CREATE INDEX reservations_terminal ON reservations (terminal, state);
"""

_DAY = """
CREATE TABLE {table} (
    key {int} PRIMARY KEY CHECK (key > 0),
    debit {int} NOT NULL REFERENCES accounts,
    credit {int} NOT NULL REFERENCES accounts,
    amount_fen {int} NOT NULL CHECK (amount_fen > 0),
    record {bytes} CHECK (record IS NULL OR ({length}(record) = 64 AND (key & 15) = 0)),
    owner {int} NOT NULL,
    CHECK (debit <> credit)
){strict}"""

_STRENGTH = """
ALTER TABLE terminals ADD COLUMN next_epoch {int} NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN owner {int} NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN wallet {int} NOT NULL DEFAULT 0 CHECK (wallet = 0 OR balance_fen >= held_fen);
ALTER TABLE accounts ADD COLUMN wallet_count {int} NOT NULL DEFAULT 0;
ALTER TABLE holds ADD COLUMN part_count {int} NOT NULL DEFAULT 0;
CREATE INDEX accounts_owner ON accounts (owner);
CREATE INDEX accounts_wallet ON accounts (wallet);
UPDATE accounts SET owner = number WHERE kind = 'holder';
UPDATE accounts SET owner = (SELECT account FROM cards WHERE cards.mirror = accounts.number) WHERE kind = 'mirror';
CREATE TABLE hold_parts (
    key {int} NOT NULL REFERENCES holds,
    account {int} NOT NULL REFERENCES accounts,
    amount_fen {int} NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (key, account)
){keyed};
CREATE TABLE wallets (
    number {int} PRIMARY KEY CHECK (number > 0),
    name TEXT NOT NULL UNIQUE,
    giver {int} NOT NULL REFERENCES accounts,
    spending_order {int} NOT NULL,
    expires_s {int} NOT NULL CHECK (expires_s >= 0)
){strict};
CREATE TABLE wallet_scopes (
    wallet {int} NOT NULL REFERENCES wallets,
    merchant {int} NOT NULL REFERENCES accounts,
    PRIMARY KEY (wallet, merchant)
){keyed};
CREATE TABLE requests (
    request TEXT PRIMARY KEY,
    key {int} NOT NULL
){strict};
CREATE INDEX requests_key ON requests (key);
CREATE TABLE refunds (
    key {int} PRIMARY KEY,
    sale {int} NOT NULL,
    amount_fen {int} NOT NULL CHECK (amount_fen >= 0),
    is_waiting {int} NOT NULL CHECK (is_waiting IN (0, 1))
){strict};
CREATE INDEX refunds_sale ON refunds (sale);
CREATE INDEX refunds_waiting ON refunds (sale) WHERE is_waiting = 1;
CREATE TABLE reversals (
    reversed {int} PRIMARY KEY,
    key {int} NOT NULL UNIQUE
){strict};
CREATE TABLE stand_ins (
    name {int} PRIMARY KEY,
    key {int} NOT NULL
){strict};
CREATE TABLE days (
    number {int} PRIMARY KEY CHECK (number > 0),
    date {int} NOT NULL,
    opened_s {int} NOT NULL,
    cut {int} NOT NULL,
    closed_s {int} NOT NULL,
    after_commit {int} NOT NULL,
    archived_s {int} NOT NULL,
    movement_count {int} NOT NULL,
    moved_fen {int} NOT NULL,
    digest {bytes} NOT NULL
){strict};
CREATE UNIQUE INDEX days_cut ON days (cut);
CREATE INDEX days_archived ON days (archived_s);
CREATE TABLE restores (
    number {int} PRIMARY KEY,
    at_s {int} NOT NULL,
    backup_s {int} NOT NULL,
    ended_s {int} NOT NULL,
    ended_by TEXT NOT NULL,
    next_account {int} NOT NULL,
    next_card {int} NOT NULL
){strict};
CREATE TABLE waits (
    terminal {int} PRIMARY KEY REFERENCES terminals,
    epoch {int} NOT NULL,
    next {int} NOT NULL,
    is_done {int} NOT NULL CHECK (is_done IN (0, 1))
){strict};
CREATE TABLE audit (
    number {int} PRIMARY KEY,
    at_s {int} NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
){strict};
CREATE INDEX audit_at ON audit (at_s);
CREATE TABLE movements_archive (
    day {int} NOT NULL,
    owner {int} NOT NULL,
    key {int} NOT NULL,
    debit {int} NOT NULL,
    credit {int} NOT NULL,
    amount_fen {int} NOT NULL CHECK (amount_fen > 0),
    record {bytes},
    PRIMARY KEY (day, owner, key)
){keyed};
CREATE UNIQUE INDEX movements_archive_key ON movements_archive (key);
CREATE TABLE tallies (
    name TEXT PRIMARY KEY,
    row_count {int} NOT NULL,
    row_sum {int} NOT NULL
){strict};
ALTER TABLE movements RENAME TO movements_before
"""

_MOVE_BEFORE = """
INSERT INTO days (number, date, opened_s, cut, closed_s, after_commit, archived_s, movement_count, moved_fen, digest)
    VALUES (1, 0, (SELECT coalesce(min(at_s), 0) FROM commits), 0, 0, 0, 0, 0, 0, {empty});
INSERT INTO movements_1 (key, debit, credit, amount_fen, record, owner)
    SELECT m.key, m.debit, m.credit, m.amount_fen, m.record, CASE WHEN d.owner > 0 THEN d.owner ELSE c.owner END
    FROM movements_before m JOIN accounts d ON d.number = m.debit JOIN accounts c ON c.number = m.credit ORDER BY m.key;
DROP TABLE movements_before
"""

_SEALS = [f"ALTER TABLE {table} ADD COLUMN seal {{bytes}} NOT NULL DEFAULT {{empty}}" for table in SEALED]

_TALLIES = [f"INSERT INTO tallies (name, row_count, row_sum) VALUES ('{table}', 0, 0)" for table in TALLIED]

MIGRATIONS: list[tuple[str, list[str]]] = [
    ("0001_books", _statements(_BOOKS) + _school_accounts()),
    ("0002_full_strength", _statements(_STRENGTH) + create_day(1) + _statements(_MOVE_BEFORE) + create_view([1]) + _SEALS + _TALLIES),
]
"""In order; each is one transaction."""
