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
from machine import PWM, SPI, UART, WDT, Pin

from firmware.boards.board import Board
from firmware.boards.pulse_counter import PulseCounter
from firmware.drivers.beeper import Beeper
from firmware.drivers.flow_meter import FlowMeter
from firmware.drivers.keypad import Keypad
from firmware.drivers.line import Line
from firmware.drivers.mifare import Reader
from firmware.drivers.rc522 import Rc522
from firmware.drivers.st7920 import SPI_HZ, St7920
from firmware.drivers.valve import Valve
from protocol.compat import const

_BAUD = const(115_200)
_RECEIVE_BUFFER = const(1024)  # 89 ms of line: longer than any step but a flash erase, which deafens the UART anyway
_TRANSMIT_BUFFER = const(256)  # the longest frame
_READER_HZ = const(4_000_000)
_PULSES_PER_L = const(450)  # until the settings say otherwise

# The longest the RP2040 can wait is 8,388 ms; loading the program and reading a full journal back feed it on the way.
_WATCHDOG_MS = const(8000)

# Keys by row and column. OK is also labelled pause (确认/暂停).
_KEYS = ("1", "2", "3", "CLEAR", "4", "5", "6", "PLUS", "7", "8", "9", "TIMES", "DOT", "0", "END", "OK")


def open_board(program: str) -> Board:
    """Open the board for `program`, "shower" or "pos", with the valve shut before anything else.

    A part that does not answer stops nothing: it reports by its own results later.
    """
    # First of all, so that no start, however it goes on, leaves water running.
    valve = Valve(Pin(22, Pin.OUT, value=0))
    is_shower = program == "shower"
    return Board(
        valve=valve,
        reader=_open_reader(),
        display=_open_display(),
        keypad=_open_keypad(),
        beeper=Beeper(PWM(Pin(26), freq=2000, duty_u16=0)),
        line=_open_line(),
        meter_cold=_open_meter(0, 27) if is_shower else None,
        meter_hot=_open_meter(1, 28) if is_shower else None,
        watchdog=WDT(timeout=_WATCHDOG_MS),
        ticks_ms=time.ticks_ms,
        random=os.urandom,
        aes=cryptolib.aes,
        reset_cause=machine.reset_cause,
        idle=machine.idle,
    )


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
