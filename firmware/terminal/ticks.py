"""Milliseconds on a device: a counter modulo 2^30 (12.4 days), compared only here.

The rule holds on every board and in simulated time alike. Two ticks may be at most 2^29 ms (6.2 days)
apart to be compared; whoever remembers a tick for longer refreshes it.
"""

from protocol.compat import const

_PERIOD = const(1 << 30)
_HALF = const(1 << 29)


def diff(later: int, earlier: int) -> int:
    """Milliseconds from `earlier` to `later`; negative when `later` was in fact before."""
    return ((later - earlier + _HALF) & (_PERIOD - 1)) - _HALF


def add(tick: int, ms: int) -> int:
    """The tick `ms` after `tick`."""
    return (tick + ms) & (_PERIOD - 1)
