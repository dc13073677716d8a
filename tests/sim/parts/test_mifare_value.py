"""Value blocks: INCREMENT, DECREMENT, RESTORE and TRANSFER (MF1S50YYX, sections 8.6.2.1 and 12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.parts.mifare import MifareClassic
from sim.parts.mifare_memory import new_image
from sim.parts.mifare_value import pack_value, unpack_value
from tests.sim.parts.probe import ACK, UID_4, Answer, Probe

DECREMENT, INCREMENT, RESTORE, TRANSFER = 0xC0, 0xC1, 0xC2, 0xB0
NAK, NAK_BUFFER_VALID = 0x4, 0x0


class Desk:
    """A card on a reader, the value 100 in block 4, sector 1 open."""

    def __init__(self, value: int = 100) -> None:
        image = new_image(UID_4)
        image[64:80] = pack_value(value, 4)
        self.card = MifareClassic(UID_4, image)
        self.probe = Probe()
        self.probe.field.put(self.card)
        self.probe.start().open(4, UID_4)

    def calculate(self, command: int, operand: int, block: int = 4) -> Answer:
        """Both steps; the second one is answered only if it fails."""
        assert self.probe.ask(command, block).data == bytes([ACK])
        return self.probe.ask(*operand.to_bytes(4, "little"))

    def value(self, block: int) -> tuple[int, int] | None:
        return unpack_value(bytes(self.card.image[block * 16 : block * 16 + 16]))


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 255))
def test_unpack_gives_back_what_was_packed(value: int, address: int) -> None:
    assert unpack_value(pack_value(value, address)) == (value, address)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 127))
def test_one_flipped_bit_is_no_value(value: int, bit: int) -> None:
    block = int.from_bytes(pack_value(value, 0), "little") ^ 1 << bit
    assert unpack_value(block.to_bytes(16, "little")) is None


@pytest.mark.parametrize(("command", "operand", "result"), [(INCREMENT, 23, 123), (DECREMENT, 123, -23), (RESTORE, 99, 100)])
def test_the_result_waits_in_the_buffer_until_it_is_transferred(command: int, operand: int, result: int) -> None:
    desk = Desk()
    assert desk.calculate(command, operand).bits == 0, "success is silence"
    assert desk.value(4) == (100, 4)
    assert desk.probe.ask(TRANSFER, 5).data == bytes([ACK])
    assert desk.value(5) == (result, 4)
    assert desk.value(4) == (100, 4)


def test_a_buffer_not_transferred_is_lost() -> None:
    desk = Desk()
    desk.calculate(INCREMENT, 1)
    desk.probe.open(4, UID_4)
    assert desk.probe.ask(TRANSFER, 4).data == bytes([NAK])
    assert desk.value(4) == (100, 4)


def test_what_is_no_value_block_is_refused() -> None:
    assert Desk().probe.ask(INCREMENT, 5).data == bytes([NAK])
    assert Desk().probe.ask(INCREMENT, 7).data == bytes([NAK])


def test_the_manufacturers_block_takes_no_value() -> None:
    desk = Desk()
    desk.card.image[16:32] = pack_value(7, 1)
    desk.probe.open(1, UID_4)
    desk.calculate(RESTORE, 0, block=1)
    assert desk.probe.ask(TRANSFER, 0).data == bytes([NAK_BUFFER_VALID])


def test_a_result_beyond_32_bits_is_refused() -> None:
    assert Desk(2**31 - 1).calculate(INCREMENT, 1).data == bytes([NAK])
    assert Desk(-(2**31)).calculate(DECREMENT, 1).data == bytes([NAK])


def test_a_refusal_tells_that_the_buffer_holds_a_value() -> None:
    desk = Desk()
    desk.calculate(INCREMENT, 1)
    assert desk.probe.ask(TRANSFER, 7).data == bytes([NAK_BUFFER_VALID])


def test_a_torn_transfer_is_no_value_any_more() -> None:
    desk = Desk()
    desk.calculate(INCREMENT, 1)
    desk.card.tear_next(0.6)
    assert desk.probe.ask(TRANSFER, 4).bits == 0
    assert desk.value(4) is None
