"""Setting a PIO state machine up: from a program's options and places to registers (RP2040 data sheet, 3.7)."""

import struct

import _hub
from machine import Pin
from micropython import const
from opcodes import PIO_CONFIGURE, PIO_EXECUTE, PIO_LOAD

_CPU_HZ = const(125_000_000)


def configure(
    id,
    program,
    freq=-1,
    *,
    in_base=None,
    out_base=None,
    set_base=None,
    jmp_pin=None,
    sideset_base=None,
    in_shiftdir=None,
    out_shiftdir=None,
    push_thresh=None,
    pull_thresh=None,
):
    """Load a program and set up machine `id`; return what `asm_pio_encode` must know of the program's side-set."""
    words, execctrl, shiftctrl, sideset_count, sideset_opt, out_init, set_init, sideset_init = program
    _hub.send(PIO_LOAD, id, 0, words, 0, 2 * len(words))
    origin = _hub.integer()
    if origin < 0:
        raise OSError(12)  # ENOMEM
    clkdiv = 256 if freq < 0 else _CPU_HZ * 256 // freq
    if not 256 <= clkdiv <= 65536 * 256:
        raise ValueError("freq out of range")
    execctrl += origin << 12 | origin << 7
    if jmp_pin is not None:
        execctrl |= Pin(jmp_pin)._id << 24
    for value, bit, width in ((in_shiftdir, 18, 1), (out_shiftdir, 19, 1), (push_thresh, 20, 5), (pull_thresh, 25, 5)):
        if value is not None:
            mask = (1 << width) - 1
            shiftctrl = shiftctrl & ~(mask << bit) | (value & mask) << bit
    pinctrl = sideset_count << 29 | _count(out_init) << 20 | _count(set_init) << 26
    for pin, bit in ((out_base, 0), (set_base, 5), (sideset_base, 10), (in_base, 15)):
        if pin is not None:
            pinctrl |= Pin(pin)._id << bit

    def write(pins):
        _hub.send(PIO_CONFIGURE, id, origin, struct.pack("<IIII", clkdiv, execctrl, shiftctrl, pins))

    # Output pins get their first level and direction one by one, with SET instructions.
    for init, base in ((out_init, out_base), (set_init, set_base), (sideset_init, sideset_base)):
        if init is not None and base is not None:
            for offset, state in enumerate((init,) if isinstance(init, int) else init):
                write(1 << 26 | Pin(base)._id + offset << 5)
                _hub.tell(PIO_EXECUTE, id, 0xE000 | state & 1)
                _hub.tell(PIO_EXECUTE, id, 0xE080 | state >> 1)
    write(pinctrl)
    return sideset_count, sideset_opt


def _count(init):
    return 0 if init is None else 1 if isinstance(init, int) else len(init)
