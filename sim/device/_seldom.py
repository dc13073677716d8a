"""Built-in code that is needed once or seldom: loaded when it is, and then let go, since on a board it takes no heap."""

import sys

import vfs

# The folder of this file, to be found again when `/` is the board's own file system.
_rom = vfs.VfsPosix(sys.path[0])


def load(module):
    vfs.mount(_rom, "/rom")
    sys.path.insert(0, "/rom")
    found = __import__(module)
    sys.path.pop(0)
    vfs.umount("/rom")
    del sys.modules[module]
    return found


def call(module, function, *arguments, **options):
    """Load a module for one call. Emptied after it, since the collector takes whatever looks like a pointer for one."""
    found = load(module)
    result = getattr(found, function)(*arguments, **options)
    found.__dict__.clear()
    return result
