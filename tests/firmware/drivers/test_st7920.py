"""firmware/drivers/st7920.py into the simulated display, whose text is what a person reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.drivers.st7920 import COLUMNS, LINES, SPI_HZ, St7920, lay_out
from sim.parts.st7920 import St7920 as Panel
from tests.firmware.drivers.rig import Wire

BYTE_US = 8e6 / SPI_HZ
BLANK = [b""] * LINES


class Screen:
    """The driver with the panel behind its bus, in virtual time."""

    def __init__(self) -> None:
        self.now_us = 0
        self.sent = 0
        self.longest = 0
        self.panel = Panel(lambda: self.now_us, lambda: BYTE_US, lambda: None)
        select = Wire(lambda level: self.panel.select() if level else self.panel.deselect())
        self.driver = St7920(self, select, Wire(lambda level: self.panel.reset_pin(bool(level))))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Clock bytes out, which takes its time."""
        self.panel.exchange(bytes(data))
        self.now_us += round(len(data) * BYTE_US)
        self.sent += len(data)
        self.longest = max(self.longest, len(data))

    def write_readinto(self, out: bytes | bytearray | memoryview, into: bytearray | memoryview) -> None:
        """Nothing comes back from this display."""
        raise AssertionError("the display is never read")

    def run(self, ms: int, start_ms: int = 0) -> None:
        """Poll every millisecond."""
        for _ in range(ms):
            self.driver.poll((start_ms + self.now_us // 1000) % (1 << 30))
            self.now_us += 1000

    def show(self, *lines: str) -> list[str]:
        """Show four lines and wait; what can be read."""
        self.driver.show([line.encode("gb2312") for line in lines])
        self.run(20)
        return self.panel.text()


@pytest.fixture
def screen() -> Screen:
    """A display that has started up."""
    screen = Screen()
    screen.run(100)
    assert screen.panel.is_display_on
    return screen


def test_four_lines_are_read_as_they_were_given(screen: Screen) -> None:
    lines = ["欢迎光临北区浴室", "请插卡或输入号码", "12.50 元  + 3.00", "第一食堂03窗口01"]

    assert screen.show(*lines) == lines


def test_short_lines_are_blank_behind_and_long_ones_cut(screen: Screen) -> None:
    assert screen.show("OK", "", "0123456789abcdefgh", "一二三四五六七八九十") == [
        "OK" + " " * 14,
        " " * 16,
        "0123456789abcdef",
        "一二三四五六七八",
    ]


def test_no_byte_is_sent_faster_than_the_display_takes_it(screen: Screen) -> None:
    for number in range(20):
        screen.show(*(f"余额{number * line:012d}" for line in range(LINES)))

    assert screen.panel.lost == 0


def test_only_what_changed_is_sent(screen: Screen) -> None:
    screen.show("余额 12.50 元", "水温正常", "", "")
    before = screen.sent

    screen.show("余额 12.48 元", "水温正常", "", "")

    assert screen.sent - before == 4 + 4


def test_nothing_is_sent_while_nothing_changes(screen: Screen) -> None:
    lines = ["余额 12.50 元", "", "", ""]
    screen.show(*lines)
    before = screen.sent

    screen.show(*lines)

    assert screen.sent == before


def test_one_poll_sends_one_line_at_most(screen: Screen) -> None:
    screen.show(*["满满满满满满满满"] * LINES)

    assert screen.longest * BYTE_US <= 1500


def test_newer_screen_overtakes_one_that_is_not_out_yet(screen: Screen) -> None:
    screen.driver.show([b"old screen"] * LINES)
    screen.run(1)

    assert screen.show("new", "new", "new", "new") == ["new" + " " * 13] * LINES


def test_screen_shown_during_power_on_appears_after_it() -> None:
    screen = Screen()
    screen.driver.show([b"hello", *BLANK[1:]])
    screen.run(200)

    assert screen.panel.text()[0].rstrip() == "hello"
    assert screen.panel.lost == 0


def test_ticks_may_wrap_during_power_on() -> None:
    screen = Screen()
    screen.driver.show([b"hello", *BLANK[1:]])
    screen.run(200, start_ms=(1 << 30) - 30)

    assert screen.panel.text()[0].rstrip() == "hello"


def test_display_that_lost_its_supply_for_a_moment_shows_all_again_within_a_minute(screen: Screen) -> None:
    lines = ["欢迎光临北区浴室", "请插卡或输入号码", "12.50 元  + 3.00", "第一食堂03窗口01"]
    screen.show(*lines)
    for _ in range(2):
        screen.panel.power(False)
        screen.panel.power(True)
        assert screen.panel.text() != lines
        screen.run(60_100)
        assert screen.panel.text() == lines
    assert screen.panel.lost == 0


def test_display_that_lost_nothing_is_never_blank_meanwhile(screen: Screen) -> None:
    lines = screen.show("一", "二", "三", "四")
    screen.run(59_000)
    before = screen.sent
    for _ in range(2_000):
        screen.run(1)
        assert screen.panel.text() == lines
    assert screen.sent > before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a中b", b"a \xd6\xd0b"),
        ("中a文", b"\xd6\xd0a \xce\xc4"),
        ("0123456789abcde中", b"0123456789abcde "),
        ("一二三四五六七a八", "一二三四五六七".encode("gb2312") + b"a "),
    ],
)
def test_character_is_never_cut_in_half(text: str, shown: bytes) -> None:
    cells = bytearray(COLUMNS)
    lay_out(text.encode("gb2312"), cells, 0)

    assert cells == shown.ljust(COLUMNS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"\x00\x1b\x02A", b"   A"),
        (b"\x80\xffA", b"??A"),
        (b"\xd6", b"?"),
        (b"\xd6A", b"?A"),
        (b"\xf8\xa1", b"??"),
    ],
)
def test_what_the_font_lacks_is_shown_as_a_question(text: bytes, shown: bytes) -> None:
    cells = bytearray(COLUMNS)
    lay_out(text, cells, 0)

    assert cells == shown.ljust(COLUMNS)


@given(st.binary(max_size=40))
def test_any_bytes_fill_exactly_one_line_of_whole_characters(text: bytes) -> None:
    cells = bytearray(b"\x01" * 3 * COLUMNS)
    lay_out(text, cells, COLUMNS)

    assert cells[:COLUMNS] == cells[2 * COLUMNS :] == b"\x01" * COLUMNS
    line = cells[COLUMNS : 2 * COLUMNS]
    for first, second in zip(line[::2], line[1::2], strict=True):
        is_double = 0xA1 <= first <= 0xF7 and 0xA1 <= second <= 0xFE
        assert is_double or (0x20 <= first < 0x80 and 0x20 <= second < 0x80)
