"""A terminal whose power is cut at every write of its journal."""

import pytest

from firmware.drivers.beeper import ACCEPTED
from firmware.terminal.actions import GiveUp, Mark, ShutValve
from firmware.terminal.events import Written
from protocol import shown
from protocol.record import OPENED, SALE, SETTLED, STARTED
from tests.firmware.terminal.stand import Stand, open_shower, sell, settle
from tests.firmware.terminal.storage_model import PowerCut


def test_a_session_that_was_cut_settles_at_its_last_mark_before_anything_else() -> None:
    stand = Stand("shower").come_up()
    name = open_shower(stand)
    stand.program.wants = (Mark(name, 1000, 500, 77, 30),)
    stand.run()
    stand.boot()
    stand.pass_time()
    stand.come_up()
    assert stand.kinds() == [STARTED, OPENED, STARTED, SETTLED]
    settled = stand.host.records[-1]
    assert (settled.reference, settled.amount_fen, settled.detail) == (name, 77, 1500)
    assert shown.unpack_settled(settled.shown) == (1000, 500, 30, shown.CAUSE_BOOT)
    assert not stand.board.is_open


def do_business(stand: Stand) -> None:
    """A sale, a shower with a mark, a refusal, a sale given up."""
    sell(stand, 100)
    stand.run_until(lambda: stand.board.log.count(ACCEPTED) == 1)
    name = open_shower(stand)
    stand.program.wants = (Mark(name, 10, 10, 50, 5), ShutValve(), settle(name, 60))
    stand.run_until(lambda: any(one.kind == SETTLED for one in stand.program.told(Written)))
    sell(stand, 200)
    stand.run_until(lambda: stand.host.asks[-1].amount_fen == 200)
    stand.program.wants = (GiveUp(),)
    stand.run()


def do_a_life(stand: Stand, cut_at: int, torn_percent: int) -> None:
    """From power-on to the cut."""
    stand.boot(cut_at=cut_at, torn_percent=torn_percent)
    stand.come_up()
    do_business(stand)


def count_writes() -> int:
    """How often a boot and its business change the journal's folder."""
    stand = Stand("shower").come_up()
    do_a_life(stand, 0, 0)
    return stand.journal_storage.operation_count


@pytest.mark.parametrize("torn_percent", [0, 50])
def test_a_cut_at_any_write_loses_no_sale_and_closes_every_name(torn_percent: int) -> None:
    """The host checks that no name has two contents, and that nothing is asked under a closed one."""
    for cut_at in range(1, count_writes() + 1):
        stand = Stand("shower").come_up()
        with pytest.raises(PowerCut):
            do_a_life(stand, cut_at, torn_percent)
        was_paid = stand.board.log.count(ACCEPTED)
        has_flowed = "open" in stand.board.log
        stand.boot()
        stand.come_up()
        kinds = stand.kinds()
        assert kinds.count(SALE) >= was_paid
        assert kinds.count(OPENED) == kinds.count(SETTLED) >= has_flowed
        assert [one.sequence for one in stand.host.records] == list(range(1, len(kinds) + 1))
        assert stand.host.asks == [] or stand.host.asks[-1].sequence < stand.terminal.journal.next
