"""Cut the power at every program and erase of the flash under a journal, on the real littlefs: run by MicroPython.

    micropython -X heapsize=16m journal_cuts.py ROOT BLOCK_SIZE BLOCK_COUNT PROGRAM_SIZE

ROOT is the folder that has protocol/ and firmware/. The last line of the output is "cuts N, erases per record 0.NNN"; a wrong
journal ends the run with exit code 1 and says at which cut. MicroPython prints the failed calls of the flash to stderr, which
mean nothing.
"""

import gc
import struct
import sys

import vfs

ROOT, BLOCK_SIZE, BLOCK_COUNT, PROGRAM_SIZE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, ROOT)

from firmware.terminal.actions import Mark  # noqa: E402
from firmware.terminal.journal import Journal  # noqa: E402
from firmware.terminal.storage import FileStorage  # noqa: E402
from protocol.crc import crc16  # noqa: E402
from protocol.record import NONE, OPENED, SALE, SETTLED  # noqa: E402

TERMINAL = 100
RECORD_COUNT = 36
RECORDS_PER_SEGMENT = 14
SEGMENTS_MAX = 8
TORN_PERCENTS = (0, 25, 50, 75)
FOLDER = "/cut/journal"


class PowerCut(OSError):
    """Raised by every access from the cut on."""


class Flash:
    """A block device on a bytearray. `cut_at`: the operation, program or erase, that the power goes in; 0 for never."""

    def __init__(self, data, cut_at=0, torn_percent=0):
        self.data = data
        self.operation_count = 0
        self.erase_count = 0
        self._cut_at = cut_at
        self._torn_percent = torn_percent

    def readblocks(self, block, into, offset=0):
        self._check()
        start = block * BLOCK_SIZE + offset
        into[:] = memoryview(self.data)[start : start + len(into)]

    def writeblocks(self, block, data, offset=0):
        self._change(block * BLOCK_SIZE + offset, data)

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCK_COUNT
        if operation == 5:
            return BLOCK_SIZE
        if operation == 6:
            self.erase_count += 1
            self._change(argument * BLOCK_SIZE, b"\xff" * BLOCK_SIZE)
        return 0

    def _change(self, start, data):
        self._check()
        self.operation_count += 1
        size = len(data)
        if self.operation_count == self._cut_at:
            size = size * self._torn_percent // 100
        self.data[start : start + size] = memoryview(data)[:size]
        if self.operation_count == self._cut_at:
            raise PowerCut(5)

    def _check(self):
        if self._cut_at and self.operation_count >= self._cut_at:
            raise PowerCut(5)


def make_record(epoch, sequence, kind, reference=NONE):
    data = struct.pack("<BBHHIIBIHHI", 1, kind, TERMINAL, epoch, sequence, sequence, 2, 7, *reference)
    return data + bytes([sequence & 0xFF] * (64 - len(data)))


def open_journal():
    return Journal(FileStorage(FOLDER), TERMINAL, crc16, RECORDS_PER_SEGMENT, SEGMENTS_MAX)


def work(begun, done):
    """Write a day's records, with a session and its marks, and an epoch in the middle; `done` of those `begun` are durable."""
    journal = open_journal()
    if not journal.epoch:
        journal.adopt(1)
    for number in range(RECORD_COUNT):
        record = make_record(journal.epoch, journal.next, SALE)
        if number == 4:
            record = make_record(journal.epoch, journal.next, OPENED)
        if number == 9:
            record = make_record(journal.epoch, journal.next, SETTLED, journal.open_sessions[0].name)
        begun.append(record)
        journal.append(record)
        done.append(record)
        if 4 <= number < 9:
            journal.mark(Mark(journal.open_sessions[0].name, number, number, number, number))
        if number == 25:
            journal.adopt(2)


def read_all(journal):
    found = []
    name = journal.following(0, 0)
    while name is not None:
        data = journal.read(name[0], name[1], 3)
        for at in range(0, len(data), 64):
            found.append(data[at : at + 64])
        name = journal.following(name[0], name[1] + len(data) // 64 - 1)
    return found


def run(data, cut_at, torn_percent):
    """Work until the cut; return the records begun, those confirmed, and the flash."""
    begun, done = [], []
    flash = Flash(data, cut_at, torn_percent)
    is_mounted = False
    try:
        vfs.mount(vfs.VfsLfs2(flash, progsize=PROGRAM_SIZE), "/cut")
        is_mounted = True
        work(begun, done)
    except OSError:
        assert cut_at, "only the cut fails"
    if is_mounted:
        vfs.umount("/cut")
    return begun, done, flash


def check(data, begun, done, where):
    """What was confirmed is there, whole, and at most the one that was under way; and it goes on from there."""
    vfs.mount(vfs.VfsLfs2(Flash(data), progsize=PROGRAM_SIZE), "/cut")
    journal = open_journal()
    found = read_all(journal)
    if found != done and found != begun:
        print(where, "confirmed", len(done), "found", len(found))
        sys.exit(1)
    if journal.epoch:
        record = make_record(journal.epoch, journal.next, SALE)
        journal.append(record)
        found.append(record)
        if read_all(open_journal()) != found:
            print(where, "does not go on")
            sys.exit(1)
    vfs.umount("/cut")


def main():
    blank = bytearray(b"\xff" * (BLOCK_SIZE * BLOCK_COUNT))
    vfs.VfsLfs2.mkfs(Flash(blank), progsize=PROGRAM_SIZE)
    _, done, flash = run(bytearray(blank), 0, 0)
    assert len(done) == RECORD_COUNT
    count = 0
    for cut_at in range(1, flash.operation_count + 1):
        for torn_percent in TORN_PERCENTS:
            data = bytearray(blank)
            begun, done, _ = run(data, cut_at, torn_percent)
            check(data, begun, done, (cut_at, torn_percent))
            count += 1
        # Files of the cut run are closed by the collector; here, where nobody minds.
        gc.collect()
    print(f"cuts {count}, erases per record {flash.erase_count / RECORD_COUNT:.3f}")


main()
