"""Reading, writing and torn writes (MF1S50YYX, sections 8.6, 9 and 12)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.parts import mfrc522_registers as r
from sim.parts.iso14443 import with_crc
from sim.parts.mifare import ACTIVE, IDLE, MifareClassic
from sim.parts.mifare_memory import new_image, torn
from tests.sim.parts.probe import ACK, UID_4, UID_7, Probe

NEW = bytes(range(0xA0, 0xB0))
OLD = bytes(range(0x10, 0x20))
NAK, NAK_GARBLED = 0x4, 0x5


class Desk:
    """A card on a reader, and what it said of its writes."""

    def __init__(self, uid: bytes = UID_4) -> None:
        self.written: list[tuple[int, bytes]] = []
        image = new_image(uid)
        image[64:80] = OLD
        self.card = MifareClassic(uid, image, lambda block, data: self.written.append((block, data)))
        self.probe = Probe()
        self.probe.field.put(self.card)
        self.probe.start()

    def block(self, number: int) -> bytes:
        return bytes(self.card.image[number * 16 : number * 16 + 16])


@pytest.fixture
def desk() -> Desk:
    """Sector 1 is open with key A."""
    desk = Desk()
    desk.probe.open(4, UID_4)
    return desk


@pytest.mark.parametrize("uid", [UID_4, UID_7])
def test_block_0_of_a_new_card_begins_with_the_uid(uid: bytes) -> None:
    desk = Desk(uid)
    desk.probe.open(0, uid)
    block = desk.probe.read_block(0)
    assert isinstance(block, bytes)
    assert block.startswith(uid + (b"\x08" if len(uid) == 4 else b""))


@given(st.binary(min_size=16, max_size=16), st.sampled_from([n for n in range(1, 64) if n % 4 != 3]))
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read_again_and_nothing_else_changes(data: bytes, block: int) -> None:
    desk = Desk()
    before = bytes(desk.card.image)
    desk.probe.open(block, UID_4)
    assert desk.probe.write_block(block, data) == [ACK, ACK]
    assert desk.probe.read_block(block) == data
    assert desk.written == [(block, data)]
    assert bytes(desk.card.image) == before[: block * 16] + data + before[block * 16 + 16 :]


def test_the_first_step_of_a_write_changes_nothing(desk: Desk) -> None:
    assert desk.probe.ask(0xA0, 4).data == bytes([ACK])
    desk.probe.clock.wait(1_000_000)
    desk.probe.select(UID_4)
    assert desk.block(4) == OLD


def test_a_write_takes_its_time_before_it_is_acknowledged(desk: Desk) -> None:
    desk.probe.ask(0xA0, 4)
    begun_us = desk.probe.clock.now_us
    assert desk.probe.ask(*NEW).data == bytes([ACK])
    assert 5_500 < desk.probe.clock.now_us - begun_us < 6_300, "1.6 ms of frame, 4 of EEPROM, some polling"


def test_a_card_writing_is_deaf(desk: Desk) -> None:
    desk.probe.ask(0xA0, 4)
    desk.probe.begin(with_crc(NEW))
    desk.probe.await_irq(r.TX_IRQ)
    desk.probe.stop_crypto()
    desk.probe.write(r.T_RELOAD_HIGH, 0)
    desk.probe.write(r.T_RELOAD_LOW, 40)
    assert desk.probe.exchange(b"\x52", last_bits=7).bits == 0
    assert desk.block(4) == OLD
    desk.probe.clock.wait(5_000)
    desk.probe.read(r.COM_IRQ)
    assert (desk.card.state, desk.block(4)) == (ACTIVE, NEW)


@pytest.mark.parametrize("block", [0, 5 * 4, 63, 64, 255])
def test_a_block_outside_the_open_sector_is_refused(desk: Desk, block: int) -> None:
    assert desk.probe.read_block(block) == NAK


def test_block_0_is_never_written() -> None:
    desk = Desk()
    desk.probe.open(0, UID_4)
    assert desk.probe.write_block(0, NEW) == [NAK]
    assert desk.written == []


@pytest.mark.parametrize("command", [(0x30, 4), (0xA0, 4), (0xC1, 4), (0xB0, 4)])
def test_without_a_session_memory_is_refused_and_the_card_leaves(command: tuple[int, int]) -> None:
    desk = Desk()
    desk.probe.select(UID_4)
    answer = desk.probe.ask(*command)
    assert (answer.bits, answer.data[0]) == (4, NAK)
    assert desk.card.state != ACTIVE


def test_after_a_refusal_the_session_is_over(desk: Desk) -> None:
    assert desk.probe.read_block(8) == NAK
    assert desk.probe.ask(0x30, 4).bits == 0


def test_a_wrong_crc_is_refused(desk: Desk) -> None:
    answer = desk.probe.exchange(b"\x30\x04\x00\x00")
    assert (answer.bits, answer.data[0]) == (4, NAK_GARBLED)


def test_a_wrong_crc_in_the_second_step_writes_nothing(desk: Desk) -> None:
    desk.probe.ask(0xA0, 4)
    assert desk.probe.exchange(NEW + b"\x00\x00").data == bytes([NAK_GARBLED])
    assert desk.block(4) == OLD


def test_a_second_step_of_the_wrong_size_writes_nothing(desk: Desk) -> None:
    desk.probe.ask(0xA0, 4)
    assert desk.probe.ask(*NEW[:15]).data == bytes([NAK_GARBLED])
    assert desk.block(4) == OLD


@given(st.floats(0, 1), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_torn_block_is_old_erased_or_new_byte_by_byte(fraction: float, old: bytes, new: bytes) -> None:
    block = torn(old, new, fraction)
    assert len(block) == 16
    assert all(byte in (old[index], 0, new[index]) for index, byte in enumerate(block))


def test_torn_at_both_ends() -> None:
    assert torn(OLD, NEW, 0) == OLD
    assert torn(OLD, NEW, 0.25) == bytes(8) + OLD[8:]
    assert torn(OLD, NEW, 0.5) == bytes(16)
    assert torn(OLD, NEW, 0.75) == NEW[:8] + bytes(8)
    assert torn(OLD, NEW, 1) == NEW


@pytest.mark.parametrize("fraction", [0, 0.25, 0.5, 0.75, 1])
def test_a_tear_leaves_a_partly_written_block_and_no_acknowledge(desk: Desk, fraction: float) -> None:
    desk.card.tear_next(fraction)
    assert desk.probe.write_block(4, NEW) == [ACK]
    assert desk.block(4) == torn(OLD, NEW, fraction)
    assert desk.written == [(4, torn(OLD, NEW, fraction))]
    assert desk.card.state == IDLE
    desk.probe.clock.wait(6_000)
    desk.probe.open(4, UID_4)
    assert desk.probe.read_block(4) == torn(OLD, NEW, fraction)
    assert desk.probe.write_block(4, NEW) == [ACK, ACK], "only the next write is torn"


@pytest.mark.parametrize("how", ["remove", "antenna", "reset pin", "power down"])
@pytest.mark.parametrize("eeprom_us", [500, 1_500, 2_500, 3_500])
def test_losing_the_field_while_writing_tears_the_block(desk: Desk, how: str, eeprom_us: int) -> None:
    desk.probe.ask(0xA0, 4)
    desk.probe.begin(with_crc(NEW))
    desk.probe.await_irq(r.TX_IRQ)
    desk.probe.clock.wait(eeprom_us)
    if how == "remove":
        desk.probe.field.remove(desk.card)
    elif how == "antenna":
        desk.probe.write(r.TX_CONTROL, 0x80)
    elif how == "reset pin":
        desk.probe.chip.reset_pin(False)
    else:
        desk.probe.write(r.COMMAND, 0x10)
    erased, programmed = min(16, eeprom_us * 32 // 4_000), max(0, eeprom_us * 32 // 4_000 - 16)
    assert desk.block(4) == NEW[:programmed] + bytes(erased - programmed) + OLD[erased:]
    assert [block for block, _ in desk.written] == [4]


def test_losing_the_field_after_the_write_is_late(desk: Desk) -> None:
    desk.probe.ask(0xA0, 4)
    desk.probe.begin(with_crc(NEW))
    desk.probe.await_irq(r.TX_IRQ)
    desk.probe.clock.wait(4_050)
    desk.probe.field.remove(desk.card)
    assert desk.block(4) == NEW
    assert not desk.probe.await_irq(r.RX_IRQ | r.TIMER_IRQ) & r.RX_IRQ, "done, and nobody saw it"
