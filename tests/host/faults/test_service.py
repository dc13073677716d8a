"""While the disk fails the host stays up: tills and the health page say so, records wait; and all is well again when the disk is."""

from collections.abc import Iterator

import pytest

from protocol.codes import HOST_AWAY
from tests.host.faults.disk import ERROR_FOR_EVER, FULL_FOR_EVER, READ_ONLY, UNSYNCED, Fault
from tests.host.faults.expect import prove
from tests.host.faults.load import open_books
from tests.host.faults.rig import Rig
from tests.host.faults.serving import AWAY, BACK, Serving

WELL = {"status": 200, "ledger": True}
DEGRADED = {"status": 503, "ledger": False}


@pytest.fixture
def serving(rig: Rig) -> Iterator[Serving]:
    rig.disk.heal()
    made = Serving(rig.fresh("base"), rig.disk.environment)
    yield made
    made.close()


@pytest.mark.parametrize("fault", [FULL_FOR_EVER, ERROR_FOR_EVER, UNSYNCED, READ_ONLY], ids=str)
def test_a_host_whose_disk_fails_says_so_and_goes_on_when_it_is_well(rig: Rig, serving: Serving, fault: Fault) -> None:
    assert serving.say(deliver=1)["heard"] == [["ack", 1]]
    assert serving.say(health=1) == WELL
    rig.disk.arm(fault, at=1)
    assert serving.say(ask=2)["heard"] == [["answer", HOST_AWAY]], "the till goes on offline"
    assert serving.say(deliver=3)["heard"] == [], "what is not on disk is not acknowledged"
    assert serving.say(health=1) == DEGRADED
    rig.disk.heal()
    assert serving.say(ask=2)["heard"] == [["answer", 0]]
    assert serving.say(deliver=3)["heard"] == [["ack", 3]]
    assert serving.say(health=1) == WELL
    serving.close()
    ledger = open_books(rig.folder / "run" / "ledger.db")
    prove(ledger)
    ledger.close()


def test_what_needs_no_writing_does_not_say_that_the_disk_is_well(rig: Rig, serving: Serving) -> None:
    """A till that sends again what is there already would else switch the alarm off, and on again with the next sale."""
    serving.say(deliver=1)
    rig.disk.arm(FULL_FOR_EVER, at=1)
    serving.say(ask=2)
    assert serving.say(deliver=1)["heard"] == []
    assert serving.say(health=1) == DEGRADED
    rig.disk.heal()
    told = serving.say(deliver=1)
    assert told["heard"] == [["ack", 1]]
    assert told["log"] == [AWAY, BACK]
