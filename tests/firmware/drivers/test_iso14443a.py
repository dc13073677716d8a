"""firmware/drivers/iso14443a.py, by way of `Reader.activate`, against the simulated chip and simulated cards."""

import pytest

from firmware.drivers.mifare import FOREIGN, NO_CARD, OK, TWO_CARDS, UNREADABLE
from sim.parts.iso14443 import with_crc
from tests.firmware.drivers.cards import OTHER, UID_4, UID_7, Impostor, impostor, opened, put, school_card
from tests.firmware.drivers.rig import ReaderRig

ATQA, WHOLE_UID = {b"\x52": b"\x04\x00"}, {b"\x93\x20": UID_4 + b"\x22"}
SELECT = with_crc(b"\x93\x70" + UID_4 + b"\x22")
GARBLED = {
    "BCC wrong": {**ATQA, b"\x93\x20": UID_4 + b"\x00"},
    "UID too short": {**ATQA, b"\x93\x20": UID_4},
    "UID too long": {**ATQA, b"\x93\x20": UID_4 + b"\x22\x00"},
    "ATQA too short": {b"\x52": b"\x04"},
    "answer longer than any frame of a card": {b"\x52": bytes(40)},
    "SAK with a wrong CRC": {**ATQA, **WHOLE_UID, SELECT: b"\x08\x00\x00"},
    "cascade without its tag": {**ATQA, **WHOLE_UID, SELECT: with_crc(b"\x04")},
}


@pytest.fixture
def rig() -> ReaderRig:
    """A reader with nothing on it."""
    return ReaderRig()


@pytest.mark.parametrize(("uid", "frames"), [(UID_4, 3), (UID_7, 5)])
def test_card_is_found_in_as_few_exchanges_as_its_uid_allows(rig: ReaderRig, uid: bytes, frames: int) -> None:
    put(rig, school_card(uid))

    assert rig.sent(rig.reader.activate) == (OK, frames)
    assert rig.reader.uid == uid


def test_uid_of_ten_bytes_is_read_whole(rig: ReaderRig) -> None:
    rig.air.put(impostor(b"\x88\x01\x02\x03", b"\x88\x04\x05\x06", b"\x07\x08\x09\x0a"))

    assert rig.reader.activate() == OK
    assert rig.reader.uid == bytes(range(1, 11))


def test_empty_field_is_no_card_at_the_price_of_one_frame(rig: ReaderRig) -> None:
    start_us = rig.clock.now_us()

    assert rig.sent(rig.reader.activate) == (NO_CARD, 1)
    assert rig.clock.now_us() - start_us < 3000


@pytest.mark.parametrize("frame", [1, 2, 3, 4, 5])
def test_card_gone_in_the_middle_of_activation_is_no_card(rig: ReaderRig, frame: int) -> None:
    card = school_card(UID_7)
    put(rig, card)
    rig.air.before[rig.air.sent + frame] = lambda: rig.air.remove(card)

    assert rig.reader.activate() == NO_CARD
    assert rig.reader.uid == b""
    assert rig.reader.activate() == NO_CARD


def test_card_is_found_again_after_it_was_gone_in_the_middle(rig: ReaderRig) -> None:
    card = school_card()
    put(rig, card)
    rig.air.before[rig.air.sent + 2] = lambda: rig.air.remove(card)
    rig.reader.activate()
    put(rig, card)

    assert rig.reader.activate() == OK


@pytest.mark.parametrize("other", [OTHER, UID_7])
def test_two_cards_are_refused_for_as_long_as_both_lie_there(rig: ReaderRig, other: bytes) -> None:
    second = school_card(other)
    put(rig, school_card())
    put(rig, second)

    assert [rig.reader.activate() for _ in range(4)] == [TWO_CARDS] * 4
    assert rig.reader.uid == b""
    rig.air.remove(second)
    assert rig.reader.activate() == OK
    assert rig.reader.uid == UID_4


@pytest.mark.parametrize("uid", ["00000000", "ffffffff", "08a1b2c3"])
def test_uid_that_names_nobody_is_foreign(rig: ReaderRig, uid: str) -> None:
    put(rig, school_card(bytes.fromhex(uid)))

    assert rig.reader.activate() == FOREIGN
    assert rig.reader.uid == b""


@pytest.mark.parametrize("sak", [0x00, 0x20])
def test_card_that_is_no_mifare_classic_is_foreign(rig: ReaderRig, sak: int) -> None:
    rig.air.put(impostor(UID_4, sak=sak))

    assert rig.reader.activate() == FOREIGN


@pytest.mark.parametrize("answers", GARBLED.values(), ids=GARBLED)
def test_garbled_card_is_unreadable_after_three_tries(rig: ReaderRig, answers: dict[bytes, bytes]) -> None:
    rig.air.put(Impostor(answers))

    result, frames = rig.sent(rig.reader.activate)

    assert result == UNREADABLE
    assert frames == 3 * len(answers)


def test_next_card_is_found_at_once_though_the_last_one_never_said_goodbye(rig: ReaderRig) -> None:
    first = school_card()
    put(rig, first)
    rig.reader.activate()
    rig.air.remove(first)
    put(rig, school_card(UID_7))

    assert rig.reader.activate() == OK
    assert rig.reader.uid == UID_7


def test_halted_card_is_found_again(rig: ReaderRig) -> None:
    opened(rig)

    rig.reader.halt()

    assert rig.sent(rig.reader.activate) == (OK, 3)


def test_ten_thousand_empty_polls_change_nothing(rig: ReaderRig) -> None:
    for _ in range(10_000):
        assert rig.reader.activate() == NO_CARD
    put(rig, school_card())
    assert rig.reader.activate() == OK
