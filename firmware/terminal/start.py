"""From power-on to the loop, on a real board: the only file of this folder that tests on a computer leave out."""

import gc

from firmware.boards.pico import open_board
from firmware.terminal import identity
from firmware.terminal.loop import run
from firmware.terminal.rows import row
from firmware.terminal.storage import FileStorage
from firmware.terminal.terminal import Terminal
from protocol import codes, fast
from protocol.compat import const
from protocol.crypto import Crypto

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.terminal.settings import InForce

_JOURNAL = "/journal"
_RESOURCES = "/resources"
_PAUSE_MS = const(100)


def start(program: str, make_program: "Callable[[InForce], Any]") -> None:
    """Run `program` ("shower" or "pos"); `make_program(in_force)` makes it. Never returns while all goes well."""
    board = open_board(program)  # first of all: it shuts the valve
    try:
        who = _read_identity()
    except (OSError, ValueError):
        _stay_unconfigured(board)
        return
    terminal = Terminal(
        board,
        who,
        program=program,
        make_program=make_program,
        codec=fast.CODEC,
        crypto=Crypto(board.aes, fast.xor),
        journal_storage=FileStorage(_JOURNAL),
        resource_storage=FileStorage(_RESOURCES),
    )
    gc.collect()
    run(board, terminal)


def _read_identity() -> "identity.Identity":
    """The board's identity. Raises OSError when it has none, ValueError for a damaged one."""
    with open(identity.PATH, "rb") as file:
        return identity.decode(file.read())


def _stay_unconfigured(board: "Any") -> None:
    """Say on the display that the board must be flashed with an identity, for ever."""
    wrong, remedy = codes.texts(codes.NOT_CONFIGURED)
    board.display.show((row(wrong, codes.label(codes.NOT_CONFIGURED).encode()), row(remedy), row(b""), row(b"")))
    while True:
        board.display.poll(int(board.ticks_ms()))
        board.watchdog.feed()
        board.wait(_PAUSE_MS)
