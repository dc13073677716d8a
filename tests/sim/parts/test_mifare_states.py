"""The card's states, requests and anticollision (ISO/IEC 14443-3, type A)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.parts import mfrc522_registers as r
from sim.parts.disturbed import DisturbedCard
from sim.parts.field import Field
from sim.parts.iso14443 import Frame, encode, with_crc
from sim.parts.mifare import ACTIVE, HALT, IDLE, OFF, READY, MifareClassic
from tests.sim.parts.probe import UID_4, UID_7, Clock, Probe

REQA, WUPA = b"\x26", b"\x52"
HALT_COMMAND = bytes([0x50, 0x00])


def on_reader(*uids: bytes) -> tuple[Probe, list[MifareClassic]]:
    probe = Probe(Clock(20))
    cards = [MifareClassic(uid) for uid in uids]
    for card in cards:
        probe.field.put(card)
    return probe.start(), cards


def bring(probe: Probe, card: MifareClassic, state: str) -> None:
    """Bring the one card on the reader into a state, by the air."""
    probe.select(card.uid)
    if state == HALT:
        probe.ask(*HALT_COMMAND)
    elif state == IDLE:
        probe.exchange(REQA, last_bits=7)
    elif state == READY:
        probe.wake()
    assert card.state == state


@pytest.mark.parametrize(("uid", "atqa", "sak"), [(UID_4, "0400", 0x08), (UID_7, "4400", 0x08)])
def test_atqa_and_sak_of_a_classic_1k(uid: bytes, atqa: str, sak: int) -> None:
    probe, _ = on_reader(uid)
    assert probe.exchange(REQA, last_bits=7).data == bytes.fromhex(atqa)
    assert probe.select(uid) == sak


def test_seven_bytes_take_two_levels_and_the_first_sak_says_so() -> None:
    probe, _ = on_reader(UID_7)
    probe.wake()
    first = probe.exchange(b"\x93\x20").data
    assert first[:4] == b"\x88" + UID_7[:3]
    assert probe.ask(0x93, 0x70, *first).data == with_crc(b"\x04")
    second = probe.exchange(b"\x95\x20").data
    assert second[:4] == UID_7[3:]
    assert probe.ask(0x95, 0x70, *second).data == with_crc(b"\x08")


# From which state a command leads where. What is not an answer is silence.
TRANSITIONS = [
    (IDLE, "REQA", READY),
    (IDLE, "WUPA", READY),
    (IDLE, "HLTA", IDLE),
    (IDLE, "anticollision", IDLE),
    (IDLE, "read", IDLE),
    (READY, "REQA", IDLE),
    (READY, "WUPA", IDLE),
    (READY, "HLTA", IDLE),
    (READY, "anticollision", READY),
    (READY, "anticollision of another", IDLE),
    (READY, "select", ACTIVE),
    (READY, "select of another", IDLE),
    (READY, "select with a wrong CRC", IDLE),
    (READY, "second level", IDLE),
    (READY, "read", IDLE),
    (ACTIVE, "REQA", IDLE),
    (ACTIVE, "WUPA", IDLE),
    (ACTIVE, "HLTA", HALT),
    (ACTIVE, "anticollision", IDLE),
    (ACTIVE, "select", IDLE),
    (ACTIVE, "RATS", IDLE),
    (ACTIVE, "read", IDLE),
    (HALT, "REQA", HALT),
    (HALT, "WUPA", READY),
    (HALT, "anticollision", HALT),
    (HALT, "read", HALT),
]
COMMANDS = {
    "REQA": (REQA, 7),
    "WUPA": (WUPA, 7),
    "HLTA": (with_crc(HALT_COMMAND), 0),
    "anticollision": (b"\x93\x20", 0),
    "anticollision of another": (b"\x93\x30\x13", 0),
    "second level": (b"\x95\x20", 0),
    "select": (with_crc(bytes([0x93, 0x70, *UID_4, 0x08])), 0),
    "select of another": (with_crc(bytes([0x93, 0x70, *UID_4[:3], 0x79, 0x09])), 0),
    "select with a wrong CRC": (bytes([0x93, 0x70, *UID_4, 0x08, 0, 0]), 0),
    "RATS": (with_crc(b"\xe0\x50"), 0),
    "read": (with_crc(b"\x30\x00"), 0),
}
ANSWERED = {(IDLE, "REQA"), (IDLE, "WUPA"), (HALT, "WUPA"), (READY, "anticollision"), (READY, "select"), (ACTIVE, "read")}


@pytest.mark.parametrize(("state", "command", "after"), TRANSITIONS)
def test_state_diagram(state: str, command: str, after: str) -> None:
    probe, (card,) = on_reader(UID_4)
    bring(probe, card, state)
    data, last_bits = COMMANDS[command]
    answer = probe.exchange(data, last_bits=last_bits)
    assert card.state == after
    assert bool(answer.bits) == ((state, command) in ANSWERED)


def test_a_card_woken_from_halt_falls_back_to_halt() -> None:
    probe, (card,) = on_reader(UID_4)
    bring(probe, card, HALT)
    assert probe.exchange(WUPA, last_bits=7).bits == 16
    probe.exchange(REQA, last_bits=7)
    assert card.state == HALT


def test_losing_the_field_forgets_halt() -> None:
    probe, (card,) = on_reader(UID_4)
    bring(probe, card, HALT)
    probe.write(r.TX_CONTROL, 0x80)
    assert card.state == OFF
    probe.write(r.TX_CONTROL, 0x83)
    probe.clock.wait(6_000)
    assert probe.exchange(REQA, last_bits=7).bits == 16


@pytest.mark.parametrize("uid", [b"", bytes(5), bytes(10), b"\x88abc", b"\x88abcdef"])
def test_a_uid_that_cannot_be_is_refused(uid: bytes) -> None:
    with pytest.raises(ValueError, match="UID"):
        MifareClassic(uid)


@pytest.mark.parametrize("image", [bytearray(1023), bytearray(1024)])
def test_an_image_that_is_not_the_cards_is_refused(image: bytearray) -> None:
    with pytest.raises(ValueError, match="new_image"):
        MifareClassic(UID_4, image)


def anticollide(probe: Probe, code: int) -> tuple[int, ...]:
    """Find one card of this level by the standard's procedure, taking 1 at each collision; its four bytes and BCC."""
    known, bits = 0, 0
    while True:
        whole, split = divmod(bits, 8)
        data = bytes([code, (2 + whole) << 4 | split, *known.to_bytes(5, "little")[: whole + (split > 0)]])
        probe.write(r.COLL, 0x00)
        answer = probe.exchange(data, last_bits=split, align=split)
        assert answer.bits
        known |= int.from_bytes(answer.data, "little") << whole * 8
        if not answer.errors & r.COLLISION_ERROR:
            return tuple(known.to_bytes(5, "little"))
        bits = whole * 8 + ((probe.read(r.COLL) & 0x1F) or 32)
        known = known & (1 << bits) - 1 | 1 << bits - 1


def find_all(probe: Probe) -> list[bytes]:
    """Find every card: select one, put it to sleep, ask who else is there."""
    found: list[bytes] = []
    while probe.exchange(REQA, last_bits=7).bits or probe.exchange(REQA, last_bits=7).bits:
        uid = b""
        for code in (0x93, 0x95):
            part = anticollide(probe, code)
            sak = probe.ask(code, 0x70, *part).data[0]
            uid += bytes(part[1:4] if sak & 0x04 else part[:4])
            if not sak & 0x04:
                break
        found.append(uid)
        probe.ask(*HALT_COMMAND)
    return found


def uids(size: int) -> st.SearchStrategy[bytes]:
    """UIDs that differ late, so that they collide often."""
    return st.binary(min_size=1, max_size=2).map(lambda tail: (b"\x04" + bytes(size))[: size - len(tail)] + tail)


@given(st.lists(uids(4) | uids(7), min_size=1, max_size=6, unique=True))
@settings(max_examples=40, deadline=None)
def test_anticollision_finds_every_card_once(cards: list[bytes]) -> None:
    probe, _ = on_reader(*cards)
    assert sorted(find_all(probe)) == sorted(cards)


def test_a_request_with_wrong_parity_is_no_anticollision() -> None:
    probe, (card,) = on_reader(UID_4)
    bring(probe, card, READY)
    asked = encode(b"\x93\x20")
    assert card.receive(Frame(asked.stream ^ 1 << 8, asked.length), 10**9) is None
    assert card.state == IDLE


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.integers(0, 7)), max_size=12))
@settings(deadline=None)
def test_no_frame_ever_raises(frames: list[tuple[bytes, int]]) -> None:
    card = MifareClassic(UID_4)
    card.power_on(0)
    at_fc = 100_000
    for data, last_bits in frames:
        for sent in (encode(REQA, last_bits=7), encode(data, last_bits=last_bits), encode(with_crc(data))):
            card.receive(sent, at_fc)
            at_fc += 100_000
    assert card.image[:4] == UID_4


def test_put_and_remove_twice_is_once() -> None:
    field, card = Field(), MifareClassic(UID_4)
    field.put(card)
    field.put(card)
    assert field.cards == (card,)
    field.remove(card)
    field.remove(card)
    assert field.cards == ()


def test_a_disturbed_card_moves_between_readers_like_any_other() -> None:
    card = DisturbedCard(MifareClassic(UID_4), lambda frame: frame)
    for _ in range(2):
        probe = Probe().start()
        probe.field.put(card)
        probe.clock.wait(6_000)
        assert probe.wake().bits == 16
        probe.field.remove(card)
        assert probe.wake().bits == 0
