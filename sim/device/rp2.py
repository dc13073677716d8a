"""The `rp2` module of the rp2 port, as far as this firmware goes: flash, and PIO state machines."""

import _hub
from _flash import Flash  # noqa: F401 - part of the module
from _seldom import call, load
from opcodes import IDLE, PIO_ACTIVE, PIO_COUNTS, PIO_EXECUTE, PIO_GET, PIO_PUT


def __getattr__(name):
    return getattr(load("_pio_options" if name == "PIO" else "_pioasm"), name)


def asm_pio(**options):
    return lambda function: call("_pioasm", "assemble", function, **options)


def asm_pio_encode(instr, sideset_count, sideset_opt=False):
    return call("_pioasm", "asm_pio_encode", instr, sideset_count, sideset_opt)


class StateMachine:
    """One of eight PIO state machines (RP2040 data sheet, 3): the program runs in the simulator, cycle by cycle where it matters."""

    def __init__(self, id, program=None, freq=-1, **places):
        if not 0 <= id < 8:
            raise ValueError("invalid StateMachine")
        self._id = id
        if program is not None:
            self.init(program, freq, **places)

    def init(self, program, freq=-1, **places):
        self.active(0)
        self._sideset = call("_pio", "configure", self._id, program, freq, **places)

    def active(self, value=None):
        if value is None:
            return self._active
        self._active = bool(value)
        _hub.tell(PIO_ACTIVE, self._id, 1 if value else 0)
        return self._active

    def exec(self, instr):
        if isinstance(instr, str):
            instr = asm_pio_encode(instr, *self._sideset)
        _hub.tell(PIO_EXECUTE, self._id, instr)

    def get(self, buf=None, shift=0):
        if buf is None:
            return self._get() >> shift
        for index in range(len(buf)):
            buf[index] = self._get() >> shift
        return buf

    def _get(self):
        while (word := _hub.ask(PIO_GET, self._id)) < 0:
            _hub.sync(IDLE)
        return word

    def put(self, value, shift=0):
        for word in (value,) if isinstance(value, int) else value:
            while not _hub.ask(PIO_PUT, self._id, word << shift & 0xFFFFFFFF):
                _hub.sync(IDLE)

    def rx_fifo(self):
        return _hub.ask(PIO_COUNTS, self._id) & 0xFF

    def tx_fifo(self):
        return _hub.ask(PIO_COUNTS, self._id) >> 8
