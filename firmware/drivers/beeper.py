"""A piezo beeper, and the sounds that mean something."""

from firmware.terminal.ticks import diff
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Pwm

    Pattern = tuple[tuple[int, int], ...]

# A pattern is a tuple of (hertz, milliseconds); 0 hertz is a rest.
CLICK: "Pattern" = ((2000, 20),)
ACCEPTED: "Pattern" = ((2700, 150),)
REFUSED: "Pattern" = ((800, 120), (0, 80), (800, 120), (0, 80), (800, 300))
WARNING: "Pattern" = ((2000, 100), (0, 100), (2000, 100))
REMINDER: "Pattern" = ((2700, 80), (0, 120), (2700, 80), (0, 120), (2700, 80), (0, 600)) * 3

_SILENT = const(0)
_HALF = const(32768)  # a duty of one half is the loudest


class Beeper:
    """Plays one pattern at a time; a new one cuts the old one short.

    `pwm`: the pin's PWM. `beep` starts and `poll(now_ms)` goes on, without waiting and without allocating.
    """

    def __init__(self, pwm: "Pwm") -> None:
        self._pwm = pwm
        self._pattern: "Pattern" = ()
        self._index = 0
        # When the tone under way began; below zero: at the next poll.
        self._since_ms = -1
        pwm.duty_u16(_SILENT)

    def beep(self, pattern: "Pattern") -> None:
        """Play `pattern` from the next `poll` on."""
        self._pattern = pattern
        self._index = 0
        self._since_ms = -1

    def poll(self, now_ms: int) -> None:
        """Start, end or go on to the next tone as `now_ms` (ticks) demands."""
        if self._index == len(self._pattern):
            return
        if self._since_ms >= 0:
            if diff(now_ms, self._since_ms) < self._pattern[self._index][1]:
                return
            self._index += 1
        self._since_ms = now_ms
        self._sound(self._pattern[self._index][0] if self._index < len(self._pattern) else 0)

    def _sound(self, hertz: int) -> None:
        if hertz:
            self._pwm.freq(hertz)
        self._pwm.duty_u16(_HALF if hertz else _SILENT)
