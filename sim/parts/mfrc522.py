"""The NXP MFRC522 reader as its SPI pins show it (data sheet Rev 3.9, section 8.1.2), register by register."""

from collections.abc import Callable

from sim.parts import mfrc522_registers as r
from sim.parts.field import Field
from sim.parts.iso14443 import carrier_periods
from sim.parts.mfrc522_commands import CALC_CRC, Commands
from sim.parts.mfrc522_registers import Registers

_READ = 0x80


class Mfrc522:
    """One chip with its antenna in `field`. It was powered on long ago and has its reset values.

    `clock_us`: microseconds, never going back; it may be virtual. The chip asks it at every call, and a thing that takes
    time is reported done only when that much has passed.

    SPI: `select`, any number of `exchange`s, `deselect`. The first byte says which register and whether to read (bit 7)
    or write. Reading, each byte answers the address before it, and the last byte sent is 00; writing, all bytes go to
    the same register. Bit 0 of an address is 0; the data sheet says no more, and here a byte with bit 0 set is no
    address: it reads 0, and what it would write is lost.

    Safe to use from several threads. Never raises for what a host sends.
    """

    def __init__(self, clock_us: Callable[[], int], field: Field) -> None:
        self._clock_us = clock_us
        self._field = field
        self._now_fc = 0
        self._registers = Registers()
        self._commands = Commands(self._registers, field)
        self._has_power = True
        self._responds_fc = 0
        self._is_selected = False
        self._address: int | None = None
        self._is_first = True
        self._is_writing = False
        field.attach(self)

    def select(self) -> None:
        """Pull chip select low: the next byte is an address."""
        with self._field.lock:
            self._is_selected, self._is_first, self._is_writing, self._address = True, True, False, None

    def deselect(self) -> None:
        """Release chip select; an address whose data was never clocked has had no effect."""
        with self._field.lock:
            self._is_selected = False

    def exchange(self, mosi: bytes) -> bytes:
        """Clock bytes in and as many out: 00 where the chip has nothing to say."""
        with self._field.lock:
            now_fc = self.catch_up()
            if not (self._is_selected and self._has_power and now_fc >= self._responds_fc):
                return bytes(len(mosi))
            return bytes(self._clock_byte(byte, now_fc) for byte in mosi)

    def reset_pin(self, level: bool) -> None:
        """Set NRSTPD: low is hard power-down, and everything but the 25-byte memory is lost; high starts up again.

        While the oscillator starts the chip answers nothing.
        """
        with self._field.lock:
            now_fc = self.catch_up()
            if self._has_power and not level:
                self._commands.reset(now_fc)
                self._commands.sleep(now_fc)
            elif level and not self._has_power:
                self._responds_fc = self._commands.wake(now_fc)
            self._has_power = level

    def catch_up(self) -> int:
        """Do all that is due by the clock, and give its time in carrier periods. The field calls it too."""
        with self._field.lock:
            self._now_fc = max(self._now_fc, carrier_periods(self._clock_us()))
            self._commands.advance(self._now_fc)
            return self._now_fc

    def _clock_byte(self, byte: int, now_fc: int) -> int:
        if self._is_writing:
            if self._address is not None:
                self._write(self._address, byte, now_fc)
            return 0
        answer = 0 if self._address is None else self._read(self._address, now_fc)
        is_first, self._is_first = self._is_first, False
        is_read = bool(byte & _READ)
        self._address = byte >> 1 & 0x3F if not byte & 1 and (is_read or is_first) else None
        self._is_writing = is_first and not is_read
        return answer

    def _read(self, address: int, now_fc: int) -> int:
        commands, values = self._commands, self._registers
        match address:
            case r.COMMAND:
                return commands.read_command(now_fc)
            case r.STATUS1:
                return self._status1()
            case r.STATUS2:
                return values[r.STATUS2] & 0xF8 | commands.modem.state
            case r.FIFO_DATA:
                return commands.read_fifo()
            case r.FIFO_LEVEL:
                return commands.fifo.level
            case r.T_COUNTER_HIGH:
                return commands.timer.count(now_fc) >> 8
            case r.T_COUNTER_LOW:
                return commands.timer.count(now_fc) & 0xFF
            case _:
                return values[address]

    def _write(self, address: int, value: int, now_fc: int) -> None:
        commands = self._commands
        self._registers.store(address, value)
        match address:
            case r.COMMAND:
                commands.write_command(value, now_fc)
            case r.COM_IRQ | r.DIV_IRQ:
                self._registers.mark(address, value)
            case r.STATUS2 if not value & r.CRYPTO1_ON:
                commands.stop_crypto()
            case r.FIFO_DATA:
                commands.write_fifo(value)
            case r.FIFO_LEVEL if value & 0x80:
                commands.fifo.flush()
            case r.WATER_LEVEL:
                commands.fifo.watch()
            case r.CONTROL:
                self._control_timer(value, now_fc)
            case r.BIT_FRAMING if value & 0x80:
                commands.start_send(now_fc)
            case r.TX_CONTROL:
                commands.switch_field(now_fc)
            case _:
                pass

    def _control_timer(self, value: int, now_fc: int) -> None:
        if value & 0x80:
            self._commands.timer.stop(now_fc)
        elif value & 0x40:
            self._commands.timer.start(now_fc)

    def _status1(self) -> int:
        """CRCOk, CRCReady, IRq, TRunning, HiAlert, LoAlert; the CRC is ready as soon as it is begun."""
        fifo, values = self._commands.fifo, self._registers
        crc_ok = self._commands.command == CALC_CRC and values[r.CRC_RESULT_HIGH] == values[r.CRC_RESULT_LOW] == 0
        running = self._commands.timer.due_fc is not None
        return crc_ok << 6 | 0x20 | values.has_interrupt << 4 | running << 3 | fifo.is_high << 1 | fifo.is_low
