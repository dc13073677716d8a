"""Old ledgers under new code, and new ones under old code: brought over whole, or left as they are."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from host import reservations
from host.check import check
from host.errors import LedgerAway, LedgerUnreadable
from host.ledger import sqlite, sqlite_schema
from host.ledger.commits import SiteLedger
from host.ledger.rows import Account, Epoch, Hold, Movement
from host.ledger.schema import MIGRATIONS, SEALED, SQLITE, render
from host.ledger.seals import SEALED_KINDS, seal_of
from host.ledger.sqlite import sqlite_ledger
from host.settings import Settings
from protocol import record as kinds
from tests.host.site import KEYS, NOW_S, SHOWER, TILL, Site

pytestmark = pytest.mark.stores("sqlite")

ROOT = Path(__file__).resolve().parents[3]

FOREVER_0001 = ("movements", "facts", "annexes", "settlements", "commits")
TABLES_0001 = (
    "accounts", "holders", "cards", "places", "terminals", "epochs", "movements", "facts", "annexes", "settlements", "commits",
    "holds", "items", "writings", "resources", "actives", "reservations",
)  # fmt: skip


def open_ledger(path: Path) -> SiteLedger:
    return sqlite_ledger(path, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)


@pytest.fixture
def old(site: Site, tmp_path: Path) -> Path:
    """The ledger of a site as version 0001 had it: a sale, an open shower, a booking, an ask, an item."""
    till, shower = site.journal(TILL), site.journal(SHOWER)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=500), till.write(kinds.SALE, subject=2, amount_fen=400))
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=300))
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    site.ask(till, amount_fen=700)
    site.ledger.close()
    return as_0001_wrote_it(site.path, tmp_path / "old.db")


def as_0001_wrote_it(now: Path, path: Path) -> Path:
    """The rows of a ledger in the tables of 0001, with its triggers."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA application_id = {sqlite_schema.APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL")
    only_0001(MIGRATIONS[0][1]).apply(Database(connection))
    connection.execute(f"ATTACH '{now}' AS now")
    connection.execute("DELETE FROM accounts")
    for table in TABLES_0001:
        columns = ", ".join(column for (column,) in connection.execute(f"SELECT name FROM pragma_table_info('{table}', 'main')"))
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
    connection.execute("DETACH now")
    for table in FOREVER_0001:
        for act in ("update", "delete"):
            raises = f"SELECT RAISE(ABORT, '{table}: what is posted is never changed, it is reversed')"
            connection.execute(f"CREATE TRIGGER {table}_no_{act} BEFORE {act} ON {table} BEGIN {raises}; END")
    for table, other in (("movements", "facts"), ("facts", "movements")):
        found = " OR ".join(f"EXISTS (SELECT 1 FROM {each} WHERE key = NEW.key)" for each in (table, other))
        raises = "SELECT RAISE(ABORT, 'one name, one content: this name is posted already')"
        connection.execute(f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} WHEN {found} BEGIN {raises}; END")
    connection.close()
    return path


def only_0001(statements: list[str]) -> Migrations:
    """What the first version knew."""
    known = Migrations("onecard")

    def books(db: Database) -> None:
        for statement in statements:
            db.conn.execute(render(statement, SQLITE))

    known(name="0001_books")(books)
    return known


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_an_old_ledger_is_brought_to_this_version_and_its_books_are_right(old: Path) -> None:
    ledger = open_ledger(old)
    proof = check(ledger)
    assert proof.is_right, proof.problems
    assert [ledger.view(lambda books, n=number: books.need(Account, n)).balance_fen for number in (100, 101)] == [19_500, 0]
    assert ledger.view(lambda books: [row.owner for row in books.find(Movement)]) == [100, 101, 100, 101, 0]
    assert len(ledger.view(lambda books: books.find(Hold))) == 3


def test_an_old_ledger_goes_on_where_it_was(old: Path) -> None:
    site = Site.__new__(Site)
    site.path, site.settings = old, Settings()
    site.ledger = open_ledger(old)
    site.ledger.start("serve")
    assert site.ledger.view(lambda books: books.need(Epoch, TILL, 1)).high_water == 2
    assert site.add_holder("20260009", 50) == 106
    site.prove()


def test_what_an_old_ledger_has_is_sealed(old: Path) -> None:
    ledger = open_ledger(old)
    for kind in SEALED_KINDS:
        rows = ledger.view(lambda books, kind=kind: list(books.scan_sealed(kind)))
        assert all(seal == seal_of(KEYS.seal_cmac(), row) for row, seal in rows), kind.TABLE
    assert sqlite3.connect(old).execute("SELECT count(*) FROM epochs WHERE length(seal) = 8").fetchone() == (3,)


def test_a_migration_that_fails_half_way_leaves_the_old_ledger(old: Path) -> None:
    connection = sqlite3.connect(old, isolation_level=None)
    connection.execute("CREATE TABLE days (in_the_way TEXT)")
    connection.close()
    before = dump(old)
    with pytest.raises(LedgerUnreadable, match=r"升级失败 .*days.* left as it was; go on with the version before"):
        open_ledger(old)
    assert dump(old) == before


def test_a_row_that_this_version_refuses_leaves_the_old_ledger(old: Path) -> None:
    connection = sqlite3.connect(old, isolation_level=None)
    connection.execute("DROP TRIGGER movements_no_update")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("UPDATE movements SET amount_fen = 0 WHERE key = (SELECT min(key) FROM movements)")
    connection.close()
    before = dump(old)
    with pytest.raises(LedgerUnreadable, match="升级失败"):
        open_ledger(old)
    assert dump(old) == before


def test_an_old_ledger_that_is_locked_is_left_for_later(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(old, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerAway):
        open_ledger(old)
    other.execute("ROLLBACK")
    assert check(open_ledger(old)).is_right


def test_processes_that_start_together_migrate_once(old: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from host.ledger.sqlite import sqlite_ledger; from host.settings import Settings; "
        "from tests.host.site import KEYS; sys.stdin.readline(); "
        f"ledger = sqlite_ledger(Path({str(old)!r}), keys=KEYS, settings=Settings(), clock=lambda: 0); ledger.start('command'); print('up')"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["up\n"] * 2
    assert check(open_ledger(old)).is_right


def test_a_new_ledger_under_old_code_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.ledger.close()
    monkeypatch.setattr(sqlite_schema, "migrations", only_0001([]))
    before = dump(site.path)
    with pytest.raises(LedgerUnreadable, match=r"较新 .*newer onecard \(0002_full_strength\): upgrade this one"):
        open_ledger(site.path)
    assert dump(site.path) == before


def test_every_sealed_table_has_rows_of_a_kind() -> None:
    assert sorted(kind.TABLE for kind in SEALED_KINDS) == sorted(SEALED)
