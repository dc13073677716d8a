"""firmware/drivers/mifare.py against the simulated chip and simulated cards."""

from collections.abc import Callable

import pytest

from firmware.drivers.mifare import DENIED, KEY_A, KEY_B, NO_CARD, OK, READER_FAULT, TWO_CARDS, UNREADABLE, UNSEEN
from tests.firmware.drivers.cards import CONTENT, KEYS, OTHER, UID_4, UID_7, Noisy, opened, put, school_card
from tests.firmware.drivers.rig import ReaderRig

WRONG_KEY = bytes.fromhex("000102030405")
NEW = bytes(range(0xF0, 0x100))


@pytest.fixture
def rig() -> ReaderRig:
    """A reader with nothing on it."""
    return ReaderRig()


@pytest.mark.parametrize("uid", [UID_4, UID_7])
@pytest.mark.parametrize("key_type", [KEY_A, KEY_B])
def test_open_sector_is_read_by_either_key(rig: ReaderRig, uid: bytes, key_type: int) -> None:
    opened(rig, uid, key_type)

    for block, content in CONTENT.items():
        into = bytearray(16)
        assert rig.reader.read(block, into) == OK
        assert into == content


def test_block_with_a_wrong_crc_is_unreadable(rig: ReaderRig) -> None:
    put(rig, Noisy(UID_4, school_card().image))
    rig.reader.activate()
    rig.reader.authenticate(4, KEYS[KEY_B])
    into = bytearray(b"untouched 16 byt")

    assert rig.reader.read(4, into) == UNREADABLE
    assert into == b"untouched 16 byt"


def test_online_sale_takes_eight_exchanges(rig: ReaderRig) -> None:
    """The limit for UID, authentication and three blocks; with their SPI transfers they are done in 20 ms."""
    put(rig, school_card())
    into = bytearray(16)

    def sale() -> int:
        results = [rig.reader.activate(), rig.reader.authenticate(4, KEYS[KEY_B])]
        return sum(results + [rig.reader.read(block, into) for block in (4, 5, 6)])

    start_us = rig.clock.now_us()
    assert rig.sent(sale) == (OK, 8)
    assert rig.clock.now_us() - start_us < 20_000


def test_write_by_key_b_is_on_the_card_when_it_returns(rig: ReaderRig) -> None:
    card = opened(rig)

    assert rig.sent(lambda: rig.reader.write(5, NEW)) == (OK, 2)
    assert card.image[80:96] == NEW


def test_write_by_key_a_is_denied_and_changes_nothing(rig: ReaderRig) -> None:
    card = opened(rig, key_type=KEY_A)

    assert rig.reader.write(5, NEW) == DENIED
    assert card.image[80:96] == CONTENT[5]


def test_wrong_key_is_denied_and_no_write_is_attempted(rig: ReaderRig) -> None:
    card = school_card()
    put(rig, card)
    assert rig.reader.activate() == OK

    assert rig.reader.authenticate(4, WRONG_KEY) == DENIED
    assert rig.sent(lambda: rig.reader.write(5, NEW)) == (DENIED, 0)
    assert rig.sent(lambda: rig.reader.read(5, bytearray(16))) == (DENIED, 0)
    assert card.image[80:96] == CONTENT[5]


def test_right_key_opens_after_a_wrong_one(rig: ReaderRig) -> None:
    put(rig, school_card())
    rig.reader.activate()
    rig.reader.authenticate(4, WRONG_KEY)

    assert rig.reader.authenticate(4, KEYS[KEY_B]) == OK


def test_card_that_leaves_before_authentication_is_no_wrong_key(rig: ReaderRig) -> None:
    card = school_card()
    put(rig, card)
    rig.reader.activate()
    rig.air.remove(card)

    assert rig.reader.authenticate(4, KEYS[KEY_B]) == NO_CARD


def test_presence_costs_one_exchange(rig: ReaderRig) -> None:
    opened(rig)

    assert [rig.sent(rig.reader.presence) for _ in range(3)] == [(OK, 1)] * 3


def test_presence_ends_within_fifteen_milliseconds_of_the_card_leaving(rig: ReaderRig) -> None:
    card = opened(rig)
    rig.air.remove(card)
    start_us = rig.clock.now_us()

    assert rig.reader.presence() == NO_CARD
    assert rig.clock.now_us() - start_us < 15_000


def test_presence_survives_a_disturbance_and_the_sector_is_open_again(rig: ReaderRig) -> None:
    """The card loses the field for a moment, as by a finger between, and must be activated anew."""
    card = opened(rig)
    rig.air.remove(card)
    put(rig, card)
    into = bytearray(16)

    assert rig.reader.presence() == OK
    assert rig.reader.read(6, into) == OK
    assert into == CONTENT[6]


def test_presence_that_was_unclear_opens_the_sector_again_once_it_is_clear(rig: ReaderRig) -> None:
    card = opened(rig)
    second = school_card(OTHER)
    rig.air.remove(card)
    put(rig, card)
    put(rig, second)
    assert [rig.reader.presence() for _ in range(3)] == [TWO_CARDS] * 3
    rig.air.remove(second)

    assert rig.reader.presence() == OK
    assert rig.reader.write(5, NEW) == OK


def test_presence_survives_a_reset_of_the_chip(rig: ReaderRig) -> None:
    """A spark or a dip of the supply: the field goes, the keys are forgotten, and the shower runs on."""
    opened(rig)
    rig.chip._rst.value(0)
    rig.chip._rst.value(1)

    assert rig.reader.presence() == OK
    assert rig.sent(rig.reader.presence) == (OK, 1)


def test_another_card_in_its_place_is_not_the_card(rig: ReaderRig) -> None:
    card = opened(rig)
    rig.air.remove(card)
    put(rig, school_card(OTHER))

    assert rig.reader.presence() == NO_CARD
    assert rig.reader.activate() == OK
    assert rig.reader.uid == OTHER


def test_presence_of_a_card_without_an_open_sector_goes_by_its_uid(rig: ReaderRig) -> None:
    card = school_card()
    put(rig, card)
    rig.reader.activate()
    assert rig.reader.presence() == OK
    rig.air.remove(card)
    put(rig, school_card(OTHER))

    assert rig.reader.presence() == NO_CARD


def test_second_card_beside_an_open_one_does_not_end_its_presence(rig: ReaderRig) -> None:
    opened(rig)
    put(rig, school_card(OTHER))

    assert rig.reader.presence() == OK


def test_torn_write_is_unseen_and_the_card_tells_what_became_of_it(rig: ReaderRig) -> None:
    card = opened(rig)
    card.tear_next(0.5)

    assert rig.reader.write(5, NEW) == UNSEEN
    rig.clock.advance(6000)
    into = bytearray(16)
    assert rig.reader.presence() == OK
    assert rig.reader.read(5, into) == OK
    assert into == card.image[80:96] != NEW


@pytest.mark.parametrize(("frame", "result"), [(1, NO_CARD), (2, UNSEEN)])
def test_card_gone_during_a_write_is_unseen_only_once_the_data_went_out(rig: ReaderRig, frame: int, result: int) -> None:
    card = opened(rig)
    rig.air.before[rig.air.sent + frame] = lambda: rig.air.remove(card)

    assert rig.reader.write(5, NEW) == result
    assert card.image[80:96] == CONTENT[5]


STEPS: dict[str, Callable[[ReaderRig], int]] = {
    "activate": lambda rig: rig.reader.activate(),
    "presence": lambda rig: rig.reader.presence(),
    "read": lambda rig: rig.reader.read(4, bytearray(16)),
    "authenticate": lambda rig: rig.reader.authenticate(4, KEYS[KEY_B]),
}


@pytest.mark.parametrize("level", [0x00, 0xFF])
@pytest.mark.parametrize("act", STEPS.values(), ids=STEPS)
def test_reader_that_dies_is_a_fault_within_a_tenth_of_a_second(rig: ReaderRig, level: int, act: Callable[[ReaderRig], int]) -> None:
    opened(rig)
    rig.bus.stuck = level
    start_ms = rig.clock.now_ms()

    assert act(rig) == READER_FAULT
    assert rig.clock.now_ms() - start_ms < 100


def test_reader_that_comes_back_reads_again(rig: ReaderRig) -> None:
    put(rig, school_card())
    rig.bus.stuck = 0xFF
    assert rig.reader.activate() == READER_FAULT
    rig.bus.stuck = None
    rig.clock.advance(1_000_000)

    assert rig.reader.activate() == OK
