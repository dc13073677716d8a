"""The head of the journal: the newest records and all that must change together with them, in one small file.

Littlefs keeps a file of up to an eighth of a block (512 bytes on the RP2040) inside its directory block, so that
replacing it costs an erase only when that block is full.
"""

import struct
from collections import namedtuple

from firmware.terminal.actions import Mark
from protocol.compat import const
from protocol.record import SIZE as RECORD_SIZE
from protocol.record import Name

TYPE_CHECKING = False

RECORDS_MAX = const(7)
MARKS_MAX = const(2)  # one session runs on a stall; two where one follows another with the valve left open
SIZE_MAX = const(512)

_LAYOUT = const(1)
_FIXED = "<BHIHIBB"
_FIXED_SIZE = const(15)
_MARK = "<HIIIIH"
_MARK_SIZE = const(20)
_CRC_SIZE = const(2)
_SECONDS_MAX = const(0xFFFF)  # that or more

if TYPE_CHECKING:
    from typing import Callable, NamedTuple

    Crc16 = Callable[[bytes], int]

    class Head(NamedTuple):
        """`epoch` (0: none yet) and `first`, the sequence of the first record in it, or of the next to come;
        `acknowledged_*`: the last high water heard from the host; `records`: of 64 bytes, sequences running on;
        `marks`: one for each session that is open, the newest only."""

        epoch: int
        first: int
        acknowledged_epoch: int
        acknowledged_sequence: int
        records: tuple[bytes, ...]
        marks: tuple[Mark, ...]

else:
    Head = namedtuple("Head", ("epoch", "first", "acknowledged_epoch", "acknowledged_sequence", "records", "marks"))

EMPTY = Head(0, 1, 0, 0, (), ())


def encode(head: Head, crc16: "Crc16") -> bytes:
    """Return the file, at most `SIZE_MAX` bytes; `crc16` is the board's.

        0    layout                 1 byte   1
        1    epoch                  2 bytes
        3    first                  4 bytes
        7    acknowledged epoch     2 bytes
        9    acknowledged sequence  4 bytes
        13   record count           1 byte   0..7
        14   mark count             1 byte   0..2
        15   records                64 bytes each
        ...  marks                  20 bytes each: epoch 2, sequence 4, cold ml 4, hot ml 4, fen 4, seconds 2
        n-2  CRC                    2 bytes  CRC-16/IBM-3740 over all before it

    Integers are little-endian.
    """
    assert len(head.records) <= RECORDS_MAX
    assert len(head.marks) <= MARKS_MAX
    fixed = struct.pack(
        _FIXED,
        _LAYOUT,
        head.epoch,
        head.first,
        head.acknowledged_epoch,
        head.acknowledged_sequence,
        len(head.records),
        len(head.marks),
    )
    parts = [fixed] + list(head.records)
    for mark in head.marks:
        seconds = min(mark.seconds, _SECONDS_MAX)
        parts.append(struct.pack(_MARK, mark.name.epoch, mark.name.sequence, mark.cold_ml, mark.hot_ml, mark.fen, seconds))
    data = b"".join(parts)
    return data + crc16(data).to_bytes(_CRC_SIZE, "little")


def decode(data: bytes, terminal: int, crc16: "Crc16") -> Head:
    """Return what `encode` was given; `terminal` completes the names in marks. Raises ValueError for anything else."""
    end = len(data) - _CRC_SIZE
    if end < _FIXED_SIZE or crc16(data[:end]) != int.from_bytes(data[end:], "little"):
        raise ValueError("journal head damaged")
    layout, epoch, first, acknowledged_epoch, acknowledged_sequence, record_count, mark_count = struct.unpack(_FIXED, data[:_FIXED_SIZE])
    marks_at = _FIXED_SIZE + record_count * RECORD_SIZE
    if layout != _LAYOUT or end != marks_at + mark_count * _MARK_SIZE or record_count > RECORDS_MAX or mark_count > MARKS_MAX:
        raise ValueError("journal head of another layout")
    records = tuple([data[at : at + RECORD_SIZE] for at in range(_FIXED_SIZE, marks_at, RECORD_SIZE)])
    marks = tuple([_decode_mark(data[at : at + _MARK_SIZE], terminal) for at in range(marks_at, end, _MARK_SIZE)])
    return Head(epoch, first, acknowledged_epoch, acknowledged_sequence, records, marks)


def _decode_mark(data: bytes, terminal: int) -> Mark:
    epoch, sequence, cold_ml, hot_ml, fen, seconds = struct.unpack(_MARK, data)
    return Mark(Name(terminal, epoch, sequence), cold_ml, hot_ml, fen, seconds)
