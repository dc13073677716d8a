"""The one loop of the firmware."""

from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from firmware.terminal.terminal import Terminal

# The keypad wants to be scanned every 5 ms; nothing else is due sooner, but bytes on the line, which end the wait.
_PASS_MS = const(5)


def run(board: "Any", terminal: "Terminal") -> None:
    """Poll the terminal for ever, feeding the watchdog at each pass.

    An exception is a mistake of ours or a failing flash: it shuts the valve and ends the program, and the
    watchdog, no longer fed, starts the board again. Nothing is lost by that: what was shown is in the journal.
    """
    try:
        while True:
            terminal.poll()
            board.watchdog.feed()
            board.wait(_PASS_MS)
    finally:
        board.valve.shut()
