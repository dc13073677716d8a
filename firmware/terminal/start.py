"""From an open board to a terminal, on a real board: the only file of this folder that tests on a computer leave out."""

from firmware.terminal import identity
from firmware.terminal.rows import row
from firmware.terminal.storage import FileStorage
from firmware.terminal.terminal import Terminal
from protocol import codes, fast
from protocol.compat import const
from protocol.crypto import Crypto

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.boards.board import Board
    from firmware.terminal.settings import InForce

_JOURNAL = "/journal"
_RESOURCES = "/resources"
_PAUSE_MS = const(100)


def make_terminal(board: "Board", program: str, make_program: "Callable[[InForce], Any]") -> Terminal:
    """Return a terminal for `program` ("shower" or "pos"), which `make_program(in_force)` makes; `run` it (loop.py).

    On a board without an identity it never returns.
    """
    try:
        who = _read_identity()
    except (OSError, ValueError):
        _stay_unconfigured(board)
        raise
    return Terminal(
        board,
        who,
        program=program,
        make_program=make_program,
        codec=fast.CODEC,
        crypto=Crypto(board.aes, fast.xor),
        journal_storage=FileStorage(_JOURNAL),
        resource_storage=FileStorage(_RESOURCES),
    )


def _read_identity() -> "identity.Identity":
    """The board's identity. Raises OSError when it has none, ValueError for a damaged one."""
    with open(identity.PATH, "rb") as file:
        return identity.decode(file.read())


def _stay_unconfigured(board: "Board") -> None:
    """Say on the display that the board must be flashed with an identity, for ever."""
    wrong, remedy = codes.texts(codes.NOT_CONFIGURED)
    board.display.show((row(wrong, codes.label(codes.NOT_CONFIGURED).encode()), row(remedy), row(b""), row(b"")))
    while True:
        board.display.poll(int(board.ticks_ms()))
        board.watchdog.feed()
        board.wait(_PAUSE_MS)
