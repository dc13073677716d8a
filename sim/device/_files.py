"""Write files into a flash image, or read them out: `micropython _files.py write|read IMAGE`.

IMAGE is an inherited file descriptor. Files go through the standard streams, each as size of path (2
bytes), size of content (4 bytes), path, content; after writing, the number of files written is printed.
"""

import os
import struct
import sys

import _flash

_HEAD = "<HI"
_FOLDER = 0x4000


def _make_folders(path):
    parts = path.split("/")
    for count in range(2, len(parts)):
        try:
            os.mkdir("/".join(parts[:count]))
        except OSError as error:
            if error.errno != 17:  # EEXIST
                raise


def _is_there(path, content):
    try:
        with open(path, "rb") as file:
            return file.read() == content
    except OSError:
        return False


def _write(source):
    written = 0
    while head := source.read(6):
        path_size, size = struct.unpack(_HEAD, head)
        path = source.read(path_size).decode()
        content = source.read(size)
        if not _is_there(path, content):
            _make_folders(path)
            with open(path, "wb") as file:
                file.write(content)
            written += 1
    return written


def _read(folder, to):
    for name, kind, *_ in os.ilistdir(folder or "/"):
        path = folder + "/" + name
        if kind == _FOLDER:
            _read(path, to)
        else:
            with open(path, "rb") as file:
                content = file.read()
            to.write(struct.pack(_HEAD, len(path.encode()), len(content)))
            to.write(path.encode())
            to.write(content)


_flash.open_image(int(sys.argv[2]))
source = open(0, "rb")
to = open(1, "wb")
_flash.mount()
if sys.argv[1] == "write":
    print(_write(source))
else:
    _read("", to)
