"""firmware/drivers/rc522.py against the simulated chip, and against wires with no chip on them."""

from collections.abc import Callable

import pytest

from firmware.drivers.rc522 import DEAD, SILENCE, Rc522
from sim.clock import Clock
from tests.firmware.drivers.rig import ReaderBus, ReaderRig, Wire

WUPA = 0x52
VERSION = 0x37 << 1


class Registers:
    """A chip that takes and gives registers, and never does anything: its interrupt never comes."""

    def __init__(self) -> None:
        self._values = {VERSION: 0x92}

    def exchange(self, data: bytes) -> bytes:
        """Answer a read of one or several registers, or store."""
        if data[0] & 0x80:
            return bytes([0, *(self._values.get(address & 0x7E, 0) for address in data[:-1])])
        if data[0] != 0x04 << 1:
            self._values[data[0]] = data[-1]
        return bytes(len(data))


def chip_on(exchange: Callable[[bytes], bytes]) -> tuple[Rc522, Clock]:
    """A driver on wires that answer with `exchange`."""
    clock = Clock(speed=0)

    def ticks_ms() -> int:
        clock.advance(10)
        return clock.now_ms()

    return Rc522(ReaderBus(clock, exchange), Wire(), Wire(), ticks_ms), clock


def test_reset_finds_the_chip_and_its_version() -> None:
    rig = ReaderRig()

    assert rig.chip.version == 0x92
    assert rig.chip.is_ready()


def test_genuine_chip_passes_its_self_test_and_works_on() -> None:
    rig = ReaderRig()

    assert rig.chip.self_test()
    assert rig.chip.is_ready()


def test_chip_that_forgot_its_settings_is_set_up_again() -> None:
    rig = ReaderRig()
    rig.chip._rst.value(0)
    rig.chip._rst.value(1)
    rig.clock.advance(2000)

    assert not rig.chip.is_ready()
    assert rig.chip.keep_ready()
    assert rig.chip.is_ready()


def test_empty_field_is_silence_after_the_chip_s_own_timer() -> None:
    rig = ReaderRig()
    rig.chip.frame[0] = WUPA
    start_us = rig.clock.now_us()

    assert rig.chip.transceive(1, 7) == SILENCE
    assert 1000 <= rig.clock.now_us() - start_us <= 2000


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_absent_chip_is_said_at_reset_and_never_hangs(level: int) -> None:
    chip, clock = chip_on(lambda data: bytes([level]) * len(data))

    assert not chip.reset()
    assert chip.version == level
    assert clock.now_ms() <= 60


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_absent_chip_makes_an_exchange_dead_within_its_bound(level: int) -> None:
    chip, clock = chip_on(lambda data: bytes([level]) * len(data))

    assert chip.transceive(1, 7, 5) == DEAD
    assert chip.authenticate(12, 5) == DEAD
    assert clock.now_ms() <= 40


def test_interrupt_that_never_comes_makes_an_exchange_dead_within_its_bound() -> None:
    chip, clock = chip_on(Registers().exchange)
    assert chip.reset()
    start_ms = clock.now_ms()

    assert chip.transceive(1, 7, 5) == DEAD
    assert clock.now_ms() - start_ms <= 20


def test_dead_chip_is_tried_once_a_second() -> None:
    chip, clock = chip_on(lambda data: b"\xff" * len(data))
    assert not chip.keep_ready()
    start_us = clock.now_us()

    assert not chip.keep_ready()
    assert clock.now_us() - start_us < 1000
    clock.advance(1_000_000)
    start_us = clock.now_us()
    assert not chip.keep_ready()
    assert clock.now_us() - start_us > 40_000
