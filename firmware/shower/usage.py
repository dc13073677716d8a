"""What a session has used: water through both meters, time, and the price of it."""

from firmware.terminal.ticks import diff
from protocol.compat import const
from protocol.tariff import charge_fen

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.terminal.settings import Tariff

_MS_PER_S = const(1000)


class Usage:
    """Totals of one session: `cold_ml`, `hot_ml`, the milliseconds the valve stood open, and what they cost.

    `meter` is told both meters' totals since power-on at every pass of the loop, session or not, so that water which still
    runs out of a valve that has just been shut is nobody's. It counts only between `open` and `shut`.

    The price is that of the tariff in force when the session began, on the session's totals, rounded down once a meter;
    `opened` carries that tariff's version. So a price that changes in mid-shower changes nothing here.
    """

    def __init__(self) -> None:
        self.cold_ml = 0
        self.hot_ml = 0
        self.charge_fen = 0
        self._tariff: "Tariff | None" = None
        self._cold_total_ml = 0
        self._hot_total_ml = 0
        self._open_ms = 0
        self._opened_ms = 0  # the tick at which the valve was opened last; means something while it is open
        self._is_open = False

    @property
    def volume_ml(self) -> int:
        """Water of both meters."""
        return self.cold_ml + self.hot_ml

    def begin(self, tariff: "Tariff") -> None:
        """Start at nothing."""
        self._tariff = tariff
        self.cold_ml = 0
        self.hot_ml = 0
        self.charge_fen = 0
        self._open_ms = 0

    def open(self, now_ms: int) -> None:
        """The valve is being opened."""
        self._is_open = True
        self._opened_ms = now_ms

    def shut(self, now_ms: int) -> None:
        """The valve is being shut; may be called again."""
        self._open_ms = self._open_for_ms(now_ms)
        self._is_open = False

    def seconds(self, now_ms: int) -> int:
        """How long the valve stood open; pauses do not count."""
        return self._open_for_ms(now_ms) // _MS_PER_S

    def meter(self, cold_total_ml: int, hot_total_ml: int) -> bool:
        """Take both totals; tell whether water was counted. Allocates nothing while they stand still."""
        if cold_total_ml == self._cold_total_ml and hot_total_ml == self._hot_total_ml:
            return False
        if self._is_open and self._tariff is not None:
            self.cold_ml += cold_total_ml - self._cold_total_ml
            self.hot_ml += hot_total_ml - self._hot_total_ml
            self.charge_fen = charge_fen(self.cold_ml, self._tariff.cold_fen_per_m3) + charge_fen(self.hot_ml, self._tariff.hot_fen_per_m3)
        self._cold_total_ml = cold_total_ml
        self._hot_total_ml = hot_total_ml
        return self._is_open

    def _open_for_ms(self, now_ms: int) -> int:
        return self._open_ms + (diff(now_ms, self._opened_ms) if self._is_open else 0)
