"""The MFRC522's buffer of 64 bytes between host and air (data sheet, section 8.3)."""

from sim.parts import mfrc522_registers as r
from sim.parts.mfrc522_registers import Registers

SIZE = 64


class Fifo:
    """Bytes in, bytes out in the same order; keeps the water-level alerts and the overflow flag in the registers."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers
        self._bytes = bytearray()
        self._was_low = True
        self._was_high = False

    @property
    def level(self) -> int:
        """How many bytes it holds."""
        return len(self._bytes)

    @property
    def is_low(self) -> bool:
        """LoAlert: no more bytes than the water level."""
        return self.level <= self._registers[r.WATER_LEVEL]

    @property
    def is_high(self) -> bool:
        """HiAlert: room for no more bytes than the water level."""
        return SIZE - self.level <= self._registers[r.WATER_LEVEL]

    def write(self, data: bytes) -> None:
        """Add bytes; what does not fit is lost, and BufferOvfl says so."""
        room = SIZE - self.level
        if len(data) > room:
            self._registers.fail(r.OVERFLOW_ERROR)
        self._bytes += data[:room]
        self.watch()

    def read(self) -> int:
        """Take out the oldest byte; 0 if there is none."""
        byte = self._bytes.pop(0) if self._bytes else 0
        self.watch()
        return byte

    def drain(self) -> bytes:
        """Take out everything."""
        data = bytes(self._bytes)
        self._bytes.clear()
        self.watch()
        return data

    def flush(self) -> None:
        """Forget everything, and the overflow with it."""
        self._bytes.clear()
        self._registers.change(r.ERROR, r.OVERFLOW_ERROR, False)
        self.watch()

    def watch(self) -> None:
        """Request the alerts' interrupts at the moment a level is crossed; they stay until software clears them."""
        is_low, is_high = self.is_low, self.is_high
        if is_low and not self._was_low:
            self._registers.request(r.LO_ALERT_IRQ)
        if is_high and not self._was_high:
            self._registers.request(r.HI_ALERT_IRQ)
        self._was_low, self._was_high = is_low, is_high
