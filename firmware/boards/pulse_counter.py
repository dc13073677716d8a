"""Counting pulses in the RP2040's hardware."""

import rp2

from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from machine import Pin
    from rp2.asm_pio_rp2040 import invert, jmp, label, mov, null, pin, wait, wrap, wrap_target, x, x_dec

# A thousand times the fastest meter, and fast enough that one forced instruction is done before the next is written.
_COUNTER_HZ = const(1_000_000)

# Instructions encoded beforehand (RP2040 data sheet, 3.4), since encoding them from text allocates.
_MOV_ISR_NOT_X = const(0xA0C9)
_PUSH = const(0x8000)


class PulseCounter:
    """Counts the falling edges of one pin in a PIO state machine: none is lost while flash is erased.

    `state_machine`: 0..7; `pin`: an input. PIO counts only downwards, from 0xFFFFFFFF, and is read through a NOT; so
    the count starts at 0 and stays a small int, for which the device allocates nothing, up to 2^30 pulses.
    """

    def __init__(self, state_machine: int, pin: "Pin") -> None:
        self._machine = rp2.StateMachine(state_machine, _count_falling, freq=_COUNTER_HZ, in_base=pin)
        self._machine.active(1)

    def count(self) -> int:
        """Pulses since the start, modulo 2^32."""
        self._machine.exec(_MOV_ISR_NOT_X)
        self._machine.exec(_PUSH)
        return self._machine.get()


@rp2.asm_pio()
def _count_falling():
    mov(x, invert(null))
    wrap_target()
    label("next")
    wait(1, pin, 0)
    wait(0, pin, 0)
    jmp(x_dec, "next")
    wrap()
