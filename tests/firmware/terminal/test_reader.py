"""The card watcher on the real driver, the simulated chip, and simulated cards."""

import pytest

from firmware.terminal.events import CardGone, CardProblem, CardSeen
from firmware.terminal.reader import CardWatcher
from host.crypto import HostCrypto
from protocol import card, codes, keys
from protocol.record import LOAD, SALE
from sim.parts.mifare import MifareClassic
from sim.parts.mifare_memory import new_image
from tests.firmware.drivers.rig import ReaderRig

CRYPTO = HostCrypto()
CARD_KEY = bytes(range(16))
OTHER_KEY = bytes(16)


def make_card(
    uid: bytes, number: int = 7, card_key: bytes = CARD_KEY, copies: tuple[card.Copy, ...] = (), mac_uid: bytes = b""
) -> MifareClassic:
    """A card of this site; `copies`: A and B instead of those it is issued with; `mac_uid`: the UID its MACs are made for."""
    cmac = CRYPTO.cmac(keys.mac_key(CRYPTO, card_key, mac_uid or uid))
    key_a = keys.sector_key(CRYPTO, card_key, uid, card.SECTOR, "A")
    key_b = keys.sector_key(CRYPTO, card_key, uid, card.SECTOR, "B")
    blocks = card.new_card(card.Identity(number, 2, 900, 1), cmac, key_a=key_a, key_b=key_b)
    for index, copy in enumerate(copies):
        blocks[1 + index] = card.encode_copy(copy, card.BLOCK_COPY_A + index, cmac)
    image = new_image(uid)
    image[64:128] = b"".join(blocks)
    return MifareClassic(uid, image)


class Slot:
    """A watcher over a slot for cards, polled every 5 ms as the main loop does."""

    def __init__(self, card_key: bytes | None = CARD_KEY) -> None:
        self.rig = ReaderRig()
        self.watcher = CardWatcher(self.rig.reader, CRYPTO)
        self.watcher.card_key = card_key

    def watch(self, ms: int = 400) -> list[CardSeen | CardGone | CardProblem]:
        """The events of the next `ms`."""
        events: list[CardSeen | CardGone | CardProblem] = []
        end_us = self.rig.clock.now_us() + ms * 1000
        while self.rig.clock.now_us() < end_us:
            event = self.watcher.poll(self.rig.ticks_ms())
            if event is not None:
                events.append(event)
            self.rig.clock.advance(5_000)
        return events


def test_nothing_there_says_nothing() -> None:
    assert Slot().watch() == []


@pytest.mark.parametrize("uid", [bytes.fromhex("01020304"), bytes.fromhex("04010203040506")])
def test_a_card_is_seen_once_with_all_it_says(uid: bytes) -> None:
    copies = (card.Copy(8, 500, 100, 100, 3, LOAD, 1), card.Copy(9, 380, 120, 101, 9, SALE, 1))
    slot = Slot()
    slot.rig.air.put(made := make_card(uid, 42, copies=copies))
    seen = slot.watch()
    shown = card.shown(*copies)
    assert seen == [CardSeen(42, 2, 900, bytes(made.image[80:112]), shown, 9, 380)]


def test_a_new_card_has_one_copy() -> None:
    slot = Slot()
    slot.rig.air.put(make_card(b"\1\2\3\4"))
    seen = slot.watch()[0]
    assert isinstance(seen, CardSeen)
    assert (seen.counter, seen.balance_fen) == (1, 0)


def test_a_card_without_a_valid_copy_is_seen_with_counter_zero() -> None:
    slot = Slot()
    made = make_card(b"\1\2\3\4")
    made.image[80:112] = bytes(32)
    slot.rig.air.put(made)
    seen = slot.watch()[0]
    assert isinstance(seen, CardSeen)
    assert (seen.counter, seen.shown) == (0, bytes(14))


def test_a_card_taken_away_is_gone_within_100_ms_and_seen_again_when_it_returns() -> None:
    slot = Slot()
    slot.rig.air.put(made := make_card(b"\1\2\3\4"))
    slot.watch()
    slot.rig.air.remove(made)
    assert slot.watch(95) == [CardGone()]
    assert slot.watch() == []
    slot.rig.air.put(made)
    assert [type(event) for event in slot.watch()] == [CardSeen]


def test_one_disturbed_look_ends_nothing() -> None:
    """The card is deaf to one frame: the driver activates it anew, and it is still there."""
    slot = Slot()
    slot.rig.air.put(made := make_card(b"\1\2\3\4"))
    slot.watch()
    air = slot.rig.air

    def blink() -> None:
        air.remove(made)
        air.put(made)

    air.before[air.sent + 1] = blink
    assert slot.watch() == []


def test_another_card_in_its_place_is_gone_then_seen() -> None:
    slot = Slot()
    slot.rig.air.put(first := make_card(b"\1\2\3\4", 1))
    slot.watch()
    slot.rig.air.remove(first)
    slot.rig.air.put(make_card(b"\1\2\3\5", 2))
    gone, seen = slot.watch()
    assert isinstance(gone, CardGone)
    assert isinstance(seen, CardSeen)
    assert seen.number == 2


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (MifareClassic(b"\1\2\3\4"), codes.CARD_UNKNOWN),
        (make_card(b"\1\2\3\4", card_key=OTHER_KEY), codes.CARD_UNKNOWN),
        (make_card(b"\1\2\3\4", mac_uid=b"\1\2\3\5"), codes.CARD_UNKNOWN),
        (make_card(b"\x08\2\3\4"), codes.CARD_UNKNOWN),
        (make_card(b"\0\0\0\0"), codes.CARD_UNKNOWN),
    ],
    ids=["transport keys", "another site", "copied to another UID", "random UID", "void UID"],
)
def test_a_card_that_is_none_of_ours_is_said_so_once(made: MifareClassic, code: int) -> None:
    slot = Slot()
    slot.rig.air.put(made)
    assert slot.watch() == [CardProblem(code)]
    slot.rig.air.remove(made)
    assert slot.watch() == [CardGone()]


def test_two_cards_are_refused_and_none_is_picked() -> None:
    slot = Slot()
    slot.rig.air.put(first := make_card(b"\1\2\3\4"))
    slot.rig.air.put(make_card(b"\1\2\x13\5"))
    assert slot.watch() == [CardProblem(codes.TWO_CARDS)]
    slot.rig.air.remove(first)
    assert slot.watch() == [], "take both away first"


def test_a_second_card_for_a_moment_is_no_problem() -> None:
    """A hand that brings a card near may hold a purse."""
    slot = Slot()
    slot.rig.air.put(make_card(b"\1\2\3\4"))
    slot.rig.air.put(second := make_card(b"\1\2\x13\5"))
    assert slot.watch(90) == []
    slot.rig.air.remove(second)
    assert [type(event) for event in slot.watch()] == [CardSeen]


def test_a_second_card_beside_a_first_is_not_seen_until_the_first_leaves() -> None:
    """The first goes on to prove, by its open sector, that it lies there; a card that was not called is silent."""
    slot = Slot()
    slot.rig.air.put(first := make_card(b"\1\2\3\4", 1))
    slot.watch()
    slot.rig.air.put(make_card(b"\xf1\xf2\xf3\xf5", 2))
    assert slot.watch(600) == []
    slot.rig.air.remove(first)
    gone, seen = slot.watch()
    assert isinstance(gone, CardGone)
    assert isinstance(seen, CardSeen)
    assert seen.number == 2


def test_a_reader_that_is_dead_is_a_fault() -> None:
    slot = Slot()
    slot.rig.bus.stuck = 0
    assert slot.watch(5_000) == [CardProblem(codes.READER_FAULT)]
    slot.rig.bus.stuck = None
    assert slot.watch(5_000) == [CardGone()]
    slot.rig.air.put(make_card(b"\1\2\3\4"))
    assert [type(event) for event in slot.watch()] == [CardSeen]


def test_what_lies_there_when_a_dead_reader_comes_back_must_be_put_anew() -> None:
    slot = Slot()
    slot.rig.bus.stuck = 0
    slot.watch(5_000)
    slot.rig.air.put(made := make_card(b"\1\2\3\4"))
    slot.rig.bus.stuck = None
    assert slot.watch(5_000) == [CardProblem(codes.CARD_UNREADABLE)]
    slot.rig.air.remove(made)
    assert slot.watch() == [CardGone()]


def test_a_reader_that_dies_under_a_problem_is_a_fault() -> None:
    slot = Slot()
    slot.rig.air.put(MifareClassic(b"\1\2\3\4"))
    assert slot.watch() == [CardProblem(codes.CARD_UNKNOWN)]
    slot.rig.bus.stuck = 0
    assert slot.watch(5_000) == [CardProblem(codes.READER_FAULT)]


def test_a_reader_that_dies_under_a_card_ends_it() -> None:
    slot = Slot()
    slot.rig.air.put(make_card(b"\1\2\3\4"))
    slot.watch()
    slot.rig.bus.stuck = 0xFF
    assert slot.watch(5_000) == [CardGone(), CardProblem(codes.READER_FAULT)]


def test_without_settings_no_card_can_be_read() -> None:
    slot = Slot(card_key=None)
    slot.rig.air.put(made := make_card(b"\1\2\3\4"))
    assert slot.watch() == [CardProblem(codes.NOT_CONFIGURED)]
    slot.watcher.card_key = CARD_KEY
    slot.rig.air.remove(made)
    slot.watch()
    slot.rig.air.put(made)
    assert [type(event) for event in slot.watch()] == [CardSeen]


@pytest.mark.parametrize("frame", range(1, 25))
def test_a_card_taken_away_at_any_frame_is_never_half_seen(frame: int) -> None:
    slot = Slot()
    made = make_card(b"\1\2\3\4")
    slot.rig.air.put(made)
    slot.rig.air.before[slot.rig.air.sent + frame] = lambda: slot.rig.air.remove(made)
    events = slot.watch(1_500)
    assert [type(event) for event in events] in ([], [CardSeen, CardGone])
