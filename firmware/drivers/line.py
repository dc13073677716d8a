"""A half-duplex serial line (RS-485) on a UART and a driver-enable pin."""

from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Bytes, Pin, Uart

_PIECES = const(7)  # of 64, 32, 16, 8, 4, 2 and 1 bytes; 64 are 5.6 ms of line at 115,200 baud

_NOTHING = const(b"")


class Line:
    """Bytes to and from the host; what they mean is the frame decoder's business.

    `uart`: 8N1, reads that return at once, a transmit buffer that holds a whole frame (256 bytes).
    `de`: output, high drives the line. Low whenever nothing is sent, since a driver left on takes the whole line.
    `unsent`: frames that the UART did not finish; above 0, the line or the chip is broken.
    """

    def __init__(self, uart: "Uart", de: "Pin") -> None:
        self._uart = uart
        self._de = de
        self.unsent = 0
        # The pieces are made now, since a slice is an allocation.
        buffer = memoryview(bytearray(1 << _PIECES - 1))
        self._pieces = tuple([buffer[: 1 << bit] for bit in range(_PIECES)])
        de.value(0)

    def is_waiting(self) -> bool:
        """Tell whether bytes wait to be received."""
        return self._uart.any() > 0

    def receive(self) -> "memoryview | bytes":
        """Return up to 64 bytes that came, empty when none did. Valid until the next call; call until empty."""
        waiting = self._uart.any()
        if not waiting:
            return _NOTHING
        # Never ask for more than is there: MicroPython waits a character's time, a millisecond, for the rest.
        bit = _PIECES - 1
        while waiting >> bit == 0:
            bit -= 1
        piece = self._pieces[bit]
        return piece if self._uart.readinto(piece, 1 << bit) else _NOTHING

    def transmit(self, data: "Bytes") -> None:
        """Send a frame of up to 256 bytes and let go of the line; returns when its last stop bit has left.

        That is 22 ms for the longest at 115,200 baud, and 1 ms for most. It waits on purpose: were the line let go
        by a later poll, a flash erase in between would hold it for everybody. `flush` is bounded, by twice the time that
        a full transmit buffer takes.
        """
        self._de.value(1)
        self._uart.write(data)
        try:
            self._uart.flush()
        except OSError:
            self.unsent += 1
        self._de.value(0)
