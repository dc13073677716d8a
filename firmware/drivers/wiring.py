"""What a board hands to the drivers, as far as they use it: the shapes of `machine.Pin`, `SPI`, `UART` and `PWM`.

For the type checker and the reader only; the device never imports this file. Any object of the shape will do,
which is how tests and the simulator put parts behind the drivers.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, overload

    # Milliseconds modulo 2^30, as `time.ticks_ms`, whose own type is no int to the checker.
    TicksMs = Callable[[], Any]

    Bytes = bytes | bytearray | memoryview

    class Pin(Protocol):
        """A pin set up as the driver's docstring asks."""

        @overload
        def value(self) -> int:
            """Read the level, 0 or 1."""

        @overload
        def value(self, __level: int) -> Any:
            """Drive the pin."""

    class Spi(Protocol):
        """An SPI bus whose clock and mode suit the part."""

        def write(self, __buf: Bytes) -> Any:
            """Send all of the buffer; what comes back is dropped."""

        def write_readinto(self, __out: Bytes, __into: bytearray | memoryview) -> Any:
            """Send all of the first buffer, and fill the second, which is as long, with what comes back meanwhile."""

    class Uart(Protocol):
        """An asynchronous serial port whose reads return at once (`timeout=0`)."""

        def any(self) -> int:
            """How many bytes wait."""
            ...

        def readinto(self, __buf: bytearray | memoryview, __size: int) -> int | None:
            """Move up to so many waiting bytes into the buffer; None when there are none."""

        def write(self, __buf: Bytes) -> int | None:
            """Queue bytes for sending; how many of them were taken."""

        def flush(self) -> Any:
            """Return when the last stop bit has left. Raises OSError when that takes twice as long as it can."""

    class Pwm(Protocol):
        """A pin that can carry a square wave."""

        def freq(self, __hertz: int) -> Any:
            """Set the frequency."""

        def duty_u16(self, __duty: int) -> Any:
            """Set the share of time the pin is high, 0..65535."""

    class Watchdog(Protocol):
        """Starts the board again unless it is fed in time."""

        def feed(self) -> Any:
            """Start the time anew."""

    class Counter(Protocol):
        """Counts pulses in hardware, whatever the processor does meanwhile."""

        def count(self) -> int:
            """Pulses since power-on, modulo 2^32."""
            ...
