"""The ROM of a simulated board: the modules that a Pico's MicroPython has built in, compiled, in a folder its processor reads.

On a Pico they lie in flash; here they share the heap with the program, so they are made as small as the firmware is.
"""

import functools
import os
from collections.abc import Mapping
from pathlib import Path

from host.flash import compile_sources
from host.linking.folding import fold

DEVICE = Path(__file__).parent / "device"

_BOOT = "boot.py"
_NOT_BUILT_IN = ("__init__", "_files", "boot")


def write_rom(folder: Path) -> Path:
    """Put the compiled modules into a folder, as far as they are not there; return the script that boots a board from it.

    Raises `MissingTool` without mpy-cross.
    """
    folder.mkdir(exist_ok=True)
    for name, content in _rom().items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            # In one step, since a processor may be booting from it.
            new = path.with_suffix(f".{os.getpid()}")
            new.write_bytes(content)
            new.replace(path)
    return folder / _BOOT


@functools.cache
def _rom() -> Mapping[str, bytes]:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in DEVICE.glob("*.py") if path.stem not in _NOT_BUILT_IN}
    compiled = compile_sources(fold(sources), "x64", optimise=3)
    return {_BOOT: (DEVICE / _BOOT).read_bytes(), **{f"{name}.mpy": code for name, code in compiled.items()}}
