"""firmware/shower/session.py: the records and asks of one session."""

from firmware.shower.session import Session, settled_at_boot
from firmware.terminal.actions import Mark
from firmware.terminal.settings import Reservation, Tariff
from protocol import record
from protocol.messages import SUBJECT_ACCOUNT
from protocol.record import NOTHING_SHOWN, OPENED, SETTLED, Name, Record
from protocol.shown import CAUSE_BOOT, CAUSE_ENDED, CAUSE_MONEY, unpack_settled
from tests.firmware.board_model import SETTINGS, TARIFF

OPENED_NAME = Name(100, 1, 7)
BOOKING = Reservation(Name(1, 1, 5), 9, 300, 0, 10, b"Z")


def begun(tariff: Tariff = TARIFF) -> Session:
    session = Session()
    session.take_over(BOOKING)
    session.begin(OPENED_NAME, tariff)
    session.usage.open(0)
    return session


def test_a_free_tariff_charges_nothing_and_never_runs_out() -> None:
    session = begun(Tariff(1, 0, 0))
    session.usage.meter(1_000_000, 1_000_000)
    assert (session.charge_fen, session.is_spent, session.is_step_used) == (0, False, False)


def test_what_flows_beyond_the_hold_is_recorded_but_not_charged() -> None:
    session = begun()
    session.usage.meter(30_990, 0)
    settled = session.settle(CAUSE_MONEY, 5_000)
    assert (settled.kind, settled.amount_fen, settled.detail) == (SETTLED, 300, 30_990)
    assert unpack_settled(settled.shown) == (30_990, 0, 5, CAUSE_MONEY)


def test_settled_is_the_same_when_it_has_to_be_written_again() -> None:
    session = begun()
    session.usage.meter(10_000, 0)
    first = session.settle(CAUSE_ENDED, 1_000)
    session.usage.meter(11_000, 0)
    assert session.settle(session.cause, 9_000) == first


def test_more_than_three_bytes_of_millilitres_fill_the_detail_and_stand_in_shown() -> None:
    session = begun(Tariff(1, 1, 1))
    session.usage.meter(20_000_000, 0)
    settled = session.settle(CAUSE_ENDED, 0)
    assert settled.detail == 0xFFFFFF
    assert unpack_settled(settled.shown)[0] == 20_000_000


def test_an_extension_names_a_total_and_what_was_used() -> None:
    session = begun()
    session.usage.meter(26_000, 0)
    asked = session.extend(SETTINGS)
    assert asked is not None
    assert asked[1:5] == (SUBJECT_ACCOUNT, 9, 600, 260)
    assert asked.name == OPENED_NAME


def test_the_boot_settles_what_the_mark_says() -> None:
    opened = Record(OPENED, 100, 1, 7, 0, 0, 2, 9, False, False, BOOKING.booking, 300, 0, 0, 0, NOTHING_SHOWN, 3, 0, record.NO_TAC)
    settled = settled_at_boot(opened, Mark(OPENED_NAME, 5_000, 600, 62, 70))
    assert (settled.reference, settled.subject_kind, settled.subject) == (OPENED_NAME, SUBJECT_ACCOUNT, 9)
    assert (settled.amount_fen, settled.detail) == (62, 5_600)
    assert unpack_settled(settled.shown) == (5_000, 600, 70, CAUSE_BOOT)
