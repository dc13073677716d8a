"""Bookings: money set aside, one code for one stall, and when a cancelled one's money is free."""

import pytest

from host import lost_epochs, reservations, resources
from host.errors import AlreadyEnded, AlreadyThere, InsufficientFunds, InvalidValue, NotFound
from host.ledger.holding import end_hold
from host.ledger.kinds import HoldKind, ItemKind, ReservationState
from host.ledger.process import write_record
from host.ledger.rows import Active, Fact, Hold, Reservation, Resource
from protocol import record as kinds
from protocol.messages import RESERVATIONS, SUBJECT_ACCOUNT
from protocol.packing import pack, unpack
from protocol.record import pack_key, unpack_key
from protocol.shown import pack_activated
from tests.host.site import KEYS, NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

HOLDER = 100
LATER_S = NOW_S + 3_600


def book(site: Site, *, stall: int = SHOWER, from_s: int = NOW_S, amount_fen: int = 300, holder: str = "20260001") -> str:
    return reservations.book(site.ledger, holder, stall, from_s, from_s + 1_800, amount_fen)


def activate(site: Site, journal: Journal) -> None:
    """The terminal fetches the newest list and puts it into force."""
    newest = max(row.version for row in site.rows(Resource) if row.terminal == journal.number and row.resource == RESERVATIONS)
    site.take(journal, journal.write(kinds.ACTIVATED, shown=pack_activated(resource=RESERVATIONS, version=newest, digest=bytes(32))))


def open_by_code(site: Site, journal: Journal) -> None:
    """The stall's list has the booking: it opens on its own."""
    (booking,) = site.rows(Reservation)
    name = unpack_key(booking.key)[0]
    opened = journal.write(kinds.OPENED, subject=HOLDER, subject_kind=SUBJECT_ACCOUNT, reference=name, amount_fen=booking.held_fen)
    site.take(journal, opened)


def test_a_booking_is_a_record_that_holds(site: Site) -> None:
    code = book(site)
    assert len(code) == 6
    assert code.isdecimal()
    (hold,) = site.holds()
    assert (hold.kind, hold.amount_fen, site.account(HOLDER).available_fen) == (HoldKind.BOOKING, 300, 19_700)
    assert hold.key in [fact.key for fact in site.rows(Fact)]
    site.prove()


def test_the_stalls_list_has_the_code_under_its_own_key(site: Site) -> None:
    code = book(site)
    (offer,) = [offer for offer in resources.offers(site.ledger, SHOWER) if offer.resource == RESERVATIONS]
    layout, entries = unpack(
        site.ledger.view(lambda books: resources.content_of(books, books.need(resources.Terminal, SHOWER), RESERVATIONS))
    )
    (entry,) = entries
    assert (layout, offer.version) == (1, 1)
    assert entry[0] == KEYS.record_cmac(SHOWER, 1)(b"code" + code.encode())[:8]
    assert entry[1:6] == [*unpack_key(site.holds()[0].key)[0], HOLDER, 300]
    assert entry[8].decode("gb2312") == "张＊雨"


def test_codes_differ_within_a_house_and_a_day(site: Site) -> None:
    codes = [book(site, stall=stall, from_s=NOW_S + 1_800 * n) for n in range(10) for stall in (SHOWER, SHOWER_2)]
    assert len(set(codes)) == len(codes)


def test_opening_by_code_takes_the_hold_over_in_one_commit(site: Site) -> None:
    book(site)
    shower = site.journal(SHOWER)
    open_by_code(site, shower)
    (hold,) = site.holds()
    assert (hold.key, hold.kind, hold.amount_fen) == (pack_key(shower.name(1), 0), HoldKind.SHOWER, 300)
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.USED]
    site.take(shower, shower.write(kinds.SETTLED, subject=HOLDER, subject_kind=SUBJECT_ACCOUNT, reference=shower.name(1), amount_fen=110))
    assert (site.account(HOLDER).balance_fen, site.account(HOLDER).held_fen) == (19_890, 0)
    assert site.items() == []
    site.prove()


def test_another_stall_cannot_take_a_booking_over(site: Site) -> None:
    book(site)
    other = site.journal(SHOWER_2)
    open_by_code(site, other)
    assert sorted(hold.kind for hold in site.holds()) == [HoldKind.BOOKING, HoldKind.SHOWER]
    assert site.items() == [ItemKind.MISMATCH]
    site.prove()


def test_cancelled_money_is_free_once_the_stall_has_confirmed(site: Site) -> None:
    code = book(site)
    shower = site.journal(SHOWER)
    activate(site, shower)
    reservations.cancel(site.ledger, "20260001", code)
    assert site.account(HOLDER).held_fen == 300, "the stall may have opened by it already"
    activate(site, shower)
    assert (site.account(HOLDER).held_fen, site.rows(Hold)) == (0, [])
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.FREED]
    site.prove()


def test_a_stall_that_confirms_an_older_list_frees_nothing(site: Site) -> None:
    code = book(site)
    shower = site.journal(SHOWER)
    reservations.cancel(site.ledger, "20260001", code)
    site.take(shower, shower.write(kinds.ACTIVATED, shown=pack_activated(resource=RESERVATIONS, version=1, digest=bytes(32))))
    assert site.account(HOLDER).held_fen == 300


def test_a_cancelled_booking_that_was_opened_before_still_counts(site: Site) -> None:
    code = book(site)
    shower = site.journal(SHOWER)
    activate(site, shower)
    reservations.cancel(site.ledger, "20260001", code)
    open_by_code(site, shower)
    activate(site, shower)
    assert [hold.kind for hold in site.holds()] == [HoldKind.SHOWER]
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.USED]


def test_a_board_that_may_have_had_the_code_is_waited_for(site: Site) -> None:
    """A board was swapped after the booking: the old one may have opened by the code, and lies in a drawer."""
    shower = site.journal(SHOWER)
    code = book(site)
    activate(site, shower)
    replacement = site.journal(SHOWER)
    reservations.cancel(site.ledger, "20260001", code)
    activate(site, replacement)
    assert site.account(HOLDER).held_fen == 300


def test_a_stall_that_never_was_on_line_is_not_waited_for(site: Site) -> None:
    reservations.cancel(site.ledger, "20260001", book(site))
    assert site.account(HOLDER).held_fen == 0
    site.prove()


def test_a_booking_whose_time_is_over_leaves_the_list(site: Site) -> None:
    site.journal(SHOWER)
    book(site)
    assert reservations.expire(site.ledger, NOW_S + 1_799) == 0
    assert reservations.expire(site.ledger, NOW_S + 1_801) == 1
    assert reservations.expire(site.ledger, NOW_S + 1_801) == 0
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.CANCELLED]
    assert site.account(HOLDER).held_fen == 300


REFUSED = {
    "no such holder": ({"holder": "99999999"}, NotFound),
    "no such stall": ({"stall": 999}, NotFound),
    "a till": ({"stall": TILL}, InvalidValue),
    "a time that is over": ({"from_s": NOW_S - 7_200}, InvalidValue),
    "a time far away": ({"from_s": NOW_S + 400 * 86_400}, InvalidValue),
    "nothing set aside": ({"amount_fen": 0}, InvalidValue),
    "too much set aside": ({"amount_fen": 2_001}, InvalidValue),
    "more than there is": ({"amount_fen": 1_000, "holder": "20260002"}, InsufficientFunds),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_booking_is_refused_and_changes_nothing(site: Site, case: str) -> None:
    fields, error = REFUSED[case]
    with pytest.raises(error):
        book(site, **fields)  # type: ignore[arg-type]
    assert (site.holds(), site.rows(Reservation)) == ([], [])


def test_a_stall_is_booked_once_at_a_time(site: Site) -> None:
    book(site)
    with pytest.raises(AlreadyThere):
        book(site, from_s=NOW_S + 900, holder="20260002")
    book(site, from_s=NOW_S + 1_800)


def test_a_booking_is_cancelled_once_and_by_its_holder(site: Site) -> None:
    code = book(site)
    with pytest.raises(NotFound):
        reservations.cancel(site.ledger, "20260002", code)
    reservations.cancel(site.ledger, "20260001", code)
    with pytest.raises(AlreadyEnded):
        reservations.cancel(site.ledger, "20260001", code)


def test_a_code_can_be_shown_again(site: Site) -> None:
    code = book(site)
    site.reopen()
    assert [row.code for row in reservations.bookings_of(site.ledger, "20260001")] == [code]


def test_no_code_lies_in_the_ledger(site: Site) -> None:
    code = book(site, from_s=LATER_S)
    site.ledger.close()
    files = site.stored()
    assert code.encode() not in files


def test_a_stall_whose_board_was_replaced_confirms_once_the_old_epoch_is_closed(site: Site) -> None:
    """The old board may have opened by the code: its record may lie in a drawer."""
    code = book(site)
    old = site.journal(SHOWER)
    activate(site, old)
    reservations.cancel(site.ledger, "20260001", code)
    new = site.journal(SHOWER)
    activate(site, new)
    assert site.account(HOLDER).held_fen == 300
    lost_epochs.close(site.ledger, SHOWER, old.epoch)
    assert (site.account(HOLDER).held_fen, [row.state for row in site.rows(Reservation)]) == (0, [ReservationState.FREED])
    site.prove()


def test_closing_an_epoch_that_was_all_a_stall_had_frees_what_was_cancelled(site: Site) -> None:
    code = book(site)
    old = site.journal(SHOWER)
    reservations.cancel(site.ledger, "20260001", code)
    assert site.account(HOLDER).held_fen == 300
    lost_epochs.close(site.ledger, SHOWER, old.epoch)
    assert site.account(HOLDER).held_fen == 0


def test_what_nobody_signed_confirms_nothing_and_takes_no_booking(site: Site) -> None:
    code = book(site)
    shower = site.journal(SHOWER)
    activate(site, shower)
    reservations.cancel(site.ledger, "20260001", code)
    shown = pack_activated(resource=RESERVATIONS, version=9, digest=bytes(32))
    site.take(shower, shower.write(kinds.ACTIVATED, key=TILL, shown=shown))
    assert site.account(HOLDER).held_fen == 300
    assert [row.version for row in site.rows(Active) if row.resource == RESERVATIONS] == [1], "the list it had before"
    name = unpack_key(site.rows(Reservation)[0].key)[0]
    fields = {"subject": HOLDER, "subject_kind": SUBJECT_ACCOUNT, "reference": name, "amount_fen": 300}
    site.take(shower, shower.write(kinds.OPENED, key=TILL, **fields))
    assert [hold.kind for hold in site.holds()] == [HoldKind.BOOKING]
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.CANCELLED]
    assert site.items() == [ItemKind.BAD_TAC] * 2
    site.prove()


@pytest.mark.parametrize(
    "annex", [b"", b"\x01", pack([1, 999, "x", 1, 2, 3, 4, b""]), pack([2, SHOWER, "x", 1, 2, 3, 4, b""]), pack([1, "x"])]
)
def test_a_booking_whose_stall_a_restore_has_lost_is_an_item_and_holds_nothing(site: Site, annex: bytes) -> None:
    fields = {"kind": kinds.BOOKING, "subject_kind": SUBJECT_ACCOUNT, "subject": HOLDER, "amount_fen": 300, "annex": annex}
    site.commit(lambda books: write_record(books, **fields))  # pyright: ignore[reportArgumentType]
    assert (site.items(), site.holds(), site.rows(Reservation)) == ([ItemKind.UNKNOWN_SUBJECT], [], [])
    site.prove()


def cancel_by_record(site: Site) -> None:
    """As a journal file brings it back after a restore: the lists are published later."""
    name = unpack_key(site.rows(Reservation)[0].key)[0]
    site.commit(lambda books: write_record(books, kind=kinds.CANCEL, reference=name))


def test_what_is_on_every_list_yet_is_not_freed(site: Site) -> None:
    book(site)
    shower = site.journal(SHOWER)
    cancel_by_record(site)
    activate(site, shower)
    assert site.account(HOLDER).held_fen == 300


def test_a_booking_that_was_used_is_not_cancelled(site: Site) -> None:
    book(site)
    open_by_code(site, site.journal(SHOWER))
    cancel_by_record(site)
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.USED]


def test_a_cancelled_booking_without_money_is_freed_too(site: Site) -> None:
    code = book(site)
    shower = site.journal(SHOWER)
    (hold,) = site.holds()
    site.commit(lambda books: end_hold(books, books.need(Hold, hold.key)))
    reservations.cancel(site.ledger, "20260001", code)
    activate(site, shower)
    assert [row.state for row in site.rows(Reservation)] == [ReservationState.FREED]
