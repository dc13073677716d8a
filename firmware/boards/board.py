"""What every terminal's board has, whichever it is: parts that stand ready, and what a processor offers."""

from firmware.terminal.ticks import diff

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.drivers.beeper import Beeper
    from firmware.drivers.flow_meter import FlowMeter
    from firmware.drivers.keypad import Keypad
    from firmware.drivers.line import Line
    from firmware.drivers.mifare import Reader
    from firmware.drivers.st7920 import St7920
    from firmware.drivers.valve import Valve
    from firmware.drivers.wiring import TicksMs, Watchdog


class Board:
    """Every part of a terminal, ready; and what a processor offers: time, chance, AES, a watchdog.

    `meter_cold`, `meter_hot`: None on a till. `watchdog`: runs, `feed()` it within 8 s or the board starts again.
    `ticks_ms()`: modulo 2^30; `random(size)`: bytes from hardware; `aes`: the shape of `cryptolib.aes`;
    `reset_cause()`: why the board started, 1 power, 3 watchdog or `machine.reset`; `idle()`: rests for a moment.
    """

    def __init__(
        self,
        *,
        valve: "Valve",
        reader: "Reader",
        display: "St7920",
        keypad: "Keypad",
        beeper: "Beeper",
        line: "Line",
        meter_cold: "FlowMeter | None",
        meter_hot: "FlowMeter | None",
        watchdog: "Watchdog",
        ticks_ms: "TicksMs",
        random: "Callable[[int], bytes]",
        aes: "Any",
        reset_cause: "Callable[[], int]",
        idle: "Callable[[], Any]",
    ) -> None:
        self.valve = valve
        self.reader = reader
        self.display = display
        self.keypad = keypad
        self.beeper = beeper
        self.line = line
        self.meter_cold = meter_cold
        self.meter_hot = meter_hot
        self.watchdog = watchdog
        self.ticks_ms = ticks_ms
        self.random = random
        self.aes = aes
        self.reset_cause = reset_cause
        self._idle = idle

    def wait(self, ms: int) -> None:
        """Rest for `ms`, or until bytes wait on the line, which must be answered within 5 ms."""
        start = self.ticks_ms()
        while not self.line.is_waiting() and diff(self.ticks_ms(), start) < ms:
            self._idle()
