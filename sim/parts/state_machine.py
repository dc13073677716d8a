"""One PIO state machine: the eight instructions, shift registers and FIFOs (RP2040 data sheet, 3.2 to 3.5)."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.parts.pio import Pio

_MASK = 0xFFFF_FFFF
_MEMORY_WORDS = 32
_SYSTEM_NS = 8
"""A cycle at 125 MHz."""

_MOST_STEPS = 20_000
"""Instructions run at one look. A loop that counts longer than this loses the rest of the time."""

_FIFO_SIZES = ((4, 4), (0, 8), (8, 0), (4, 4))
"""Words in the RX and TX FIFO for each of SHIFTCTRL's FJOIN bits."""

_OUT_TO = ("pins", "x", "y", "null", "pindirs", "pc", "isr", "exec")
_MOV_TO = ("pins", "x", "y", "null", "exec", "pc", "isr", "osr")
"""Destinations by their number in the instruction; SET numbers as OUT does."""


@dataclass(frozen=True, slots=True)
class Registers:
    """What configures a state machine: SMx_CLKDIV as 16.8 fixed point, SMx_EXECCTRL, SHIFTCTRL and PINCTRL."""

    clkdiv: int = 1 << 8
    execctrl: int = 0x1F << 12
    shiftctrl: int = 0b11 << 18
    pinctrl: int = 0

    @property
    def outputs(self) -> set[int]:
        """The pins that OUT, SET and side-set may drive."""
        bits = self.pinctrl
        side_count = (bits >> 29) - (self.execctrl >> 30 & 1 if bits >> 29 else 0)
        places = ((bits & 0x1F, bits >> 20 & 0x3F), (bits >> 5 & 0x1F, bits >> 26 & 7), (bits >> 10 & 0x1F, side_count))
        return {(base + index) % 32 for base, count in places for index in range(count)}


class StateMachine:
    """One state machine. Give it `registers` and a start with `configure`, then switch it on."""

    def __init__(self, pio: "Pio", index: int) -> None:
        self._pio = pio
        self._index = index
        self._operations = (self._jmp, self._wait, self._in, self._out, self._push_pull, self._mov, self._irq, self._set)
        self.is_active = False
        self.configure(Registers(), 0)

    def configure(self, registers: Registers, pc: int) -> None:
        """Set the registers, empty the FIFOs, restart, and go to `pc`."""
        self.registers = registers
        self.rx_size, self.tx_size = _FIFO_SIZES[registers.shiftctrl >> 30]
        self.rx: deque[int] = deque()
        self.tx: deque[int] = deque()
        self._x = self._y = 0
        self._out_levels = self._out_enabled = 0
        self._cycle_ns = max(registers.clkdiv, 1 << 8) * _SYSTEM_NS // (1 << 8)
        self.restart(pc)

    def restart(self, pc: int) -> None:
        """Clear what SM_RESTART clears, and go to `pc`. Scratch registers and FIFOs stay."""
        self._isr = self._isr_count = self._osr = 0
        self._osr_count = 32
        self._pc = pc
        self._ahead: list[int] = []  # Instructions to carry out ahead of the program's next.
        self._is_waiting_irq = False
        self._at_ns = self._now_ns()

    def set_active(self, is_active: bool) -> None:
        """Switch the clock of this machine on or off."""
        self._pio.run()
        self.is_active = is_active
        self._at_ns = self._now_ns()
        self._pio.run()

    def execute(self, word: int) -> None:
        """Run one instruction at once, ahead of the program, active or not; if it stalls it stays next."""
        self._pio.run()
        self._ahead.insert(0, word)
        self._at_ns = self._now_ns()
        self._pio.run()

    def get(self) -> int | None:
        """Take a word from the RX FIFO, None if there is none."""
        self._pio.run()
        word = self.rx.popleft() if self.rx else None
        self._pio.run()
        return word

    @property
    def rx_words(self) -> int:
        """Words in the RX FIFO now."""
        self._pio.run()
        return len(self.rx)

    @property
    def tx_words(self) -> int:
        """Words in the TX FIFO now."""
        self._pio.run()
        return len(self.tx)

    def put(self, word: int) -> bool:
        """Put a word into the TX FIFO; False if it is full."""
        self._pio.run()
        has_room = len(self.tx) < self.tx_size
        if has_room:
            self.tx.append(word & _MASK)
            self._pio.run()
        return has_room

    def run(self) -> None:
        """Go on until now, or until an instruction stalls, or nothing more can change by itself. For `Pio.run`."""
        now_ns = self._now_ns()
        seen: dict[int, tuple[int, ...]] = {}
        for _ in range(_MOST_STEPS):
            if self._at_ns > now_ns or not (self.is_active or self._ahead):
                return
            before = self._pc
            if not self._step():
                break
            if self._pc <= before:
                # A loop that comes round with nothing changed waits for the world: let it.
                state = self._state()
                if seen.get(self._pc) == state:
                    break
                seen[self._pc] = state
        self._at_ns = max(self._at_ns, now_ns)

    def _step(self) -> bool:
        """Carry out the next instruction; False if it stalls."""
        is_ahead = bool(self._ahead)
        pc = self._pc
        word = self._ahead[0] if is_ahead else self._pio.memory[pc]
        side_bits = self.registers.pinctrl >> 29
        if side_bits:
            self._set_side(word >> 8 & 0x1F, side_bits)
        self._target: int | None = None
        if not self._operations[word >> 13](word):
            return False
        if is_ahead:
            del self._ahead[0]
        if self._target is not None:
            self._pc = self._target
        elif not is_ahead:
            top, bottom = self.registers.execctrl >> 12 & 0x1F, self.registers.execctrl >> 7 & 0x1F
            self._pc = bottom if pc == top else (pc + 1) % _MEMORY_WORDS
        self._at_ns += (1 + (word >> 8 & 0x1F >> side_bits)) * self._cycle_ns
        return True

    def _state(self) -> tuple[int, ...]:
        registers = (self._x, self._y, self._isr, self._isr_count, self._osr, self._osr_count)
        return (*registers, len(self.rx), len(self.tx), self._pio.flags)

    def _now_ns(self) -> int:
        return self._pio.now_us() * 1000

    # The eight instructions (data sheet, 3.4). Each returns False if it stalls.

    def _jmp(self, word: int) -> bool:
        condition = word >> 5 & 7
        x, y = self._x, self._y
        taken = (
            True,
            x == 0,
            x != 0,
            y == 0,
            y != 0,
            x != y,
            self._pio.pins.level(self.registers.execctrl >> 24 & 0x1F),
            self._osr_count < self._threshold(25),
        )[condition]
        if condition == 2:
            self._x = (x - 1) & _MASK
        elif condition == 4:
            self._y = (y - 1) & _MASK
        if taken:
            self._target = word & 0x1F
        return True

    def _wait(self, word: int) -> bool:
        polarity, source, index = word >> 7 & 1, word >> 5 & 3, word & 0x1F
        if source == 2:
            flag = 1 << self._flag(index)
            is_met = bool(self._pio.flags & flag) == bool(polarity)
            if is_met and polarity:
                self._pio.flags &= ~flag
            return is_met
        levels = self._pio.pins.levels() if source == 0 else self._in_pins()
        return levels >> index & 1 == polarity

    def _in(self, word: int) -> bool:
        is_auto = self.registers.shiftctrl >> 16 & 1
        count = word & 0x1F or 32
        total = min(32, self._isr_count + count)
        if is_auto and total >= self._threshold(20) and len(self.rx) >= self.rx_size:
            return False
        bits = self._source(word >> 5 & 7) & (1 << count) - 1
        if self.registers.shiftctrl >> 18 & 1:
            self._isr = (self._isr >> count | bits << 32 - count) & _MASK
        else:
            self._isr = (self._isr << count | bits) & _MASK
        self._isr_count = total
        if is_auto and total >= self._threshold(20):
            self._push_isr()
        return True

    def _out(self, word: int) -> bool:
        if self.registers.shiftctrl >> 17 & 1 and self._osr_count >= self._threshold(25) and not self._pull_osr():
            return False
        count = word & 0x1F or 32
        if self.registers.shiftctrl >> 19 & 1:
            bits = self._osr & (1 << count) - 1
            self._osr >>= count
        else:
            bits = self._osr >> 32 - count
            self._osr = self._osr << count & _MASK
        self._osr_count = min(32, self._osr_count + count)
        destination = word >> 5 & 7
        if destination == 6:
            self._isr_count = count
        self._store(_OUT_TO[destination], bits)
        return True

    def _push_pull(self, word: int) -> bool:
        is_conditional, is_blocking = word >> 6 & 1, word >> 5 & 1
        if word & 0x80:
            if is_conditional and self._osr_count < self._threshold(25):
                return True
            if self._pull_osr():
                return True
            if not is_blocking:
                self._osr, self._osr_count = self._x, 0
            return not is_blocking
        if is_conditional and self._isr_count < self._threshold(20):
            return True
        if len(self.rx) < self.rx_size:
            self._push_isr()
            return True
        if not is_blocking:
            self._isr = self._isr_count = 0
        return not is_blocking

    def _mov(self, word: int) -> bool:
        value = self._source(word & 7)
        operation = word >> 3 & 3
        if operation == 1:
            value ^= _MASK
        elif operation == 2:
            value = int(f"{value:032b}"[::-1], 2)
        destination = _MOV_TO[word >> 5 & 7]
        self._store(destination, value)
        if destination == "isr":
            self._isr_count = 0
        elif destination == "osr":
            self._osr_count = 0
        return True

    def _irq(self, word: int) -> bool:
        flag = 1 << self._flag(word & 0x1F)
        if word & 0x40:
            self._pio.flags &= ~flag
            return True
        if not self._is_waiting_irq:
            self._pio.flags |= flag
        self._is_waiting_irq = bool(word & 0x20) and bool(self._pio.flags & flag)
        return not self._is_waiting_irq

    def _set(self, word: int) -> bool:
        destination, data = word >> 5 & 7, word & 0x1F
        if destination in (0, 4):
            self._drive(self.registers.pinctrl >> 5 & 0x1F, self.registers.pinctrl >> 26 & 7, data, is_direction=destination == 4)
        else:
            self._store(_OUT_TO[destination], data)
        return True

    # What the instructions are made of.

    def _threshold(self, shift: int) -> int:
        return self.registers.shiftctrl >> shift & 0x1F or 32

    def _flag(self, index: int) -> int:
        return index & 4 | (index + self._index) & 3 if index & 0x10 else index & 7

    def _in_pins(self) -> int:
        base = self.registers.pinctrl >> 15 & 0x1F
        levels = self._pio.pins.levels()
        return (levels >> base | levels << 32 - base) & _MASK

    def _source(self, number: int) -> int:
        if number == 0:
            return self._in_pins()
        if number == 5:
            level = len(self.rx if self.registers.execctrl >> 4 & 1 else self.tx)
            return _MASK if level < self.registers.execctrl & 0xF else 0
        return {1: self._x, 2: self._y, 6: self._isr, 7: self._osr}.get(number, 0)

    def _store(self, destination: str, value: int) -> None:
        if destination in ("pins", "pindirs"):
            pinctrl = self.registers.pinctrl
            self._drive(pinctrl & 0x1F, pinctrl >> 20 & 0x3F, value, is_direction=destination == "pindirs")
        elif destination == "pc":
            self._target = value & 0x1F
        elif destination == "exec":
            self._ahead.append(value & 0xFFFF)
        elif destination == "x":
            self._x = value
        elif destination == "y":
            self._y = value
        elif destination == "isr":
            self._isr = value
        elif destination == "osr":
            self._osr = value

    def _push_isr(self) -> None:
        self.rx.append(self._isr)
        self._isr = self._isr_count = 0

    def _pull_osr(self) -> bool:
        if not self.tx:
            return False
        self._osr, self._osr_count = self.tx.popleft(), 0
        return True

    def _set_side(self, field: int, bits: int) -> None:
        value = field >> 5 - bits
        if self.registers.execctrl >> 30 & 1:
            bits -= 1
            if not value >> bits:
                return
            value &= (1 << bits) - 1
        base, is_direction = self.registers.pinctrl >> 10 & 0x1F, bool(self.registers.execctrl >> 29 & 1)
        self._drive(base, bits, value, is_direction=is_direction)

    def _drive(self, base: int, count: int, value: int, *, is_direction: bool) -> None:
        for index in range(count):
            pin = (base + index) % 32
            bit = 1 << pin
            if is_direction:
                self._out_enabled = self._out_enabled | bit if value >> index & 1 else self._out_enabled & ~bit
            else:
                self._out_levels = self._out_levels | bit if value >> index & 1 else self._out_levels & ~bit
            self._pio.pins.output(pin, bool(self._out_levels & bit) if self._out_enabled & bit else None)
