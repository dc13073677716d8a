"""Records taken in: exactly once, in order, whatever they are; and the handshake that says where to go on."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host import cards, intake
from host.errors import OnecardError
from host.ledger.kinds import ItemKind
from host.ledger.rows import LOSS, SUSPENSE, Active, Epoch, Fact, Item, Movement, Terminal, Writing
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SHOWER, TARIFF, State
from protocol.record import Name, Operation, pack_shown
from protocol.shown import pack_activated, pack_fault
from tests.host.site import NOW_S, SHOWER, TILL, Journal, Site, make_record

HOLDER, POOR = 100, 101
BATH, CANTEEN = 104, 105
"""The merchants: after two holders and two mirrors."""


def test_a_sale_captures_its_hold(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=1_250)
    assert site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1_250)) == (1, 1)
    assert (site.account(HOLDER).balance_fen, site.account(HOLDER).held_fen, site.account(CANTEEN).balance_fen) == (18_750, 0, 1_250)
    assert site.items() == []
    site.prove()


def test_a_sale_of_less_than_its_hold_frees_the_rest(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=1_250)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1_000))
    assert (site.account(HOLDER).balance_fen, site.account(HOLDER).held_fen) == (19_000, 0)


def test_a_record_delivered_again_is_acknowledged_and_posts_nothing(site: Site) -> None:
    till = site.journal(TILL)
    sale = till.write(kinds.SALE, subject=1, amount_fen=500)
    for _ in range(3):
        assert site.take(till, sale) == (1, 1)
    assert site.account(HOLDER).balance_fen == 19_500
    assert site.items() == []


def test_the_same_name_with_other_bytes_is_refused_kept_and_an_item(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=500))
    other = make_record(kinds.SALE, name=till.name(1), subject=1, amount_fen=900)
    assert site.take(till, other) == (1, 1)
    assert site.take(till, other) == (1, 1)
    assert site.account(HOLDER).balance_fen == 19_500
    (item,) = site.rows(Item)
    assert (item.kind, item.evidence) == (ItemKind.ALTERED, other)


def test_inventing_contents_for_one_name_fills_nothing(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.NOTHING))
    for amount_fen in range(1, 21):
        site.take(till, make_record(kinds.SALE, name=till.name(1), subject=1, amount_fen=amount_fen))
    assert len(site.rows(Item)) == 8


def test_a_record_beyond_the_next_is_not_taken(site: Site) -> None:
    till = site.journal(TILL)
    first, second, third = (till.write(kinds.SALE, subject=1, amount_fen=100) for _ in range(3))
    assert site.take(till, second, third) == (1, 0)
    assert site.take(till, first, second, third) == (1, 3)
    assert site.account(HOLDER).balance_fen == 19_700
    site.prove()


def test_a_hold_only_asked_for_ends_with_the_next_record(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=1_250)
    site.take(till, till.write(kinds.STARTED))
    assert site.holds() == []
    assert site.account(HOLDER).available_fen == 20_000


def test_what_no_hold_covers_is_taken_from_what_is_available_then_the_schools_loss(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=1_250))
    assert (site.account(POOR).balance_fen, site.account(LOSS).balance_fen, site.account(CANTEEN).balance_fen) == (0, -930, 1_250)
    assert [(item.kind, item.amount_fen) for item in site.rows(Item)] == [(ItemKind.UNCOVERED, 930)]
    site.prove()


def test_a_loss_never_touches_what_is_held_elsewhere(site: Site) -> None:
    shower, till = site.journal(SHOWER), site.journal(TILL)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300, subject=2)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=300))
    assert (site.account(POOR).balance_fen, site.account(POOR).held_fen, site.account(LOSS).balance_fen) == (300, 300, -280)


def test_a_sale_under_a_hold_for_somebody_else_ends_that_hold(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=1_250, subject=1)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=100))
    assert (site.account(HOLDER).balance_fen, site.account(HOLDER).held_fen, site.account(POOR).balance_fen) == (20_000, 0, 220)


def test_a_shower_takes_its_hold_up_and_settles_what_was_used(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(shower, shower.write(kinds.FAULT, shown=pack_fault(15)))
    assert site.account(HOLDER).held_fen == 300, "taken up, it outlives later records"
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=120))
    assert (site.account(HOLDER).balance_fen, site.account(HOLDER).held_fen, site.account(BATH).balance_fen) == (19_880, 0, 120)
    assert site.items() == [ItemKind.FAULT]
    site.prove()


def test_what_an_extension_added_before_its_opened_came_stays_held(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    site.ask(shower, kind=ASK_EXTEND, amount_fen=600, sequence=1)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    assert site.account(HOLDER).held_fen == 600


def test_a_shower_that_used_nothing_moves_nothing(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1)))
    assert (site.account(HOLDER).available_fen, site.holds()) == (20_000, [])
    assert len(site.rows(Movement)) == 2, "the two recharges"


def test_an_opened_without_a_hold_sets_aside_what_is_available(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=500))
    assert (site.account(POOR).held_fen, site.items()) == (320, [ItemKind.UNCOVERED])
    site.take(shower, shower.write(kinds.SETTLED, subject=2, reference=shower.name(1), amount_fen=400))
    assert (site.account(POOR).balance_fen, site.account(LOSS).balance_fen) == (0, -80)


def test_a_shower_settled_twice_charges_its_holder_once(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    for _ in range(2):
        site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(1), amount_fen=100))
    assert (site.account(HOLDER).balance_fen, site.account(SUSPENSE).balance_fen, site.account(BATH).balance_fen) == (19_900, -100, 200)
    assert site.items() == [ItemKind.MISMATCH]


def test_a_settled_without_its_opened_charges_its_subject(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=Name(SHOWER, 1, 77), amount_fen=100))
    assert site.account(HOLDER).balance_fen == 19_900


SUSPECTS = {
    "bad TAC": ({"subject": 1, "key": TILL + 1}, ItemKind.BAD_TAC),
    "unknown card": ({"subject": 77}, ItemKind.UNKNOWN_SUBJECT),
    "no subject": ({"subject": 0}, ItemKind.UNKNOWN_SUBJECT),
}


@pytest.mark.parametrize("case", SUSPECTS)
def test_a_sale_of_nobody_is_in_suspense_acknowledged_and_an_item(site: Site, case: str) -> None:
    fields, kind = SUSPECTS[case]
    till = site.journal(TILL)
    assert site.take(till, till.write(kinds.SALE, amount_fen=700, **fields)) == (1, 1)
    assert (site.account(SUSPENSE).balance_fen, site.account(CANTEEN).balance_fen) == (-700, 700)
    assert site.items() == [kind]
    site.prove()


def test_a_purse_sale_without_money_in_the_mirror_is_in_suspense(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=700, purse=True, counter=2))
    assert (site.account(SUSPENSE).balance_fen, site.account(CANTEEN).balance_fen) == (-700, 700)
    assert site.items() == [ItemKind.UNCOVERED]
    site.prove()


def test_a_load_moves_to_the_mirror_and_purse_steps_are_under_way_in_it(site: Site) -> None:
    shower, mirror = site.journal(SHOWER), 102
    site.take(shower, shower.write(kinds.LOAD, subject=1, amount_fen=5_000, counter=2))
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300, purse=True, counter=3))
    site.take(shower, shower.write(kinds.STEP, subject=1, reference=shower.name(2), amount_fen=300, purse=True, counter=4))
    assert (site.account(mirror).balance_fen, site.account(mirror).held_fen) == (5_000, 600)
    site.take(shower, shower.write(kinds.SETTLED, subject=1, reference=shower.name(2), amount_fen=420, purse=True))
    assert (site.account(mirror).balance_fen, site.account(mirror).held_fen) == (4_400, 0)
    assert (site.account(HOLDER).balance_fen, site.account(BATH).balance_fen) == (15_180, 420)
    site.prove()


def test_a_device_cannot_recharge(site: Site) -> None:
    till = site.journal(TILL)
    assert site.take(till, till.write(kinds.RECHARGE, subject=1, amount_fen=99_999)) == (1, 1)
    assert site.account(HOLDER).balance_fen == 20_000
    assert site.items() == [ItemKind.NOT_EFFECTIVE]


def test_a_record_of_another_terminal_is_kept_and_not_taken(site: Site) -> None:
    till, shower = site.journal(TILL), site.journal(SHOWER)
    assert site.take(till, shower.write(kinds.NOTHING)) == (1, 0)
    assert site.items() == [ItemKind.STRAY]


def test_what_a_record_shows_is_kept_as_evidence(site: Site) -> None:
    till = site.journal(TILL)
    shown = pack_shown([Operation(SHOWER, 9, kinds.STEP, 1, 300), Operation(TILL, 4, kinds.LOAD, 2, 500)])
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=200, purse=True, counter=6, shown=shown))
    found = [(row.counter, row.terminal, row.sequence_low, row.kind, row.amount_fen) for row in site.rows(Writing)]
    assert found == [(4, TILL, 4, kinds.LOAD, 500), (5, SHOWER, 9, kinds.STEP, 300), (6, TILL, 1, kinds.SALE, 200)]


def test_an_activation_is_noted(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.ACTIVATED, shown=pack_activated(resource=TARIFF, version=3, digest=bytes(range(32)))))
    assert site.rows(Active) == [Active(SHOWER, TARIFF, 3, bytes(range(9)))]


def test_a_card_denied_after_its_sale_does_not_stop_the_record(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=500)
    cards.deny(site.ledger, 1, "lost")
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=500))
    assert site.account(CANTEEN).balance_fen == 500


# The handshake (MONEY 7).


def test_a_new_terminal_gets_its_first_epoch(site: Site) -> None:
    till = Journal(TILL)
    assert site.shake_hands(till)[:2] == (1, 0)
    assert site.items() == []


def test_a_terminal_goes_on_where_the_ledger_is(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.NOTHING))
    till.write(kinds.NOTHING)
    assert site.shake_hands(till)[:2] == (1, 1)


def test_a_wiped_journal_gets_a_new_epoch_and_an_item(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.NOTHING))
    assert site.shake_hands(Journal(TILL))[:2] == (2, 0)
    assert site.items() == [ItemKind.JOURNAL_OLDER]


def test_a_journal_older_than_the_ledger_gets_a_new_epoch_and_an_item(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.NOTHING), till.write(kinds.NOTHING))
    older = Journal(TILL, epoch=1, records=till.records[:1])
    assert site.shake_hands(older)[:2] == (2, 0)
    assert site.items() == [ItemKind.JOURNAL_OLDER]
    assert [(row.epoch, row.high_water, row.is_closed) for row in site.rows(Epoch) if row.terminal == TILL] == [(1, 2, 0), (2, 0, 0)]


def test_records_a_terminal_no_longer_has_are_an_item_and_the_rest_goes_on(site: Site) -> None:
    till = site.journal(TILL)
    for _ in range(5):
        till.write(kinds.SALE, subject=1, amount_fen=100)
    state = till.state()._replace(oldest=4)
    assert intake.resume(site.ledger, TILL, state, NOW_S)[:2] == (1, 3)
    assert site.take(till, *till.records[3:]) == (1, 5)
    assert site.items() == [ItemKind.GAP]
    site.prove()
    assert site.take(till, till.records[0]) == (1, 5)
    assert site.items() == [ItemKind.GAP, ItemKind.LATE]


def test_an_epoch_above_the_ledgers_is_taken_over(site: Site) -> None:
    """The ledger was restored from a backup: the terminal knows better, and sends again."""
    till = site.journal(TILL)
    till.epoch = 4
    sale = till.write(kinds.SALE, subject=1, amount_fen=100)
    assert site.shake_hands(till)[:2] == (4, 0)
    assert site.items() == [ItemKind.HOST_BEHIND]
    assert site.take(till, sale) == (4, 1)
    assert [row.epoch for row in site.rows(Terminal) if row.number == TILL] == [4]


def test_an_older_epoch_is_delivered_after_a_new_one_was_given(site: Site) -> None:
    till = site.journal(TILL)
    sale = till.write(kinds.SALE, subject=1, amount_fen=100)
    site.journal(TILL)
    assert site.take(till, sale) == (1, 1)
    assert site.account(HOLDER).balance_fen == 19_900


def test_the_version_of_the_firmware_and_what_is_in_force_are_noted(site: Site) -> None:
    intake.resume(site.ledger, TILL, State(0, 1, 1, "1.2.3", 2, [[1, 5, bytes(8)]]), NOW_S)
    assert [row.firmware for row in site.rows(Terminal) if row.number == TILL] == ["1.2.3"]
    assert site.rows(Active) == [Active(TILL, 1, 5, bytes(8))]


# Whatever arrives.


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_or_block(site: Site, data: bytes, is_named: bool) -> None:
    till = Journal(TILL, epoch=max((row.epoch for row in site.rows(Epoch) if row.terminal == TILL), default=0))
    if till.epoch == 0:
        site.shake_hands(till)
    high_water = site.take(till)[1]
    if is_named and len(data) >= 10:
        head = TILL.to_bytes(2, "little") + till.epoch.to_bytes(2, "little") + (high_water + 1).to_bytes(4, "little")
        data = data[:2] + head + data[10:]
    epoch, high_water = site.take(till, data)
    behind = make_record(kinds.SALE, name=Name(TILL, epoch, high_water + 1), subject=1, amount_fen=1)
    assert site.take(till, behind) == (epoch, high_water + 1)
    if len(site.rows(Fact)) % 20 == 0:
        site.prove()


def test_an_epoch_lost_with_a_restore_is_delivered_before_the_newer_one(site: Site) -> None:
    """The ledger of a backup knows neither the epoch the till is in nor the one before it: both are taken."""
    intake.resume(site.ledger, TILL, State(3, 2, 1, "1.2.3", 2, []), NOW_S)
    old = make_record(kinds.SALE, name=Name(TILL, 2, 1), subject=1, amount_fen=500)
    assert intake.take(site.ledger, TILL, old, NOW_S) == (2, 1)
    assert intake.take(site.ledger, TILL, old, NOW_S) == (2, 1)
    new = make_record(kinds.NOTHING, name=Name(TILL, 3, 1))
    assert intake.take(site.ledger, TILL, new, NOW_S) == (3, 1)
    assert site.account(HOLDER).balance_fen == 19_500


def test_a_stranger_s_settled_does_not_end_another_s_shower(site: Site) -> None:
    stall, till = site.journal(SHOWER), site.journal(TILL)
    site.ask(stall, kind=ASK_SHOWER, amount_fen=300)
    site.take(stall, stall.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(till, till.write(kinds.SETTLED, subject=1, amount_fen=40, reference=stall.name(1)))
    site.take(stall, stall.write(kinds.SETTLED, subject=1, amount_fen=120, reference=stall.name(1)))
    assert site.account(HOLDER).held_fen == 0
    assert site.account(BATH).balance_fen == 120
    site.prove()


def test_what_was_said_to_be_used_stays_when_the_opened_comes(site: Site) -> None:
    """It settles an epoch that is lost, whichever came first."""
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    site.ask(shower, kind=ASK_EXTEND, sequence=1, amount_fen=600, used_fen=170)
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    (hold,) = site.holds()
    assert (hold.state, hold.amount_fen, hold.used_fen) == ("taken", 600, 170)


def test_holds_asked_for_in_a_gap_end_with_the_record_behind_it(site: Site) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=700)
    site.ask(till, amount_fen=200, sequence=3)
    for _ in range(4):
        till.write(kinds.NOTHING)
    intake.resume(site.ledger, TILL, State(1, 5, 4, "test", 1, []), NOW_S)
    assert site.account(HOLDER).held_fen == 900, "a handshake ends nothing"
    assert site.take(till, till.records[3]) == (1, 4)
    assert (site.account(HOLDER).held_fen, site.holds()) == (0, [])
    site.prove()


def test_a_new_epoch_ends_no_hold_of_the_old_one_and_its_records_do(site: Site) -> None:
    old = site.journal(TILL)
    site.ask(old, amount_fen=700)
    sale = old.write(kinds.SALE, subject=1, amount_fen=700)
    new = site.journal(TILL)
    site.ask(new, amount_fen=50)
    site.take(new, new.write(kinds.NOTHING))
    assert site.account(HOLDER).held_fen == 700
    site.take(old, sale)
    assert (site.account(HOLDER).held_fen, site.account(HOLDER).balance_fen) == (0, 19_300)
    site.prove()


def test_a_terminal_that_used_up_its_epochs_is_told_so(site: Site) -> None:
    site.commit(lambda books: books.change(replace(books.need(Terminal, TILL), epoch=4_095)))
    with pytest.raises(OnecardError, match="new number"):
        intake.resume(site.ledger, TILL, State(0, 1, 1, "test", 1, []), NOW_S)


def test_a_handshake_says_which_resources_are_in_force(site: Site) -> None:
    till = site.journal(TILL)
    for version in (1, 1, 2):
        intake.resume(site.ledger, TILL, State(1, 1, 1, "test", 1, [[TARIFF, version, bytes(8)]]), NOW_S)
        assert [row.version for row in site.rows(Active)] == [version]
    assert till.epoch == 1
