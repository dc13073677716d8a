"""The pins of the microcontroller: what it drives, what the world drives, and who watches."""

from collections.abc import Callable, Mapping

PIN_COUNT = 30
"""GP0 to GP29 of an RP2040."""

IN, OUT, OPEN_DRAIN, ALT = 0, 1, 2, 3
PULL_UP, PULL_DOWN = 1, 2
FALLING, RISING = 4, 8
"""The numbers of `machine.Pin` on the rp2 port."""


class Pins:
    """All pins of one chip, with the copper on both sides of them.

    A pin's level comes from the first of these that says anything: the chip driving it, the world
    driving it (`drive`), the chip's pull, the board's resistor (`resistors`, by pin), and else it is low.

    `watch` a pin to be called after what drives it, or its level, changed. `bystanders` are called
    before and after each change of any level: for parts that run on in between.
    `on_interrupt` is called when an edge came that the program had asked for with `Pin.irq`.
    """

    def __init__(self, resistors: Mapping[int, bool], on_interrupt: Callable[[], None]) -> None:
        self._resistors = dict(resistors)
        self._world: dict[int, bool] = {}
        self._watchers: dict[int, list[Callable[[], None]]] = {}
        self._on_interrupt = on_interrupt
        self.bystanders: list[Callable[[], None]] = []
        self._levels = 0
        self.reset()

    def reset(self) -> None:
        """Put every pin back to an input without a pull, owned by nobody, as a reset of the chip does."""
        self._mode = [IN] * PIN_COUNT
        self._pull = [0] * PIN_COUNT
        self._latch = [False] * PIN_COUNT
        self._owner: list[object] = [None] * PIN_COUNT
        self._output: dict[int, bool] = {}
        self._triggers = [0] * PIN_COUNT
        self._fired = 0
        for pin in range(PIN_COUNT):
            self._settle(pin)

    # The chip's side.

    def configure(self, pin: int, mode: int | None, pull: int, value: bool | None) -> None:
        """Do what `Pin(pin, mode, pull, value=value)` does; `mode` None leaves the mode as it is."""
        if value is not None:
            self._latch[pin] = value
        elif mode == OPEN_DRAIN:
            self._latch[pin] = True
        if mode is not None:
            self._mode[pin] = mode
            self._owner[pin] = None
        self._pull[pin] = pull
        self._settle(pin)

    def write(self, pin: int, value: bool) -> None:
        """Set the output latch; on an open-drain pin True lets go."""
        self._latch[pin] = value
        self._settle(pin)

    def toggle(self, pin: int) -> None:
        """Turn the output latch over."""
        self.write(pin, not self._latch[pin])

    def claim(self, pin: int, owner: object) -> None:
        """Hand a pin to a peripheral (a UART, an SPI bus, a PWM slice); the last to claim it has it."""
        self._mode[pin] = ALT
        self._owner[pin] = owner
        self._settle(pin)

    def owner(self, pin: int) -> object:
        """Return the peripheral that has the pin, None for the program itself."""
        return self._owner[pin]

    def output(self, pin: int, level: bool | None) -> None:
        """Drive a claimed pin for the peripheral that has it; None lets go."""
        if level is None:
            self._output.pop(pin, None)
        else:
            self._output[pin] = level
        self._settle(pin)

    def trigger(self, pin: int, edges: int) -> None:
        """Ask for interrupts on the given edges (FALLING | RISING; 0: none)."""
        self._triggers[pin] = edges

    def take_fired(self) -> int:
        """Return the pins whose interrupt came since the last call, one bit each."""
        fired, self._fired = self._fired, 0
        return fired

    def levels(self) -> int:
        """Return all levels, bit n for pin n."""
        return self._levels

    def level(self, pin: int) -> bool:
        """Return one level."""
        return bool(self._levels >> pin & 1)

    def driven(self, pin: int) -> bool | None:
        """Return the level the chip drives, None if it does not drive the pin."""
        mode = self._mode[pin]
        if mode == OUT:
            return self._latch[pin]
        if mode == ALT:
            return self._output.get(pin)
        return False if mode == OPEN_DRAIN and not self._latch[pin] else None

    # The world's side.

    def drive(self, pin: int, level: bool | None) -> None:
        """Put a level on the pin from outside; None lets go."""
        if level is None:
            self._world.pop(pin, None)
        else:
            self._world[pin] = level
        self._settle(pin)

    def watch(self, pin: int, call: Callable[[], None]) -> None:
        """Have `call()` made after each change of the pin."""
        self._watchers.setdefault(pin, []).append(call)

    def _settle(self, pin: int) -> None:
        level = self._resolve(pin)
        if level != self.level(pin):
            for call in self.bystanders:
                call()
            self._levels ^= 1 << pin
            for call in self.bystanders:
                call()
            if self._triggers[pin] & (RISING if level else FALLING):
                self._fired |= 1 << pin
                self._on_interrupt()
        for call in self._watchers.get(pin, ()):
            call()

    def _resolve(self, pin: int) -> bool:
        driven = self.driven(pin)
        if driven is not None:
            return driven
        if pin in self._world:
            return self._world[pin]
        if self._pull[pin]:
            return self._pull[pin] == PULL_UP
        return self._resistors.get(pin, False)
