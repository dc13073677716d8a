"""An SPI bus: what the chip clocks out reaches the selected parts, and theirs comes back."""

from typing import Protocol


class SpiPart(Protocol):
    """A part on an SPI bus."""

    def select(self) -> None:
        """See the chip-select line become active."""
        ...

    def deselect(self) -> None:
        """See the chip-select line become idle."""
        ...

    def exchange(self, mosi: bytes) -> bytes:
        """Take bytes in and give as many back; called only while selected."""
        ...


class SpiBus:
    """One of the chip's SPI blocks with the parts wired to it.

    A part understands the bus only within what its data sheet allows: `modes` (polarity, phase) and
    `max_hz`; outside it hears nothing sensible and is silent. MISO idles low.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[SpiPart, frozenset[tuple[int, int]], int]] = []
        self._selected: list[SpiPart] = []
        self.baud_hz = 1_000_000
        self.mode = (0, 0)

    def attach(self, part: SpiPart, *, modes: frozenset[tuple[int, int]], max_hz: int) -> None:
        """Wire a part to clock and data."""
        self._parts.append((part, modes, max_hz))

    def configure(self, baud_hz: int, polarity: int, phase: int) -> None:
        """Set clock and mode, as `machine.SPI(...)` does."""
        self.baud_hz = baud_hz
        self.mode = (polarity, phase)

    def byte_us(self) -> float:
        """Return how long a byte is under way."""
        return 8e6 / self.baud_hz

    def choose(self, part: SpiPart, is_selected: bool) -> None:
        """Follow the chip-select line of one part."""
        if is_selected == (part in self._selected):
            return
        if is_selected:
            self._selected.append(part)
            part.select()
        else:
            self._selected.remove(part)
            part.deselect()

    def exchange(self, mosi: bytes) -> bytes:
        """Clock bytes through; two parts selected at once spoil each other's answer."""
        answer = bytes(len(mosi))
        for part, modes, max_hz in self._parts:
            if part in self._selected and self.mode in modes and self.baud_hz <= max_hz:
                miso = part.exchange(mosi)
                answer = bytes(a | b for a, b in zip(answer, miso, strict=True)) if any(answer) else miso
        return answer
