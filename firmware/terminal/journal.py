"""The journal: every record this terminal ever wrote, durable before its effect is shown."""

from firmware.terminal import head as heads
from firmware.terminal.actions import Mark
from firmware.terminal.head import Head
from firmware.terminal.segments import RECORDS_PER_SEGMENT, SEGMENTS_MAX, Segments
from protocol.compat import const
from protocol.record import OPENED, SETTLED, Name
from protocol.record import SIZE as RECORD_SIZE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Callable

    from firmware.terminal.storage import Storage

_HEAD_NAME = "head"

# Files kept back from records that begin something, for those that close something: `settled`, `nothing`, `started`.
_KEPT_BACK = const(1)

# How far back a taken booking is looked for: about 1,000 records, weeks of one stall; its list is renewed every day.
_SEARCHED_SEGMENTS = const(2)

# Where a record (docs/protocol.md, section 6) has what the journal itself looks at.
_KIND_AT = const(1)
_EPOCH_AT = const(4)
_SEQUENCE_AT = const(6)
_TIME_AT = const(10)
_REFERENCE_AT = const(19)
_REFERENCE_END = const(27)


class JournalFull(Exception):
    """No room, and nothing that may go: the oldest records have not been acknowledged."""


class Journal:
    """Records and marks in one folder of a file system (storage.py), read back when made.

    A record first goes into the *head*, a file of at most seven records that is replaced whole; when it is full, its records
    are appended to a *segment* and it begins again. So a record costs a quarter of a flash erase (DESIGN 8), and
    each write is one commit of littlefs: a cut before it leaves the state before, a cut after it the state after. A
    cut between the segment and the new head leaves seven records twice; they are known by their sequence.

    The head also has the epoch, the host's last acknowledgement, and a *mark* for each session that is open: an
    `opened` without its `settled`. So a boot reads the head and the tail of the last segment, however long the journal is.

    `epoch`: 0 until the host gave one; then nothing is appended. `next`: the sequence of the record to come;
    `oldest`: of the oldest one kept in this epoch (`next` when none is). Nothing is dropped on acknowledgement:
    acknowledged segments go, oldest first, only when room is needed, since a restored host asks for them again.

    A head that cannot be read (a flash fault: no cut does that) makes it a journal without an epoch; the host gives a new
    one, and the records in the segments are delivered as those of an older life.

    Raises OSError when the file system fails; then nothing is durable, and the caller must show nothing.
    """

    def __init__(
        self,
        storage: "Storage",
        terminal: int,
        crc16: "Callable[[bytes], int]",
        records_per_segment: int = RECORDS_PER_SEGMENT,
        segments_max: int = SEGMENTS_MAX,
    ) -> None:
        self._storage = storage
        self._crc16 = crc16
        self._terminal = terminal
        self._segments = Segments(storage, crc16, records_per_segment, segments_max)
        self.acknowledged: "tuple[int, int]" = (0, 0)  # (epoch, sequence): all up to it is in the ledger, as far as we heard
        self.epoch = 0
        self._first = 1  # sequence of the first record in the head
        self._records = []  # of the head
        self._marks = ()
        self._lost = 0  # sequences up to here of this epoch are given up: one of them cannot be read back
        self._read_head()

    @property
    def next(self) -> int:
        """The sequence of the record to come."""
        return self._first + len(self._records)

    @property
    def oldest(self) -> int:
        """The sequence of the oldest record kept in this epoch; `next` when none is."""
        oldest = self._segments.oldest_of(self.epoch)
        return max(self._first if oldest is None else oldest, self._lost + 1)

    @property
    def open_sessions(self) -> "tuple[Mark, ...]":
        """The last mark of each session whose `settled` is not written; all zero when only `opened` is."""
        return self._marks

    @property
    def can_append(self) -> bool:
        """Whether `append` would find room; false only when all that was kept back is used up too."""
        if len(self._records) < heads.RECORDS_MAX:
            return True
        return self._segments.excess(self.epoch, self._first) <= self._removable_count()

    @property
    def has_room(self) -> bool:
        """Whether something new may begin; what closes something may be appended even without."""
        return self._segments.free_count + self._removable_count() > _KEPT_BACK

    @property
    def last_at_s(self) -> int:
        """The time in the newest record; 0 when there is none, or it knew none."""
        epoch, sequence = (self.epoch, self.next - 1) if self._records else self._segments.end
        record = self.read(epoch, sequence, 1)
        return int.from_bytes(record[_TIME_AT : _TIME_AT + 4], "little") if record else 0

    def append(self, record: bytes) -> None:
        """Make a record durable. It must be named (this terminal, `epoch`, `next`).

        An `opened` opens a session, the `settled` that refers to it closes it and drops its mark, in the same write.
        Raises JournalFull when there is no room at all.
        """
        assert self.epoch
        assert len(record) == RECORD_SIZE
        assert int.from_bytes(record[_EPOCH_AT:_SEQUENCE_AT], "little") == self.epoch
        assert int.from_bytes(record[_SEQUENCE_AT:_TIME_AT], "little") == self.next
        if len(self._records) == heads.RECORDS_MAX:
            self._make_room()
            self._move_to_segment()
        self._replace_head(self._records + [record], self._marks_after(record))

    def mark(self, mark: Mark) -> None:
        """Make the state of an open session durable; the one before it is gone."""
        others = [one for one in self._marks if one.name != mark.name]
        assert len(others) < len(self._marks)
        self._replace_head(self._records, tuple(others) + (mark,))

    def adopt(self, epoch: int) -> None:
        """Begin a new life under an epoch from the host (ask `may_adopt` before); the sequence starts at 1.

        Records of older epochs stay, to be delivered first; open sessions stay open. It finds room in a full journal too,
        by a file more than there should be, since without the new epoch nothing could be delivered.
        """
        assert self.may_adopt(epoch)
        if self._records:
            self._move_to_segment()
        self.epoch = epoch
        self._first = 1
        self._lost = 0
        self._replace_head([], self._marks)

    def may_adopt(self, epoch: int) -> bool:
        """Whether an epoch is above every one that this folder knows: no epoch lives twice."""
        return epoch > self.epoch and epoch > self._segments.end[0]

    def acknowledge(self, epoch: int, sequence: int) -> None:
        """Remember that all up to (epoch, sequence) is in the ledger. Becomes durable with the next record."""
        self.acknowledged = max(self.acknowledged, (epoch, sequence))

    def rewind(self, epoch: int, sequence: int) -> None:
        """Take back acknowledgements above (epoch, sequence): the host was restored and lacks those records.

        Durable at once, so that nothing it lacks is removed, whatever happens next.
        """
        self.acknowledged = (epoch, sequence)
        self._replace_head(self._records, self._marks)

    def lose(self, sequence: int) -> None:
        """A record of this epoch cannot be read back: `oldest` is behind it from now on, until the next boot."""
        self._lost = sequence

    def following(self, epoch: int, sequence: int) -> "tuple[int, int] | None":
        """Return (epoch, sequence) of the oldest record kept that is newer than the given one, or None."""
        found = self._segments.following(epoch, sequence)
        if found is None and self._records and (self.epoch, self.next - 1) > (epoch, sequence):
            return self.epoch, (max(self._first, sequence + 1) if epoch == self.epoch else self._first)
        return found

    def read(self, epoch: int, sequence: int, count: int) -> bytes:
        """Return up to `count` records of one epoch from `sequence` on, joined; b"" where none is kept."""
        if epoch == self.epoch and sequence >= self._first:
            return b"".join(self._records[sequence - self._first : sequence - self._first + count])
        return self._segments.read(epoch, sequence, count)

    def has_reference(self, kind: int, name: Name) -> bool:
        """Tell whether a recent record of `kind` refers to `name`: a booking taken up, for instance."""
        wanted = _packed(name)
        for record in self._records:
            if record[_KIND_AT] == kind and record[_REFERENCE_AT:_REFERENCE_END] == wanted:
                return True
        for piece in self._segments.newest(_SEARCHED_SEGMENTS):
            for at in range(0, len(piece), RECORD_SIZE):
                if piece[at + _KIND_AT] == kind and piece[at + _REFERENCE_AT : at + _REFERENCE_END] == wanted:
                    return True
        return False

    def _removable_count(self) -> int:
        """How many of the oldest segments may go: all of it acknowledged, and no open session began in it."""
        count = 0
        for segment in self._segments.all:
            end = (segment.epoch, segment.last)
            if end > self.acknowledged or any((mark.name.epoch, mark.name.sequence) <= end for mark in self._marks):
                break
            count += 1
        return count

    def _move_to_segment(self) -> None:
        """Append the head's records to the segments. Until the head is replaced they stand in both."""
        self._segments.append(self.epoch, self._first, self._records)
        self._first = self.next
        self._records = []

    def _make_room(self) -> None:
        """Remove what may go, as far as the next append needs it. Raises JournalFull, and then nothing is removed."""
        if not self.can_append:
            raise JournalFull
        while self._segments.excess(self.epoch, self._first) > 0:
            self._segments.remove_oldest()

    def _marks_after(self, record: bytes) -> "tuple[Mark, ...]":
        if record[_KIND_AT] == OPENED:
            return self._marks + (Mark(Name(self._terminal, self.epoch, self.next), 0, 0, 0, 0),)
        if record[_KIND_AT] == SETTLED:
            return tuple([mark for mark in self._marks if _packed(mark.name) != record[_REFERENCE_AT:_REFERENCE_END]])
        return self._marks

    def _replace_head(self, records: "list[bytes]", marks: "tuple[Mark, ...]") -> None:
        head = Head(self.epoch, self._first, self.acknowledged[0], self.acknowledged[1], tuple(records), marks)
        self._storage.replace(_HEAD_NAME, heads.encode(head, self._crc16))
        self._records = records
        self._marks = marks

    def _read_head(self) -> None:
        try:
            head = heads.decode(self._storage.read(_HEAD_NAME), self._terminal, self._crc16)
        except (OSError, ValueError):
            return
        self.epoch = head.epoch
        self._first = head.first
        self._records = list(head.records)
        self._marks = head.marks
        self.acknowledged = (head.acknowledged_epoch, head.acknowledged_sequence)
        epoch, sequence = self._segments.end
        if epoch == self.epoch and sequence >= self._first:
            # The power went between the segment and the new head.
            self._records = self._records[sequence + 1 - self._first :]
            self._first = sequence + 1


def _packed(name: Name) -> bytes:
    """A name as a record's reference has it."""
    return name.terminal.to_bytes(2, "little") + name.epoch.to_bytes(2, "little") + name.sequence.to_bytes(4, "little")
