"""A ledger that the first version really wrote is brought to this one in one step: whole, or not at all.

What else there is of migrations is in tests/host/ledger/test_migration.py.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from host.errors import LedgerUnreadable
from tests.host.faults.disk import ERROR, ERROR_FOR_EVER, FULL, FULL_FOR_EVER, POWER, READ_ONLY, TORN, UNREADABLE, UNSYNCED, Fault
from tests.host.faults.expect import ends_the_same, prove
from tests.host.faults.load import open_books
from tests.host.faults.rig import Rig, calls_to_fail

FAULTS = [FULL, FULL_FOR_EVER, ERROR, ERROR_FOR_EVER, UNSYNCED, TORN, POWER, UNREADABLE, READ_ONLY]


def schema_of(path: Path) -> list[tuple[str, str]]:
    """Every table, view, index and trigger."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_a_ledger_of_the_first_version_goes_on_as_if_it_had_always_been_of_this_one(rig: Rig) -> None:
    path = rig.fresh("old")
    ledger = open_books(path)
    prove(ledger)
    ledger.close()
    assert schema_of(path) == schema_of(rig.fresh("base"))
    path = rig.fresh("old")
    ends_the_same(path, rig.expected)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_at_whatever_call_the_disk_fails_a_migration_is_whole_or_not_there(rig: Rig, fault: Fault) -> None:
    for at in calls_to_fail(rig.call_count(fault, "old", do="open"), fault, first_count=8, sample_count=12):
        rig.break_and_mend(fault, at, "old", do="open")


def test_a_guard_that_guards_nothing_any_more_is_found(rig: Rig) -> None:
    """Its name is there; what it does is not."""
    path = rig.fresh("base")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER facts_no_delete")
        connection.execute("CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts BEGIN SELECT 1; END")
    with pytest.raises(LedgerUnreadable, match="facts_no_delete"):
        open_books(path)
