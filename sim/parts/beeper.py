"""A piezo beeper on a PWM pin, and the tones it made."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_KEPT = 1000
"""Tones remembered: far more than a story makes."""


@dataclass(frozen=True, slots=True)
class Tone:
    """One tone that has ended: when it began, its pitch, and how long it sounded."""

    start_ms: int
    freq_hz: int
    duration_ms: int


class Beeper:
    """Hears the PWM output it hangs on; a duty of 0 is silence.

    `tones` holds the tones that have ended, oldest first; `freq_hz` what sounds now, 0 for nothing.
    """

    def __init__(self, now_ms: Callable[[], int], on_change: Callable[[], None]) -> None:
        self._now_ms = now_ms
        self._on_change = on_change
        self.tones: deque[Tone] = deque(maxlen=_KEPT)
        self.freq_hz = 0
        self._start_ms = 0

    def sound(self, freq_hz: int, duty: int) -> None:
        """Follow the output: a square wave of `freq_hz` with `duty` (0..65535) of it high."""
        freq_hz = freq_hz if 0 < duty < 65535 else 0
        if freq_hz == self.freq_hz:
            return
        now_ms = self._now_ms()
        if self.freq_hz:
            self.tones.append(Tone(self._start_ms, self.freq_hz, now_ms - self._start_ms))
        self.freq_hz = freq_hz
        self._start_ms = now_ms
        self._on_change()
