"""What the database itself refuses, and which files are opened at all."""

import re
import sqlite3
import threading
from pathlib import Path
from typing import cast

import pytest

from host import reservations
from host.errors import AlreadyThere, DataMissing, LedgerAway, LedgerUnreadable, RuleBroken
from host.ledger import schema, sqlite
from host.ledger.columns import columns_of
from host.ledger.commits import SiteLedger
from host.ledger.rows import TABLES, Account, Annex, Fact, Movement
from host.ledger.schema import SEALED
from host.ledger.sqlite import SqliteDatabase, sqlite_ledger
from host.settings import Settings
from protocol import record as kinds
from tests.host.site import KEYS, NOW_S, SHOWER, TILL, Site

pytestmark = pytest.mark.stores("sqlite")

FOREVER = ("movements_1", "facts", "annexes", "settlements", "commits")


def open_ledger(path: Path) -> SiteLedger:
    return sqlite_ledger(path, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)


def raw(site: Site) -> sqlite3.Connection:
    """The file as an operator's own SQLite shell sees it."""
    return sqlite3.connect(site.path, isolation_level=None)


def own(site: Site) -> sqlite3.Connection:
    """The connection that the ledger itself writes by."""
    return cast(SqliteDatabase, site.ledger.database)._connection


@pytest.fixture
def used(site: Site) -> Site:
    """A site where every table of what has happened has a row."""
    shower = site.journal(SHOWER)
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=100))
    return site


@pytest.mark.parametrize("table", FOREVER)
def test_what_is_posted_is_never_changed_or_deleted(used: Site, table: str) -> None:
    connection = raw(used)
    column = connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall()[-1][0]
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute(statement)


@pytest.mark.parametrize("table", ["movements_1", "facts"])
def test_insert_or_replace_does_not_replace_either(used: Site, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="one content"):
        raw(used).execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")


def test_a_name_stands_in_movements_or_in_facts(used: Site) -> None:
    fact = used.rows(Fact)[0]
    with pytest.raises(RuleBroken, match="one content"):
        used.commit(lambda books: books.add(Movement(fact.key, 1, 2, 100, fact.record)))


@pytest.mark.parametrize(
    "row",
    [
        Movement(1 << 47, 1, 2, 0, bytes(64)),
        Movement(1 << 47, 1, 2, -5, bytes(64)),
        Movement(1 << 47, 1, 1, 5, bytes(64)),
        Movement(1 << 47, 1, 99, 5, bytes(64)),
        Movement(1 << 47, 1, 2, 5, bytes(63)),
        Movement(1 << 47 | 1, 1, 2, 5, bytes(64)),
        Fact(1 << 47 | 3, bytes(64)),
    ],
    ids=["zero", "negative", "to itself", "to nobody", "short record", "record on a leg", "fact on a leg"],
)
def test_a_movement_that_makes_no_sense_is_refused(site: Site, row: Movement | Fact) -> None:
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.add(row))


@pytest.mark.parametrize("change", ["balance_fen = held_fen - 1", "held_fen = balance_fen + 1", "held_fen = -1"])
def test_a_holders_account_is_never_below_what_is_held(site: Site, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        raw(site).execute(f"UPDATE accounts SET {change} WHERE number = 100")


def test_tables_are_strict_and_named_as_the_rows_say(site: Site) -> None:
    connection = raw(site)
    strict = {name for name, is_strict in connection.execute("SELECT name, strict FROM pragma_table_list") if is_strict}
    names = {table: "movements_1" if table is Movement else table.TABLE for table in TABLES}
    assert set(names.values()) <= strict
    for table, name in names.items():
        found = [column for (column,) in connection.execute(f"SELECT name FROM pragma_table_info('{name}')")]
        assert tuple(found) == columns_of(table) + (("seal",) if name in SEALED else ())


def test_a_commit_is_on_disk_before_it_counts(site: Site) -> None:
    pragmas = {name: own(site).execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_only_the_one_helper_begins_a_transaction() -> None:
    """A deferred BEGIN that reads first fails at once when another process wrote meanwhile. A backup only reads, PostgreSQL has no such."""
    others = {"sqlite.py", "sqlite_backup.py", "postgres.py", "postgres_connection.py"}
    begins = re.compile(r"\.atomic\(|execute\(.BEGIN")
    sources = {path.name: path.read_text(encoding="utf-8") for path in Path(schema.__file__).parents[1].rglob("*.py")}
    assert [name for name, text in sources.items() if name not in others and begins.search(text)] == []
    assert sources["sqlite.py"].count('"BEGIN IMMEDIATE"') == 1


# Opening.


def test_a_missing_ledger_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="onecard init"):
        open_ledger(tmp_path / "ledger.db")


@pytest.mark.parametrize("content", [b"", b"no database at all, " * 100], ids=["empty", "noise"])
def test_what_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(LedgerUnreadable, match="restore a backup"):
        open_ledger(path)
    assert not content or path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        other.execute("CREATE TABLE stamps (country TEXT)")
    with pytest.raises(LedgerUnreadable, match="no onecard ledger"):
        open_ledger(tmp_path / "ledger.db")


def test_a_ledger_of_a_newer_version_is_refused(site: Site) -> None:
    raw(site).execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('onecard', '9999_later', '')")
    with pytest.raises(LedgerUnreadable, match="9999_later"):
        open_ledger(site.path)


def test_a_ledger_without_its_guards_is_refused(site: Site) -> None:
    raw(site).execute("DROP TRIGGER movements_1_no_delete")
    with pytest.raises(LedgerUnreadable, match="movements_1_no_delete"):
        open_ledger(site.path)


def test_a_ledger_is_never_made_over_another(site: Site) -> None:
    with pytest.raises(AlreadyThere):
        sqlite_ledger(site.path, keys=KEYS, settings=Settings(), clock=lambda: NOW_S, create=True)


def test_migrating_twice_changes_nothing(site: Site) -> None:
    before = raw(site).execute("SELECT count(*) FROM sqlite_master").fetchone()
    site.reopen()
    assert raw(site).execute("SELECT count(*) FROM sqlite_master").fetchone() == before


# Two processes.


def test_a_locked_ledger_is_away_and_nothing_was_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    second = open_ledger(site.path)
    other = raw(site)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerAway, match="nothing was changed"):
        second.commit(lambda books: books.highest(Account, "number"))
    other.execute("ROLLBACK")
    second.commit(lambda books: books.highest(Account, "number"))


def test_a_commit_waits_for_the_other_process(site: Site) -> None:
    second = open_ledger(site.path)
    second.start("command")
    other = sqlite3.connect(site.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    timer.start()
    second.commit(lambda books: books.add(Account(900, "fees", "late")))
    timer.join()
    assert site.account(900).label == "late"


def test_processes_of_one_role_have_epochs_of_their_own(site: Site) -> None:
    second, third = open_ledger(site.path), open_ledger(site.path)
    names = [site.ledger.start("serve"), second.start("command"), third.start("command")]
    assert [(name.terminal, name.epoch) for name in names] == [(1, 2), (2, 1), (2, 2)]


def test_a_process_takes_a_new_number_before_its_epochs_run_out(site: Site) -> None:
    second = open_ledger(site.path)
    second.start("command")
    raw(site).execute("UPDATE terminals SET epoch = 4000 WHERE number = 2")
    assert (second.start("command").terminal, second.start("command").terminal) == (3, 3)


def test_a_reader_sees_one_moment_and_waits_for_nobody(site: Site) -> None:
    other = raw(site)
    other.execute("BEGIN IMMEDIATE")
    assert site.account(100).balance_fen == 20_000
    site.prove()


def test_a_view_changes_nothing(site: Site) -> None:
    with pytest.raises(LedgerAway):
        site.ledger.view(lambda books: (books.add(Account(900, "fees", "")), books.write()))


def test_a_full_disk_loses_nothing_and_the_next_commit_works(site: Site) -> None:
    connection = own(site)
    till = site.journal(TILL)
    sale = till.write(kinds.SALE, subject=1, amount_fen=500)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerAway, match="nothing was changed"):
        site.commit(lambda books: [books.add(Annex(key, bytes(4_000))) for key in range(1, 50)])
    connection.execute("PRAGMA max_page_count = 1000000")
    assert site.take(till, sale) == (1, 1)
    assert site.rows(Annex) == []
    site.prove()
