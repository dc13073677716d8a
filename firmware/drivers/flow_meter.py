"""A pulse-output flow meter."""

from protocol.tariff import volume_ml

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Counter


class FlowMeter:
    """Water through one meter since power-on, in millilitres.

    `counter`: the board's hardware counter (PIO, PCNT), which no slow step of the loop can make miss a pulse.
    `pulses_per_l`: pulses for one litre, as in the meter's data sheet, "Flow characteristic"; it may be set anew
    while no session runs, and the total then follows it.

    Volume is always worked out from the total number of pulses, so nothing drifts and no pulse is lost or
    counted twice. Never raises; an idle poll allocates nothing.
    """

    def __init__(self, counter: "Counter", pulses_per_l: int) -> None:
        self._counter = counter
        self._count = counter.count()
        self.pulses_per_l = pulses_per_l
        self.pulses = 0
        # The last answer, and what it was worked out with: most polls find nothing new.
        self._volume_ml = 0
        self._worked_out_with = pulses_per_l

    def poll(self) -> int:
        """Take in what the counter counted; returns the millilitres since power-on, rounded down."""
        count = self._counter.count()
        passed = count - self._count
        if passed:
            # The counter has 32 bits. At 450 pulses a litre it wraps after 9,500 cubic metres.
            self.pulses += passed if passed > 0 else passed + (1 << 32)
            self._count = count
        if passed or self._worked_out_with != self.pulses_per_l:
            self._worked_out_with = self.pulses_per_l
            self._volume_ml = volume_ml(self.pulses, self.pulses_per_l)
        return self._volume_ml
