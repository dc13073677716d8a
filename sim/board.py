"""One terminal's hardware: the microcontroller, the parts around it, and the wires between them."""

import hashlib
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sim.clock import Clock
from sim.parts.beeper import Beeper, Tone
from sim.parts.field import Card, Field
from sim.parts.keypad import Keypad
from sim.parts.line import Line
from sim.parts.mfrc522 import Mfrc522
from sim.parts.rp2040 import Rp2040
from sim.parts.st7920 import St7920
from sim.parts.water import Water
from sim.terminal import Terminal

LINE_TX, LINE_RX, LINE_SEND = 0, 1, 7
READER_SELECT, READER_RESET = 5, 6
DISPLAY_SELECT, DISPLAY_RESET = 13, 12
KEYPAD_ROWS, KEYPAD_COLUMNS = (14, 15, 16, 17), (18, 19, 20, 21)
VALVE = 22
LED = 25
BEEPER = 26
METER_COLD, METER_HOT = 27, 28
"""The pins, as in `firmware/boards/pico.py`; UART 0 is the line, SPI 0 the reader, SPI 1 the display."""

_READER_HZ, _READER_MODES = 10_000_000, frozenset({(0, 0)})
_DISPLAY_HZ, _DISPLAY_MODES = 2_500_000, frozenset({(0, 0), (1, 1)})
"""What the data sheets allow: MFRC522 8.1.2; ST7920 at 5 V, 400 ns a clock, data taken on the rising edge."""

_LONGEST_WAIT_S = 60.0


class Board:
    """A terminal in its box. `name` gives the chip its identity; `image` is its flash, `log` what it prints.

    `on_change(callback)`: `callback(what)` is called after each change, under the clock's lock and
    from any thread, with one of "power", "display", "valve", "beep", "led", "card", "key". It must
    return at once.

    Everything here may be called from any thread, but `power_on` and `close` not from a callback.
    """

    def __init__(self, name: str, clock: Clock, line: Line, image: Path, log: Path, *, seed: int = 0) -> None:
        self.name = name
        self.clock = clock
        self._observers: list[Callable[[str], None]] = []
        self._changed = threading.Condition(clock.lock)
        unique_id = hashlib.sha256(name.encode()).digest()[:8]
        self.chip = chip = Rp2040(clock, unique_id, {READER_SELECT: True}, lambda: self.terminal.reset())
        pins = chip.pins
        self.field = Field()
        self.reader = Mfrc522(clock.now_us, self.field)
        self.display = St7920(clock.now_us, chip.spis[1].byte_us, partial(self._notify, "display"))
        self.keypad = Keypad(clock, pins, KEYPAD_ROWS, KEYPAD_COLUMNS, seed=seed)
        self.water = Water(clock, partial(pins.drive, METER_COLD), partial(pins.drive, METER_HOT))
        self.beeper = Beeper(clock.now_ms, partial(self._notify, "beep"))
        self.transceiver = line.attach(self._hear, lambda: chip.uarts[0].is_idle)
        self.terminal = Terminal(chip, image, log, partial(self._notify, "power"))
        self._is_lit = self._is_open = False
        chip.spis[0].attach(self.reader, modes=_READER_MODES, max_hz=_READER_HZ)
        chip.spis[1].attach(self.display, modes=_DISPLAY_MODES, max_hz=_DISPLAY_HZ)
        chip.uarts[0].transmit = self._send
        chip.sound = self._sound
        pins.watch(READER_SELECT, lambda: chip.spis[0].choose(self.reader, not pins.level(READER_SELECT)))
        pins.watch(READER_RESET, lambda: self.reader.reset_pin(pins.level(READER_RESET)))
        pins.watch(DISPLAY_SELECT, lambda: chip.spis[1].choose(self.display, pins.level(DISPLAY_SELECT)))
        pins.watch(DISPLAY_RESET, lambda: self.display.reset_pin(pins.level(DISPLAY_RESET)))
        pins.watch(LINE_SEND, self._switch_line)
        pins.watch(VALVE, self._switch_valve)
        pins.watch(LED, self._switch_led)
        self.display.power(False)
        self.reader.reset_pin(False)

    # What a person does.

    def press(self, key: str) -> None:
        """Press a key and hold it. Raises KeyError for a name there is not (`sim.parts.keypad.KEYS`)."""
        with self.clock.lock:
            self.keypad.press(key)
            self._notify("key")

    def release(self, key: str) -> None:
        """Let a key go."""
        with self.clock.lock:
            self.keypad.release(key)
            self._notify("key")

    def type_key(self, key: str, *, hold_ms: int = 80) -> None:
        """Press a key now and have it let go after `hold_ms` of virtual time."""
        self.press(key)
        self.clock.call_at(self.clock.now_us() + hold_ms * 1000, lambda _: self.release(key))

    def put_card(self, card: Card) -> None:
        """Lay a card on the reader."""
        with self.clock.lock:
            self.field.put(card)
            self._notify("card")

    def remove_card(self, card: Card | None = None) -> None:
        """Take a card away; without a name, every card that lies there."""
        with self.clock.lock:
            for lying in [card] if card is not None else list(self.field.cards):
                self.field.remove(lying)
            self._notify("card")

    def power_on(self) -> None:
        """Switch the supply on. Raises `Busy` if another simulator runs from the same flash."""
        with self.clock.lock:
            self.display.power(True)
        self.terminal.power_on()

    def cut_power(self) -> None:
        """Pull the plug: the process is killed, and the valve falls shut."""
        with self.clock.lock:
            self.terminal.cut_power()
            self.display.power(False)
            self._notify("power")

    def close(self) -> None:
        """Pull the plug and take the board apart."""
        self.cut_power()
        self.terminal.close()

    # What a person sees and hears.

    @property
    def is_powered(self) -> bool:
        """Whether there is power, even if the program has ended."""
        return self.terminal.is_powered

    @property
    def valve_open(self) -> bool:
        """Whether the valve stands open."""
        return self.water.is_open

    @property
    def litres(self) -> float:
        """What ran out in all."""
        return self.water.litres

    @property
    def beeps(self) -> list[Tone]:
        """The tones that have ended, oldest first."""
        return list(self.beeper.tones)

    @property
    def is_lit(self) -> bool:
        """Whether the LED is on."""
        return self._is_lit

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Have `callback(what)` called after each change."""
        with self.clock.lock:
            self._observers.append(callback)

    def wait_for(self, check: Callable[[], bool], limit_s: float = _LONGEST_WAIT_S) -> bool:
        """Block until `check()` holds after some change of the board; False if `limit_s` real seconds passed first."""
        with self._changed:
            return self._changed.wait_for(check, limit_s)

    def _notify(self, what: str) -> None:
        self._changed.notify_all()
        for callback in self._observers:
            callback(what)

    # The wires.

    def _hear(self, data: bytes) -> None:
        uart = self.chip.uarts[0]
        if self.chip.pins.owner(LINE_RX) is uart:
            uart.receive(data)

    def _send(self, data: bytes) -> None:
        if self.chip.pins.owner(LINE_TX) is self.chip.uarts[0]:
            self.transceiver.send(data)

    def _switch_line(self) -> None:
        is_sending = self.chip.pins.level(LINE_SEND)
        if is_sending != self.transceiver.is_sending:
            # What has left the UART until now went where the switch stood until now.
            self.chip.uarts[0].settle()
            self.transceiver.switch(is_sending)

    def _switch_valve(self) -> None:
        self.water.command(self.chip.pins.level(VALVE))
        if self.water.is_open != self._is_open:
            self._is_open = self.water.is_open
            self._notify("valve")

    def _switch_led(self) -> None:
        if self.chip.pins.level(LED) != self._is_lit:
            self._is_lit = not self._is_lit
            self._notify("led")

    def _sound(self, pin: int, freq_hz: int, duty: int) -> None:
        if pin == BEEPER:
            self.beeper.sound(freq_hz, duty)
