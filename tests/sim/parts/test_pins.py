"""Pins: who decides a level, and who hears of it."""

import pytest

from sim.parts.pins import FALLING, IN, OPEN_DRAIN, OUT, PULL_DOWN, PULL_UP, RISING, Pins


def make_pins(resistors: dict[int, bool] | None = None) -> tuple[Pins, list[str]]:
    interrupts: list[str] = []
    return Pins(resistors or {}, lambda: interrupts.append("irq")), interrupts


@pytest.mark.parametrize(
    ("chip", "pull", "latch", "world", "resistor", "level"),
    [
        (OUT, 0, True, False, False, True),  # the chip's output decides over everything
        (OUT, PULL_UP, False, True, True, False),
        (OPEN_DRAIN, 0, False, True, True, False),  # an open drain pulls low,
        (OPEN_DRAIN, PULL_UP, True, None, False, True),  # and lets go
        (IN, PULL_UP, None, False, True, False),  # the world over the pull
        (IN, PULL_UP, None, None, False, True),  # the pull over the resistor
        (IN, PULL_DOWN, None, None, True, False),
        (IN, 0, None, None, True, True),  # the resistor over nothing
        (IN, 0, None, None, None, False),
    ],
)
def test_the_strongest_that_says_anything_decides_the_level(
    chip: int, pull: int, latch: bool | None, world: bool | None, resistor: bool | None, level: bool
) -> None:
    pins, _ = make_pins({} if resistor is None else {3: resistor})
    pins.configure(3, chip, pull, latch)
    pins.drive(3, world)
    assert pins.level(3) is level
    assert pins.levels() >> 3 & 1 == level


def test_an_output_starts_with_the_latched_value() -> None:
    pins, _ = make_pins({22: True})
    pins.configure(22, OUT, 0, False)
    assert pins.level(22) is False


def test_reset_makes_every_pin_an_input() -> None:
    pins, _ = make_pins()
    pins.configure(22, OUT, 0, True)
    pins.reset()
    assert pins.driven(22) is None
    assert pins.level(22) is False


def test_only_the_edges_asked_for_interrupt() -> None:
    pins, interrupts = make_pins()
    pins.trigger(4, FALLING)
    pins.drive(4, True)
    assert (interrupts, pins.take_fired()) == ([], 0)
    pins.drive(4, False)
    assert (interrupts, pins.take_fired(), pins.take_fired()) == (["irq"], 1 << 4, 0)
    pins.trigger(4, FALLING | RISING)
    pins.drive(4, True)
    assert pins.take_fired() == 1 << 4


def test_a_watcher_hears_of_a_row_being_let_go_although_its_level_stays() -> None:
    pins, _ = make_pins()
    pins.configure(14, OPEN_DRAIN, 0, False)
    seen: list[bool | None] = []
    pins.watch(14, lambda: seen.append(pins.driven(14)))
    pins.write(14, True)
    assert seen == [None]


def test_bystanders_are_called_before_and_after_a_change() -> None:
    pins, _ = make_pins()
    seen: list[int] = []
    pins.bystanders.append(lambda: seen.append(pins.levels()))
    pins.drive(0, True)
    pins.drive(0, True)
    assert seen == [0, 1]


def test_the_last_peripheral_to_claim_a_pin_has_it() -> None:
    pins, _ = make_pins()
    pins.claim(8, "UART 1")
    pins.claim(8, "SPI 1")
    assert pins.owner(8) == "SPI 1"
    pins.configure(8, IN, 0, None)
    assert pins.owner(8) is None
