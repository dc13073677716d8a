"""The NXP MFRC522 reader chip over SPI.

Source: MFRC522 product data sheet rev. 3.9; the sections named below are its own. Clones (FM17522 and others)
follow the same register map.
"""

from firmware.drivers.crc_a import crc_a
from firmware.terminal.ticks import diff
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Pin, Spi, TicksMs

# What an exchange brings instead of bits. Below zero, so that they never mix with a count.
SILENCE = const(-1)  # nobody answered in time
COLLISION = const(-2)  # two answered with different bits
GARBLED = const(-3)  # something answered, and it is no whole frame
DEAD = const(-4)  # the chip itself does not answer

# How long an answer may take to begin, unless told otherwise: ISO 14443-3 frames are answered after 91 us.
SHORT_MS = const(1)

# The longest frame either way: a block of 16 bytes and its CRC.
FRAME_SIZE = const(18)

# The sizes there are. Asked: wake-up, anticollision, a command with CRC, selection, authentication, a block. Answered: ACK,
# ATQA, SAK with CRC, part of a UID with BCC, a block.
_ASKED = const((1, 2, 4, 9, 12, FRAME_SIZE))
_ANSWERED = const((1, 2, 3, 5, FRAME_SIZE))

# Registers (section 9.2) as SPI address bytes: bits 6-1; bit 7 makes it a read (section 8.1.2.3).
_COMMAND = const(0x01 << 1)
_COM_IRQ = const(0x04 << 1)
_ERROR = const(0x06 << 1)
_STATUS_2 = const(0x08 << 1)
_FIFO_DATA = const(0x09 << 1)
_FIFO_LEVEL = const(0x0A << 1)
_CONTROL = const(0x0C << 1)
_BIT_FRAMING = const(0x0D << 1)
_MODE = const(0x11 << 1)
_TX_CONTROL = const(0x14 << 1)
_TX_ASK = const(0x15 << 1)
_T_MODE = const(0x2A << 1)
_T_PRESCALER = const(0x2B << 1)
_T_RELOAD_HIGH = const(0x2C << 1)
_T_RELOAD_LOW = const(0x2D << 1)
_AUTO_TEST = const(0x36 << 1)
_VERSION = const(0x37 << 1)
_READ = const(0x80)

# Commands (section 10.3).
_IDLE = const(0x00)
_MEM = const(0x01)
_CALC_CRC = const(0x03)
_TRANSCEIVE = const(0x0C)
_MF_AUTHENT = const(0x0E)

_POWER_DOWN = const(0x10)  # in CommandReg: still waking up
_ALL_IRQS = const(0x7F)  # with bit 7 clear, the bits written as 1 are cleared
_RX_IRQ = const(0x20)
_IDLE_IRQ = const(0x10)
_TIMER_IRQ = const(0x01)
_RESERVED_ERROR = const(0x20)  # always 0 in a chip; 1 where MISO is stuck high
_COLL_ERR = const(0x08)
_BAD_FRAME = const(0x13)  # BufferOvfl, ParityErr, ProtocolErr
_FLUSH = const(0x80)
_START_SEND = const(0x80)
_CRYPTO1_ON = const(0x08)

# Timer (section 8.5): 13.56 MHz / (2 * 169 + 1) = 40 kHz, started by the end of each transmission.
_TICKS_PER_MS = const(40)
_SETTINGS = (
    (_T_MODE, 0x80),
    (_T_PRESCALER, 169),
    (_TX_ASK, 0x40),  # 100 % ASK, as type A asks for
    (_MODE, 0x3D),  # TxWaitRF, MFIN active high, CRC preset 0x6363: the reset value with type A's preset
    (_TX_CONTROL, 0x83),  # both antenna drivers on
)

# One SPI exchange reads several registers: each address byte brings the register named by the one before.
_LOOK = bytes((_COM_IRQ | _READ, _ERROR | _READ, _FIFO_LEVEL | _READ, _CONTROL | _READ, 0))
_HEALTH = bytes((_TX_CONTROL | _READ, _TX_ASK | _READ, _T_MODE | _READ, _VERSION | _READ, 0))

_WAKE_MS = const(50)  # the oscillator is up in a few; section 8.8.2
_REVIVE_MS = const(1000)  # a dead chip costs up to 50 ms at each try; no more often than this
_FIELD_MS = const(6)  # ISO 14443-3, 5.1: a card may take 5 ms of field until it hears a request
_MARGIN_MS = const(10)  # what our own clock allows beyond the chip's timer before the chip counts as dead
_SELF_TEST_MS = const(20)

_NOBODY = const((0x00, 0xFF))  # what a bus without a chip says, by where MISO rests

# CRC_A over the 64 bytes of section 16.1.1, by version: what a genuine chip says in its self-test.
_SELF_TEST = {0x91: 0x880D, 0x92: 0x6EBE}


class Rc522:
    """A reader chip on a SPI bus of its own select line.

    `spi`: mode 0, up to 10 MHz, most significant bit first; `cs` and `rst`: outputs, active low.
    After `reset`, put bytes into `frame` and call `transceive`; what came is in `answer`. Nothing but the self-test
    allocates. Every wait is bounded twice, by the chip's timer and by `ticks_ms`, so a chip that is absent, or
    a stuck MISO, ends as DEAD and never hangs.

    `version`: VersionReg as last read: 0x91 and 0x92 are NXP's, 0x88, 0x12, 0xB2 clones, 0x00 and 0xFF nobody.
    """

    def __init__(self, spi: "Spi", cs: "Pin", rst: "Pin", ticks_ms: "TicksMs") -> None:
        self._spi = spi
        self._cs = cs
        self._rst = rst
        self._ticks_ms = ticks_ms
        self.version = 0
        # The chip's timer as last set, so that it is written only when it changes; 0: not since the reset.
        self._timeout_ms = 0
        # When `keep_ready` last reset the chip; below zero: never.
        self._tried_ms = -1
        self._pair = bytearray(2)
        self._pair_in = bytearray(2)
        self._seen = bytearray(5)
        # Frames go out behind the FIFO's address byte, and come in behind one byte of no meaning. The slices are
        # made now, since a slice is an allocation.
        out = bytearray(1 + FRAME_SIZE)
        out[0] = _FIFO_DATA
        self.frame = memoryview(out)[1:]
        self._out = {size: memoryview(out)[: 1 + size] for size in _ASKED}
        into = bytearray(1 + FRAME_SIZE)
        self.answer = memoryview(into)[1:]
        self._in = {size: memoryview(into)[: 1 + size] for size in _ANSWERED}
        ask = memoryview(bytes([_FIFO_DATA | _READ] * FRAME_SIZE + [0]))
        self._ask = {size: ask[FRAME_SIZE - size :] for size in _ANSWERED}
        cs.value(1)

    def reset(self) -> bool:
        """Reset the chip by its pin, set it up for ISO 14443 type A, switch the antenna on and let cards wake up.

        Returns whether a chip is there and took the settings. Takes some 8 ms, and 50 when there is none. Section 8.8.1.
        """
        self._restart()
        for register, value in _SETTINGS:
            self._write(register, value)
        if not self.is_ready():
            return False
        start = self._ticks_ms()
        while diff(self._ticks_ms(), start) < _FIELD_MS:
            pass
        return True

    def is_ready(self) -> bool:
        """Tell whether the chip is there and still set up: a brown-out or a spark resets it behind our back."""
        seen = self._seen
        self._exchange(_HEALTH, seen)
        is_set_up = seen[1] & 3 == 3 and seen[2] == 0x40 and seen[3] == 0x80
        return is_set_up and seen[4] == self.version and self.version not in _NOBODY

    def keep_ready(self) -> bool:
        """Reset the chip when it is not ready, once a second at most; returns whether it is ready now."""
        if self.is_ready():
            return True
        now_ms = self._ticks_ms()
        if self._tried_ms >= 0 and 0 <= diff(now_ms, self._tried_ms) < _REVIVE_MS:
            return False
        self._tried_ms = now_ms
        return self.reset()

    def transceive(self, size: int, last_bits: int = 0, timeout_ms: int = SHORT_MS) -> int:
        """Send `size` bytes of `frame`, the last one with `last_bits` bits only (0: all eight), and await the answer.

        Returns the number of bits now in `answer`, or SILENCE, COLLISION, GARBLED or DEAD. `timeout_ms` is how long
        the answer may take to begin. Section 10.3.1.8.
        """
        result = self._run(_TRANSCEIVE, _RX_IRQ, size, last_bits, timeout_ms)
        return result if result < 0 else self._collect()

    def authenticate(self, size: int, timeout_ms: int) -> int:
        """Run MFAuthent over `size` bytes of `frame`: command, block, key, last four bytes of the UID.

        Returns 0 when the card and we are talking Crypto1 now, else SILENCE, COLLISION, GARBLED or DEAD; a wrong
        key is SILENCE. Call `stop_crypto` before speaking plainly again. Section 10.3.1.9.
        """
        result = self._run(_MF_AUTHENT, _IDLE_IRQ, size, 0, timeout_ms)
        if result >= 0 and not self._read(_STATUS_2) & _CRYPTO1_ON:
            result = GARBLED
        return result

    def stop_crypto(self) -> None:
        """Speak plainly again; the chip never leaves Crypto1 by itself. Section 9.3.1.9, MFCrypto1On."""
        self._write(_STATUS_2, 0)

    def self_test(self) -> bool:
        """Run the chip's digital self-test and tell whether it answers as NXP's versions 0x91 and 0x92 do.

        Clones fail it and read cards all the same, so it informs and forbids nothing. Ends with a `reset`.
        Section 16.1.1.
        """
        self._restart()
        for _ in range(25):
            self._write(_FIFO_DATA, 0)
        self._write(_COMMAND, _MEM)
        self._write(_AUTO_TEST, 0x09)
        self._write(_FIFO_DATA, 0)
        self._write(_COMMAND, _CALC_CRC)
        start = self._ticks_ms()
        while self._read(_FIFO_LEVEL) < 64 and diff(self._ticks_ms(), start) < _SELF_TEST_MS:
            pass
        said = bytes([self._read(_FIFO_DATA) for _ in range(64)])
        self._write(_AUTO_TEST, 0)
        self.reset()
        return crc_a(said, 64) == _SELF_TEST.get(self.version)

    def _restart(self) -> None:
        """Pull the reset pin (100 ns do) and wait until the oscillator is up. Sections 8.8.1 and 8.8.2."""
        self._rst.value(0)
        self._rst.value(1)
        self._timeout_ms = 0
        start = self._ticks_ms()
        while not self._is_up() and diff(self._ticks_ms(), start) < _WAKE_MS:
            pass

    def _is_up(self) -> bool:
        """Ask for the version. Before its clock runs the chip is as good as absent."""
        self.version = self._read(_VERSION)
        return self.version not in _NOBODY and not self._read(_COMMAND) & _POWER_DOWN

    def _run(self, command: int, done: int, size: int, last_bits: int, timeout_ms: int) -> int:
        """Start `command` over the frame and wait for the interrupt bit `done`; 0, or what it brought instead."""
        self._write(_COMMAND, _IDLE)
        self._write(_COM_IRQ, _ALL_IRQS)
        self._write(_FIFO_LEVEL, _FLUSH)
        self._send(self._out[size])
        self._set_timeout(timeout_ms)
        self._write(_BIT_FRAMING, last_bits)
        self._write(_COMMAND, command)
        if command == _TRANSCEIVE:
            self._write(_BIT_FRAMING, _START_SEND | last_bits)
        result = self._wait(done, timeout_ms + _MARGIN_MS)
        if result < 0:
            self._write(_COMMAND, _IDLE)
        return result

    def _wait(self, done: int, bound_ms: int) -> int:
        """Watch the chip until `done`, its timer, or our bound; 0, SILENCE, COLLISION, GARBLED or DEAD."""
        seen = self._seen
        start = -1
        is_over = False
        while True:
            self._exchange(_LOOK, seen)
            if seen[2] & _RESERVED_ERROR:
                return DEAD
            if seen[1] & done:
                break
            if seen[1] & _TIMER_IRQ:
                return SILENCE
            # Whatever held us up, a chip is dead only if it is busy at a look begun after the bound.
            if is_over:
                return DEAD
            now_ms = self._ticks_ms()
            if start < 0:
                start = now_ms
            is_over = diff(now_ms, start) > bound_ms
        if seen[2] & _COLL_ERR:
            return COLLISION
        return GARBLED if seen[2] & _BAD_FRAME else 0

    def _collect(self) -> int:
        """Move what the FIFO holds into `answer`; the number of bits, or GARBLED when no card says just that much."""
        size = self._seen[3]
        if size not in _ANSWERED:
            return GARBLED
        last_bits = self._seen[4] & 7
        self._exchange(self._ask[size], self._in[size])
        return size * 8 if last_bits == 0 else size * 8 - 8 + last_bits

    def _set_timeout(self, timeout_ms: int) -> None:
        if timeout_ms != self._timeout_ms:
            self._timeout_ms = timeout_ms
            self._write(_T_RELOAD_HIGH, timeout_ms * _TICKS_PER_MS >> 8)
            self._write(_T_RELOAD_LOW, timeout_ms * _TICKS_PER_MS & 0xFF)

    def _read(self, register: int) -> int:
        self._pair[0] = register | _READ
        self._pair[1] = 0
        self._exchange(self._pair, self._pair_in)
        return self._pair_in[1]

    def _write(self, register: int, value: int) -> None:
        self._pair[0] = register
        self._pair[1] = value
        self._send(self._pair)

    def _send(self, data: "bytearray | memoryview") -> None:
        self._cs.value(0)
        self._spi.write(data)
        self._cs.value(1)

    def _exchange(self, data: "bytes | bytearray | memoryview", into: "bytearray | memoryview") -> None:
        self._cs.value(0)
        self._spi.write_readinto(data, into)
        self._cs.value(1)
