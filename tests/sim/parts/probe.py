"""A bench set-up for the tests of the reader chip and its cards: virtual clock, chip, field, and a hand on the registers."""

from dataclasses import dataclass, field

from sim.parts import mfrc522_registers as r
from sim.parts.field import Field
from sim.parts.iso14443 import crc_a, with_crc
from sim.parts.mfrc522 import Mfrc522
from sim.parts.mfrc522_commands import IDLE, MF_AUTHENT, TRANSCEIVE

KEY = b"\xff" * 6
ACK = 0xA
UID_4 = bytes.fromhex("12345678")
UID_7 = bytes.fromhex("04a1b2c3d4e5f6")


class Clock:
    """Microseconds that move by `step_us` each time somebody looks, and by `wait`."""

    def __init__(self, step_us: int = 4) -> None:
        self.now_us = 0
        self.step_us = step_us

    def __call__(self) -> int:
        self.now_us += self.step_us
        return self.now_us

    def wait(self, time_us: int) -> None:
        self.now_us += time_us


@dataclass(frozen=True)
class Answer:
    """What the chip said of one exchange; `bits` is 0 for silence."""

    data: bytes
    bits: int
    errors: int
    irqs: int


@dataclass
class Probe:
    """Chip and field on a table. `start` sets the chip up for cards of type A, as any driver must."""

    clock: Clock = field(default_factory=Clock)
    field: Field = field(default_factory=Field)

    def __post_init__(self) -> None:
        self.chip = Mfrc522(self.clock, self.field)

    def spi(self, *mosi: int) -> bytes:
        self.chip.select()
        miso = self.chip.exchange(bytes(mosi))
        self.chip.deselect()
        return miso

    def read(self, address: int) -> int:
        return self.spi(0x80 | address << 1, 0)[1]

    def write(self, address: int, *values: int) -> None:
        self.spi(address << 1, *values)

    def start(self) -> "Probe":
        self.write(r.TX_ASK, 0x40)
        self.write(r.MODE, 0x3D)
        self.write(r.T_MODE, 0x80)
        self.write(r.T_PRESCALER, 169)  # 25 us
        self.write(r.T_RELOAD_HIGH, 1)  # 257 * 25 us = 6.4 ms
        self.write(r.T_RELOAD_LOW, 0)
        self.write(r.TX_CONTROL, 0x83)
        self.clock.wait(6_000)
        return self

    def begin(self, data: bytes, *, command: int = TRANSCEIVE, last_bits: int = 0, align: int = 0) -> None:
        """Start a command over `data` and leave it running."""
        self.write(r.COMMAND, IDLE)
        self.write(r.COM_IRQ, 0x7F)
        self.write(r.FIFO_LEVEL, 0x80)
        self.write(r.FIFO_DATA, *data)
        self.write(r.BIT_FRAMING, align << 4 | last_bits)
        self.write(r.COMMAND, command)
        if command == TRANSCEIVE:
            self.write(r.BIT_FRAMING, 0x80 | align << 4 | last_bits)

    def await_irq(self, mask: int, limit_us: int = 100_000) -> int:
        """Poll ComIrqReg until one of these bits is set; what it reads then."""
        until_us = self.clock.now_us + limit_us
        while not (irqs := self.read(r.COM_IRQ)) & mask:
            assert self.clock.now_us < until_us, "no interrupt in time"
        return irqs

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Answer:
        self.begin(data, last_bits=last_bits, align=align)
        irqs = self.await_irq(r.RX_IRQ | r.TIMER_IRQ)
        errors, level = self.read(r.ERROR), self.read(r.FIFO_LEVEL)
        got = bytes(self.read(r.FIFO_DATA) for _ in range(level))
        rest = self.read(r.CONTROL) & 7
        return Answer(got, level * 8 - (8 - rest if level and rest else 0), errors, irqs)

    def ask(self, *command: int) -> Answer:
        """Exchange a command with its CRC."""
        return self.exchange(with_crc(bytes(command)))

    def wake(self, command: int = 0x52) -> Answer:
        """WUPA, and once more if a card fell back to sleep over the first."""
        answer = self.exchange(bytes([command]), last_bits=7)
        return answer if answer.bits else self.exchange(bytes([command]), last_bits=7)

    def select(self, uid: bytes) -> int:
        """Wake and select this card; its SAK."""
        self.stop_crypto()
        assert self.wake().bits == 16
        sak = -1
        for code, part in zip((0x93, 0x95), [uid] if len(uid) == 4 else [b"\x88" + uid[:3], uid[3:]], strict=False):
            answer = self.ask(code, 0x70, *part, part[0] ^ part[1] ^ part[2] ^ part[3])
            assert answer.bits == 24
            assert crc_a(answer.data) == 0
            sak = answer.data[0]
        return sak

    def authenticate(self, block: int, uid: bytes, key: bytes = KEY, *, key_type: int = 0x60) -> bool:
        self.begin(bytes([key_type, block]) + key + uid[-4:], command=MF_AUTHENT)
        return bool(self.await_irq(r.IDLE_IRQ | r.TIMER_IRQ) & r.IDLE_IRQ)

    def open(self, block: int, uid: bytes, key: bytes = KEY, *, key_type: int = 0x60) -> None:
        """Select a card and open the sector of a block."""
        self.select(uid)
        assert self.authenticate(block, uid, key, key_type=key_type)

    def stop_crypto(self) -> None:
        self.write(r.STATUS2, 0)

    def read_block(self, block: int) -> bytes | int:
        """16 bytes, or the four bits of a refusal."""
        answer = self.ask(0x30, block)
        return answer.data[0] if answer.bits == 4 else answer.data[:-2]

    def write_block(self, block: int, data: bytes) -> list[int]:
        """The acknowledges of the two steps, as far as it came."""
        first = self.ask(0xA0, block)
        if first.data != bytes([ACK]):
            return list(first.data)
        return [ACK, *self.ask(*data).data]
