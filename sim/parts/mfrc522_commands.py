"""The MFRC522's commands (data sheet, section 10) and the time they take."""

from collections.abc import Callable, Iterator

from sim.parts import mfrc522_registers as r
from sim.parts.crypto1 import nonce
from sim.parts.field import Field
from sim.parts.iso14443 import CRC_A_PRESET, Frame, Heard, carrier_periods, crc_a, encode, has_crc, with_crc
from sim.parts.mfrc522_authentication import ARGUMENT_SIZE, Authentication
from sim.parts.mfrc522_fifo import Fifo
from sim.parts.mfrc522_modem import WAIT_START, Modem, take_apart
from sim.parts.mfrc522_registers import Registers
from sim.parts.mfrc522_timer import Timer

IDLE, MEM, RANDOM_ID, CALC_CRC, TRANSMIT, NO_CHANGE = 0x0, 0x1, 0x2, 0x3, 0x4, 0x7
RECEIVE, TRANSCEIVE, MF_AUTHENT, SOFT_RESET = 0x8, 0xC, 0xE, 0xF

# Start of the crystal, which the board decides, and 1024 clocks of 27.12 MHz until the chip takes it as stable (8.8.2).
START_UP_FC = carrier_periods(500) + 512

_MEM_SIZE = 25
_RANDOM_SIZE = 10
_CRC_PRESETS = (0x0000, CRC_A_PRESET, 0xA671, 0xFFFF)
_SELF_TEST_ENABLED = 0x09
# Section 16.1.1, version 2.0: what the FIFO holds after the digital self test.
_SELF_TEST_RESULT = bytes.fromhex(
    "00eb66ba57bf2395d0e30d3d27895cde9d3ba700215b8982513aeb020ca500497c844db3ccd21b815d4876d5716121a986968338cf9d5b6ddc15ba3e7d953b2f"
)
_REVERSED = tuple(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Commands:
    """The command register and what it sets going.

    `advance(now)` runs everything that is due up to now, in order; nothing happens between two calls. What takes the
    chip less than one access over SPI (CalcCRC, Mem, the random number) is done at once.
    """

    def __init__(self, registers: Registers, field: Field) -> None:
        self._registers = registers
        self._field = field
        self.fifo = Fifo(registers)
        self.timer = Timer(registers)
        self.modem = Modem(registers, self.timer, field)
        self._authentication = Authentication(registers, self.modem, self._authenticated, self.stop_crypto)
        self._memory = bytes(_MEM_SIZE)
        self._random_count = 0
        self._crc = 0
        self._cipher = 0
        self._awake_fc: int | None = 0
        self.command = IDLE
        self._starts = {
            MEM: self._start_mem,
            RANDOM_ID: self._start_random_id,
            CALC_CRC: self._start_calc_crc,
            TRANSMIT: self._start_transmit,
            RECEIVE: self._start_receive,
            TRANSCEIVE: self._start_transceive,
            MF_AUTHENT: self._start_authentication,
        }

    def advance(self, now_fc: int) -> None:
        """Run what is due up to now: transmitter, receiver, timer, cards."""
        while True:
            due = [(at_fc, run) for at_fc, run in self._events(now_fc) if at_fc is not None and at_fc <= now_fc]
            if not due:
                break
            at_fc, run = min(due, key=lambda event: event[0])
            self._field.advance(at_fc)
            run()
        self._field.advance(now_fc)

    def read_command(self, now_fc: int) -> int:
        """Read CommandReg: PowerDown stays set while the chip wakes up."""
        power_down = 0 if self.is_awake(now_fc) else r.POWER_DOWN
        return self._registers[r.COMMAND] & r.RCV_OFF | power_down | self.command

    def write_command(self, value: int, now_fc: int) -> None:
        """Write CommandReg: power down or wake up, switch the receiver, start a command."""
        command = value & 0x0F
        self._registers.change(r.COMMAND, r.RCV_OFF, bool(value & r.RCV_OFF))
        if command == SOFT_RESET:
            self.reset(now_fc)
            return
        if value & r.POWER_DOWN:
            self.sleep(now_fc)
        elif self._awake_fc is None:
            self._awake_fc = now_fc + START_UP_FC
        if command != NO_CHANGE and self.is_awake(now_fc):
            self._begin(command, now_fc)

    def reset(self, now_fc: int) -> None:
        """Take the reset values everywhere but in the 25-byte memory; the field goes with them."""
        self._registers.reset()
        self.fifo.flush()
        self.timer.stop(now_fc)
        self.modem.cancel()
        self.command, self._cipher = IDLE, 0
        if self._awake_fc is None:
            self._awake_fc = now_fc + START_UP_FC
        self.switch_field(now_fc)

    def sleep(self, now_fc: int) -> None:
        """Stop the oscillator: no field, no command, no timer; registers and FIFO stay."""
        self._awake_fc = None
        self.modem.cancel()
        self.timer.stop(now_fc)
        self.command = IDLE
        self.switch_field(now_fc)

    def wake(self, now_fc: int) -> int:
        """Come out of hard power-down with reset values; gives the time at which the oscillator will run."""
        self.reset(now_fc)
        self._awake_fc = now_fc + START_UP_FC
        return self._awake_fc

    def is_awake(self, now_fc: int) -> bool:
        """Whether the oscillator runs."""
        return self._awake_fc is not None and now_fc >= self._awake_fc

    def switch_field(self, now_fc: int) -> None:
        """Do as TxControlReg says: a carrier if either driver is on, and the chip is awake."""
        self._field.switch(self._registers.has(r.TX_CONTROL, 0x03) and self.is_awake(now_fc), now_fc)
        if self._field.is_on:
            self.modem.field_is_on(now_fc)

    def start_send(self, now_fc: int) -> None:
        """Take StartSend: it counts only while Transceive waits for it."""
        if self.command == TRANSCEIVE and self.modem.state == WAIT_START and self.fifo.level:
            self.modem.send(self._outgoing(), now_fc, self._sent_transceive)

    def write_fifo(self, byte: int) -> None:
        """Write FIFODataReg. Locked during MFAuthent; flagged while an answer is awaited; eaten by CalcCRC."""
        if self.command == MF_AUTHENT:
            self._registers.fail(r.WRITE_ERROR)
            return
        if self.modem.is_hearing:
            self._registers.fail(r.WRITE_ERROR)
        self.fifo.write(bytes([byte]))
        if self.command == CALC_CRC:
            self._calculate_crc()

    def read_fifo(self) -> int:
        """Read FIFODataReg; locked during MFAuthent."""
        if self.command == MF_AUTHENT:
            self._registers.fail(r.WRITE_ERROR)
            return 0
        return self.fifo.read()

    def stop_crypto(self) -> None:
        """Leave the session: the host cleared MFCrypto1On."""
        self._registers.change(r.STATUS2, r.CRYPTO1_ON, False)
        self._cipher = 0

    def _events(self, now_fc: int) -> Iterator[tuple[int | None, Callable[[], None]]]:
        yield self.modem.due_fc, self.modem.step
        yield self.timer.due_fc, lambda: self.timer.expire(now_fc)
        waking_fc = self._awake_fc if self._awake_fc and not self._field.is_on and self._registers.has(r.TX_CONTROL, 0x03) else None
        yield waking_fc, lambda: self.switch_field(now_fc)

    def _begin(self, command: int, now_fc: int) -> None:
        """End the command that runs, without IdleIRq, and start another; an unknown one is Idle, with it."""
        self.modem.cancel()
        self.command = IDLE
        if command == IDLE:
            return
        self._registers[r.ERROR] = 0
        if command not in self._starts:
            self._finish()
            return
        self.command = command
        self._starts[command](now_fc)

    def _finish(self) -> None:
        self.command = IDLE
        self._registers.request(r.IDLE_IRQ)

    def _start_mem(self, now_fc: int) -> None:
        if self.fifo.level:
            data = self.fifo.drain()
            self._memory = data[:_MEM_SIZE].ljust(_MEM_SIZE, b"\0")
            self.fifo.write(data[_MEM_SIZE:])
        else:
            self.fifo.write(self._memory)
        self._finish()

    def _start_random_id(self, now_fc: int) -> None:
        self._random_count += 1
        number = b"".join(nonce(b"random", self._random_count * 3 + part) for part in range(3))[:_RANDOM_SIZE]
        self._memory = number + self._memory[_RANDOM_SIZE:]
        self._finish()

    def _start_calc_crc(self, now_fc: int) -> None:
        if self._registers[r.AUTO_TEST] & 0x0F == _SELF_TEST_ENABLED:
            self.fifo.flush()
            self.fifo.write(_SELF_TEST_RESULT)
            self._registers[r.DIV_IRQ] |= r.CRC_IRQ
            return
        self._crc = _CRC_PRESETS[self._registers[r.MODE] & 0x03]
        self._calculate_crc()

    def _calculate_crc(self) -> None:
        """Take the FIFO's bytes into the CRC; the command goes on until the host writes another one."""
        msb_first = self._registers.has(r.MODE, r.MSB_FIRST)
        data = self.fifo.drain()
        self._crc = crc_a(bytes(_REVERSED[byte] for byte in data) if msb_first else data, self._crc)
        high, low = self._crc >> 8, self._crc & 0xFF
        self._registers[r.CRC_RESULT_HIGH] = _REVERSED[high] if msb_first else high
        self._registers[r.CRC_RESULT_LOW] = _REVERSED[low] if msb_first else low
        self._registers[r.DIV_IRQ] |= r.CRC_IRQ

    def _start_transmit(self, now_fc: int) -> None:
        if not self.fifo.level:
            self._finish()
            return
        self.modem.send(self._outgoing(), now_fc, self._sent_transmit)

    def _start_receive(self, now_fc: int) -> None:
        self.modem.listen(now_fc, self._received)

    def _start_transceive(self, now_fc: int) -> None:
        self.modem.cancel(WAIT_START)

    def _start_authentication(self, now_fc: int) -> None:
        argument = self.fifo.drain()[:ARGUMENT_SIZE]
        if len(argument) == ARGUMENT_SIZE:
            self._authentication.start(argument, self._cipher, now_fc)

    def _authenticated(self, cipher: int, at_fc: int) -> None:
        self._cipher = cipher
        self._registers.change(r.STATUS2, r.CRYPTO1_ON, True)
        self._finish()

    def _outgoing(self) -> Frame:
        data = self.fifo.drain()
        last_bits = self._registers[r.BIT_FRAMING] & 0x07
        if self._registers.has(r.TX_MODE, r.CRC_ENABLED):
            data = with_crc(data)
        return encode(data, last_bits=last_bits, parity=not self._registers.has(r.MF_RX, r.PARITY_DISABLED), cipher=self._cipher)

    def _sent_transmit(self, at_fc: int) -> None:
        self._registers.request(r.TX_IRQ)
        self._finish()

    def _sent_transceive(self, at_fc: int) -> None:
        self._registers.request(r.TX_IRQ)
        self.modem.listen(at_fc, self._received, guard_bits=self._registers[r.RX_SEL] & 0x3F)

    def _received(self, heard: Heard, at_fc: int) -> None:
        """Put a frame into the FIFO. With RxCRCEn its last two bytes are checked and kept out."""
        bits = take_apart(self._registers, heard, self._cipher)
        data = bits.data
        if self._registers.has(r.RX_MODE, r.CRC_ENABLED):
            if bits.count % 8 or not has_crc(data):
                self._registers.fail(r.CRC_ERROR)
            if bits.count % 8 == 0 and len(data) > 2:
                data = data[:-2]
        self.fifo.write(data)
        self._registers[r.CONTROL] = self._registers[r.CONTROL] & ~0x07 | bits.count % 8
        self._registers.request(r.RX_IRQ)
        if self.command == RECEIVE:
            self._finish()
        else:
            self.modem.cancel(WAIT_START)
