"""firmware/drivers/keypad.py on the simulated matrix, and on a contact that bounces longer than any data sheet allows."""

from collections.abc import Iterable

import pytest

from firmware.drivers.keypad import SCAN_MS, STUCK_MS, Keypad
from sim.clock import Clock
from sim.parts import keypad
from sim.parts.pins import IN, OPEN_DRAIN, PULL_UP, Pins
from tests.firmware.drivers.rig import ChipPin, Wire

ROWS, COLUMNS = range(14, 18), range(18, 22)
NAMES = tuple(name for row in keypad.KEYS for name in row)


class Pad:
    """The driver on the pins of a simulated chip, with the simulated keys on the other side."""

    def __init__(self, *, seed: int = 0, pressed: Iterable[str] = ()) -> None:
        self.clock = Clock(speed=0)
        pins = Pins({}, lambda: None)
        for pin in ROWS:
            pins.configure(pin, OPEN_DRAIN, 0, True)
        for pin in COLUMNS:
            pins.configure(pin, IN, PULL_UP, None)
        self.keys = keypad.Keypad(self.clock, pins, ROWS, COLUMNS, seed=seed)
        for name in pressed:
            self.keys.press(name)
        self.driver = Keypad(
            tuple(ChipPin(pins, number) for number in ROWS),
            tuple(ChipPin(pins, number) for number in COLUMNS),
            NAMES,
        )

    def run(self, ms: int) -> list[str]:
        """Let time pass, polling every millisecond; the keys reported."""
        seen: list[str] = []
        for _ in range(ms):
            self.clock.advance(1000)
            if name := self.driver.poll(self.clock.now_ms()):
                seen.append(name)
        return seen


def bouncing(levels: Iterable[int]) -> list[str | None]:
    """What a keypad of one key reports, looking every SCAN_MS, when its column reads these levels."""
    pin = Wire()
    pad = Keypad((Wire(),), (pin,), ("A",))
    seen: list[str | None] = []
    for look, level in enumerate(levels):
        pin.level = level
        seen.append(pad.poll(look * SCAN_MS))
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_each_key_is_reported_once_by_its_name(name: str) -> None:
    pad = Pad()
    pad.run(50)

    pad.keys.press(name)
    pressed = pad.run(100)
    pad.keys.release(name)

    assert pressed == [name]
    assert pad.run(100) == []


@pytest.mark.parametrize("seed", range(30))
def test_bouncing_contacts_make_one_key_of_each_press(seed: int) -> None:
    pad = Pad(seed=seed)
    pad.run(50)
    seen: list[str] = []
    for name in ("1", "2", "2", "OK"):
        pad.keys.press(name)
        seen += pad.run(60)
        pad.keys.release(name)
        seen += pad.run(60)

    assert seen == ["1", "2", "2", "OK"]


def test_twenty_milliseconds_of_chatter_make_one_key() -> None:
    up, down, chatter = [1] * 10, [0] * 20, [0, 1, 0, 0, 1]

    seen = bouncing([*up, *chatter, *down, *chatter, *down, *chatter, *up])

    assert [name for name in seen if name] == ["A"]


def test_spike_shorter_than_a_press_is_nothing() -> None:
    assert not any(bouncing([*[1] * 10, *[0] * 4, *[1] * 20]))


def test_stall_of_the_loop_is_not_taken_for_a_settled_contact() -> None:
    """A flash erase of half a second between two looks says nothing about the contact meanwhile."""
    pin = Wire()
    pin.level = 1
    pad = Keypad((Wire(),), (pin,), ("A",))
    for look in range(10):
        pad.poll(look * SCAN_MS)
    pin.level = 0

    assert [pad.poll(now_ms) for now_ms in (50, 550, 555)] == [None, None, "A"]


def test_held_key_is_not_repeated() -> None:
    pad = Pad()
    pad.run(50)
    pad.keys.press("5")

    assert pad.run(5000) == ["5"]


@pytest.mark.parametrize("names", [("1", "2"), ("1", "5"), ("1", "4"), ("1", "2", "4"), ("1", "2", "4", "5")])
def test_keys_pressed_together_mean_nothing(names: tuple[str, ...]) -> None:
    """Three at the corners of a rectangle close the fourth as well."""
    pad = Pad()
    pad.run(50)
    for name in names:
        pad.keys.press(name)

    assert pad.run(100) == []


def test_second_key_is_ignored_until_all_are_up() -> None:
    pad = Pad()
    pad.run(50)
    pad.keys.press("1")
    assert pad.run(50) == ["1"]

    pad.keys.press("2")
    assert pad.run(50) == []
    pad.keys.release("1")
    assert pad.run(50) == []
    pad.keys.release("2")
    pad.run(50)
    pad.keys.press("2")
    assert pad.run(50) == ["2"]


def test_key_down_at_power_on_is_stuck_and_no_press() -> None:
    pad = Pad(pressed=["7"])

    assert pad.run(100) == []
    assert pad.driver.is_stuck


def test_key_held_for_half_a_minute_is_stuck_until_it_comes_up() -> None:
    pad = Pad()
    pad.run(50)
    pad.keys.press("7")
    pad.run(STUCK_MS - 100)
    assert not pad.driver.is_stuck

    pad.run(200)
    assert pad.driver.is_stuck
    pad.keys.release("7")
    pad.run(100)
    assert not pad.driver.is_stuck
    pad.keys.press("8")
    assert pad.run(100) == ["8"]


def test_key_that_stays_down_of_two_is_stuck_as_well() -> None:
    pad = Pad()
    pad.run(50)
    pad.keys.press("7")
    pad.keys.press("8")
    pad.run(1000)
    pad.keys.release("8")
    pad.run(STUCK_MS)

    assert pad.driver.is_stuck


def test_ticks_may_wrap_while_a_key_goes_down() -> None:
    pin = Wire()
    pin.level = 1
    pad = Keypad((Wire(),), (pin,), ("A",))
    seen: list[str | None] = []
    for look in range(40):
        pin.level = int(look < 15)
        seen.append(pad.poll(((1 << 30) - 100 + look * SCAN_MS) % (1 << 30)))

    assert [name for name in seen if name] == ["A"]
