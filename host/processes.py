"""Other processes of this machine: who has a file or a port, and that one ledger has one host."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

LOCK_NAME = "serve.lock"
"""The file in the data folder that whoever has the ledger for itself holds: a host that serves, or a restore."""

_LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp (proc(5))."""


class OnlyOne:
    """A lock file that one process holds for as long as it lives, with its number and a word to others in it.

    The kernel frees it, however the process ends, so a file left behind never blocks a start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self) -> str | None:
        """Take the lock: None, or what the process that has it wrote."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return self._path.read_text(encoding="utf-8").strip()
        self._descriptor = descriptor
        self.write("")
        return None

    def write(self, word: str) -> None:
        """Say something to whoever comes later: its process number stands before it."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()} {word}".strip().encode() + b"\n", 0)

    def release(self) -> None:
        """Let the next one start."""
        os.close(self._descriptor)
        self._descriptor = -1


def holder_of_file(path: str) -> str:
    """Who else has a file or device open, as "1234 (minicom)"; "" where the system does not say (other users' processes)."""
    return _holder_of(str(Path(path).resolve()))


def holder_of_port(port: int) -> str:
    """Who listens at a TCP port, likewise."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    return _holder_of(f"socket:[{fields[9]}]")
    return ""


def _holder_of(target: str) -> str:
    """The first other process with a descriptor that leads to `target`."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.name != str(os.getpid()) and any(os.readlink(link) == target for link in (folder / "fd").iterdir()):
                return f"{folder.name} ({(folder / 'comm').read_text().strip()})"
    return ""
