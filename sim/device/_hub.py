"""The wire from a board's built-in modules to the simulator (see `opcodes`).

Nothing here allocates once it is imported, so that a program may hold the heap locked around the
calls that do not allocate on the board either.
"""

from array import array
from os import system

import utime
from micropython import const
from opcodes import STATE, UART_READ

PAYLOAD_SIZE = const(256)

_wire = None
_head = bytearray(8)
_request = bytearray(8 + PAYLOAD_SIZE)
_integer = array("l", [0])
_state = array("l", [0] * 6)
_last_us = array("l", [0])

# What of the last state has not been read yet: bit n for pin n, bits 30 and 31 for the UARTs. Each may
# be read once without asking again, and only until the program does something: so a pass over all
# inputs costs one round trip, and a loop that waits for one of them sees it change.
_unread = 0

on_fired = None


def open_wire(fd):
    """Use file descriptor `fd`, a stream socket to the simulator, from now on."""
    global _wire
    _wire = open(fd, "r+b")  # noqa: SIM115 - it lives as long as the process
    sync(STATE)


@micropython.viper
def _put_head(to: ptr32, opcode_unit: int, size: int, value: int):
    to[0] = opcode_unit | size << 16
    to[1] = value


@micropython.viper
def _put_payload(to: ptr8, source: ptr8, start: int, size: int):
    for index in range(size):
        to[8 + index] = source[start + index]


def _lost():
    """End at once, as by a power cut: the simulator is gone, and nothing more may reach the flash."""
    system("kill -9 $PPID")


def _write(data, size):
    try:
        written = _wire.write(data, size)
    except OSError:
        written = -1
    if written != size:
        _lost()


def fetch(into, size):
    """Read `size` bytes of an answer."""
    if _wire.readinto(into, size) != size:
        _lost()


def tell(opcode, unit=0, value=0):
    """Send a request without payload; an answer is the caller's to read."""
    global _unread
    _unread = 0
    _put_head(_head, opcode | unit << 8, 0, value)
    _write(_head, 8)


def send(opcode, unit, value, data, start=0, size=-1):
    """Send a request with the bytes from `start` as payload, at most 256 of them."""
    global _unread
    _unread = 0
    if size < 0:
        size = len(data)
    _put_head(_request, opcode | unit << 8, size, value)
    _put_payload(_request, data, start, size)
    _write(_request, 8 + size)


def send_all(opcode, unit, data):
    """Send a payload of any length, in as many requests as it takes."""
    size = len(data)
    start = 0
    while start < size:
        send(opcode, unit, 0, data, start, min(size - start, PAYLOAD_SIZE))
        start += PAYLOAD_SIZE


def integer():
    """Read the integer a request is answered with."""
    fetch(_integer, 8)
    return _integer[0]


def ask(opcode, unit=0, value=0):
    """Send a request that is answered with an integer, and return it."""
    tell(opcode, unit, value)
    return integer()


def sync(opcode, unit=0, value=0):
    """Send a request that is answered with the state, and keep that."""
    global _unread
    tell(opcode, unit, value)
    fetch(_state, 48)
    _unread = -1
    if _state[4]:
        on_fired(_state[4])


def now_us():
    """Return virtual microseconds since the board started. Never runs backwards."""
    now = _state[1] + ((utime.ticks_us() - _state[0]) * _state[2] >> 16)
    if now < _last_us[0]:
        return _last_us[0]
    _last_us[0] = now
    return now


def _is_read(bit):
    global _unread
    if not _unread & bit:
        sync(STATE)
    _unread &= ~bit


def level(pin):
    """Return the level of a pin."""
    _is_read(1 << pin)
    return _state[3] >> pin & 1


def waiting(uart):
    """Return how many received bytes wait in a UART."""
    _is_read(1 << 30 + uart)
    return _state[5] >> 16 * uart & 0xFFFF


def read_uart(uart, into, size):
    """Read up to `size` waiting bytes; return how many."""
    if not waiting(uart):
        return 0
    count = ask(UART_READ, uart, size)
    fetch(into, count)
    return count
