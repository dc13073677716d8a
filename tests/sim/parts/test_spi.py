"""The SPI bus: selection, modes, limits of speed."""

from sim.parts.spi import SpiBus


class Inverter:
    """A part that answers each byte with its complement."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def select(self) -> None:
        self.seen.append("select")

    def deselect(self) -> None:
        self.seen.append("deselect")

    def exchange(self, mosi: bytes) -> bytes:
        self.seen.append(mosi.hex())
        return bytes(byte ^ 0xFF for byte in mosi)


def make_bus() -> tuple[SpiBus, Inverter]:
    bus, part = SpiBus(), Inverter()
    bus.attach(part, modes=frozenset({(0, 0)}), max_hz=10_000_000)
    return bus, part


def test_only_a_selected_part_hears_and_answers() -> None:
    bus, part = make_bus()
    assert bus.exchange(b"\x01") == b"\x00"
    bus.choose(part, True)
    bus.choose(part, True)
    assert bus.exchange(b"\x01\x02") == b"\xfe\xfd"
    bus.choose(part, False)
    assert bus.exchange(b"\x03") == b"\x00"
    assert part.seen == ["select", "0102", "deselect"]


def test_a_part_is_deaf_in_a_mode_or_at_a_speed_it_does_not_know() -> None:
    bus, part = make_bus()
    bus.choose(part, True)
    bus.configure(1_000_000, 1, 1)
    assert bus.exchange(b"\x01") == b"\x00"
    bus.configure(12_000_000, 0, 0)
    assert bus.exchange(b"\x01") == b"\x00"
    bus.configure(10_000_000, 0, 0)
    assert bus.exchange(b"\x01") == b"\xfe"


def test_two_selected_parts_spoil_each_others_answer() -> None:
    bus, part = make_bus()
    other = Inverter()
    bus.attach(other, modes=frozenset({(0, 0)}), max_hz=10_000_000)
    bus.choose(part, True)
    bus.choose(other, True)
    assert bus.exchange(b"\x0f") == b"\xf0"
    assert part.seen == other.seen
