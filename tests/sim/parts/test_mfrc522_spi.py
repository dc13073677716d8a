"""The MFRC522's SPI pins (data sheet, section 8.1.2) and reset pin (8.8)."""

from hypothesis import given
from hypothesis import strategies as st

from sim.parts import mfrc522_registers as r
from tests.sim.parts.probe import Probe

VERSION_BYTE = 0x80 | r.VERSION << 1


def test_version_is_2_0() -> None:
    assert Probe().read(r.VERSION) == 0x92


def test_each_address_is_answered_by_the_next_byte() -> None:
    probe = Probe()
    assert probe.spi(VERSION_BYTE, 0x80 | r.COMMAND << 1, 0x80 | r.MODE << 1, 0) == bytes([0, 0x92, 0x20, 0x3F])


def test_one_register_is_read_again_and_again_by_its_address_repeated() -> None:
    probe = Probe()
    probe.write(r.FIFO_DATA, 1, 2, 3)
    address = 0x80 | r.FIFO_DATA << 1
    assert probe.spi(address, address, address, 0) == bytes([0, 1, 2, 3])


def test_an_address_whose_data_is_not_clocked_takes_nothing_out_of_the_fifo() -> None:
    probe = Probe()
    probe.write(r.FIFO_DATA, 1, 2)
    probe.spi(0x80 | r.FIFO_DATA << 1)
    assert probe.read(r.FIFO_DATA) == 1


def test_all_bytes_of_a_write_go_to_one_register() -> None:
    probe = Probe()
    probe.write(r.FIFO_DATA, *range(10))
    assert probe.read(r.FIFO_LEVEL) == 10
    probe.write(r.T_RELOAD_LOW, 1, 2, 3)
    assert probe.read(r.T_RELOAD_LOW) == 3


def test_a_transaction_may_come_in_pieces() -> None:
    probe = Probe()
    probe.chip.select()
    assert probe.chip.exchange(bytes([VERSION_BYTE])) == b"\0"
    assert probe.chip.exchange(b"\0") == b"\x92"
    probe.chip.deselect()


def test_zero_ends_a_read() -> None:
    assert Probe().spi(VERSION_BYTE, 0, 0, 0) == bytes([0, 0x92, 0, 0])


def test_a_write_address_inside_a_read_neither_writes_nor_reads() -> None:
    probe = Probe()
    assert probe.spi(VERSION_BYTE, r.MODE << 1, 0x00) == bytes([0, 0x92, 0])
    assert probe.read(r.MODE) == 0x3F


def test_address_with_bit_0_set_is_no_address() -> None:
    probe = Probe()
    assert probe.spi(VERSION_BYTE | 1, 0) == b"\0\0"
    probe.spi(r.MODE << 1 | 1, 0x00)
    assert probe.read(r.MODE) == 0x3F


def test_nothing_is_heard_without_chip_select() -> None:
    probe = Probe()
    assert probe.chip.exchange(bytes([VERSION_BYTE, 0])) == b"\0\0"
    probe.chip.select()
    probe.chip.deselect()
    assert probe.chip.exchange(bytes([r.MODE << 1, 0])) == b"\0\0"
    assert probe.read(r.MODE) == 0x3F


def test_reset_pin_held_low_answers_nothing() -> None:
    probe = Probe()
    probe.chip.reset_pin(False)
    probe.clock.wait(1_000_000)
    assert probe.read(r.VERSION) == 0


def test_after_the_reset_pin_the_chip_starts_up_with_reset_values() -> None:
    probe = Probe().start()
    probe.write(r.FIFO_DATA, 1)
    probe.chip.reset_pin(False)
    probe.chip.reset_pin(True)
    assert probe.read(r.VERSION) == 0, "the oscillator has just begun"
    probe.write(r.MODE, 0x00)
    probe.clock.wait(1_000)
    assert (probe.read(r.VERSION), probe.read(r.MODE), probe.read(r.TX_CONTROL)) == (0x92, 0x3F, 0x80)
    assert probe.read(r.FIFO_LEVEL) == 0
    assert not probe.field.is_on


def test_a_reset_pin_that_does_not_move_does_nothing() -> None:
    probe = Probe()
    probe.write(r.T_RELOAD_LOW, 7)
    probe.chip.reset_pin(True)
    assert probe.read(r.T_RELOAD_LOW) == 7


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_on_the_bus_ever_raise(transactions: list[bytes]) -> None:
    probe = Probe()
    for mosi in transactions:
        probe.clock.wait(500)
        assert len(probe.spi(*mosi)) == len(mosi)
    probe.chip.reset_pin(False)
    probe.chip.reset_pin(True)
    probe.clock.wait(1_000)
    assert probe.read(r.VERSION) == 0x92
