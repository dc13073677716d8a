"""The shower controller's start: what /main.py on the board calls."""

from firmware.shower.stall import Stall
from firmware.terminal.start import start


def main() -> None:
    """Run the shower controller for ever."""
    start("shower", Stall)
