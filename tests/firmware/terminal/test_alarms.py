"""firmware/terminal/alarms.py: each alarm comes once, in order, across a wrap of the tick."""

from firmware.terminal.alarms import Alarms
from firmware.terminal.ticks import add

START = (1 << 30) - 500


def taken(alarms: Alarms, now_ms: int) -> list[int]:
    numbers: list[int] = []
    while (number := alarms.take(now_ms)) is not None:
        numbers.append(number)
    return numbers


def test_alarms_come_in_the_order_of_their_time() -> None:
    alarms = Alarms(3)
    alarms.set(0, START, 900)
    alarms.set(1, START, 300)
    alarms.set(2, START, 600)
    assert alarms.due() == add(START, 300)
    assert taken(alarms, add(START, 299)) == []
    assert taken(alarms, add(START, 900)) == [1, 2, 0]
    assert alarms.due() is None


def test_an_alarm_comes_once() -> None:
    alarms = Alarms(1)
    alarms.set(0, START, 0)
    assert taken(alarms, START) == [0]
    assert taken(alarms, add(START, 5_000)) == []


def test_an_alarm_set_anew_forgets_its_old_time() -> None:
    alarms = Alarms(2)
    alarms.set(0, START, 100)
    alarms.set(0, START, 700)
    assert taken(alarms, add(START, 600)) == []
    assert taken(alarms, add(START, 700)) == [0]


def test_an_alarm_turned_off_does_not_come() -> None:
    alarms = Alarms(2)
    alarms.set(0, START, 100)
    alarms.set(1, START, 100)
    assert alarms.is_set(0)
    alarms.turn_off(0)
    alarms.turn_off(0)
    assert not alarms.is_set(0)
    assert taken(alarms, add(START, 100)) == [1]
