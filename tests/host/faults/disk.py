"""A disk that fails when it is told to, for processes of the tests: builds `disk.c`, and drives it.

A process started with `Disk.environment` writes to this disk whatever has `ledger.db` in its path. The n-th
call from arming on goes wrong; `count` says how many there were.
"""

import errno
import mmap
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

WRITE, SYNC, TRUNCATE, READ, OPEN, LIES = 1, 2, 4, 8, 16, 32
CHANGES = WRITE | SYNC | TRUNCATE
FAIL, TEAR, CUT = 0, 1, 2
ENDED_BY_FAULT = 77
"""Exit code of a process whose write was torn, or whose power was cut."""

_LAYOUT = struct.Struct("<8q")
_COUNT, _AT, _GIVEN = 0, 1, 7
_NEVER = 1 << 40


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at the n-th call: a failure, a write torn in the middle, or the power."""

    name: str
    how: int
    error: int = errno.EIO
    for_ever: bool = False
    kinds: int = CHANGES

    def __str__(self) -> str:
        return self.name


FULL = Fault("full", FAIL, errno.ENOSPC)
FULL_FOR_EVER = Fault("full for ever", FAIL, errno.ENOSPC, for_ever=True)
ERROR = Fault("error", FAIL)
ERROR_FOR_EVER = Fault("error for ever", FAIL, for_ever=True)
TORN = Fault("torn", TEAR)
POWER = Fault("power", CUT)
UNSYNCED = Fault("no sync", FAIL, for_ever=True, kinds=SYNC)
UNREADABLE = Fault("unreadable", FAIL, for_ever=True, kinds=READ)
READ_ONLY = Fault("read-only", FAIL, errno.EROFS, for_ever=True, kinds=CHANGES | OPEN)
"""As a file system that is mounted read-only after an error: nothing is opened for writing either."""

LYING = Fault("lying", CUT, kinds=CHANGES | LIES)
"""A disk that says a sync is done and does not do it, and then loses its power."""


class Disk:
    """One disk. `folder` is where its control file goes."""

    def __init__(self, folder: Path, name: str = "ledger.db") -> None:
        path = folder / "disk.control"
        path.write_bytes(bytes(_LAYOUT.size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(_library()),
            "ONECARD_DISK": str(path),
            "ONECARD_DISK_NAME": name,
        }

    def arm(self, fault: Fault, at: int, seed: int = 0) -> None:
        """Let the `at`-th call from now on go wrong. `seed` draws what of a torn or unsynced write stays; 0: nothing."""
        self._memory[:] = _LAYOUT.pack(0, at, fault.kinds, fault.how, fault.error, fault.for_ever, seed, 0)

    def heal(self) -> None:
        """Let everything go well, and count from 0."""
        self.arm(ERROR, _NEVER)

    @property
    def count(self) -> int:
        """Calls since `arm` or `heal`."""
        return _LAYOUT.unpack(self._memory)[_COUNT]

    @property
    def given_count(self) -> int:
        """Faults since `arm`."""
        return _LAYOUT.unpack(self._memory)[_GIVEN]


@cache
def _library() -> Path:
    """The library, compiled once a run; a machine without a compiler is told which package has one."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("没有 C 编译器 no C compiler for tests/host/faults/disk.c: sudo apt-get install gcc libc6-dev")
    library = Path(mkdtemp(prefix="onecard-disk-")) / "disk.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(Path(__file__).with_name("disk.c")), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"tests/host/faults/disk.c does not compile (sudo apt-get install gcc libc6-dev): {done.stderr}")
    return library
