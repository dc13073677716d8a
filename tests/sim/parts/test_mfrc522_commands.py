"""The MFRC522's commands that need no card (data sheet, section 10), timer (8.5) and power (8.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.parts import mfrc522_registers as r
from sim.parts.mfrc522_commands import CALC_CRC, IDLE, MEM, NO_CHANGE, RANDOM_ID, RECEIVE, SOFT_RESET, TRANSCEIVE, TRANSMIT
from tests.sim.parts.probe import Probe


def crc(probe: Probe, data: bytes) -> bytes:
    """Run the coprocessor as a driver does; low byte first."""
    probe.write(r.COMMAND, IDLE)
    probe.write(r.DIV_IRQ, 0x04)
    probe.write(r.FIFO_LEVEL, 0x80)
    probe.write(r.FIFO_DATA, *data)
    probe.write(r.COMMAND, CALC_CRC)
    assert probe.read(r.DIV_IRQ) & r.CRC_IRQ
    return bytes([probe.read(r.CRC_RESULT_LOW), probe.read(r.CRC_RESULT_HIGH)])


def bitwise_crc(data: bytes, crc: int) -> int:
    """The polynomial x^16 + x^12 + x^5 + 1, lowest bit first, one bit at a time."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def test_crc_of_the_standards_examples() -> None:
    """ISO/IEC 14443-3, annex B: types A and B over the same bytes."""
    probe = Probe()
    probe.write(r.MODE, 0x3D)
    assert crc(probe, b"\x00\x00") == bytes.fromhex("a01e")
    assert crc(probe, b"\x12\x34") == bytes.fromhex("26cf")
    probe.write(r.MODE, 0x3F)
    low, high = crc(probe, b"\x00\x00\x00")
    assert bytes([low ^ 0xFF, high ^ 0xFF]) == bytes.fromhex("ccc6")


@given(st.binary(min_size=1, max_size=64), st.integers(0, 3))
def test_crc_has_the_preset_of_mode_register(data: bytes, preset: int) -> None:
    probe = Probe()
    probe.write(r.MODE, 0x3C | preset)
    assert int.from_bytes(crc(probe, data), "little") == bitwise_crc(data, (0x0000, 0x6363, 0xA671, 0xFFFF)[preset])


def test_crc_goes_on_with_bytes_written_later_until_another_command() -> None:
    probe = Probe()
    probe.write(r.MODE, 0x3D)
    crc(probe, b"\x12")
    probe.write(r.FIFO_DATA, 0x34)
    assert [probe.read(r.CRC_RESULT_LOW), probe.read(r.CRC_RESULT_HIGH)] == [0x26, 0xCF]
    assert probe.read(r.COMMAND) & 0x0F == CALC_CRC
    assert probe.read(r.FIFO_LEVEL) == 0
    probe.write(r.COMMAND, IDLE)
    probe.write(r.FIFO_DATA, 0x56)
    assert probe.read(r.FIFO_LEVEL) == 1


def test_crc_msb_first_mirrors_every_byte() -> None:
    probe = Probe()
    probe.write(r.MODE, 0xBC)
    mirrored = bitwise_crc(bytes([0x48, 0x2C]), 0)
    low, high = crc(probe, b"\x12\x34")
    assert [int(f"{byte:08b}"[::-1], 2) for byte in (low, high)] == [mirrored & 0xFF, mirrored >> 8]


def test_digital_self_test_fills_the_fifo_with_the_bytes_of_version_2() -> None:
    probe = Probe()
    probe.write(r.COMMAND, SOFT_RESET)
    probe.write(r.FIFO_DATA, *bytes(25))
    probe.write(r.COMMAND, MEM)
    probe.write(r.AUTO_TEST, 0x09)
    probe.write(r.FIFO_DATA, 0)
    probe.write(r.COMMAND, CALC_CRC)
    assert probe.read(r.DIV_IRQ) & r.CRC_IRQ
    result = bytes(probe.read(r.FIFO_DATA) for _ in range(64))
    assert result.startswith(bytes.fromhex("00eb66ba57bf2395"))
    assert result.endswith(bytes.fromhex("dc15ba3e7d953b2f"))


def test_mem_keeps_25_bytes_through_a_reset_and_gives_them_back() -> None:
    probe = Probe()
    probe.write(r.FIFO_DATA, *range(1, 26))
    probe.write(r.COMMAND, MEM)
    assert (probe.read(r.COMMAND) & 0x0F, probe.read(r.FIFO_LEVEL)) == (IDLE, 0)
    probe.chip.reset_pin(False)
    probe.chip.reset_pin(True)
    probe.clock.wait(1_000)
    probe.write(r.COMMAND, MEM)
    assert bytes(probe.read(r.FIFO_DATA) for _ in range(25)) == bytes(range(1, 26))


def test_random_id_replaces_the_first_10_bytes_of_the_memory() -> None:
    probe = Probe()
    seen: set[bytes] = set()
    for _ in range(3):
        probe.write(r.FIFO_DATA, *range(25))
        probe.write(r.COMMAND, MEM)
        probe.write(r.COMMAND, RANDOM_ID)
        probe.write(r.COMMAND, MEM)
        memory = bytes(probe.read(r.FIFO_DATA) for _ in range(25))
        assert memory[10:] == bytes(range(10, 25))
        seen.add(memory[:10])
    assert len(seen) == 3


@pytest.mark.parametrize("command", [MEM, RANDOM_ID, 0x5, 0x6, 0x9, 0xA, 0xB, 0xD])
def test_a_command_that_ends_and_one_unknown_request_idle(command: int) -> None:
    probe = Probe()
    probe.write(r.COM_IRQ, 0x7F)
    probe.write(r.COMMAND, command)
    assert probe.read(r.COMMAND) & 0x0F == IDLE
    assert probe.read(r.COM_IRQ) & r.IDLE_IRQ


def test_the_host_ending_a_command_requests_nothing() -> None:
    probe = Probe()
    probe.write(r.COM_IRQ, 0x7F)
    probe.write(r.COMMAND, RECEIVE)
    probe.write(r.COMMAND, IDLE)
    assert probe.read(r.COM_IRQ) == 0


def test_no_command_change_leaves_the_command_and_switches_the_receiver() -> None:
    probe = Probe()
    probe.write(r.COMMAND, TRANSCEIVE)
    probe.write(r.COMMAND, 0x20 | NO_CHANGE)
    assert probe.read(r.COMMAND) == 0x20 | TRANSCEIVE


def test_a_command_clears_the_errors_and_idle_does_not() -> None:
    probe = Probe()
    probe.write(r.FIFO_DATA, *range(65))
    probe.write(r.COMMAND, IDLE)
    assert probe.read(r.ERROR) == r.OVERFLOW_ERROR
    probe.write(r.COMMAND, RECEIVE)
    assert probe.read(r.ERROR) == 0


def test_soft_reset_takes_the_reset_values_at_once() -> None:
    probe = Probe().start()
    probe.write(r.FIFO_DATA, 1)
    probe.write(r.COMMAND, SOFT_RESET)
    assert (probe.read(r.COMMAND), probe.read(r.TX_CONTROL), probe.read(r.FIFO_LEVEL)) == (0x20, 0x80, 0)
    assert probe.read(r.COM_IRQ) == 0x14
    assert not probe.field.is_on


def test_power_down_switches_the_field_off_and_keeps_registers() -> None:
    probe = Probe().start()
    probe.write(r.COMMAND, 0x10)
    assert probe.read(r.COMMAND) & 0x10
    assert not probe.field.is_on
    assert probe.read(r.TX_CONTROL) == 0x83


def test_waking_up_takes_time_during_which_power_down_reads_as_set() -> None:
    probe = Probe().start()
    probe.write(r.COMMAND, 0x10)
    probe.write(r.COMMAND, IDLE)
    assert probe.read(r.COMMAND) & 0x10
    assert not probe.field.is_on
    probe.clock.wait(600)
    assert not probe.read(r.COMMAND) & 0x10
    assert probe.field.is_on


def test_no_command_runs_while_asleep() -> None:
    probe = Probe()
    probe.write(r.COMMAND, 0x10 | TRANSCEIVE)
    assert probe.read(r.COMMAND) & 0x0F == IDLE


@pytest.mark.parametrize("prescaler", [0, 1, 169, 4095])
@pytest.mark.parametrize("reload", [0, 30, 999])
@pytest.mark.parametrize("is_even", [False, True])
def test_timer_runs_for_the_data_sheets_formula(prescaler: int, reload: int, is_even: bool) -> None:
    probe = Probe()
    probe.write(r.T_MODE, prescaler >> 8)
    probe.write(r.T_PRESCALER, prescaler & 0xFF)
    probe.write(r.T_RELOAD_HIGH, reload >> 8)
    probe.write(r.T_RELOAD_LOW, reload & 0xFF)
    probe.write(r.DEMOD, 0x5D if is_even else 0x4D)
    expected_us = (2 * prescaler + (2 if is_even else 1)) * (reload + 1) / 13.56
    probe.write(r.CONTROL, 0x40)
    start_us = probe.clock.now_us
    irqs = 0
    while not irqs & r.TIMER_IRQ:
        irqs = probe.read(r.COM_IRQ)
        probe.clock.wait(int(expected_us / 100))
    assert expected_us - 2 <= probe.clock.now_us - start_us <= expected_us * 1.03 + 10
    assert not probe.read(r.STATUS1) & 0x08


def test_timer_counts_down_and_stops_where_told() -> None:
    probe = Probe()
    probe.write(r.T_PRESCALER, 169)
    probe.write(r.T_RELOAD_LOW, 200)
    probe.write(r.CONTROL, 0x40)
    assert probe.read(r.STATUS1) & 0x08
    probe.clock.wait(2_500)
    probe.write(r.CONTROL, 0x80)
    stopped = probe.read(r.T_COUNTER_LOW)
    assert 98 <= stopped <= 100
    probe.clock.wait(1_000_000)
    assert probe.read(r.T_COUNTER_LOW) == stopped
    assert not probe.read(r.COM_IRQ) & r.TIMER_IRQ


def test_timer_with_auto_restart_goes_on_for_ever() -> None:
    probe = Probe()
    probe.write(r.T_MODE, 0x10)
    probe.write(r.CONTROL, 0x40)
    for _ in range(3):
        probe.clock.wait(10_000_000)
        probe.write(r.COM_IRQ, 0x7F)
        assert probe.read(r.COM_IRQ) & r.TIMER_IRQ
        assert probe.read(r.STATUS1) & 0x08


def test_a_new_reload_value_counts_from_the_next_start() -> None:
    probe = Probe()
    probe.write(r.T_PRESCALER, 169)
    probe.write(r.T_RELOAD_LOW, 100)
    probe.write(r.CONTROL, 0x40)
    probe.write(r.T_RELOAD_LOW, 1)
    probe.clock.wait(1_000)
    assert not probe.read(r.COM_IRQ) & r.TIMER_IRQ


def test_transmit_with_nothing_to_send_ends() -> None:
    probe = Probe()
    probe.write(r.COM_IRQ, 0x7F)
    probe.write(r.COMMAND, TRANSMIT)
    assert probe.read(r.COM_IRQ) & r.IDLE_IRQ
