"""The Raspberry Pi Pico (RP2040): its pins, and the parts on them.

    UART0   TX 0, RX 1, driver enable 7: RS-485 to the host
    SPI0    SCK 2, MOSI 3, MISO 4, select 5, reset 6: MFRC522
    SPI1    SCK 10, MOSI 11, reset 12, select 13 (active high): ST7920
    keypad  rows 14-17, columns 18-21
    valve   22 (high is open, resistor to ground)
    beeper  26
    meters  cold 27, hot 28 (open collector, pull-up)

Only files of this folder import `machine` and `rp2`. Sources: RP2040 data sheet; MicroPython, "Quick reference for the RP2".
"""

import os
import time

import cryptolib
import machine
import rp2
from machine import PWM, SPI, UART, WDT, Pin

from firmware.drivers.beeper import Beeper
from firmware.drivers.flow_meter import FlowMeter
from firmware.drivers.keypad import Keypad
from firmware.drivers.line import Line
from firmware.drivers.mifare import Reader
from firmware.drivers.rc522 import Rc522
from firmware.drivers.st7920 import SPI_HZ, St7920
from firmware.drivers.valve import Valve
from firmware.terminal.ticks import diff
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from rp2.asm_pio_rp2040 import invert, jmp, label, mov, null, pin, wait, wrap, wrap_target, x, x_dec

    from firmware.drivers.wiring import TicksMs

_BAUD = const(115_200)
_RECEIVE_BUFFER = const(1024)  # 89 ms of line: longer than any step but a flash erase, which deafens the UART anyway
_TRANSMIT_BUFFER = const(256)  # the longest frame
_READER_HZ = const(4_000_000)
# A thousand times the fastest meter, and fast enough that one forced instruction is done before the next is written.
_COUNTER_HZ = const(1_000_000)
_PULSES_PER_L = const(450)  # until the settings say otherwise

# The longest the RP2040 can wait is 8,388 ms; reading a full journal back at boot feeds it on the way.
_WATCHDOG_MS = const(8000)

# Keys by row and column. OK is also labelled pause (确认/暂停).
_KEYS = ("1", "2", "3", "CLEAR", "4", "5", "6", "PLUS", "7", "8", "9", "TIMES", "DOT", "0", "END", "OK")

# Instructions encoded beforehand (RP2040 data sheet, 3.4), since encoding them from text allocates.
_MOV_ISR_NOT_X = const(0xA0C9)
_PUSH = const(0x8000)


class Board:
    """Every part of a terminal, ready; and what a processor offers: time, chance, AES, a watchdog.

    `meter_cold`, `meter_hot`: None on a till. `watchdog`: runs, `feed()` it within 8 s or the board starts again.
    `ticks_ms()`: modulo 2^30; `random(size)`: bytes from hardware; `aes`: the shape of `cryptolib.aes`.
    """

    def __init__(self, program: str) -> None:
        # First of all, so that no start, however it goes on, leaves water running.
        self.valve = Valve(Pin(22, Pin.OUT, value=0))
        self.ticks_ms: "TicksMs" = time.ticks_ms
        self.random = os.urandom
        self.aes = cryptolib.aes
        self.reader = _open_reader()
        self.display = _open_display()
        self.keypad = _open_keypad()
        self.beeper = Beeper(PWM(Pin(26), freq=2000, duty_u16=0))
        self.line = _open_line()
        is_shower = program == "shower"
        self.meter_cold = _open_meter(0, 27) if is_shower else None
        self.meter_hot = _open_meter(1, 28) if is_shower else None
        self.watchdog = WDT(timeout=_WATCHDOG_MS)

    def wait(self, ms: int) -> None:
        """Rest for `ms`, or until bytes wait on the line, which must be answered within 5 ms."""
        start = self.ticks_ms()
        while not self.line.is_waiting() and diff(self.ticks_ms(), start) < ms:
            machine.idle()

    def reset_cause(self) -> int:
        """Return why the board started: 1 power, 3 watchdog or `machine.reset`."""
        return machine.reset_cause()


def open_board(program: str) -> Board:
    """Open the board for `program`, "shower" or "pos", with the valve shut before anything else.

    A part that does not answer stops nothing: it reports by its own results later.
    """
    return Board(program)


class PulseCounter:
    """Counts the falling edges of one pin in a PIO state machine: none is lost while flash is erased.

    `state_machine`: 0..7; `pin`: an input. PIO counts only downwards, from 0xFFFFFFFF, and is read through a NOT; so
    the count starts at 0 and stays a small int, for which the device allocates nothing, up to 2^30 pulses.
    """

    def __init__(self, state_machine: int, pin: Pin) -> None:
        self._machine = rp2.StateMachine(state_machine, _count_falling, freq=_COUNTER_HZ, in_base=pin)
        self._machine.active(1)

    def count(self) -> int:
        """Pulses since the start, modulo 2^32."""
        self._machine.exec(_MOV_ISR_NOT_X)
        self._machine.exec(_PUSH)
        return self._machine.get()


@rp2.asm_pio()
def _count_falling():
    mov(x, invert(null))
    wrap_target()
    label("next")
    wait(1, pin, 0)
    wait(0, pin, 0)
    jmp(x_dec, "next")
    wrap()


def _open_reader() -> Reader:
    spi = SPI(0, baudrate=_READER_HZ, sck=Pin(2), mosi=Pin(3), miso=Pin(4))
    return Reader(Rc522(spi, Pin(5, Pin.OUT, value=1), Pin(6, Pin.OUT, value=1), time.ticks_ms))


def _open_display() -> St7920:
    # Nothing comes back from the display, but MicroPython takes a pin for it all the same.
    spi = SPI(1, baudrate=SPI_HZ, polarity=1, phase=1, sck=Pin(10), mosi=Pin(11), miso=Pin(8))
    return St7920(spi, Pin(13, Pin.OUT, value=0), Pin(12, Pin.OUT, value=0))


def _open_keypad() -> Keypad:
    rows = tuple([Pin(number, Pin.OPEN_DRAIN, value=1) for number in range(14, 18)])
    columns = tuple([Pin(number, Pin.IN, Pin.PULL_UP) for number in range(18, 22)])
    return Keypad(rows, columns, _KEYS)


def _open_line() -> Line:
    uart = UART(0, baudrate=_BAUD, tx=Pin(0), rx=Pin(1), timeout=0, rxbuf=_RECEIVE_BUFFER, txbuf=_TRANSMIT_BUFFER)
    return Line(uart, Pin(7, Pin.OUT, value=0))


def _open_meter(state_machine: int, number: int) -> FlowMeter:
    return FlowMeter(PulseCounter(state_machine, Pin(number, Pin.IN, Pin.PULL_UP)), _PULSES_PER_L)
