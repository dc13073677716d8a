"""The MFRC522's timer (data sheet, section 8.5): a 16-bit down-counter behind a prescaler on the carrier's clock.

Gating by the pins MFIN and AUX1 is left out: the reader board leaves both open.
"""

from sim.parts import mfrc522_registers as r
from sim.parts.mfrc522_registers import Registers

T_AUTO, T_AUTO_RESTART, T_PRESCAL_EVEN = 0x80, 0x10, 0x10


class Timer:
    """Counts from TReloadReg to 0 and then requests TimerIRq.

    One run takes (2 * TPrescaler + 1) * (TReload + 1) carrier periods, with + 2 instead of + 1 in the first factor if
    DemodReg's TPrescalEven is set. Reload and prescaler are taken at the start; changing them concerns the next run.
    """

    def __init__(self, registers: Registers) -> None:
        self._registers = registers
        self._period_fc = 1
        self._reload = 0
        self._expires_fc: int | None = None
        self._stopped_at = 0

    @property
    def is_automatic(self) -> bool:
        """Whether it starts by itself at the end of a transmission, and stops when an answer begins (TAuto)."""
        return self._registers.has(r.T_MODE, T_AUTO)

    @property
    def due_fc(self) -> int | None:
        """When it runs out; None while it stands."""
        return self._expires_fc

    def start(self, at_fc: int) -> None:
        """Load the reload value and count down."""
        values = self._registers
        prescaler = (values[r.T_MODE] & 0x0F) << 8 | values[r.T_PRESCALER]
        self._period_fc = 2 * prescaler + (2 if values.has(r.DEMOD, T_PRESCAL_EVEN) else 1)
        self._reload = values[r.T_RELOAD_HIGH] << 8 | values[r.T_RELOAD_LOW]
        self._expires_fc = at_fc + self._period_fc * (self._reload + 1)

    def stop(self, at_fc: int) -> None:
        """Stand still; the counter keeps its value."""
        self._stopped_at = self.count(at_fc)
        self._expires_fc = None

    def expire(self, at_fc: int) -> None:
        """Run out: request TimerIRq, and start over if TAutoRestart is set, as often as there was time for by now."""
        assert self._expires_fc is not None
        self._registers.request(r.TIMER_IRQ)
        if self._registers.has(r.T_MODE, T_AUTO_RESTART):
            run_fc = self._period_fc * (self._reload + 1)
            self._expires_fc += ((at_fc - self._expires_fc) // run_fc + 1) * run_fc
        else:
            self._expires_fc, self._stopped_at = None, 0

    def count(self, at_fc: int) -> int:
        """Read the counter (TCounterValReg)."""
        if self._expires_fc is None:
            return self._stopped_at
        return max(0, (self._expires_fc - at_fc - 1) // self._period_fc)
