"""The PIO state machine, word by word, against the RP2040 data sheet; programs as published by Raspberry Pi."""

import pytest

from sim.clock import Clock
from sim.parts.pins import ALT, Pins
from sim.parts.pio import Pio
from sim.parts.state_machine import Registers, StateMachine

# wait(0, pin, 0); wait(1, pin, 0); jmp(x_dec, 0): counts rising edges down in X.
COUNTER = (0x2020, 0x20A0, 0x0040)
MOV_X_NOT_NULL = 0xA02B
MOV_ISR_NOT_X = 0xA0C9
MOV_ISR_X = 0xA0C1
PUSH_NOBLOCK = 0x8000
PUSH_BLOCK = 0x8020
SET_X_5 = 0xE025
SHIFTS_LEFT = Registers(shiftctrl=0)


class Rig:
    """One PIO block on its pins, with time moved by hand."""

    def __init__(self) -> None:
        self.clock = Clock(0)
        self.pins = Pins({}, lambda: None)
        self.pio = Pio(self.pins, self.clock.now_us)

    def start(self, words: tuple[int, ...], registers: Registers | None = None, *, index: int = 0, hz: int = 125_000_000) -> StateMachine:
        origin = self.pio.add_program(words)
        assert origin is not None
        given = registers or Registers()
        execctrl = given.execctrl & ~(0x3FF << 7) | origin + len(words) - 1 << 12 | origin << 7
        machine = self.pio.machines[index]
        machine.configure(Registers(125_000_000 * 256 // hz, execctrl, given.shiftctrl, given.pinctrl), origin)
        machine.set_active(True)
        return machine

    def pulse(self, pin: int, count: int = 1) -> None:
        for _ in range(count):
            for level in (True, False):
                self.pins.drive(pin, level)
                self.clock.advance(10)

    def run(self, *words: int, registers: Registers | None = None) -> StateMachine:
        """Execute words on a machine that has no program."""
        machine = self.pio.machines[0]
        if registers is not None:
            machine.configure(registers, 0)
        for word in words:
            machine.execute(word)
        return machine


def read_x(machine: StateMachine) -> int | None:
    machine.execute(MOV_ISR_X)
    machine.execute(PUSH_NOBLOCK)
    return machine.get()


def test_a_counter_counts_each_rising_edge() -> None:
    rig = Rig()
    machine = rig.start(COUNTER, Registers(pinctrl=27 << 15))
    machine.execute(MOV_X_NOT_NULL)
    rig.pulse(27, 450)
    machine.execute(MOV_ISR_NOT_X)
    machine.execute(PUSH_NOBLOCK)
    assert machine.get() == 450
    rig.pulse(28, 5)
    rig.pulse(27, 5)
    machine.execute(MOV_ISR_NOT_X)
    machine.execute(PUSH_NOBLOCK)
    assert machine.get() == 455


def test_a_machine_switched_off_counts_nothing() -> None:
    rig = Rig()
    machine = rig.start(COUNTER)
    machine.execute(SET_X_5)
    machine.set_active(False)
    rig.pulse(0, 3)
    assert read_x(machine) == 5
    machine.set_active(True)
    rig.pulse(0, 3)
    assert read_x(machine) == 2


def test_an_executed_instruction_does_not_move_the_program() -> None:
    """The machine waits at its second instruction; what is executed comes between, and the wait goes on."""
    rig = Rig()
    machine = rig.start(COUNTER)
    machine.execute(SET_X_5)
    for _ in range(3):
        assert read_x(machine) == 5
    rig.pulse(0)
    assert read_x(machine) == 4


def test_an_executed_jump_does() -> None:
    rig = Rig()
    machine = rig.start((0xE021, 0x20A0, 0xE022, 0x20A1))  # set x 1; wait 1 pin 0; set x 2; wait 1 pin 1
    rig.clock.advance(1)
    assert read_x(machine) == 1
    machine.execute(28 + 2)  # jmp to the third, which lies at 30
    rig.clock.advance(1)
    assert read_x(machine) == 2


def test_programs_lie_at_the_top_with_their_jumps_moved_along_and_once_only() -> None:
    pio = Rig().pio
    assert pio.add_program((0xE081, 0x0001)) == 30
    assert pio.memory[31] == 31
    assert pio.add_program((0xE081, 0x0001)) == 30
    assert pio.add_program((0xA042,) * 30) == 0
    assert pio.add_program((0xA042,)) is None


@pytest.mark.parametrize(
    ("words", "isr"),
    [
        ((SET_X_5, 0x4022), 0b01),  # in x, 2 of 101
        ((SET_X_5, 0x4023, 0x4023), 0b101_101),
        ((SET_X_5, 0xA0C9), 0xFFFF_FFFA),  # mov isr, ~x
        ((SET_X_5, 0xA0D1), 0xA000_0000),  # mov isr, ::x
        ((SET_X_5, 0xA041, 0xA0C2), 5),  # mov y, x; mov isr, y
        ((SET_X_5, 0xA0E1, 0xA0C7), 5),  # mov osr, x; mov isr, osr
        ((SET_X_5, 0xA0E1, 0x60C0), 5),  # out isr, 32
        ((SET_X_5, 0xA0E1, 0x607D, 0x4023, 0xA0C7), 0xA000_0000),  # 29 bits out to nowhere: the rest moved up
        ((0xA0C3,), 0),  # mov isr, null
        ((SET_X_5, 0x4060), 0),  # in null, 32
    ],
)
def test_shifting_and_moving_left(words: tuple[int, ...], isr: int) -> None:
    machine = Rig().run(*words, PUSH_NOBLOCK, registers=SHIFTS_LEFT)
    assert machine.get() == isr


def test_shifting_right_fills_from_the_top() -> None:
    machine = Rig().run(SET_X_5, 0x4023, PUSH_NOBLOCK)
    assert machine.get() == 0b101 << 29


def test_in_pins_begins_at_its_base_and_wraps() -> None:
    rig = Rig()
    rig.pins.drive(28, True)
    rig.pins.drive(1, True)
    machine = rig.run(0x4000, PUSH_NOBLOCK, registers=Registers(shiftctrl=0, pinctrl=28 << 15))
    assert machine.get() == 1 | 1 << 5


def test_fifos_hold_four_words_or_eight_when_joined() -> None:
    rig = Rig()
    machine = rig.pio.machines[0]
    assert [machine.put(word) for word in range(5)] == [True] * 4 + [False]
    machine.configure(Registers(shiftctrl=1 << 30), 0)
    assert [machine.put(word) for word in range(9)] == [True] * 8 + [False]
    assert (machine.tx_words, machine.rx_words) == (8, 0)


def test_a_blocking_push_waits_for_room_and_then_is_done() -> None:
    machine = Rig().run(SET_X_5, *(MOV_ISR_X, PUSH_BLOCK) * 5)
    assert machine.rx_words == 4
    assert [machine.get() for _ in range(6)] == [5, 5, 5, 5, 5, None]


def test_a_push_without_blocking_drops_what_finds_no_room() -> None:
    machine = Rig().run(SET_X_5, *(MOV_ISR_X, PUSH_NOBLOCK) * 5)
    assert [machine.get() for _ in range(5)] == [5, 5, 5, 5, None]


def test_a_pull_without_blocking_takes_x_from_an_empty_fifo() -> None:
    machine = Rig().run(SET_X_5, 0x8080, 0xA0C7, PUSH_NOBLOCK)
    assert machine.get() == 5


def test_a_blocking_pull_waits_for_a_word() -> None:
    rig = Rig()
    machine = rig.start((0x80A0, 0xA0C7, PUSH_BLOCK))
    assert machine.get() is None
    machine.put(1234)
    rig.clock.advance(1)
    assert machine.get() == 1234


def test_autopush_and_autopull_move_words_at_their_thresholds() -> None:
    rig = Rig()
    # out x, 8; in x, 8: bytes of each word, the lowest first.
    machine = rig.start((0x6028, 0x4028), Registers(shiftctrl=1 << 16 | 1 << 17 | 1 << 19 | 8 << 20))
    machine.put(0x44332211)
    rig.clock.advance(1)
    assert [machine.get() for _ in range(5)] == [0x11, 0x22, 0x33, 0x44, None]


@pytest.mark.parametrize(
    ("cond", "x", "y", "taken"),
    [
        (1, 0, 0, True),
        (1, 5, 0, False),
        (2, 5, 0, True),
        (2, 0, 0, False),
        (3, 0, 0, True),
        (4, 0, 7, True),
        (5, 5, 5, False),
        (5, 5, 6, True),
    ],
)
def test_jump_conditions(cond: int, x: int, y: int, taken: bool) -> None:
    rig = Rig()
    # jmp cond, 3; set x 0; jmp 4; set x 1; wait for ever
    words = (cond << 5 | 3, 0xE020, 0x0004, 0xE021, 0x2080 | 5)
    rig.pio.memory[:5] = list(words)
    machine = rig.pio.machines[0]
    machine.execute(0xE020 | x)
    machine.execute(0xE040 | y)
    machine.set_active(True)
    rig.clock.advance(1)
    assert read_x(machine) == taken


def test_jump_on_a_pin_and_on_what_is_left_in_the_osr() -> None:
    rig = Rig()
    machine = rig.start((0x00C0, 0xE021, 0x2085), Registers(execctrl=27 << 24))  # while pin: ; x = 1
    rig.pins.drive(27, True)
    machine.execute(28 + 1)
    machine.execute(0xE020)
    rig.clock.advance(5)
    assert read_x(machine) == 0
    rig.pins.drive(27, False)
    rig.clock.advance(5)
    assert read_x(machine) == 1


def test_a_polling_loop_costs_no_time_to_emulate() -> None:
    """A loop without a WAIT, at 125 MHz for a virtual hour: it comes round unchanged, and is let be."""
    rig = Rig()
    machine = rig.start((0x00C0, 0x00C3, 0x0001, 0x0040), Registers(execctrl=27 << 24))
    machine.execute(MOV_X_NOT_NULL)
    rig.clock.advance(3_600_000_000)
    rig.pulse(27, 3)
    rig.clock.advance(3_600_000_000)
    machine.execute(MOV_ISR_NOT_X)
    machine.execute(PUSH_NOBLOCK)
    assert machine.get() == 3


def test_delays_and_clock_divider_take_their_time() -> None:
    """The receiver of a UART, as published in pico-examples (uart_rx_mini): 8 cycles a bit, sampled in the middle."""
    rig = Rig()
    machine = rig.start((0x2020, 0xEA27, 0x4001, 0x0642), Registers(shiftctrl=1 << 16 | 1 << 18 | 8 << 20), hz=8 * 10_000)
    rig.pins.drive(0, True)
    for byte in b"\x00OK\xff":
        for bit in (0, *(byte >> index & 1 for index in range(8)), 1):
            rig.pins.drive(0, bool(bit))
            rig.clock.advance(100)
    received = [machine.get() for _ in range(4)]
    assert [word >> 24 for word in received if word is not None] == list(b"\x00OK\xff")


def test_set_drives_pins_the_block_has_claimed() -> None:
    """The square wave of the data sheet, 3.2.2: set pindirs 1; set pins 1 [1]; set pins 0; jmp 1."""
    rig = Rig()
    rig.pins.claim(25, rig.pio)
    machine = rig.run(registers=Registers(pinctrl=1 << 26 | 25 << 5))
    machine.execute(0xE101)
    assert rig.pins.driven(25) is None
    machine.execute(0xE081)
    assert rig.pins.level(25)
    machine.execute(0xE000)
    assert not rig.pins.level(25)
    assert Registers(pinctrl=1 << 26 | 25 << 5).outputs == {25}
    assert rig.pins.owner(25) is rig.pio
    assert ALT == 3


def test_side_set_drives_its_pin_with_any_instruction() -> None:
    rig = Rig()
    rig.pins.claim(3, rig.pio)
    registers = Registers(execctrl=1 << 30 | 0x1F << 12, pinctrl=2 << 29 | 3 << 10 | 1 << 26 | 3 << 5)
    machine = rig.run(0xE081, 0xB842, registers=registers)  # set pindirs 1; nop side 1
    assert rig.pins.level(3)
    machine.execute(0xA042)  # nop, without a side-set
    assert rig.pins.level(3)
    machine.execute(0xB042)  # nop side 0
    assert not rig.pins.level(3)


def test_a_flag_joins_two_machines() -> None:
    rig = Rig()
    waiter = rig.start((0x20C4, 0xE021, 0x2085), index=1)  # wait 1 irq 4; x = 1
    rig.clock.advance(1)
    assert read_x(waiter) == 0
    rig.run(0xC004)
    rig.clock.advance(1)
    assert (read_x(waiter), rig.pio.flags) == (1, 0)


def test_irq_wait_holds_until_the_flag_is_taken() -> None:
    rig = Rig()
    machine = rig.run(0xC023, SET_X_5)  # irq wait 3
    machine.execute(0xC043)  # irq clear 3
    assert rig.pio.flags == 0
    assert read_x(machine) == 5


def test_restart_clears_the_shift_registers_and_keeps_x_and_the_fifos() -> None:
    rig = Rig()
    machine = rig.start(COUNTER)
    machine.execute(SET_X_5)
    machine.execute(MOV_ISR_X)
    machine.put(9)
    machine.restart(29)
    machine.execute(PUSH_NOBLOCK)
    assert (machine.get(), machine.tx_words, read_x(machine)) == (0, 1, 5)


def test_status_says_how_full_a_fifo_is() -> None:
    machine = Rig().run(0xA0C5, PUSH_NOBLOCK, registers=Registers(execctrl=1 | 0x1F << 12))
    assert machine.get() == 0xFFFF_FFFF
    machine.put(1)
    machine.execute(0xA0C5)
    machine.execute(PUSH_NOBLOCK)
    assert machine.get() == 0


def test_out_exec_runs_a_word_from_the_fifo() -> None:
    rig = Rig()
    machine = rig.run()
    machine.put(SET_X_5)
    for word in (0x80A0, 0x60F0):  # pull block; out exec, 16
        machine.execute(word)
    rig.clock.advance(1)
    assert read_x(machine) == 5
