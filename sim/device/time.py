"""Time as the board has it: ticks from the simulator's virtual clock, wrapping as on the rp2 port."""

import _hub
import utime
from micropython import const
from opcodes import SLEEP

_TICKS_MASK = const((1 << 30) - 1)
_HALF = const(1 << 29)

_LONGEST_SLEEP_US = const(1_000_000_000)

# A Pico has no battery: its calendar begins here at every power-on.
_START_S = const(1_609_459_200)  # 2021-01-01T00:00:00Z


def ticks_ms():
    return _hub.now_us() // 1000 & _TICKS_MASK


def ticks_us():
    return _hub.now_us() & _TICKS_MASK


def ticks_add(ticks, delta):
    if not -_HALF < delta < _HALF:
        raise OverflowError("ticks interval overflow")
    return ticks + delta & _TICKS_MASK


def ticks_diff(end, start):
    return (end - start + _HALF & _TICKS_MASK) - _HALF


def sleep_us(us):
    until = _hub.now_us() + us
    while (left := until - _hub.now_us()) > 0:
        _hub.sync(SLEEP, 0, min(left, _LONGEST_SLEEP_US))


def sleep_ms(ms):
    sleep_us(ms * 1000)


def sleep(seconds):
    sleep_us(int(seconds * 1_000_000))


def time():
    return _START_S + _hub.now_us() // 1_000_000


def gmtime(seconds=None):
    return utime.gmtime(time() if seconds is None else seconds)
