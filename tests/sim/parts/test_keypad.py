"""The keypad: contacts that bounce, between rows pulled low and columns pulled up."""

import pytest

from sim.clock import Clock
from sim.parts.keypad import KEYS, Keypad
from sim.parts.pins import IN, OPEN_DRAIN, PULL_UP, Pins

ROWS, COLUMNS = (14, 15, 16, 17), (18, 19, 20, 21)
SETTLED_US = 10_000


def make_keypad(seed: int = 0) -> tuple[Clock, Pins, Keypad]:
    clock, pins = Clock(0), Pins({}, lambda: None)
    for pin in ROWS:
        pins.configure(pin, OPEN_DRAIN, 0, True)
    for pin in COLUMNS:
        pins.configure(pin, IN, PULL_UP, None)
    return clock, pins, Keypad(clock, pins, ROWS, COLUMNS, seed=seed)


def scan(pins: Pins) -> set[str]:
    """Pull one row low after the other and read the columns, as a driver does."""
    found: set[str] = set()
    for row, keys in zip(ROWS, KEYS, strict=True):
        pins.write(row, False)
        found |= {key for column, key in zip(COLUMNS, keys, strict=True) if not pins.level(column)}
        pins.write(row, True)
    return found


@pytest.mark.parametrize("key", [key for keys in KEYS for key in keys])
def test_a_pressed_key_is_found_in_its_row_and_column(key: str) -> None:
    clock, pins, keypad = make_keypad()
    keypad.press(key)
    clock.advance(SETTLED_US)
    assert scan(pins) == {key}
    keypad.release(key)
    clock.advance(SETTLED_US)
    assert scan(pins) == set()


def test_contacts_bounce_for_some_milliseconds_and_then_rest() -> None:
    bounces = 0
    for seed in range(20):
        clock, pins, keypad = make_keypad(seed)
        pins.write(ROWS[1], False)
        edges: list[int] = []
        pins.watch(COLUMNS[1], lambda clock=clock, edges=edges: edges.append(clock.now_us()))
        keypad.press("5")
        clock.advance(SETTLED_US)
        assert not pins.level(COLUMNS[1])
        assert edges[-1] <= 5000
        bounces += len(edges) - 1
    assert bounces > 20


def test_the_same_seed_bounces_the_same_way() -> None:
    def edges(seed: int) -> list[int]:
        clock, pins, keypad = make_keypad(seed)
        pins.write(ROWS[0], False)
        seen: list[int] = []
        pins.watch(COLUMNS[0], lambda: seen.append(clock.now_us()))
        keypad.press("1")
        clock.advance(SETTLED_US)
        return seen

    assert edges(7) == edges(7)


def test_a_key_let_go_while_it_bounces_stays_open() -> None:
    clock, pins, keypad = make_keypad(3)
    keypad.press("OK")
    clock.advance(200)
    keypad.release("OK")
    clock.advance(2 * SETTLED_US)
    assert scan(pins) == set()


def test_three_corners_of_a_rectangle_close_the_fourth() -> None:
    clock, pins, keypad = make_keypad()
    for key in ("1", "2", "4"):
        keypad.press(key)
    clock.advance(SETTLED_US)
    assert scan(pins) == {"1", "2", "4", "5"}


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(KeyError):
        make_keypad()[2].press("ENTER")
