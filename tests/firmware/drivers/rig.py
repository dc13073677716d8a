"""What the drivers are wired to in these tests: pins, buses and a clock that stands still unless something takes time."""

from collections.abc import Callable

from firmware.drivers.mifare import Reader
from firmware.drivers.rc522 import Rc522
from sim.clock import Clock
from sim.parts.field import Field
from sim.parts.iso14443 import Frame
from sim.parts.mfrc522 import Mfrc522
from sim.parts.pins import Pins

_CALL_US = 10
"""A call of the driver into a bus or pin takes about this long on an RP2040."""


class Wire:
    """A pin as the driver drives or reads it; `history` holds every level driven, `on_change` follows them."""

    def __init__(self, on_change: Callable[[int], None] | None = None) -> None:
        self.level = 0
        self.history: list[int] = []
        self._on_change = on_change

    def value(self, level: int | None = None) -> int:
        """Read or drive it."""
        if level is not None:
            self.level = level
            self.history.append(level)
            if self._on_change:
                self._on_change(level)
        return self.level


class Air(Field):
    """A field that counts the frames the reader sends, and calls `before[n]` just before the n-th arrives (from 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.before: dict[int, Callable[[], None]] = {}

    def deliver(self, frame: Frame, at_fc: int) -> None:
        """Count, interfere, deliver."""
        self.sent += 1
        if act := self.before.get(self.sent):
            act()
        super().deliver(frame, at_fc)


class ReaderBus:
    """The SPI bus to one part; each byte takes 2 us (4 MHz). `stuck` holds MISO at a level, as a broken wire does."""

    def __init__(self, clock: Clock, exchange: Callable[[bytes], bytes]) -> None:
        self._clock = clock
        self._exchange = exchange
        self.stuck: int | None = None

    def write(self, out: bytes | bytearray | memoryview) -> None:
        """Send."""
        self._clock.advance(_CALL_US + 2 * len(out))
        self._exchange(bytes(out))

    def write_readinto(self, out: bytes | bytearray | memoryview, into: bytearray | memoryview) -> None:
        """Send and receive."""
        assert len(out) == len(into), "MicroPython raises ValueError"
        self._clock.advance(_CALL_US + 2 * len(out))
        answer = self._exchange(bytes(out))
        into[:] = answer if self.stuck is None else bytes([self.stuck]) * len(out)


class ReaderRig:
    """The drivers on a simulated MFRC522, reset and ready, with nothing in its field."""

    def __init__(self) -> None:
        self.clock = Clock(speed=0)
        self.air = Air()
        part = Mfrc522(self.clock.now_us, self.air)
        self.bus = ReaderBus(self.clock, part.exchange)
        select = Wire(lambda level: part.deselect() if level else part.select())
        self.chip = Rc522(self.bus, select, Wire(lambda level: part.reset_pin(bool(level))), self.ticks_ms)
        self.reader = Reader(self.chip)
        assert self.chip.reset()

    def ticks_ms(self) -> int:
        """Milliseconds modulo 2^30; looking at the clock takes time too."""
        self.clock.advance(_CALL_US)
        return self.clock.now_ms() % (1 << 30)

    def sent(self, act: Callable[[], int]) -> tuple[int, int]:
        """Do `act`; its result, and how many frames the reader sent for it."""
        before = self.air.sent
        result = act()
        return result, self.air.sent - before


class ChipPin:
    """One pin of a simulated microcontroller, in the shape of `machine.Pin`."""

    def __init__(self, pins: Pins, number: int) -> None:
        self._pins = pins
        self._number = number

    def value(self, level: int | None = None) -> int:
        """Read or drive it."""
        if level is not None:
            self._pins.write(self._number, bool(level))
        return int(self._pins.level(self._number))
