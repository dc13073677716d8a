"""A PIO block of an RP2040: instruction memory, flags, and four state machines (data sheet, chapter 3)."""

from collections.abc import Callable

from sim.parts.pins import Pins
from sim.parts.state_machine import StateMachine

MEMORY_WORDS = 32


class Pio:
    """One block: instruction memory, interrupt flags, and the machines that share them.

    It runs when something happens: a pin changes, or the program looks at a machine. So a program
    that counts and waits is exact, and costs nothing between edges; one that makes a waveform by
    itself changes its pins only when something else happens.
    """

    def __init__(self, pins: Pins, now_us: Callable[[], int]) -> None:
        self.pins = pins
        self.now_us = now_us
        self._is_running = False
        self.reset()
        pins.bystanders.append(self.run)

    def reset(self) -> None:
        """Forget programs and state, as a reset of the chip does."""
        self.memory = [0] * MEMORY_WORDS
        self.flags = 0
        self._programs: dict[tuple[int, ...], int] = {}
        self.machines = [StateMachine(self, index) for index in range(4)]

    def add_program(self, words: tuple[int, ...]) -> int | None:
        """Load a program, if it is not there yet, as high as it fits; return where, or None if it does not.

        JMP instructions are moved along, as the SDK's pio_add_program does.
        """
        if words in self._programs:
            return self._programs[words]
        used = {origin + index for program, origin in self._programs.items() for index in range(len(program))}
        for origin in range(MEMORY_WORDS - len(words), -1, -1):
            if used.isdisjoint(range(origin, origin + len(words))):
                self.memory[origin : origin + len(words)] = [word + origin if word >> 13 == 0 else word for word in words]
                self._programs[words] = origin
                return origin
        return None

    def run(self) -> None:
        """Run every machine up to now, until none goes on because of what another did."""
        if self._is_running:
            return
        self._is_running = True
        shared = None
        while shared != (self.flags, self.pins.levels()):
            shared = (self.flags, self.pins.levels())
            for machine in self.machines:
                machine.run()
        self._is_running = False
