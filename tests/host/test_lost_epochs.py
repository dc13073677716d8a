"""Closing an epoch whose board is lost, and the board found after all: each of its records takes the place of what stands there."""

from dataclasses import replace

import pytest

from host import adjustments, lost_epochs
from host.errors import InvalidValue, NotFound
from host.ledger.adjustment import Adjustment, Purpose, encode_annex
from host.ledger.books import Books
from host.ledger.holding import place_hold
from host.ledger.kinds import HoldKind, HoldState, ItemKind
from host.ledger.process import write_record
from host.ledger.rows import LOSS, SUSPENSE, Epoch, Hold, Reversal, Settlement, StandIn
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SHOWER
from protocol.record import Name, pack_key
from tests.host.site import SHOWER, SHOWER_2, TILL, Journal, Site

HOLDER, POOR, MIRROR, MIRROR_2 = 100, 101, 102, 103
BATH, CANTEEN = 104, 105


def balances(site: Site, *numbers: int) -> tuple[int, ...]:
    return tuple(site.account(number).balance_fen for number in numbers)


def showering(site: Site, used_fen: int = 130, card: int = 1, total_fen: int = 600) -> Journal:
    """A stall where somebody showers, who has extended once."""
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, subject=card, amount_fen=300)
    site.take(shower, shower.write(kinds.OPENED, subject=card, amount_fen=300))
    site.ask(shower, kind=ASK_EXTEND, sequence=1, subject=card, amount_fen=total_fen, used_fen=used_fen)
    return shower


def load_hold(site: Site, till: Journal, amount_fen: int, card: int = 1) -> None:
    """A load that was granted: asks for loads are still to come."""
    account, key = (HOLDER, POOR)[card - 1], pack_key(till.name(till.next), 0)
    hold = Hold(key, account, HoldKind.LOAD, HoldState.ASKED, amount_fen, subject_kind=1, subject=card, asked_fen=amount_fen)
    site.commit(lambda books: place_hold(books, hold))


def test_a_sale_only_asked_for_is_released(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=700)
    assert lost_epochs.close(site.ledger, TILL, 1) == lost_epochs.Closed(0, 0, 1)
    assert (site.holds(), site.account(HOLDER).held_fen) == ([], 0)
    assert [row.is_closed for row in site.rows(Epoch) if row.terminal == TILL] == [1]
    site.prove()


def test_an_open_shower_settles_at_what_its_last_extension_said(site: Site) -> None:
    showering(site)
    assert lost_epochs.close(site.ledger, SHOWER, 1) == lost_epochs.Closed(1, 130, 0)
    assert balances(site, HOLDER, BATH) == (19_870, 130)
    assert (site.holds(), site.account(HOLDER).held_fen) == ([], 0)
    assert len(site.rows(Settlement)) == 1
    site.prove()


def test_a_shower_that_never_extended_costs_nothing(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    assert lost_epochs.close(site.ledger, SHOWER, 1) == lost_epochs.Closed(1, 0, 0)
    assert balances(site, HOLDER, BATH) == (20_000, 0)
    assert site.holds() == []
    site.prove()


def test_a_board_replaced_in_mid_shower_leaves_nobody_busy_once_its_epoch_is_closed(site: Site) -> None:
    showering(site)
    site.journal(SHOWER)  # a new board: its journal knows no epoch
    other = site.journal(SHOWER_2)
    assert site.ask(other, kind=ASK_SHOWER, amount_fen=300).code == codes.BUSY
    lost_epochs.close(site.ledger, SHOWER, 1)
    assert site.ask(other, kind=ASK_SHOWER, amount_fen=300).code == 0


def test_a_load_that_was_granted_counts_as_loaded(site: Site) -> None:
    till = site.journal(TILL)
    load_hold(site, till, 2_000)
    assert lost_epochs.close(site.ledger, TILL, 1) == lost_epochs.Closed(1, 2_000, 0)
    assert balances(site, HOLDER, MIRROR) == (18_000, 2_000)
    assert [row.name for row in site.rows(StandIn)] == [pack_key(till.name(1), 0)]
    site.prove()


def test_the_load_found_later_moves_nothing_again(site: Site) -> None:
    till = site.journal(TILL)
    load_hold(site, till, 2_000)
    lost_epochs.close(site.ledger, TILL, 1)
    assert site.take(till, till.write(kinds.LOAD, subject=1, amount_fen=2_000, counter=1)) == (1, 1)
    assert balances(site, HOLDER, MIRROR) == (18_000, 2_000)
    assert site.items() == []
    assert len(site.rows(Reversal)) == 1
    site.prove()


def test_another_record_found_under_its_name_takes_the_loads_place(site: Site) -> None:
    till = site.journal(TILL)
    load_hold(site, till, 2_000)
    lost_epochs.close(site.ledger, TILL, 1)
    site.take(till, till.write(kinds.NOTHING))
    assert balances(site, HOLDER, MIRROR) == (20_000, 0)
    site.prove()


def test_what_was_spent_of_a_load_meanwhile_is_the_schools_loss(site: Site) -> None:
    till = site.journal(TILL)
    load_hold(site, till, 2_000)
    lost_epochs.close(site.ledger, TILL, 1)
    other = site.journal(SHOWER)
    site.take(other, other.write(kinds.SALE, subject=1, amount_fen=1_500, purse=True, counter=1))
    site.take(till, till.write(kinds.NOTHING))
    assert balances(site, HOLDER, MIRROR, LOSS) == (20_000, 0, -1_500)
    assert site.items() == [ItemKind.UNCOVERED]
    site.prove()


def test_a_settled_found_later_takes_the_place_of_its_opened(site: Site) -> None:
    shower = showering(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    settled = shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=450)
    assert site.take(shower, settled) == (1, 2)
    assert balances(site, HOLDER, BATH) == (19_550, 450)
    assert site.items() == []
    site.prove()
    again = shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=450)
    site.take(shower, again)
    assert balances(site, HOLDER, BATH, SUSPENSE) == (19_550, 900, -450)
    assert site.items() == [ItemKind.MISMATCH]
    site.prove()


def test_a_settled_that_says_the_same_moves_nothing(site: Site) -> None:
    shower = showering(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=130))
    assert balances(site, HOLDER, BATH) == (19_870, 130)
    site.prove()


def test_what_the_settled_takes_more_is_what_is_available_then_the_schools_loss(site: Site) -> None:
    shower = showering(site, card=2, used_fen=100, total_fen=320)
    lost_epochs.close(site.ledger, SHOWER, 1)
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=200))
    site.take(shower, shower.write(kinds.SETTLED, subject=2, reference=shower.name(1), amount_fen=300))
    assert balances(site, POOR, BATH, LOSS) == (0, 300, -180)
    assert site.items() == [ItemKind.UNCOVERED]
    site.prove()


def test_a_sale_found_later_is_posted_as_it_stands(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=700)
    lost_epochs.close(site.ledger, TILL, 1)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=700))
    assert balances(site, HOLDER, CANTEEN) == (19_300, 700)
    site.prove()


def purse_shower(site: Site) -> Journal:
    """A stall where somebody showers by purse: 3.00 are deducted, 2.00 are left on the card."""
    till, shower = site.journal(TILL), site.journal(SHOWER)
    site.take(till, till.write(kinds.LOAD, subject=1, amount_fen=500, counter=1))
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300, purse=True, counter=2))
    return shower


def test_a_purse_shower_gives_what_it_deducted_to_the_account(site: Site) -> None:
    purse_shower(site)
    assert lost_epochs.close(site.ledger, SHOWER, 1).stood_in_count == 1
    assert balances(site, HOLDER, MIRROR, BATH) == (19_800, 200, 0)
    site.prove()


def test_late_steps_and_the_settled_of_a_purse_shower_come_out_as_if_they_had_been_in_time(site: Site) -> None:
    shower = purse_shower(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    site.take(shower, shower.write(kinds.STEP, subject=1, reference=shower.name(1), amount_fen=200, purse=True, counter=3))
    assert balances(site, HOLDER, MIRROR, BATH) == (20_000, 0, 0)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=420, purse=True))
    assert balances(site, HOLDER, MIRROR, BATH) == (19_580, 0, 420)
    assert site.items() == []
    site.prove()


def test_a_purse_shower_settled_late_below_what_it_deducted(site: Site) -> None:
    shower = purse_shower(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=100, purse=True))
    assert balances(site, HOLDER, MIRROR, BATH) == (19_700, 200, 100)
    site.prove()


def test_closing_again_settles_what_came_late_and_stayed_open(site: Site) -> None:
    shower = site.journal(SHOWER)
    opened = shower.write(kinds.OPENED, subject=1, amount_fen=300)
    lost_epochs.close(site.ledger, SHOWER, 1)
    site.take(shower, opened)
    assert site.account(HOLDER).held_fen == 300
    lost_epochs.close(site.ledger, SHOWER, 1)
    assert (site.holds(), site.account(HOLDER).held_fen) == ([], 0)
    with pytest.raises(InvalidValue, match="closed already"):
        lost_epochs.close(site.ledger, SHOWER, 1)
    site.prove()


def test_only_a_devices_epoch_that_there_is_can_be_closed(site: Site) -> None:
    for terminal, epoch in ((TILL, 1), (999, 1)):
        with pytest.raises(NotFound):
            lost_epochs.close(site.ledger, terminal, epoch)
    with pytest.raises(InvalidValue, match="journal file"):
        lost_epochs.close(site.ledger, 1, 1)


def test_nothing_is_granted_under_an_epoch_that_is_closed_and_its_board_gets_a_new_one(site: Site) -> None:
    shower = showering(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    assert site.ask(shower, kind=ASK_SHOWER, amount_fen=300).code == codes.CLOSED
    assert site.ask(shower, kind=ASK_EXTEND, sequence=1, amount_fen=900).code == codes.CLOSED
    assert site.shake_hands(shower)[:2] == (2, 0)
    assert site.items() == []


def test_a_restored_ledger_that_knows_no_such_epoch_takes_the_closing_as_it_is(site: Site) -> None:
    annex = encode_annex(Adjustment(Purpose.CLOSE))

    def job(books: Books) -> None:
        write_record(books, kind=kinds.ADJUST, reference=Name(TILL, 7, 0), annex=annex)

    site.commit(job)
    assert site.items() == []


def test_a_card_nobody_has_loads_nothing(site: Site) -> None:
    till = site.journal(TILL)
    load_hold(site, till, 200)
    (hold,) = site.holds()
    site.commit(lambda books: books.change(replace(books.need(Hold, hold.key), subject=99)))
    lost_epochs.close(site.ledger, TILL, 1)
    assert balances(site, HOLDER, MIRROR) == (20_000, 0)
    assert site.account(HOLDER).held_fen == 0


@pytest.mark.parametrize("used_fen", [120, 130, 300])
def test_a_settled_that_took_a_stand_ins_place_is_given_back_in_full(site: Site, used_fen: int) -> None:
    shower = showering(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=used_fen))
    assert adjustments.reverse(site.ledger, "100-1-2", "broken valve").amount_fen == used_fen
    assert balances(site, HOLDER, BATH) == (20_000, 0)
    site.prove()


def test_a_purse_shower_that_took_a_stand_ins_place_is_given_back_to_the_account(site: Site) -> None:
    shower = purse_shower(site)
    lost_epochs.close(site.ledger, SHOWER, 1)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=100, purse=True))
    assert adjustments.reverse(site.ledger, "100-1-2", "broken valve").amount_fen == 100
    assert balances(site, HOLDER, MIRROR, BATH) == (19_800, 200, 0)
    site.prove()


def test_an_extension_that_says_more_was_used_than_is_held_settles_at_what_is_held(site: Site) -> None:
    showering(site, used_fen=900)
    assert site.items() == [ItemKind.MISMATCH]
    lost_epochs.close(site.ledger, SHOWER, 1)
    assert balances(site, HOLDER, BATH, LOSS) == (19_400, 600, 0)
    site.prove()


def test_what_closing_leaves_to_the_school_is_an_item(site: Site) -> None:
    """After a restore less could be set aside than the stall was granted before, and used."""
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=500))
    site.ask(shower, kind=ASK_EXTEND, sequence=1, subject=2, amount_fen=500, used_fen=400)
    before = site.items()
    lost_epochs.close(site.ledger, SHOWER, 1)
    assert balances(site, POOR, BATH, LOSS) == (0, 400, -80)
    assert site.items() == [*before, ItemKind.UNCOVERED]
    site.prove()
