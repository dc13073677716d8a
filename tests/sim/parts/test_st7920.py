"""The ST7920 in serial mode, against its data sheet."""

import pytest

from sim.clock import Clock
from sim.parts.st7920 import CLEAR_US, EXECUTE_US, POWER_UP_US, St7920

BLANK = " " * 16


class Wire:
    """A driver that waits as long as it must, unless told otherwise."""

    def __init__(self, *, byte_us: float = 8.0) -> None:
        self.clock = Clock(0)
        self.changes = 0
        self.chip = St7920(self.clock.now_us, lambda: byte_us, self._changed)
        self.clock.advance(POWER_UP_US)

    def _changed(self) -> None:
        self.changes += 1

    def transfer(self, sync: int, *values: int, gap_us: int = EXECUTE_US + 30) -> None:
        self.chip.select()
        self.chip.exchange(bytes([sync]))
        for value in values:
            self.chip.exchange(bytes([value & 0xF0, value << 4 & 0xF0]))
            self.clock.advance(gap_us)
        self.chip.deselect()

    def instruct(self, *values: int) -> None:
        self.transfer(0xF8, *values, gap_us=CLEAR_US + EXECUTE_US)

    def write(self, data: bytes) -> None:
        self.transfer(0xFA, *data)


def start() -> Wire:
    """Return a display that is on and clear."""
    wire = Wire()
    wire.instruct(0x30, 0x0C, 0x01)
    return wire


@pytest.mark.parametrize(("address", "row"), [(0x80, 0), (0x90, 1), (0x88, 2), (0x98, 3)])
def test_each_row_has_its_address(address: int, row: int) -> None:
    wire = start()
    wire.instruct(address)
    wire.write("余额 12.50元".encode("gb2312"))
    assert wire.chip.text() == ["余额 12.50元" + " " * 4 if index == row else BLANK for index in range(4)]


def test_the_first_row_runs_on_into_the_third() -> None:
    wire = start()
    wire.instruct(0x80)
    wire.write(b"A" * 16 + b"B" * 16)
    assert wire.chip.text() == ["A" * 16, BLANK, "B" * 16, BLANK]


def test_a_chinese_character_astride_two_words_is_not_shown() -> None:
    wire = start()
    wire.instruct(0x80)
    wire.write(b"A" + "元".encode("gb2312"))
    assert "元" not in wire.chip.text()[0]


def test_nothing_shows_until_the_display_is_on() -> None:
    wire = Wire()
    wire.instruct(0x01, 0x80)
    wire.write(b"hello")
    assert wire.chip.text() == [BLANK] * 4
    wire.instruct(0x0C)
    assert wire.chip.text()[0].startswith("hello")
    wire.instruct(0x08)
    assert wire.chip.text() == [BLANK] * 4


def test_what_comes_during_an_instruction_is_lost() -> None:
    wire = start()
    wire.instruct(0x80)
    wire.transfer(0xFA, *b"AB", gap_us=10)
    assert wire.chip.text()[0][:2] == "A "
    assert wire.chip.lost == 1


def test_clear_takes_longer_than_other_instructions() -> None:
    wire = start()
    wire.transfer(0xF8, 0x01, gap_us=EXECUTE_US + 100)
    wire.write(b"A")
    assert wire.chip.lost == 1
    wire.clock.advance(CLEAR_US)
    wire.write(b"B")
    assert wire.chip.text()[0].startswith("B")


@pytest.mark.parametrize(("byte_us", "lost"), [(40.0, 0), (8.0, 4)])
def test_a_burst_is_judged_by_the_speed_of_its_bus(byte_us: float, lost: int) -> None:
    """At 200 kHz two bytes take 80 us, longer than an instruction; at 1 MHz a burst overruns the controller."""
    wire = Wire(byte_us=byte_us)
    wire.clock.advance(CLEAR_US)
    wire.chip.select()
    wire.chip.exchange(bytes([0xFA, *(half for value in b"ABCDE" for half in (value & 0xF0, value << 4 & 0xF0))]))
    assert wire.chip.lost == lost


def test_it_is_deaf_for_40_ms_after_power_on() -> None:
    wire = start()
    wire.chip.power(False)
    wire.chip.power(True)
    wire.instruct(0x0C)
    assert not wire.chip.is_display_on
    wire.clock.advance(POWER_UP_US)
    wire.instruct(0x0C)
    assert wire.chip.is_display_on


def test_a_power_cut_forgets_the_text_and_the_reset_pin_does_not() -> None:
    wire = start()
    wire.instruct(0x80)
    wire.write(b"hello")
    wire.chip.reset_pin(False)
    wire.chip.reset_pin(True)
    wire.instruct(0x0C)
    assert wire.chip.text()[0].startswith("hello")
    wire.chip.power(False)
    assert wire.chip.text() == [BLANK] * 4
    wire.chip.power(True)
    wire.clock.advance(POWER_UP_US)
    wire.instruct(0x0C)
    assert wire.chip.text() == [BLANK] * 4


def test_bytes_without_a_start_are_ignored() -> None:
    wire = start()
    wire.instruct(0x80)
    wire.chip.select()
    wire.chip.exchange(bytes([0x40, 0x10]))
    assert wire.chip.text() == [BLANK] * 4
    assert wire.chip.lost == 2


def test_a_start_in_the_middle_begins_anew() -> None:
    wire = start()
    wire.instruct(0x80)
    wire.chip.select()
    wire.chip.exchange(bytes([0xFA, 0x40, 0xFA, 0x40, 0x20]))
    assert wire.chip.text()[0].startswith("B")


def test_home_and_backwards_writing() -> None:
    wire = start()
    wire.instruct(0x83, 0x04)
    wire.write(b"CDAB")
    assert wire.chip.text()[0][4:8] == "ABCD"
    wire.instruct(0x02, 0x06)
    wire.write(b"XY")
    assert wire.chip.text()[0][:2] == "XY"


def test_the_extended_set_is_left_by_function_set() -> None:
    wire = start()
    wire.instruct(0x34, 0x80, 0x80)
    wire.write(b"pixels")
    wire.instruct(0x30, 0x80)
    wire.write(b"text")
    assert wire.chip.text()[0] == "text" + " " * 12


def test_a_change_is_told_once_a_transfer_and_only_if_there_was_one() -> None:
    wire = start()
    wire.instruct(0x80)
    before = wire.changes
    wire.write(b"hello")
    wire.instruct(0x80)
    wire.write(b"hello")
    assert wire.changes == before + 1
