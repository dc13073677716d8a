"""The command `onecard`: the host's commands, joined by the simulator's (`demo`).

Imports are written `from protocol.frame import ...` everywhere, on CPython and MicroPython alike.
Installed, the four packages lie beside this file; in a checkout they lie one folder up. Whichever
holds `host` goes first on `sys.path`, so that only the name `onecard` lands in site-packages.
"""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line; the exit codes are those of `onecard --help`."""
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here if (here / "host").is_dir() else here.parent))
    from host.cli import app
    from sim.cli import add_commands

    add_commands(app)
    app()


if __name__ == "__main__":
    main()
