"""A matrix keypad of bare contacts, which bounce."""

from collections.abc import Sequence
from random import Random

from sim.clock import Clock
from sim.parts.pins import Pins

KEYS = (
    ("1", "2", "3", "CLEAR"),
    ("4", "5", "6", "PLUS"),
    ("7", "8", "9", "TIMES"),
    ("DOT", "0", "END", "OK"),
)
"""The keys by row and column."""

_BOUNCE_US = 5000
"""Contacts of this kind settle within 5 ms (data sheets of 4x4 membrane pads say at most 5)."""

_MAX_BOUNCES = 4


class Keypad:
    """Sixteen contacts between four row pins and four column pins, without diodes.

    A closed contact joins its row to its column, so that three keys at the corners of a rectangle
    close the fourth as well, as on the real thing. Each closing and opening chatters for some
    milliseconds of virtual time, the same way for the same seed.
    """

    def __init__(self, clock: Clock, pins: Pins, rows: Sequence[int], columns: Sequence[int], *, seed: int = 0) -> None:
        self._clock = clock
        self._pins = pins
        self._rows = tuple(rows)
        self._columns = tuple(columns)
        self._random = Random(seed)
        self._places = {key: (row, column) for row, keys in enumerate(KEYS) for column, key in enumerate(keys)}
        self._closed: set[tuple[int, int]] = set()
        self._turns = dict.fromkeys(self._places.values(), 0)
        for pin in self._rows:
            pins.watch(pin, self._settle)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all keys."""
        return tuple(self._places)

    def press(self, key: str) -> None:
        """Press a key and hold it. Raises KeyError for a name there is not."""
        self._move(self._places[key], True)

    def release(self, key: str) -> None:
        """Let a key go. Raises KeyError for a name there is not."""
        self._move(self._places[key], False)

    def _move(self, place: tuple[int, int], is_closed: bool) -> None:
        """Let the contact chatter, and end as it should; a later movement of the key overtakes this one."""
        self._turns[place] += 1
        turn = self._turns[place]
        times = sorted(self._random.randrange(1, _BOUNCE_US) for _ in range(2 * self._random.randint(0, _MAX_BOUNCES)))
        now_us = self._clock.now_us()
        self._set(place, is_closed)
        for index, after_us in enumerate(times):
            state = is_closed if index % 2 else not is_closed

            def bounce(_: int, state: bool = state) -> None:
                if self._turns[place] == turn:
                    self._set(place, state)

            self._clock.call_at(now_us + after_us, bounce)

    def _set(self, place: tuple[int, int], is_closed: bool) -> None:
        if is_closed:
            self._closed.add(place)
        else:
            self._closed.discard(place)
        self._settle()

    def _settle(self) -> None:
        """Pull low each column that closed contacts join, over however many others, to a row driven low."""
        low_rows = {row for row, pin in enumerate(self._rows) if self._pins.driven(pin) is False}
        low_columns: set[int] = set()
        while grown := {c for r, c in self._closed if r in low_rows} - low_columns:
            low_columns |= grown
            low_rows |= {r for r, c in self._closed if c in low_columns}
        for column, pin in enumerate(self._columns):
            self._pins.drive(pin, False if column in low_columns else None)
