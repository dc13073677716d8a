"""The microcontroller, seen from its pins: the peripherals a program can reach, without the processor."""

from _thread import allocate_lock
from collections.abc import Callable, Mapping

from sim.clock import Clock
from sim.parts.pins import Pins
from sim.parts.pio import Pio
from sim.parts.spi import SpiBus
from sim.parts.uart import Uart
from sim.parts.watchdog import Watchdog

POWER_ON_RESET, WATCHDOG_RESET = 1, 3
"""`machine.reset_cause()`; `machine.reset()` goes through the watchdog, so it counts as that."""


class Rp2040:
    """An RP2040's peripherals. The program that uses them runs elsewhere, and asks for them through `sim.hub`.

    `resistors`: levels the board's pull-up and pull-down resistors give to pins nobody drives.
    `on_reset` is called when the watchdog bites or the program asks for a reset; it must restart the
    program and call `reset`. `sound(pin, freq_hz, duty)` follows the PWM outputs.
    """

    def __init__(self, clock: Clock, unique_id: bytes, resistors: Mapping[int, bool], on_reset: Callable[[], None]) -> None:
        assert len(unique_id) == 8
        self.clock = clock
        self.unique_id = unique_id
        self.on_reset = on_reset
        self.wake = allocate_lock()
        self.wake.acquire()
        self.pins = Pins(resistors, self.interrupt)
        self.pios = (Pio(self.pins, clock.now_us), Pio(self.pins, clock.now_us))
        self.spis = (SpiBus(), SpiBus())
        self.uarts = (Uart(clock, self.interrupt), Uart(clock, self.interrupt))
        self.watchdog = Watchdog(clock, on_reset)
        self.sound: Callable[[int, int, int], None] = _silent
        self._pwm: dict[int, tuple[int, int]] = {}
        self.started_us = clock.now_us()
        self.reset_cause = POWER_ON_RESET

    def reset(self, cause: int) -> None:
        """Begin anew: pins let go, peripherals off, ticks at 0."""
        self.reset_cause = cause
        self.started_us = self.clock.now_us()
        self.watchdog.stop()
        for uart in self.uarts:
            uart.reset()
        for pin in tuple(self._pwm):
            self.set_pwm(pin, 0, 0)
        self._pwm.clear()
        self.pins.reset()
        for pio in self.pios:
            pio.reset()

    def interrupt(self) -> None:
        """End the processor's wait in `machine.idle()`, or its next one if it does not wait now."""
        if self.wake.locked():
            self.wake.release()

    def set_pwm(self, pin: int, freq_hz: int, duty: int) -> None:
        """Run a PWM output: `duty` of 65535 high."""
        if pin not in self._pwm:
            self.pins.claim(pin, self._pwm)
        self._pwm[pin] = (freq_hz, duty)
        self.sound(pin, freq_hz, duty)

    def pwm(self, pin: int) -> tuple[int, int]:
        """Return frequency and duty of a PWM output, (0, 0) if it is none."""
        return self._pwm.get(pin, (0, 0))


def _silent(pin: int, freq_hz: int, duty: int) -> None:
    """A PWM output with nothing on it."""
