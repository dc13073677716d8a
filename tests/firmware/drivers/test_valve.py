"""firmware/drivers/valve.py."""

from firmware.drivers.valve import Valve
from tests.firmware.drivers.rig import Wire


def test_valve_is_shut_as_it_is_made() -> None:
    pin = Wire()
    pin.level = 1

    assert not Valve(pin).is_open
    assert pin.level == 0


def test_open_and_shut_are_what_the_pin_says() -> None:
    pin = Wire()
    valve = Valve(pin)

    valve.open()
    assert (valve.is_open, pin.level) == (True, 1)
    valve.shut()
    assert (valve.is_open, pin.level) == (False, 0)
