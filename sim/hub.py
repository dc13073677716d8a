"""The wire between a board's processor and its peripherals: requests in, answers out."""

import socket
import struct
from collections.abc import Callable

from sim.device import opcodes
from sim.parts.rp2040 import Rp2040
from sim.parts.state_machine import Registers, StateMachine

_HEAD = struct.Struct("<BBHI")
_STATE = struct.Struct("<6q")
_INTEGER = struct.Struct("<q")
_PINS = struct.Struct("<5B")
_UART = struct.Struct("<3BH")
_DUTY = struct.Struct("<H")
_REGISTERS = struct.Struct("<4I")

_READ_SIZE = 1 << 16
_IDLE_US = 1000
"""`machine.idle()` of the rp2 port waits for an event, or 1 ms."""

_FAST_IDLE_US = 5000
"""The same while time runs fast: each wait costs real time, and programs that look every 5 ms would wait again at once."""


class Hub:
    """Carries out the requests of one program on one chip (`sim/device/opcodes.py` has their layout).

    A request without an answer is done when its turn comes, in order; so the program need not wait
    for it. Everything is done under the clock's lock, but waiting.
    """

    def __init__(self, chip: Rp2040) -> None:
        self._chip = chip
        self._clock = chip.clock
        self._is_on = False
        self._actions: dict[int, Callable[[int, int, bytes], bytes | None]] = {
            opcodes.STATE: lambda unit, value, data: self._state(),
            opcodes.CAUSE: lambda unit, value, data: _INTEGER.pack(chip.reset_cause),
            opcodes.UNIQUE_ID: lambda unit, value, data: chip.unique_id,
            opcodes.RESET: lambda unit, value, data: chip.on_reset(),
            opcodes.WATCHDOG_START: lambda unit, value, data: chip.watchdog.start(value),
            opcodes.WATCHDOG_FEED: lambda unit, value, data: chip.watchdog.feed(),
            opcodes.PIN_CONFIGURE: self._configure_pin,
            opcodes.PIN_WRITE: lambda unit, value, data: chip.pins.write(unit, bool(value)),
            opcodes.PIN_TOGGLE: lambda unit, value, data: chip.pins.toggle(unit),
            opcodes.PIN_TRIGGER: lambda unit, value, data: chip.pins.trigger(unit, value),
            opcodes.PWM_SET: lambda unit, value, data: chip.set_pwm(unit, value, _DUTY.unpack(data)[0]),
            opcodes.SPI_CONFIGURE: self._configure_spi,
            opcodes.SPI_WRITE: self._write_spi,
            opcodes.SPI_EXCHANGE: lambda unit, value, data: chip.spis[unit].exchange(data),
            opcodes.UART_CONFIGURE: self._configure_uart,
            opcodes.UART_WRITE: lambda unit, value, data: chip.uarts[unit].write(data),
            opcodes.UART_READ: self._read_uart,
            opcodes.UART_IS_IDLE: lambda unit, value, data: _INTEGER.pack(chip.uarts[unit].is_idle),
            opcodes.PIO_LOAD: self._load_pio,
            opcodes.PIO_CONFIGURE: self._configure_pio,
            opcodes.PIO_ACTIVE: lambda unit, value, data: self._machine(unit).set_active(bool(value)),
            opcodes.PIO_EXECUTE: lambda unit, value, data: self._machine(unit).execute(value),
            opcodes.PIO_RESTART: lambda unit, value, data: self._machine(unit).restart(value),
            opcodes.PIO_PUT: lambda unit, value, data: _INTEGER.pack(self._machine(unit).put(value)),
            opcodes.PIO_GET: self._get_pio,
            opcodes.PIO_COUNTS: lambda unit, value, data: _INTEGER.pack(self._machine(unit).rx_words | self._machine(unit).tx_words << 8),
        }

    def serve(self, wire: socket.socket) -> None:
        """Answer requests until the other end is closed."""
        self._is_on = True
        with self._clock.working():
            self._serve(wire)

    def _serve(self, wire: socket.socket) -> None:
        rest = b""
        while True:
            try:
                data = wire.recv(_READ_SIZE)
            except ConnectionError:
                return
            if not data:
                return
            if rest:
                data = rest + data
            start = 0
            while len(data) - start >= _HEAD.size:
                opcode, unit, size, value = _HEAD.unpack_from(data, start)
                end = start + _HEAD.size + size
                if end > len(data):
                    break
                answer = self._answer(opcode, unit, value, data[start + _HEAD.size : end])
                if answer is not None:
                    try:
                        wire.sendall(answer)
                    except ConnectionError:
                        return
                start = end
            rest = data[start:]

    def stop(self) -> None:
        """Carry out nothing more of the program that is served now: its power is gone."""
        self._is_on = False

    def _answer(self, opcode: int, unit: int, value: int, payload: bytes) -> bytes | None:
        if opcodes.STATE < opcode <= opcodes.LAST_WAITING:
            self._rest(opcode, unit, value)
            opcode = opcodes.STATE
        with self._clock.lock:
            return self._actions[opcode](unit, value, payload) if self._is_on else None

    def _rest(self, opcode: int, unit: int, value: int) -> None:
        """Let the program wait as long as it asked for, or until an interrupt."""
        clock, wake = self._clock, self._chip.wake
        if opcode == opcodes.UART_FLUSH:
            until_us, wake = self._chip.uarts[unit].idle_at_us, None
        elif opcode == opcodes.SLEEP:
            until_us = clock.now_us() + value
        else:
            until_us = clock.now_us() + (_FAST_IDLE_US if clock.speed > 1 else _IDLE_US)
        with clock.resting(until_us):
            clock.wait_until(until_us, wake)

    def _state(self) -> bytes:
        chip = self._chip
        real_us, virtual_us, rate = self._clock.mapping
        waiting = chip.uarts[0].waiting | chip.uarts[1].waiting << 16
        return _STATE.pack(real_us, virtual_us - chip.started_us, rate, chip.pins.levels(), chip.pins.take_fired(), waiting)

    def _configure_pin(self, unit: int, value: int, data: bytes) -> None:
        mode, pull, output = value & 0xFF, value >> 8 & 0xFF, value >> 16
        self._chip.pins.configure(unit, None if mode == opcodes.NO_PIN else mode, pull, None if output == 2 else bool(output))

    def _claim(self, owner: object, *pins: int) -> None:
        for pin in pins:
            if pin != opcodes.NO_PIN:
                self._chip.pins.claim(pin, owner)

    def _configure_spi(self, unit: int, value: int, data: bytes) -> None:
        polarity, phase, *pins = _PINS.unpack(data)
        self._chip.spis[unit].configure(value, polarity, phase)
        self._claim(self._chip.spis[unit], *pins)

    def _write_spi(self, unit: int, value: int, data: bytes) -> None:
        self._chip.spis[unit].exchange(data)

    def _configure_uart(self, unit: int, value: int, data: bytes) -> None:
        frame_bits, tx, rx, rxbuf = _UART.unpack(data)
        uart = self._chip.uarts[unit]
        if value:
            uart.configure(value, frame_bits, rxbuf)
        else:
            uart.reset()
        self._claim(uart, tx, rx)

    def _read_uart(self, unit: int, value: int, data: bytes) -> bytes:
        received = self._chip.uarts[unit].read(value)
        return _INTEGER.pack(len(received)) + received

    def _machine(self, unit: int) -> StateMachine:
        return self._chip.pios[unit // 4].machines[unit % 4]

    def _load_pio(self, unit: int, value: int, data: bytes) -> bytes:
        words = struct.unpack(f"<{len(data) // 2}H", data)
        origin = self._chip.pios[unit // 4].add_program(words)
        return _INTEGER.pack(-1 if origin is None else origin)

    def _configure_pio(self, unit: int, value: int, data: bytes) -> None:
        registers = Registers(*_REGISTERS.unpack(data))
        for pin in registers.outputs:
            self._chip.pins.claim(pin, self._chip.pios[unit // 4])
        self._machine(unit).configure(registers, value)

    def _get_pio(self, unit: int, value: int, data: bytes) -> bytes:
        word = self._machine(unit).get()
        return _INTEGER.pack(-1 if word is None else word)
