"""The till's start: what /boot.py on the board calls."""

from firmware.pos.sale import Sale
from firmware.terminal import start

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.boards.board import Board
    from firmware.terminal.terminal import Terminal


def make_terminal(board: "Board") -> "Terminal":
    """Return a terminal that is a till."""
    return start.make_terminal(board, "pos", Sale)
