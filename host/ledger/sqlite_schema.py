"""The schema in SQLite: migrations by sqlite-utils, and the triggers that keep what is posted from being changed."""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from host.errors import LedgerUnreadable
from host.ledger.schema import FOREVER, MIGRATIONS, SQLITE, render

APPLICATION_ID = 0x4F4E4543
"""`PRAGMA application_id`: "ONEC"."""

_GUARD_ENDINGS = ("_no_update", "_no_delete", "_once")

migrations = Migrations("onecard")


def is_behind(database: Database) -> bool:
    """Whether a ledger needs `migrate`. Raises `LedgerUnreadable` for one that a newer version wrote."""
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    newer = [migration.name for migration in migrations.applied(database) if migration.name not in known]
    if newer:
        raise LedgerUnreadable(f"账本版本较新 the ledger was written by a newer onecard ({newer[-1]}): upgrade this one")
    return bool(migrations.pending(database))


def migrate(database: Database) -> None:
    """Bring a ledger to this version; a no-op when another process has done it just now. The caller holds the write lock."""
    # Guards name tables of their version; SQLite would carry such names along when a table is renamed, and drop it under them.
    for (name,) in database.conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        if name.endswith(_GUARD_ENDINGS):
            database.conn.execute(f'DROP TRIGGER "{name}"')
    migrations.apply(database)
    for table in _guarded(database):
        guard(database, table)


def guard(database: Database, table: str) -> None:
    """Give a table of what has happened the triggers that keep it so."""
    for name, statement in _guards(table):
        database.conn.execute(statement.replace("CREATE TRIGGER", "CREATE TRIGGER IF NOT EXISTS", 1) if name else statement)


def missing_guards(database: Database) -> list[str]:
    """The names of triggers that should keep the books from being changed, and are not there, or are others."""
    there = dict(database.conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    guards = [guard for table in _guarded(database) for guard in _guards(table)]
    return sorted(name for name, statement in guards if there.get(name) != statement)


def _guarded(database: Database) -> list[str]:
    days = [int(number) for (number,) in database.conn.execute("SELECT number FROM days WHERE archived_s = 0 ORDER BY number")]
    return [*FOREVER, *(f"movements_{day}" for day in days)]


def _guards(table: str) -> list[tuple[str, str]]:
    """Triggers against changing, deleting, and against INSERT OR REPLACE, which deletes without a delete trigger."""
    acts = [
        (
            f"{table}_no_{act}",
            f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: what is posted is never changed, it is reversed'); END",
        )
        for act in ("update", "delete")
    ]
    if table != "facts" and not table.startswith("movements_"):
        return acts
    others = " OR EXISTS (SELECT 1 FROM facts WHERE key = NEW.key)" if table != "facts" else ""
    once = (
        f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE key = NEW.key){others} "
        "BEGIN SELECT RAISE(ABORT, 'one name, one content: this name is posted already'); END"
    )
    return [*acts, (f"{table}_once", once)]


def _add(name: str, statements: list[str]) -> None:
    def apply(database: Database) -> None:
        for statement in statements:
            database.conn.execute(render(statement, SQLITE))

    apply.__name__ = name
    migrations(name=name)(apply)


for _name, _list in MIGRATIONS:
    _add(_name, _list)
