"""Setting the parts of `machine` up: pins by their names and places (RP2040 data sheet, 1.4.3), and what the rp2 port takes for granted."""

import _hub
from machine import Pin
from micropython import const
from opcodes import SPI_CONFIGURE, UART_CONFIGURE

# The rp2 port sees that a whole character fits into `timeout_char`: 13 bits, to be safe.
_LONGEST_CHARACTER = const(13_000)


def pin_id(pin):
    if isinstance(pin, Pin):
        return pin._id
    if isinstance(pin, str):
        if pin == "LED":
            return 25
        pin = int(pin[4:] if pin.startswith("GPIO") else pin[2:] if pin.startswith("GP") else -1)
    if not 0 <= pin < 30:
        raise ValueError("invalid pin")
    return pin


def new_spi(bus, id, baudrate=1_000_000, *, polarity=0, phase=0, bits=8, sck=None, mosi=None, miso=None):
    if id not in (0, 1):
        raise ValueError("SPI(%d) doesn't exist" % id)
    default_sck, default_mosi, default_miso = ((18, 19, 16), (10, 11, 8))[id]
    bus._id = id
    bus._pins = bytes(
        (
            _spi_pin(id, default_sck if sck is None else sck, 2, "bad SCK pin"),
            _spi_pin(id, default_mosi if mosi is None else mosi, 3, "bad MOSI pin"),
            _spi_pin(id, default_miso if miso is None else miso, 0, "bad MISO pin"),
        )
    )
    set_spi(bus, baudrate, polarity=polarity, phase=phase)


def set_spi(bus, baudrate=1_000_000, *, polarity=0, phase=0):
    bus._baudrate = baudrate
    _hub.send(SPI_CONFIGURE, bus._id, baudrate, bytes((polarity, phase)) + bus._pins)


def _spi_pin(id, pin, place, error):
    pin = pin_id(pin)
    if pin & 3 != place or pin >> 3 & 1 != id:
        raise ValueError(error)
    return pin


def new_uart(port, id, baudrate=115_200, bits=8, parity=None, stop=1, **options):
    if id not in (0, 1):
        raise ValueError("UART(%d) doesn't exist" % id)
    port._id = id
    port._tx, port._rx = ((0, 1), (4, 5))[id]
    set_uart(port, baudrate, bits, parity, stop, **options)


def set_uart(port, baudrate=115_200, bits=8, parity=None, stop=1, *, tx=None, rx=None, txbuf=256, rxbuf=256, timeout=0, timeout_char=0):
    if tx is not None:
        port._tx = _uart_pin(port._id, tx, 0, "bad TX pin")
    if rx is not None:
        port._rx = _uart_pin(port._id, rx, 1, "bad RX pin")
    port._timeout = timeout
    port._timeout_char = max(timeout_char, _LONGEST_CHARACTER // baudrate + 1)
    frame = 1 + bits + (parity is not None) + stop
    _hub.send(UART_CONFIGURE, port._id, baudrate, bytes((frame, port._tx, port._rx, rxbuf & 0xFF, rxbuf >> 8)))


def _uart_pin(id, pin, place, error):
    pin = pin_id(pin)
    if pin & 3 != place or (pin + 4 & 8) >> 3 != id:
        raise ValueError(error)
    return pin
