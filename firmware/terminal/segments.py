"""The older records of a journal: files of up to a fixed number of records, written once and never changed."""

from protocol.compat import const
from protocol.record import SIZE as RECORD_SIZE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Callable

    from firmware.terminal.storage import Storage

_CRC_SIZE = const(2)
ENTRY_SIZE = RECORD_SIZE + _CRC_SIZE
_PIECE_COUNT = const(7)  # records read at a time when many are looked through: half a kilobyte of heap in one piece
_TAIL_COUNT = const(7)  # what one append brings at most, so all that a cut can have torn

# 490 records fill 32,340 bytes, eight blocks of 4 KB; 32 of them hold 15,680 records in 256 of the 352 blocks of a Pico.
RECORDS_PER_SEGMENT = const(490)
SEGMENTS_MAX = const(32)

_NAME_SIZE = const(12)


class Segment:
    """One file: records `first` to `first + count - 1` of one epoch. `is_torn`: a cut left part of a record behind them."""

    def __init__(self, epoch: int, first: int, count: int) -> None:
        self.epoch = epoch
        self.first = first
        self.count = count
        self.is_torn = False

    @property
    def name(self) -> str:
        """Epoch and first sequence in hexadecimal: names in order are records in order."""
        return "%03x-%08x" % (self.epoch, self.first)

    @property
    def last(self) -> int:
        """The sequence of the newest record in it."""
        return self.first + self.count - 1


class Segments:
    """The segment files of a folder; `all` has them, oldest first.

    Entry: record 64 bytes, CRC-16/IBM-3740 over it 2 bytes. A record's place follows from its sequence. What a cut
    left of an unfinished append is found by CRC, not counted, and stays where it is: the records come again in a
    segment of their own, which says by its name with which sequence it begins.
    """

    def __init__(
        self,
        storage: "Storage",
        crc16: "Callable[[bytes], int]",
        records_per_segment: int = RECORDS_PER_SEGMENT,
        segments_max: int = SEGMENTS_MAX,
    ) -> None:
        self._storage = storage
        self._crc16 = crc16
        self._records_per_segment = records_per_segment
        self._segments_max = segments_max
        self.all: "list[Segment]" = []  # by (epoch, first)
        for name in storage.names():
            if len(name) == _NAME_SIZE and name[3] == "-":
                self._take_up(int(name[:3], 16), int(name[4:], 16), storage.size(name))
        if self.all:
            self._check_tail(self.all[-1])

    def append(self, epoch: int, first: int, records: "tuple[bytes, ...] | list[bytes]") -> None:
        """Put records, of running sequences from `first` on, behind the others. Durable when it returns.
        Ask `excess` before: this does not look for room.
        """
        entries = b"".join([record + self._crc16(record).to_bytes(_CRC_SIZE, "little") for record in records])
        if self._begins_segment(epoch, first):
            segment = Segment(epoch, first, len(records))
            self._storage.replace(segment.name, entries)
            if self._begins_again(epoch, first):
                self.all.pop()
            self.all.append(segment)
        else:
            self._storage.append(self.all[-1].name, entries)
            self.all[-1].count += len(records)

    def excess(self, epoch: int, first: int) -> int:
        """How many files an `append` needs gone: 0 or less when it begins none, or there is room for one more."""
        is_new = self._begins_segment(epoch, first) and not self._begins_again(epoch, first)
        return 1 - self.free_count if is_new else 0

    @property
    def free_count(self) -> int:
        """How many files may still be begun; below zero when there are more than there should be."""
        return self._segments_max - len(self.all)

    @property
    def end(self) -> "tuple[int, int]":
        """(epoch, sequence) of the newest record kept here; (0, 0) for none."""
        return (self.all[-1].epoch, self.all[-1].last) if self.all else (0, 0)

    def remove_oldest(self) -> None:
        """Remove a file for good; its records must have been acknowledged."""
        self._storage.remove(self.all[0].name)
        self.all.pop(0)

    def following(self, epoch: int, sequence: int) -> "tuple[int, int] | None":
        """Return (epoch, sequence) of the oldest record kept here that is newer than the given one, or None."""
        for segment in self.all:
            if (segment.epoch, segment.last) > (epoch, sequence) and segment.count:
                if segment.epoch == epoch and segment.first <= sequence:
                    return epoch, sequence + 1
                return segment.epoch, segment.first
        return None

    def oldest_of(self, epoch: int) -> "int | None":
        """Return the sequence of the oldest record kept here of one epoch, or None."""
        for segment in self.all:
            if segment.epoch == epoch and segment.count:
                return segment.first
        return None

    def read(self, epoch: int, sequence: int, count: int) -> bytes:
        """Return up to `count` records from one sequence on, joined; fewer at a segment's end or before a damaged one."""
        for segment in self.all:
            if segment.epoch == epoch and segment.first <= sequence <= segment.last:
                return self._read(segment, sequence - segment.first, min(count, segment.last - sequence + 1))
        return b""

    def newest(self, segments_max: int):
        """Yield what the newest segments hold, in pieces of several records joined."""
        for segment in self.all[-segments_max:]:
            for index in range(0, segment.count, _PIECE_COUNT):
                yield self._read(segment, index, min(_PIECE_COUNT, segment.count - index))

    def _begins_segment(self, epoch: int, first: int) -> bool:
        if not self.all:
            return True
        newest = self.all[-1]
        goes_on = newest.epoch == epoch and newest.last + 1 == first and not newest.is_torn
        return not goes_on or newest.count >= self._records_per_segment

    def _begins_again(self, epoch: int, first: int) -> bool:
        """Tell whether nothing of the newest segment is whole, and the same records come again."""
        return bool(self.all) and (self.all[-1].epoch, self.all[-1].first) == (epoch, first)

    def _take_up(self, epoch: int, first: int, size: int) -> None:
        segment = Segment(epoch, first, size // ENTRY_SIZE)
        segment.is_torn = size % ENTRY_SIZE != 0
        if self.all and self.all[-1].epoch == epoch:
            # What a torn append left counts only up to where its records came again.
            self.all[-1].count = min(self.all[-1].count, first - self.all[-1].first)
        self.all.append(segment)

    def _check_tail(self, segment: Segment) -> None:
        for index in range(max(0, segment.count - _TAIL_COUNT), segment.count):
            if not self._read(segment, index, 1):
                segment.count = index
                segment.is_torn = True
                return

    def _read(self, segment: Segment, index: int, count: int) -> bytes:
        data = self._storage.read(segment.name, index * ENTRY_SIZE, count * ENTRY_SIZE)
        records = []
        for at in range(0, len(data), ENTRY_SIZE):
            record = data[at : at + RECORD_SIZE]
            if len(data) < at + ENTRY_SIZE or self._crc16(record) != int.from_bytes(data[at + RECORD_SIZE : at + ENTRY_SIZE], "little"):
                break
            records.append(record)
        return b"".join(records)
