"""What a Pico does at power-on, before and around `/boot.py` and `/main.py`: `micropython boot.py WIRE IMAGE`.

WIRE and IMAGE are inherited file descriptors: a stream socket to the simulator, and the flash image. The folder of
this file is the ROM (sim/rom.py). An exception in the program prints its traceback and ends the process with exit code 1.
"""

import os
import sys

import _flash
import _hub


def _boot():
    import gc

    _flash.open_image(int(sys.argv[2]))
    _hub.open_wire(int(sys.argv[1]))
    # The built-in modules of the board, loaded while they can be found.
    import time  # noqa: F401

    import machine  # noqa: F401
    import rp2  # noqa: F401

    _flash.mount()
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []
    gc.collect()


_boot()
del _boot, _flash, _hub
try:
    if "boot.py" in os.listdir():
        execfile("boot.py")  # noqa: F821 - a built-in of MicroPython
    execfile("main.py")  # noqa: F821
except Exception as error:  # noqa: BLE001 - whatever it is, it ends the program
    sys.print_exception(error, sys.stderr)
    sys.exit(1)
