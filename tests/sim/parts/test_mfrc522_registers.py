"""The MFRC522's registers (data sheet, section 9) and FIFO (8.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.parts import mfrc522_registers as r
from tests.sim.parts.probe import Probe

# Sections 9.3.1 to 9.3.4, page by page, addresses 0 to F; None is what the data sheet leaves open.
RESET_VALUES = [
    [0x00, 0x20, 0x80, 0x00, 0x14, 0x00, 0x00, 0x21, 0x00, None, 0x00, 0x08, 0x10, 0x00, 0xA0, 0x00],
    [0x00, 0x3F, 0x00, 0x00, 0x80, 0x00, 0x10, 0x84, 0x84, 0x4D, 0x00, 0x00, 0x62, 0x00, 0x00, 0xEB],
    [0x00, 0xFF, 0xFF, 0x88, 0x26, 0x87, 0x48, 0x88, 0x20, 0x20, 0x00, 0x00, 0x00, 0x00, None, None],
    [0x00, 0x00, 0x00, 0x80, 0x00, None, 0x40, 0x92, 0x00, None, None, None, 0xFF, 0x00, 0x03, 0x00],
]
READ_ONLY = [r.ERROR, r.STATUS1, r.CRC_RESULT_HIGH, r.CRC_RESULT_LOW, r.T_COUNTER_HIGH, r.T_COUNTER_LOW, r.VERSION, 0x00, 0x0F, 0x3C]


def reset_values() -> list[tuple[int, int]]:
    return [
        (page * 16 + offset, value) for page, values in enumerate(RESET_VALUES) for offset, value in enumerate(values) if value is not None
    ]


@pytest.mark.parametrize(("address", "value"), reset_values())
def test_reset_value(address: int, value: int) -> None:
    assert Probe().read(address) == value


@pytest.mark.parametrize("address", READ_ONLY)
def test_read_only_register_keeps_its_value(address: int) -> None:
    probe = Probe()
    before = probe.read(address)
    probe.write(address, before ^ 0xFF)
    assert probe.read(address) == before


@pytest.mark.parametrize(("address", "written", "reads"), [(r.MODE, 0x00, 0x14), (r.TX_ASK, 0xFF, 0x40), (r.WATER_LEVEL, 0xFF, 0x3F)])
def test_reserved_bits_do_not_change(address: int, written: int, reads: int) -> None:
    probe = Probe()
    probe.write(address, written)
    assert probe.read(address) == reads


def test_set1_sets_the_marked_interrupts_and_without_it_they_are_cleared() -> None:
    probe = Probe()
    probe.write(r.COM_IRQ, 0x80 | 0x41)
    assert probe.read(r.COM_IRQ) == 0x55
    probe.write(r.COM_IRQ, 0x11)
    assert probe.read(r.COM_IRQ) == 0x44
    probe.write(r.COM_IRQ, 0x7F)
    assert probe.read(r.COM_IRQ) == 0


def test_set2_does_the_same_and_reserved_bits_stay_zero() -> None:
    probe = Probe()
    probe.write(r.DIV_IRQ, 0xFF)
    assert probe.read(r.DIV_IRQ) == 0x14
    probe.write(r.DIV_IRQ, 0x04)
    assert probe.read(r.DIV_IRQ) == 0x10


def test_status_shows_an_interrupt_only_if_enabled() -> None:
    probe = Probe()
    assert not probe.read(r.STATUS1) & 0x10
    probe.write(r.COM_I_EN, 0x80 | r.IDLE_IRQ)
    assert probe.read(r.STATUS1) & 0x10
    probe.write(r.COM_IRQ, r.IDLE_IRQ)
    assert not probe.read(r.STATUS1) & 0x10
    probe.write(r.DIV_I_EN, 0x04)
    probe.write(r.DIV_IRQ, 0x84)
    assert probe.read(r.STATUS1) & 0x10


def test_bits_that_only_command_read_as_zero() -> None:
    probe = Probe()
    probe.write(r.CONTROL, 0x40)
    probe.write(r.BIT_FRAMING, 0xF7)
    probe.write(r.FIFO_LEVEL, 0x80)
    assert (probe.read(r.CONTROL), probe.read(r.BIT_FRAMING), probe.read(r.FIFO_LEVEL)) == (0x10, 0x77, 0)


def test_crypto1_cannot_be_switched_on_by_software() -> None:
    probe = Probe()
    probe.write(r.STATUS2, r.CRYPTO1_ON)
    assert not probe.read(r.STATUS2) & r.CRYPTO1_ON


@given(st.binary(max_size=100))
def test_fifo_gives_back_the_first_64_bytes_in_order(data: bytes) -> None:
    probe = Probe()
    if data:
        probe.write(r.FIFO_DATA, *data)
    assert probe.read(r.FIFO_LEVEL) == min(64, len(data))
    assert bool(probe.read(r.ERROR) & r.OVERFLOW_ERROR) == (len(data) > 64)
    assert bytes(probe.read(r.FIFO_DATA) for _ in range(min(64, len(data)))) == data[:64]


def test_an_empty_fifo_reads_zero() -> None:
    assert Probe().read(r.FIFO_DATA) == 0


def test_flush_empties_the_fifo_and_clears_the_overflow() -> None:
    probe = Probe()
    probe.write(r.FIFO_DATA, *range(65))
    assert probe.read(r.COM_IRQ) & r.ERR_IRQ
    probe.write(r.FIFO_LEVEL, 0x80)
    assert (probe.read(r.FIFO_LEVEL), probe.read(r.ERROR)) == (0, 0)
    assert probe.read(r.COM_IRQ) & r.ERR_IRQ, "an interrupt is cleared by software alone"


def test_water_level_alerts() -> None:
    """LoAlert at 8 bytes or fewer, HiAlert with room for 8 or fewer; each crossing requests its interrupt once."""
    probe = Probe()
    probe.write(r.COM_IRQ, 0x7F)
    probe.write(r.FIFO_DATA, *range(8))
    assert probe.read(r.STATUS1) & 0x03 == 0x01
    probe.write(r.FIFO_DATA, *range(47))
    assert probe.read(r.STATUS1) & 0x03 == 0x00
    probe.write(r.FIFO_DATA, 0)
    assert probe.read(r.STATUS1) & 0x03 == 0x02
    assert probe.read(r.COM_IRQ) == r.HI_ALERT_IRQ
    probe.write(r.COM_IRQ, 0x7F)
    for _ in range(48):
        probe.read(r.FIFO_DATA)
    assert probe.read(r.COM_IRQ) == r.LO_ALERT_IRQ
    probe.write(r.COM_IRQ, 0x7F)
    assert probe.read(r.COM_IRQ) == 0
