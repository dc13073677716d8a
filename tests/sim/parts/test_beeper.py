"""The beeper remembers what it sounded."""

from sim.clock import Clock
from sim.parts.beeper import Beeper, Tone


def test_a_tone_lasts_from_its_first_duty_to_silence() -> None:
    clock, changes = Clock(0), list[str]()
    beeper = Beeper(clock.now_ms, lambda: changes.append("beep"))
    clock.advance(5_000)
    beeper.sound(2000, 32768)
    beeper.sound(2000, 20000)
    clock.advance(80_000)
    beeper.sound(2000, 0)
    assert list(beeper.tones) == [Tone(5, 2000, 80)]
    assert len(changes) == 2


def test_another_pitch_is_another_tone() -> None:
    clock = Clock(0)
    beeper = Beeper(clock.now_ms, lambda: None)
    beeper.sound(1000, 32768)
    clock.advance(10_000)
    beeper.sound(1500, 32768)
    assert beeper.freq_hz == 1500
    clock.advance(20_000)
    beeper.sound(0, 0)
    assert list(beeper.tones) == [Tone(0, 1000, 10), Tone(10, 1500, 20)]
