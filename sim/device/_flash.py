"""The flash chip, over an image file, and the file system on it."""

import vfs
from micropython import const

_BLOCK_SIZE = const(4096)
_PAGE_SIZE = const(256)
_ERASED = b"\xff" * _PAGE_SIZE

_image = None


def open_image(fd):
    """Use file descriptor `fd`, a file open for reading and writing, as the chip from now on."""
    global _image
    _image = open(fd, "r+b")  # noqa: SIM115 - it lives as long as the process


class Flash:
    """The part of the chip that holds the file system, erased by blocks of 4096, programmed at once.

    Each program and each erased page is one write(2), so killing the process leaves what a power
    cut leaves: some whole writes done, the others not.
    """

    def __init__(self):
        self._size = _image.seek(0, 2)

    def readblocks(self, block_num, buf, offset=0):
        _image.seek(block_num * _BLOCK_SIZE + offset)
        _image.readinto(buf)

    def writeblocks(self, block_num, buf, offset=None):
        if offset is None:
            for block in range(block_num, block_num + len(buf) // _BLOCK_SIZE):
                self._erase(block)
        _image.seek(block_num * _BLOCK_SIZE + (offset or 0))
        _image.write(buf)

    def ioctl(self, cmd, arg):
        if cmd == 4:
            return self._size // _BLOCK_SIZE
        if cmd == 5:
            return _BLOCK_SIZE
        if cmd == 6:
            self._erase(arg)
        return 0 if cmd in (1, 2, 3, 6) else None

    def _erase(self, block):
        _image.seek(block * _BLOCK_SIZE)
        for _ in range(_BLOCK_SIZE // _PAGE_SIZE):
            _image.write(_ERASED)


def mount():
    """Mount the chip as `/`, making a file system first if there is none, as the board's _boot.py does."""
    flash = Flash()
    try:
        files = vfs.VfsLfs2(flash, progsize=256)
    except OSError:
        vfs.VfsLfs2.mkfs(flash, progsize=256)
        files = vfs.VfsLfs2(flash, progsize=256)
    vfs.umount("/")
    vfs.mount(files, "/")
