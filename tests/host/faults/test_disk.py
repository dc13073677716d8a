"""The disk fails at the n-th call, for n = 1, 2, 3, ... until nothing is left to fail.

A host does a morning's work (load.py) on a disk that is full, gives errors, tears a write, or loses its power
and with it what was not synced. Then the disk is well again, the books are opened, and: they prove themselves;
all that was acknowledged is there, once; what was not is there whole or not at all; and once everything has
been delivered and asked for again they are as if nothing had happened.

`make test` tries the first twenty calls and a sample of the others; `make faults` (ONECARD_FAULTS=all) all of
them. ONECARD_SEED repeats a sample.
"""

from contextlib import closing

import pytest

from host import holders
from tests.host.faults.disk import (
    ERROR,
    ERROR_FOR_EVER,
    FULL,
    FULL_FOR_EVER,
    LYING,
    POWER,
    READ_ONLY,
    TORN,
    UNREADABLE,
    UNSYNCED,
    Fault,
)
from tests.host.faults.load import POOR_FEN, open_books
from tests.host.faults.rig import Rig, calls_to_fail

FAULTS = [FULL, FULL_FOR_EVER, ERROR, ERROR_FOR_EVER, UNSYNCED, TORN, POWER, UNREADABLE, READ_ONLY]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_at_whatever_call_the_disk_fails_the_books_end_as_without_it(rig: Rig, fault: Fault) -> None:
    """A disk that fails once: the same step, tried again, succeeds. One that fails for ever: the ledger is away until it is well."""
    order = {"do": "load", "tries": 1 if fault.for_ever else 2}
    for at in calls_to_fail(rig.call_count(fault, "base", **order), fault):
        rig.break_and_mend(fault, at, "base", **order)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_at_whatever_call_it_fails_while_the_log_is_recovered_nothing_is_lost(rig: Rig, fault: Fault) -> None:
    """The power came back, and the disk is bad."""
    for at in calls_to_fail(rig.call_count(fault, "left", do="open"), fault):
        rig.break_and_mend(fault, at, "left", do="open")


@pytest.mark.parametrize("fault", [FULL_FOR_EVER, ERROR_FOR_EVER, UNSYNCED, READ_ONLY], ids=str)
def test_nothing_was_changed_is_said_only_where_it_is_so(rig: Rig, fault: Fault) -> None:
    """A clerk pays in without a key, and the disk fails: told that nothing was changed, he pays in again."""
    for at in range(1, rig.call_count(fault, "base", do="pay", count=1) + 1):
        path = rig.fresh("base")
        rig.disk.arm(fault, at)
        told, _ = rig.worker.run(path, do="pay", count=1)
        rig.disk.heal()
        with closing(open_books(path)) as ledger:
            is_there = holders.balance(ledger, "20260002").account_fen > POOR_FEN
        if any("paid" in one for one in told):
            assert is_there, told
        elif "nothing was changed" in told[-1]["text"]:
            assert not is_there, (at, told)


def test_a_disk_that_says_it_has_what_it_has_not_is_found_out(rig: Rig) -> None:
    """The test of the tests: with syncs that do nothing, a power cut loses what was acknowledged, and that is seen."""
    count = rig.call_count(LYING, "base", do="load", tries=1)
    with pytest.raises(AssertionError):
        break_at_each(rig, LYING, range(count // 3, count))


def test_a_failing_disk_is_told_from_a_damaged_ledger(rig: Rig) -> None:
    """Nobody restores a backup because a disk was full."""
    for at in range(1, rig.call_count(FULL_FOR_EVER, "left", do="open") + 1):
        rig.disk.arm(FULL_FOR_EVER, at)
        told, _ = rig.worker.run(rig.fresh("left"), do="open")
        assert not [one for one in told if one.get("failed") == "LedgerUnreadable"], told


def break_at_each(rig: Rig, fault: Fault, calls: range) -> None:
    """A morning with a fault, for each of these calls."""
    for at in calls:
        rig.break_and_mend(fault, at, "base", do="load", tries=1)
