"""Cards: numbers dense from 1, images a reader can open, UIDs that are real."""

import pytest

from host import cards
from host.errors import AlreadyThere, InvalidValue, NotFound
from protocol.card import EXPIRY_NONE, Identity, decode_copy, decode_identity
from tests.host.site import KEYS, Site

UID_7 = bytes.fromhex("04112233445566")


def test_numbers_are_dense_from_1(site: Site) -> None:
    assert cards.add(site.ledger, "20260001", UID_7).number == 3
    assert [card.number for card in cards.every(site.ledger)] == [1, 2, 3]


@pytest.mark.parametrize("uid", [b"", b"\1\2\3", bytes(4), b"\xff" * 4, bytes(7), b"\x08\1\2\3", bytes(10)])
def test_a_uid_that_identifies_no_card_is_refused(site: Site, uid: bytes) -> None:
    with pytest.raises(InvalidValue):
        cards.add(site.ledger, "20260001", uid)


def test_a_uid_is_issued_once(site: Site) -> None:
    cards.add(site.ledger, "20260001", UID_7)
    with pytest.raises(AlreadyThere):
        cards.add(site.ledger, "20260002", UID_7)


@pytest.mark.parametrize("uid", [bytes.fromhex("a1b2c3d4"), UID_7])
def test_an_image_is_a_card_as_issued(site: Site, uid: bytes) -> None:
    card = cards.add(site.ledger, "20260001", uid, expiry_day=2_900)
    image = cards.image(site.ledger, card.number)
    blocks = [image[at : at + 16] for at in range(0, len(image), 16)]
    cmac = KEYS.card_cmac(uid, 1)
    assert len(blocks) == 64
    assert blocks[0].startswith(uid)
    assert decode_identity(blocks[4], cmac) == Identity(3, 0, 2_900, 1)
    copy = decode_copy(blocks[5], 5, cmac)
    assert copy is not None
    assert (copy.counter, copy.balance_fen, blocks[6]) == (1, 0, bytes(16))
    assert (blocks[7][:6], blocks[7][10:]) == (KEYS.sector_key(uid, 1, "A", 1), KEYS.sector_key(uid, 1, "B", 1))
    others = [block for number, block in enumerate(blocks) if number % 4 == 3 and number != 7]
    assert set(others) == {b"\xff" * 6 + b"\xff\x07\x80\x69" + b"\xff" * 6}


def test_a_four_byte_uid_has_its_check_byte(site: Site) -> None:
    card = cards.add(site.ledger, "20260001", bytes.fromhex("a1b2c3d4"))
    assert cards.image(site.ledger, card.number)[4] == 0xA1 ^ 0xB2 ^ 0xC3 ^ 0xD4


def test_a_card_without_an_expiry_says_so(site: Site) -> None:
    assert cards.every(site.ledger)[0].expiry_day == EXPIRY_NONE


def test_denying_twice_keeps_the_first_time_and_reason(site: Site) -> None:
    first = cards.deny(site.ledger, 1, "lost")
    assert cards.deny(site.ledger, 1, "again") == first


def test_an_unknown_card_is_said(site: Site) -> None:
    with pytest.raises(NotFound):
        cards.image(site.ledger, 99)
