"""What PostgreSQL itself refuses, and which servers, roles and databases are opened at all."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from host import reservations
from host.errors import AlreadyThere, DataMissing, LedgerAway, LedgerUnreadable, OnecardError, RuleBroken, ServerUnfit, SettingsWrong
from host.ledger.columns import stored_columns
from host.ledger.commits import SiteLedger
from host.ledger.postgres import postgres_ledger
from host.ledger.rows import TABLES, Account, Fact, Movement
from host.ledger.schema import FOREVER
from host.settings import Settings
from protocol import record as kinds
from tests.host.site import KEYS, NOW_S, SHOWER, Site
from tests.postgres import ROLE, shared_server

pytestmark = pytest.mark.stores("postgresql")

GUARDED = ("movements_1", *FOREVER)


def open_ledger(url: str, *, create: bool = False) -> SiteLedger:
    return postgres_ledger(url, keys=KEYS, settings=Settings(), clock=lambda: NOW_S, create=create)


@pytest.fixture
def empty() -> Iterator[str]:
    """The url of a database with nothing in it."""
    server = shared_server()
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def used(site: Site) -> Site:
    """A site with movements and facts."""
    shower = site.journal(SHOWER)
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=100))
    return site


# What is posted.


@pytest.mark.parametrize("table", ["movements_1", "facts", "annexes", "settlements", "commits"])
def test_what_is_posted_is_never_changed_or_deleted(used: Site, table: str) -> None:
    assert used.execute(f"SELECT count(*) FROM {table}") != [(0,)]
    column = used.execute("SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum = 1", table)[0][0]
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(psycopg.IntegrityError, match="never changed"):
            used.execute(statement)


@pytest.mark.parametrize("table", GUARDED)
def test_no_table_of_what_has_happened_is_emptied(site: Site, table: str) -> None:
    with pytest.raises(psycopg.IntegrityError, match="never changed"):
        site.execute(f"TRUNCATE {table}")


def test_a_row_is_not_replaced_while_inserting_either(used: Site) -> None:
    with pytest.raises(psycopg.IntegrityError, match="never changed"):
        used.execute("INSERT INTO facts SELECT * FROM facts LIMIT 1 ON CONFLICT (key) DO UPDATE SET record = excluded.record")


def test_a_name_stands_in_movements_or_in_facts(used: Site) -> None:
    fact, movement = used.rows(Fact)[0], used.rows(Movement)[0]
    with pytest.raises(RuleBroken, match="one content"):
        used.commit(lambda books: books.add(Movement(fact.key, 1, 2, 100, fact.record)))
    with pytest.raises(RuleBroken, match="one content"):
        used.commit(lambda books: books.add(Fact(movement.key, bytes(64))))


@pytest.mark.parametrize(
    "row",
    [
        Movement(1 << 47, 1, 2, 0, bytes(64)),
        Movement(1 << 47, 1, 2, -5, bytes(64)),
        Movement(1 << 47, 1, 1, 5, bytes(64)),
        Movement(1 << 47, 1, 99, 5, bytes(64)),
        Movement(1 << 47, 99, 1, 5, bytes(64)),
        Movement(1 << 47, 1, 2, 5, bytes(63)),
        Movement(1 << 47 | 1, 1, 2, 5, bytes(64)),
        Movement(1 << 47, 1, 2, 1 << 63, bytes(64)),
        Fact(1 << 47 | 3, bytes(64)),
    ],
    ids=["zero", "negative", "to itself", "to nobody", "from nobody", "short record", "record on a leg", "2^63", "fact on a leg"],
)
def test_a_movement_that_makes_no_sense_is_refused(site: Site, row: Movement | Fact) -> None:
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.add(row))


@pytest.mark.parametrize(
    "change", ["balance_fen = held_fen - 1", "held_fen = balance_fen + 1", "held_fen = -1", "balance_fen = 1::bigint << 62"]
)
def test_a_holders_account_is_never_below_what_is_held(site: Site, change: str) -> None:
    with pytest.raises((psycopg.IntegrityError, psycopg.DataError)):
        site.execute(f"UPDATE accounts SET {change} WHERE number = 100")


def test_an_amount_is_not_added_to_an_account_that_is_not_there(site: Site) -> None:
    with pytest.raises(RuleBroken):
        site.commit(lambda books: books.move(1, 99, 5))


def test_tables_are_named_and_ordered_as_the_rows_say(site: Site) -> None:
    for table in TABLES:
        name = "movements_1" if table is Movement else table.TABLE
        found = site.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", name
        )
        # An archive has the day beside, and its own order.
        assert {column for (column,) in found} == set(stored_columns(table)), name


def test_a_days_movements_are_looked_at_once_a_statement_not_twice_a_row(site: Site) -> None:
    assert site.execute("SELECT conname FROM pg_constraint WHERE conrelid = 'movements_1'::regclass AND contype = 'f'") == []


def test_texts_are_sorted_as_sqlite_sorts_them(site: Site) -> None:
    query = """
        SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'onecard_migrations' AND a.attnum > 0
        AND l.collname <> 'C'
    """
    assert site.execute(query) == []


# Opening.


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DROP TRIGGER movements_1_no_change ON movements_1", "movements_1_no_change"),
        ("ALTER TABLE facts DISABLE TRIGGER facts_no_truncate", "facts_no_truncate"),
        ("ALTER TABLE audit ENABLE REPLICA TRIGGER audit_no_change", "audit_no_change"),
        ("DROP TRIGGER movements_1_once ON movements_1", "movements_1_once"),
        ("CREATE OR REPLACE FUNCTION onecard_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "commits_no_change"),
        (
            "DROP TRIGGER commits_no_change ON commits; CREATE TRIGGER commits_no_change BEFORE UPDATE OR DELETE ON commits "
            "FOR EACH ROW WHEN (OLD.number < 0) EXECUTE FUNCTION onecard_refuse()",
            "commits_no_change",
        ),
    ],
    ids=["gone", "disabled", "for replicas only", "once", "does nothing", "only sometimes"],
)
def test_a_ledger_without_its_guards_is_refused(site: Site, statement: str, named: str) -> None:
    site.execute(statement)
    with pytest.raises(LedgerUnreadable, match=named):
        site.open()


def test_a_superuser_is_refused_with_the_statement_that_mends_it(site: Site) -> None:
    with pytest.raises(ServerUnfit, match="ALTER ROLE admin NOSUPERUSER"):
        open_ledger(shared_server().url(site.database, role="admin"))


def test_a_role_without_a_connection_limit_is_refused_with_the_statement_that_mends_it(site: Site) -> None:
    shared_server().admin("CREATE ROLE unlimited LOGIN")
    try:
        with pytest.raises(ServerUnfit, match="ALTER ROLE unlimited CONNECTION LIMIT"):
            open_ledger(shared_server().url(site.database, role="unlimited"))
    finally:
        shared_server().admin("DROP ROLE unlimited")


def test_commits_that_do_not_wait_for_the_disk_are_refused(site: Site) -> None:
    site.execute("ALTER ROLE onecard SET synchronous_commit = off")
    try:
        with pytest.raises(ServerUnfit, match="synchronous_commit = on"):
            site.open()
    finally:
        site.execute("ALTER ROLE onecard RESET synchronous_commit")
    site.open().close()


def test_a_missing_ledger_is_said(empty: str) -> None:
    with pytest.raises(DataMissing, match="onecard init"):
        open_ledger(empty)


def test_another_programs_database_is_refused_and_left_alone(empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE TABLE stamps (country TEXT)")
        with pytest.raises(LedgerUnreadable, match="something else"):
            open_ledger(empty, create=True)
        assert connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchall() == [("stamps",)]


def test_a_ledger_is_never_made_over_another(site: Site) -> None:
    with pytest.raises(AlreadyThere):
        site.open(create=True)


def test_a_ledger_of_a_newer_version_is_refused(site: Site) -> None:
    site.execute("INSERT INTO onecard_migrations (name) VALUES ('9999_later')")
    with pytest.raises(LedgerUnreadable, match="9999_later"):
        site.open()


def test_migrating_twice_changes_nothing(site: Site) -> None:
    before = site.execute("SELECT oid, xmin::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY oid")
    site.reopen()
    assert site.execute("SELECT oid, xmin::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY oid") == before


def test_processes_that_migrate_at_once_migrate_once(empty: str) -> None:
    """One of them may make the ledger; all the others find it made, or being made, and none fails half-way."""
    opened: list[SiteLedger | OnecardError] = []
    barrier = threading.Barrier(4)

    def make() -> None:
        barrier.wait()
        try:
            opened.append(open_ledger(empty, create=True))
        except OnecardError as error:
            opened.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [one for one in opened if isinstance(one, SiteLedger)]
    assert made
    assert all(isinstance(one, SiteLedger | AlreadyThere | LedgerUnreadable) for one in opened), opened
    for ledger in made:
        assert [row.number for row in ledger.view(lambda books: books.find(Account))] == [1, 2, 3, 4, 5, 6, 7]
        ledger.close()


def test_a_migration_that_fails_leaves_the_version_before(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from host.ledger import postgres_schema

    whole = postgres_schema.MIGRATIONS
    name, statements = whole[-1]
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", [*whole[:-1], (name, [*statements, "SELECT 1/0"])])
    with pytest.raises((OnecardError, psycopg.Error)):
        open_ledger(empty, create=True)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT name FROM onecard_migrations").fetchall() == [(whole[0][0],)]
        assert connection.execute("SELECT to_regclass('days')").fetchone() == (None,)
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", whole)
    open_ledger(empty).close()


# Addresses and passwords.


def test_a_server_that_is_not_there_is_away(site: Site) -> None:
    with pytest.raises(LedgerAway, match="cannot be reached"):
        open_ledger("postgresql:///onecard?host=/nonexistent")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://onecard:s3cret@/ledger?host=/nonexistent",
        "postgresql://onecard:s3cret@127.0.0.1:1/ledger",
        "postgresql://onecard:s3cret@127.0.0.1:port/ledger",
        "postgresql://onecard:s3cret@[::1/ledger",
        "postgresql://onecard@/ledger?password=s3cret&no_such_word=1",
        "postgresql://onecard:s3cret@/ledger?no_such_word=s3cret",
    ],
)
def test_a_password_is_in_no_message(url: str) -> None:
    with pytest.raises((LedgerAway, SettingsWrong)) as caught:
        open_ledger(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_password_in_the_url_is_used(site: Site) -> None:
    """Behind the socket the tests' server asks nobody; libpq takes the word all the same."""
    database = site.database
    open_ledger(f"postgresql://{ROLE}:s3cret@/{database}?host={shared_server().folder}").close()
