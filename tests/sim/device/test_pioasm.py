"""The PIO assembler on the real MicroPython, against words published by Raspberry Pi and the data sheet's encodings."""

import json
import subprocess
from pathlib import Path
from textwrap import dedent, indent

import pytest

from sim import terminal

DEVICE = Path(terminal.__file__).parent / "device"

HEADER = f"""
import json, sys
sys.path.insert(0, {str(DEVICE)!r})
from _pioasm import PIOASMError, asm_pio_encode, assemble
def asm_pio(**options):
    return lambda function: assemble(function, **options)
"""


def micropython(script: str) -> str:
    """Run a script on MicroPython and return what it printed."""
    done = subprocess.run([terminal.find_micropython(), "-c", HEADER + dedent(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assemble(options: str, body: str) -> list[int]:
    """Return words, EXECCTRL and SHIFTCTRL of a program."""
    function = indent(dedent(body).strip(), "    ")
    report = "print(json.dumps(list(program[0]) + list(program[1:3])))"
    return json.loads(micropython(f"@asm_pio({options})\ndef program():\n{function}\n{report}"))


# Programs of pico-examples and the RP2040 data sheet, with the words their tools print.
PUBLISHED = {
    "squarewave": (
        "set_init=2",
        """
        set(pindirs, 1)
        label("again")
        set(pins, 1) [1]
        set(pins, 0)
        jmp("again")
        """,
        [0xE081, 0xE101, 0xE000, 0x0001],
        (0, 3),
    ),
    "ws2812": (
        "sideset_init=2",
        """
        wrap_target()
        label("bitloop")
        out(x, 1).side(0) [2]
        jmp(not_x, "do_zero").side(1) [1]
        jmp("bitloop").side(1) [4]
        label("do_zero")
        nop().side(0) [4]
        wrap()
        """,
        [0x6221, 0x1123, 0x1400, 0xA442],
        (0, 3),
    ),
    "uart_tx": (
        "sideset_init=3, out_init=3",
        """
        pull().side(1) [7]
        set(x, 7).side(0) [7]
        label("bitloop")
        out(pins, 1)
        jmp(x_dec, "bitloop") [6]
        """,
        [0x9FA0, 0xF727, 0x6001, 0x0642],
        (0, 3),
    ),
    "uart_rx_mini": (
        "",
        """
        wait(0, pin, 0)
        set(x, 7) [10]
        label("bitloop")
        in_(pins, 1)
        jmp(x_dec, "bitloop") [6]
        """,
        [0x2020, 0xEA27, 0x4001, 0x0642],
        (0, 3),
    ),
    "spi_cpha0": (
        "sideset_init=2",
        """
        out(pins, 1).side(0) [1]
        in_(pins, 1).side(1) [1]
        """,
        [0x6101, 0x5101],
        (0, 1),
    ),
    "pwm": (
        "sideset_init=2",
        """
        pull(noblock).side(0)
        mov(x, osr)
        mov(y, isr)
        label("countloop")
        jmp(x_not_y, "noset")
        jmp("skip").side(1)
        label("noset")
        nop()
        label("skip")
        jmp(y_dec, "countloop")
        """,
        [0x9080, 0xA027, 0xA046, 0x00A5, 0x1806, 0xA042, 0x0083],
        (0, 6),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_programs_give_the_published_words(name: str) -> None:
    options, body, words, (target, top) = PUBLISHED[name]
    *assembled, execctrl, _ = assemble(options, body)
    assert [hex(word) for word in assembled] == [hex(word) for word in words]
    assert (execctrl >> 7 & 0x1F, execctrl >> 12 & 0x1F) == (target, top)


# The table of encodings, RP2040 data sheet, 3.4.
ENCODINGS = [
    ("wait(1, gpio, 5)", 0x2085),
    ("wait(0, pin, 3)", 0x2023),
    ("wait(1, irq, 4)", 0x20C4),
    ("wait(1, irq, rel(0))", 0x20D0),
    ("in_(pins, 32)", 0x4000),
    ("in_(x, 32)", 0x4020),
    ("in_(null, 24)", 0x4078),
    ("out(exec, 16)", 0x60F0),
    ("out(pindirs, 8)", 0x6088),
    ("out(pc, 5)", 0x60A5),
    ("push()", 0x8020),
    ("push(block)", 0x8020),
    ("push(noblock)", 0x8000),
    ("push(iffull, noblock)", 0x8040),
    ("push(iffull)", 0x8060),
    ("pull()", 0x80A0),
    ("pull(ifempty, block)", 0x80E0),
    ("mov(isr, x)", 0xA0C1),
    ("mov(x, invert(null))", 0xA02B),
    ("mov(isr, reverse(osr))", 0xA0D7),
    ("mov(exec, y)", 0xA082),
    ("mov(x, status)", 0xA025),
    ("irq(3)", 0xC003),
    ("irq(rel(0))", 0xC010),
    ("irq(block, 3)", 0xC023),
    ("irq(clear, 3)", 0xC043),
    ("set(x, 31)", 0xE03F),
    ("set(pindirs, 1)", 0xE081),
    ("nop()", 0xA042),
    ("nop() [31]", 0xBF42),
    ("word(0x1234)", 0x1234),
]


def test_every_form_of_an_instruction_is_encoded_as_the_data_sheet_says() -> None:
    script = f"print(json.dumps([asm_pio_encode(text, 0) for text in {[text for text, _ in ENCODINGS]!r}]))"
    assert dict(zip((text for text, _ in ENCODINGS), json.loads(micropython(script)), strict=True)) == dict(ENCODINGS)


def test_side_set_of_one_instruction_counts_its_optional_bit() -> None:
    script = """
    print(asm_pio_encode("nop().side(1)", 1), asm_pio_encode("nop().side(1)", 2, True))
    """
    assert micropython(script).split() == [str(0xB042), str(0xB842)]


def test_shift_options_reach_shiftctrl() -> None:
    *_, shiftctrl = assemble("in_shiftdir=1, autopush=True, push_thresh=8, autopull=True, pull_thresh=32, fifo_join=2", "nop()")
    assert shiftctrl == 2 << 30 | 8 << 20 | 1 << 18 | 1 << 17 | 1 << 16


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('jmp("nowhere")', "unknown label"),
        ('label("a"); label("a"); nop()', "duplicate label"),
        ("in_(x, 33)", "invalid bit count"),
        ("nop() [32]", "delay too large"),
        ("nop().side(1)", "no sideset"),
    ],
)
def test_mistakes_are_refused(body: str, message: str) -> None:
    script = f"""
    try:
        @asm_pio()
        def program():
            {body}
    except PIOASMError as error:
        print(error)
    """
    assert message in micropython(script)


def test_a_program_sees_the_assemblers_names_only_and_its_module_is_as_before() -> None:
    script = """
    LIMIT = 5
    try:
        @asm_pio()
        def program():
            set(x, LIMIT)
    except NameError:
        print("as on the board", LIMIT)
    """
    assert micropython(script).split() == ["as", "on", "the", "board", "5"]
