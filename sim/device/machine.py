"""The `machine` module of the rp2 port, as far as this firmware goes, ending in simulated parts."""

from time import sleep_us

import _hub
import micropython
from _hub import PAYLOAD_SIZE
from _seldom import call
from _uart import UART  # noqa: F401 - part of the module
from micropython import const
from opcodes import (
    CAUSE,
    IDLE,
    PIN_CONFIGURE,
    PIN_TRIGGER,
    PIN_WRITE,
    PWM_SET,
    RESET,
    SPI_EXCHANGE,
    SPI_WRITE,
    UNIQUE_ID,
    WATCHDOG_FEED,
    WATCHDOG_START,
)

# In one statement, which the build leaves as it is (host/linking/folding.py): programs ask for these by name.
PWRON_RESET, WDT_RESET = 1, 3

_CPU_HZ = const(125_000_000)

# Shorter transfers cost more real time in the simulator than on the bus.
_SHORTEST_WAIT_US = const(50)


def idle():
    _hub.sync(IDLE)


def reset():
    _hub.tell(RESET)
    while True:
        idle()


def reset_cause():
    return _hub.ask(CAUSE)


def unique_id():
    into = bytearray(8)
    _hub.tell(UNIQUE_ID)
    _hub.fetch(into, 8)
    return bytes(into)


def freq():
    return _CPU_HZ


_handlers = {}


def _fire(pins):
    for pin, handler in _handlers.items():
        if pins >> pin._id & 1:
            micropython.schedule(handler, pin)


_hub.on_fired = _fire


class Pin:
    """A GPIO. Its level, pulls and edges are the simulator's board; handlers run by `micropython.schedule`, as soft interrupts do."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self, id, mode=-1, pull=-1, *, value=None, alt=5):
        self._id = call("_setup", "pin_id", id)
        if mode != -1 or pull != -1 or value is not None:
            self.init(mode, pull, value=value, alt=alt)

    def init(self, mode=-1, pull=-1, *, value=None, alt=5):
        # A pull that is not given is none: the rp2 port sets the pulls each time.
        pull = 0 if pull is None or pull == -1 else pull
        mode = 0xFF if mode is None or mode == -1 else mode
        output = 2 if value is None else 1 if value else 0
        _hub.tell(PIN_CONFIGURE, self._id, mode | pull << 8 | output << 16)

    def value(self, x=None):
        if x is None:
            return _hub.level(self._id)
        _hub.tell(PIN_WRITE, self._id, 1 if x else 0)

    __call__ = value

    def on(self):
        _hub.tell(PIN_WRITE, self._id, 1)

    def off(self):
        _hub.tell(PIN_WRITE, self._id, 0)

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, *, hard=False):
        if handler is None:
            _handlers.pop(self, None)
            trigger = 0
        else:
            _handlers[self] = handler
        _hub.tell(PIN_TRIGGER, self._id, trigger)


class SPI:
    """A hardware bus. Transfers take the time that the bits take on the bus, as far as a wait is worth its cost here."""

    def __init__(self, *places, **options):
        call("_setup", "new_spi", self, *places, **options)

    def init(self, *places, **options):
        call("_setup", "set_spi", self, *places, **options)

    def _wait(self, size):
        us = size * 8_000_000 // self._baudrate
        if us >= _SHORTEST_WAIT_US:
            sleep_us(us)

    def write(self, buf):
        _hub.send_all(SPI_WRITE, self._id, buf)
        self._wait(len(buf))

    def write_readinto(self, write_buf, read_buf):
        size = len(write_buf)
        if size != len(read_buf):
            raise ValueError("buffers must be the same length")
        if size <= PAYLOAD_SIZE:
            _hub.send(SPI_EXCHANGE, self._id, 0, write_buf)
            _hub.fetch(read_buf, size)
        else:
            into = memoryview(read_buf)
            for start in range(0, size, PAYLOAD_SIZE):
                part = min(PAYLOAD_SIZE, size - start)
                _hub.send(SPI_EXCHANGE, self._id, 0, write_buf, start, part)
                _hub.fetch(into[start : start + part], part)
        self._wait(size)

    def readinto(self, buf, write=0):
        for index in range(len(buf)):
            buf[index] = write
        self.write_readinto(buf, buf)


class PWM:
    """A slice's output: runs once frequency (Hz) and duty (0 to 65535) are both given. Limits as in the rp2 port."""

    def __init__(self, dest, *, freq=0, duty_u16=-1):
        self._pin = call("_setup", "pin_id", dest)
        self._freq = 0
        self._duty = -1
        if duty_u16 >= 0:
            self.duty_u16(duty_u16)
        if freq:
            self.freq(freq)

    def freq(self, value):
        if value < 8:
            raise ValueError("freq too small")
        if value > _CPU_HZ // 2:
            raise ValueError("freq too large")
        self._freq = value
        self._set()

    def duty_u16(self, value):
        self._duty = min(max(value, 0), 65535)
        self._set()

    def _set(self):
        # The output runs only once both are given.
        if self._freq and self._duty >= 0:
            _hub.send(PWM_SET, self._pin, self._freq, bytes((self._duty & 0xFF, self._duty >> 8)))


class WDT:
    """The watchdog, 8,388 ms at most (RP2040 data sheet, 4.7); unfed it resets the board. It cannot be stopped."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if timeout > 8388:
            raise ValueError("timeout exceeds 8388")
        _hub.tell(WATCHDOG_START, 0, timeout)

    def feed(self):
        _hub.tell(WATCHDOG_FEED)
