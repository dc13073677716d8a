"""The PIO assembler of the rp2 port: Python functions in, instruction words out (RP2040 data sheet, 3.4)."""

from array import array

# What the names in a program stand for, other than instructions. Taken apart when a program is assembled: names that are
# no names of ours stay no longer than that.
_NUMBERS = """\
gpio 0 pins 0 x 1 y 2 null 3 pindirs 4 pc 5 status 5 pin 6 isr 6 osr 7 exec 8
not_x 1 x_dec 2 not_y 3 y_dec 4 x_not_y 5 not_osre 7
noblock 1 block 33 iffull 64 ifempty 64 clear 64"""


class PIOASMError(Exception):
    pass


class _Assembler:
    """Carries the program's functions out, twice: first to find labels, then to make words."""

    def __init__(self, sideset_count, sideset_opt):
        self.sideset_count = sideset_count
        self.sideset_opt = sideset_opt
        self.labels = {}
        self.begin(0)

    def begin(self, turn):
        self.turn = turn
        self.words = array("H")
        self.sides = 0
        self.target = 0
        self.top = -1

    def names(self):
        words = _NUMBERS.split()
        names = {words[at]: int(words[at + 1]) for at in range(0, len(words), 2)}
        names["invert"] = lambda source: source | 0x08
        names["reverse"] = names["rel"] = lambda number: number | 0x10
        for name in ("nop", "jmp", "wait", "in_", "out", "push", "pull", "mov", "irq", "set", "word", "label", "wrap", "wrap_target"):
            names[name] = getattr(self, name)
        return names

    def word(self, instr, label=None):
        if label is not None and self.turn:
            if label not in self.labels:
                raise PIOASMError("unknown label {}".format(label))
            instr |= self.labels[label]
        self.words.append(instr)
        return self

    # Modifiers of the instruction before them.

    def side(self, value):
        self.sides += 1
        if self.turn:
            bits = self.sideset_count - self.sideset_opt
            if bits <= 0:
                raise PIOASMError("no sideset")
            if value >= 1 << bits:
                raise PIOASMError("sideset too large")
            self.words[-1] |= self.sideset_opt << 12 | value << 13 - self.sideset_count
        return self

    def delay(self, delay):
        if self.turn:
            if delay > 31 >> self.sideset_count:
                raise PIOASMError("delay too large")
            self.words[-1] |= delay << 8
        return self

    __getitem__ = delay

    # Directives.

    def label(self, label):
        if self.turn == 0:
            if label in self.labels:
                raise PIOASMError("duplicate label {}".format(label))
            self.labels[label] = len(self.words)

    def wrap_target(self):
        self.target = len(self.words)

    def wrap(self):
        assert len(self.words)
        self.top = len(self.words) - 1

    # Instructions.

    def nop(self):
        return self.word(0xA042)  # mov(y, y)

    def jmp(self, cond, label=None):
        if label is None:
            cond, label = 0, cond
        return self.word(cond << 5, label)

    def wait(self, polarity, src, index):
        # "irq" names the instruction; "pin" has another number here than in a jmp.
        source = 1 if src == 6 else 0 if src == 0 else 2
        return self.word(0x2000 | polarity << 7 | source << 5 | index)

    def _shift(self, instr, place, count):
        if not 0 < count <= 32:
            raise PIOASMError("invalid bit count {}".format(count))
        return self.word(instr | place << 5 | count & 0x1F)

    def in_(self, src, data):
        return self._shift(0x4000, src, data)

    def out(self, dest, data):
        return self._shift(0x6000, 7 if dest == 8 else dest, data)

    def _move_fifo(self, instr, option, option2):
        option |= option2
        # Bit 0 marks that blocking was spoken of; to block is the rule.
        return self.word(instr | (option if option & 1 else option | 0x20) & 0x60)

    def push(self, value=0, value2=0):
        return self._move_fifo(0x8000, value, value2)

    def pull(self, value=0, value2=0):
        return self._move_fifo(0x8080, value, value2)

    def mov(self, dest, src):
        return self.word(0xA000 | (4 if dest == 8 else dest) << 5 | src)

    def irq(self, mod, index=None):
        if index is None:
            mod, index = 0, mod
        return self.word(0xC000 | mod & 0x60 | index)

    def set(self, dest, data):
        return self.word(0xE000 | dest << 5 | data)


def _count(init):
    return 0 if init is None else 1 if isinstance(init, int) else len(init)


def assemble(
    function,
    *,
    out_init=None,
    set_init=None,
    sideset_init=None,
    side_pindir=False,
    in_shiftdir=0,
    out_shiftdir=0,
    autopush=False,
    autopull=False,
    push_thresh=32,
    pull_thresh=32,
    fifo_join=0,
):
    assembler = _Assembler(_count(sideset_init), 0)
    # As on the board, a program sees these names only, not those of its module.
    names = function.__globals__
    kept = names.copy()
    names.clear()
    names.update(assembler.names())
    try:
        function()
        if assembler.sideset_count and assembler.sides != len(assembler.words):
            assembler.sideset_opt = 1
            assembler.sideset_count += 1
        assembler.begin(1)
        function()
    finally:
        names.clear()
        names.update(kept)
    size = len(assembler.words)
    top = assembler.top if assembler.top >= 0 else size - 1
    # Words, EXECCTRL, SHIFTCTRL; bits of the side-set, with the one that says whether there is any, if that is optional.
    return (
        assembler.words,
        assembler.sideset_opt << 30 | side_pindir << 29 | top << 12 | assembler.target << 7,
        fifo_join << 30
        | (pull_thresh & 0x1F) << 25
        | (push_thresh & 0x1F) << 20
        | out_shiftdir << 19
        | in_shiftdir << 18
        | autopull << 17
        | autopush << 16,
        assembler.sideset_count,
        assembler.sideset_opt,
        out_init,
        set_init,
        sideset_init,
    )


def asm_pio_encode(instr, sideset_count, sideset_opt=False):
    # `sideset_count` includes the bit for "optional", as in the port.
    assembler = _Assembler(sideset_count, 1 if sideset_opt else 0)
    assembler.begin(1)
    names = assembler.names()
    names["jmp"] = None  # The port has no jump here either: there are no labels to jump to.
    exec(instr, names)
    if len(assembler.words) != 1:
        raise PIOASMError("expecting exactly 1 instruction")
    return assembler.words[0]
