"""The till's start: what /main.py on the board calls."""

from firmware.pos.sale import Sale
from firmware.terminal.start import start


def main() -> None:
    """Run the till for ever."""
    start("pos", Sale)
