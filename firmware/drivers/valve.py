"""A solenoid valve, normally closed: without current there is no water."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Pin


class Valve:
    """One valve behind one driver transistor.

    `pin`: an output, high is open, pulled low by a resistor on the board, so that a processor in reset shuts it.
    Made shut. Never raises.
    """

    def __init__(self, pin: "Pin") -> None:
        self._pin = pin
        self.is_open = False
        self.shut()

    def open(self) -> None:
        """Let water flow. Call only for a session that is durable in the journal."""
        self._pin.value(1)
        self.is_open = True

    def shut(self) -> None:
        """Stop the water; the coil lets go within 20 ms."""
        self._pin.value(0)
        self.is_open = False
