"""What the host hands down, decoded or refused whole."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.terminal.clock import Clock
from firmware.terminal.settings import InForce, Reservation, Settings, Tariff
from host.crypto import HostCrypto
from protocol.compat import gb
from protocol.keys import code_hash
from protocol.messages import PRICES, RESERVATIONS, SETTINGS, TARIFF
from protocol.packing import pack
from protocol.record import Name

CMAC = HostCrypto().cmac(bytes(16))
SETTINGS_FIELDS = [1, gb("北区浴室12号"), bytes(range(16)), 1, 12, 5000, 300, 50, 2000, 450, 451, 300]


def make_in_force(used: frozenset[Name] = frozenset()) -> InForce:
    return InForce(Clock(), CMAC, lambda booking: booking in used)


def reservation_row(code: bytes, booking: Name) -> list[int | bytes]:
    return [code_hash(CMAC, code), *booking, 7, 600, 1000, 2000, gb("张*雨")]


def test_settings_are_named() -> None:
    in_force = make_in_force()
    in_force.take(SETTINGS, 3, pack(SETTINGS_FIELDS))
    assert in_force.settings == Settings(gb("北区浴室12号"), bytes(range(16)), 1, 12, 5000, 300, 50, 2000, 450, 451, 300)


def test_a_tariff_has_its_version() -> None:
    in_force = make_in_force()
    in_force.take(TARIFF, 70_000, pack([1, 2000, 12_000]))
    assert in_force.tariff == Tariff(70_000, 2000, 12_000)


def test_fields_of_a_newer_host_are_no_error() -> None:
    in_force = make_in_force()
    in_force.take(TARIFF, 1, pack([1, 2000, 12_000, "more", [1]]))
    in_force.take(SETTINGS, 1, pack([*SETTINGS_FIELDS, 9]))
    assert in_force.tariff is not None
    assert in_force.settings is not None


@pytest.mark.parametrize(
    ("resource", "content"),
    [
        (SETTINGS, b""),
        (SETTINGS, b"\xc1"),
        (SETTINGS, pack([])),
        (SETTINGS, pack([2, *SETTINGS_FIELDS[1:]])),
        (SETTINGS, pack(SETTINGS_FIELDS[:-1])),
        (SETTINGS, pack([*SETTINGS_FIELDS[:2], b"short", *SETTINGS_FIELDS[3:]])),
        (SETTINGS, pack([*SETTINGS_FIELDS[:9], 0, 450, 300])),
        (SETTINGS, pack([*SETTINGS_FIELDS[:5], -1, *SETTINGS_FIELDS[6:]])),
        (SETTINGS, pack([*SETTINGS_FIELDS[:5], True, *SETTINGS_FIELDS[6:]])),
        (SETTINGS, pack([1, "text", *SETTINGS_FIELDS[2:]])),
        (TARIFF, pack([1, 5])),
        (TARIFF, pack([1, 5, 1 << 32])),
        (TARIFF, pack(7)),
        (RESERVATIONS, pack([1])),
        (RESERVATIONS, pack([1, 5])),
        (RESERVATIONS, pack([1, [[b"short", 1, 1, 1, 7, 600, 0, 1, b""]]])),
        (RESERVATIONS, pack([1, [[bytes(8), 1, 1, 1, 7, 600, 0, 1]]])),
        (RESERVATIONS, pack([1, [7]])),
        (RESERVATIONS, pack([1, [[bytes(8), 1, 1, 1, 7, 600, 0, 1, b""]] * 65])),
        (PRICES, pack([1])),
    ],
)
def test_a_content_out_of_its_form_changes_nothing(resource: int, content: bytes) -> None:
    in_force = make_in_force()
    in_force.take(SETTINGS, 1, pack(SETTINGS_FIELDS))
    before = in_force.settings
    with pytest.raises(ValueError):  # noqa: PT011 (any reason)
        in_force.take(resource, 2, content)
    assert (in_force.settings, in_force.tariff) == (before, None)


@given(st.sampled_from((SETTINGS, TARIFF, RESERVATIONS)), st.binary(max_size=80))
def test_no_bytes_can_crash_it(resource: int, content: bytes) -> None:
    with contextlib.suppress(ValueError):
        make_in_force().take(resource, 1, content)


def test_a_code_opens_its_booking_and_no_other() -> None:
    in_force = make_in_force()
    rows = [reservation_row(b"%06d" % number, Name(1, 2, number + 1)) for number in range(30)]
    in_force.take(RESERVATIONS, 1, pack([1, rows]))
    assert in_force.find_reservation(b"000012") == Reservation(Name(1, 2, 13), 7, 600, 1000, 2000, gb("张*雨"))
    assert in_force.find_reservation(b"000030") is None
    assert in_force.find_reservation(b"") is None


def test_a_code_works_once() -> None:
    in_force = make_in_force(frozenset({Name(1, 2, 3)}))
    in_force.take(RESERVATIONS, 1, pack([1, [reservation_row(b"123456", Name(1, 2, 3))]]))
    assert in_force.find_reservation(b"123456") is None
