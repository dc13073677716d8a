"""Flash images: the file system of a board in a file, written and read by MicroPython's own littlefs."""

import os
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sim.terminal import find_micropython, open_image

IMAGE_SIZE = 352 * 4096
"""What MicroPython leaves for files on a Pico's 2 MB of flash."""

_SCRIPT = Path(__file__).parent / "device" / "_files.py"
_HEAD = struct.Struct("<HI")


class ImageFailed(Exception):
    """MicroPython could not write or read an image; `reason` is what it said."""

    def __init__(self, image: Path, reason: str) -> None:
        super().__init__(f"flash image {image}: {reason}")
        self.image = image
        self.reason = reason


def write_image(image: Path, tree: Mapping[str, bytes]) -> int:
    """Put files (path from the root to content) into an image, making it first if need be; return how many were written.

    A file that is there with the same content is left alone, and so is every file not named: journal,
    resources. Folders come by themselves. Raises `ImageFailed`, and `Busy` while a terminal runs from it.
    """
    image.parent.mkdir(parents=True, exist_ok=True)
    if not image.exists():
        image.write_bytes(b"\xff" * IMAGE_SIZE)
    entries = b"".join(_entry(path, content) for path, content in sorted(tree.items()))
    return int(_run(image, "write", entries))


def read_tree(image: Path) -> dict[str, bytes]:
    """Return every file of an image. Raises `ImageFailed`, and `Busy` while a terminal runs from it."""
    data = _run(image, "read", b"")
    tree: dict[str, bytes] = {}
    start = 0
    while start < len(data):
        path_size, size = _HEAD.unpack_from(data, start)
        start += _HEAD.size
        path = data[start : start + path_size].decode()
        tree[path] = data[start + path_size : start + path_size + size]
        start += path_size + size
    return tree


def _entry(path: str, content: bytes) -> bytes:
    """Return a file as it goes through the pipe: size of path 2, size of content 4, path, content."""
    assert path.startswith("/"), path
    return _HEAD.pack(len(path.encode()), len(content)) + path.encode() + content


def _run(image: Path, command: str, entries: bytes) -> bytes:
    fd = open_image(image)
    try:
        done = subprocess.run(
            [find_micropython(), str(_SCRIPT), command, str(fd)], input=entries, capture_output=True, pass_fds=[fd], check=False
        )
    finally:
        os.close(fd)
    if done.returncode:
        # The unix port prints its tracebacks to either stream.
        raise ImageFailed(image, (done.stdout + done.stderr).decode(errors="replace").strip().rpartition("\n")[2])
    return done.stdout
