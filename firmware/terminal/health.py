"""How often this board has started lately without staying up: what tells a fault from a power cut."""

from firmware.terminal.ticks import diff
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.terminal.storage import Storage

_NAME = "boots"
_HEALTHY_MS = const(10 * 60 * 1000)
_COUNT_MAX = const(255)


class Health:
    """Counts starts that no ten healthy minutes followed, in one byte of file "boots".

    `boots_without_health`: those before this one; the `started` record carries it.
    """

    def __init__(self, storage: "Storage", now_ms: int) -> None:
        self._storage = storage
        self._start_tick = now_ms
        self._is_healthy = False
        self.boots_without_health = (storage.read(_NAME) or b"\0")[0] if _NAME in storage.names() else 0
        storage.replace(_NAME, bytes([min(self.boots_without_health + 1, _COUNT_MAX)]))

    def poll(self, now_ms: int) -> None:
        """Note the tenth healthy minute."""
        if not self._is_healthy and diff(now_ms, self._start_tick) >= _HEALTHY_MS:
            self._is_healthy = True
            self._storage.replace(_NAME, b"\0")
