"""firmware/drivers/beeper.py into the simulated piezo."""

import pytest

from firmware.drivers import beeper
from firmware.drivers.beeper import Beeper
from sim.parts.beeper import Beeper as Piezo

PATTERNS = {
    "CLICK": beeper.CLICK,
    "ACCEPTED": beeper.ACCEPTED,
    "REFUSED": beeper.REFUSED,
    "WARNING": beeper.WARNING,
    "REMINDER": beeper.REMINDER,
}


class Sound:
    """A beeper with the piezo behind its PWM pin."""

    def __init__(self, start_ms: int = 0) -> None:
        self.now_ms = start_ms
        self._hertz = 0
        self.piezo = Piezo(lambda: self.now_ms, lambda: None)
        self.driver = Beeper(self)

    def freq(self, hertz: int) -> None:
        """Take the PWM's frequency."""
        self._hertz = hertz

    def duty_u16(self, duty: int) -> None:
        """Take the PWM's duty: the piezo follows."""
        self.piezo.sound(self._hertz, duty)

    def run(self, ms: int) -> list[tuple[int, int]]:
        """Let time pass; (hertz, milliseconds) of every tone heard so far."""
        for _ in range(ms):
            self.driver.poll(self.now_ms % (1 << 30))
            self.now_ms += 1
        return [(tone.freq_hz, tone.duration_ms) for tone in self.piezo.tones]


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_pattern_sounds_as_it_is_written_and_ends_in_silence(pattern: "beeper.Pattern") -> None:
    sound = Sound()
    sound.driver.beep(pattern)

    assert sound.run(5000) == [tone for tone in pattern if tone[0]]
    assert sound.piezo.freq_hz == 0


def test_patterns_can_be_told_apart() -> None:
    assert len(set(PATTERNS.values())) == len(PATTERNS)


def test_new_pattern_cuts_the_old_one_short() -> None:
    sound = Sound()
    sound.driver.beep(((500, 1000),))
    sound.run(10)
    sound.driver.beep(((900, 20),))

    assert sound.run(100) == [(500, 10), (900, 20)]


def test_beeper_is_silent_from_the_start() -> None:
    assert Sound().run(100) == []


def test_ticks_may_wrap_in_the_middle_of_a_tone() -> None:
    sound = Sound(start_ms=(1 << 30) - 20)
    sound.driver.beep(((500, 50),))

    assert sound.run(200) == [(500, 50)]
