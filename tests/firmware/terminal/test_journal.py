"""The journal against a list, with the power cut at every write."""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware.terminal.actions import Mark
from firmware.terminal.journal import Journal, JournalFull
from firmware.terminal.storage import FileStorage
from protocol.crc import crc16
from protocol.record import NONE, OPENED, SALE, SETTLED, SIZE, Name
from tests.firmware.terminal.records import TERMINAL, make_record
from tests.firmware.terminal.storage_model import PowerCut, StorageModel

RECORDS_PER_SEGMENT = 14
SEGMENTS_MAX = 4


def open_journal(storage: StorageModel | FileStorage) -> Journal:
    return Journal(storage, TERMINAL, crc16, RECORDS_PER_SEGMENT, SEGMENTS_MAX)


def sell(journal: Journal, count: int = 1) -> None:
    for _ in range(count):
        journal.append(make_record(journal.epoch, journal.next))


def read_all(journal: Journal) -> list[bytes]:
    """Every record kept, oldest first, by the way delivery goes."""
    found: list[bytes] = []
    name = journal.following(0, 0)
    while name is not None:
        data = journal.read(*name, 3)
        assert data
        found += [data[at : at + SIZE] for at in range(0, len(data), SIZE)]
        name = journal.following(name[0], name[1] + len(data) // SIZE - 1)
    return found


def test_a_new_journal_has_no_epoch_and_nothing_to_tell() -> None:
    journal = open_journal(StorageModel({}))
    assert (journal.epoch, journal.next, journal.oldest, journal.last_at_s) == (0, 1, 1, 0)
    assert read_all(journal) == []


@pytest.mark.parametrize("count", [1, 6, 7, 8, 14, 15, 21, 28, 29, 43])
def test_records_are_read_back_after_a_boot(count: int) -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(3)
    sell(journal, count)
    again = open_journal(storage)
    assert (again.epoch, again.next, again.oldest) == (3, count + 1, 1)
    assert read_all(again) == [make_record(3, sequence) for sequence in range(1, count + 1)]
    assert again.last_at_s == 1000 + count


def test_a_journal_lives_in_a_plain_folder(tmp_path: Path) -> None:
    folder = str(tmp_path / "journal")
    journal = open_journal(FileStorage(folder))
    journal.adopt(1)
    sell(journal, 20)
    assert read_all(open_journal(FileStorage(folder))) == [make_record(1, sequence) for sequence in range(1, 21)]


def test_an_older_epoch_is_kept_and_comes_first() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    for epoch, count in ((1, 9), (2, 0), (5, 4)):
        journal.adopt(epoch)
        sell(journal, count)
    again = open_journal(storage)
    assert (again.epoch, again.next, again.oldest) == (5, 5, 1)
    expected = [make_record(1, n) for n in range(1, 10)] + [make_record(5, n) for n in range(1, 5)]
    assert read_all(again) == expected


def test_an_epoch_never_lives_twice() -> None:
    journal = open_journal(StorageModel({}))
    journal.adopt(4)
    assert [epoch for epoch in range(1, 7) if journal.may_adopt(epoch)] == [5, 6]


def test_a_damaged_head_ends_the_epoch_and_keeps_the_segments() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(2)
    sell(journal, 10)
    storage.files["head"] = b"\0" + storage.files["head"][1:]
    again = open_journal(storage)
    assert (again.epoch, again.next) == (0, 1)
    assert not again.may_adopt(2)
    assert read_all(again) == [make_record(2, n) for n in range(1, 8)]


def test_a_session_is_open_until_the_settled_that_names_it_is_durable() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    sell(journal, 6)
    journal.append(make_record(1, 7, OPENED))
    name = Name(TERMINAL, 1, 7)
    assert open_journal(storage).open_sessions == (Mark(name, 0, 0, 0, 0),)
    journal.mark(Mark(name, 900, 100, 50, 70_000))
    sell(journal, 10)
    assert open_journal(storage).open_sessions == (Mark(name, 900, 100, 50, 65_535),)
    journal.append(make_record(1, 18, SETTLED, Name(TERMINAL, 1, 6)))
    assert len(open_journal(storage).open_sessions) == 1
    journal.append(make_record(1, 19, SETTLED, name))
    assert open_journal(storage).open_sessions == ()


def test_a_session_outlives_the_epoch_it_was_opened_in() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    journal.append(make_record(1, 1, OPENED))
    journal.adopt(2)
    assert open_journal(storage).open_sessions == (Mark(Name(TERMINAL, 1, 1), 0, 0, 0, 0),)
    journal.append(make_record(2, 1, SETTLED, Name(TERMINAL, 1, 1)))
    assert open_journal(storage).open_sessions == ()


def test_a_taken_booking_is_found_in_head_and_segments() -> None:
    journal = open_journal(StorageModel({}))
    journal.adopt(1)
    booking = Name(1, 2, 3)
    journal.append(make_record(1, 1, OPENED, booking))
    journal.append(make_record(1, 2, SETTLED, Name(TERMINAL, 1, 1)))
    assert journal.has_reference(OPENED, booking)
    sell(journal, 20)
    assert journal.has_reference(OPENED, booking)
    assert not journal.has_reference(SALE, booking)
    assert not journal.has_reference(OPENED, Name(1, 2, 4))


def test_nothing_unacknowledged_is_ever_removed() -> None:
    """Full, the journal keeps a segment back for what closes something, then refuses; all of it is still there."""
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    while journal.has_room:
        sell(journal)
    begun = journal.next - 1
    while journal.can_append:
        sell(journal)
    assert journal.next - 1 - begun >= RECORDS_PER_SEGMENT
    with pytest.raises(JournalFull):
        sell(journal)
    assert read_all(open_journal(storage)) == [make_record(1, n) for n in range(1, journal.next)]


def test_acknowledged_segments_go_oldest_first_and_only_for_room() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    sell(journal, 60)
    journal.acknowledge(1, 59)
    assert journal.oldest == 1
    while journal.oldest == 1:
        sell(journal)
    assert journal.oldest == RECORDS_PER_SEGMENT + 1
    assert journal.has_room
    again = open_journal(storage)
    assert again.acknowledged == (1, 59)
    assert read_all(again) == [make_record(1, n) for n in range(RECORDS_PER_SEGMENT + 1, again.next)]


def test_a_restored_host_stops_the_removal_at_once() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    sell(journal, 50)
    journal.acknowledge(1, 50)
    journal.rewind(0, 0)
    assert open_journal(storage).acknowledged == (0, 0)


def test_a_segment_with_an_open_session_stays() -> None:
    journal = open_journal(StorageModel({}))
    journal.adopt(1)
    journal.append(make_record(1, 1, OPENED))
    sell(journal, 40)
    journal.acknowledge(1, 41)
    while journal.can_append:
        sell(journal)
    assert journal.oldest == 1
    journal.acknowledge(1, journal.next - 1)
    assert not journal.can_append


def test_what_stands_behind_the_last_whole_record_is_no_record() -> None:
    """Bytes that fill whole entries and fit no CRC: they are never read, not even when records have come after them."""
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    sell(journal, 8)
    storage.files["001-00000001"] += b"\xff" * 66
    again = open_journal(storage)
    assert read_all(again) == [make_record(1, n) for n in range(1, 9)]
    sell(again, 12)
    assert read_all(open_journal(storage)) == [make_record(1, n) for n in range(1, 21)]


def test_a_record_the_flash_lost_is_not_sent() -> None:
    storage = StorageModel({})
    journal = open_journal(storage)
    journal.adopt(1)
    sell(journal, 20)
    name = "001-00000001"
    data = bytearray(storage.files[name])
    data[66 * 4] ^= 1
    storage.files[name] = bytes(data)
    assert journal.read(1, 3, 3) == make_record(1, 3) + make_record(1, 4)
    assert journal.read(1, 5, 3) == b""
    journal.lose(5)
    assert journal.oldest == 6


# Cuts.


def do_a_day(storage: StorageModel, done: list[bytes]) -> None:
    """Two lives, three sessions with marks, 60 records; `done` is what was durable for whoever was watching."""
    journal = open_journal(storage)
    journal.adopt(1)
    for number in range(60):
        kind, reference = SALE, NONE
        if number % 20 == 5:
            kind = OPENED
        if number % 20 == 12:
            kind, reference = SETTLED, journal.open_sessions[0].name
        made = make_record(journal.epoch, journal.next, kind, reference)
        journal.append(made)
        done.append(made)
        if journal.open_sessions:
            journal.mark(Mark(journal.open_sessions[0].name, number, number, number, number))
        if number == 40:
            journal.adopt(2)
        if number % 9 == 0:
            journal.acknowledge(journal.epoch, journal.next - 1)


def count_operations() -> int:
    storage = StorageModel({})
    do_a_day(storage, [])
    return storage.operation_count


OPERATION_COUNT = count_operations()


@pytest.mark.parametrize("torn_percent", [0, 25, 50, 75, 99])
def test_a_cut_at_any_write_loses_nothing_durable_and_invents_nothing(torn_percent: int) -> None:
    """At most the one record under way is there without having been confirmed, and none is torn."""
    for cut_at in range(1, OPERATION_COUNT + 1):
        files: dict[str, bytes] = {}
        done: list[bytes] = []
        with pytest.raises(PowerCut):
            do_a_day(StorageModel(files, cut_at, torn_percent), done)
        journal = open_journal(StorageModel(files))
        found = read_all(journal)
        assert found == done, f"cut at {cut_at}"


def test_a_cut_between_segment_and_head_leaves_no_record_twice() -> None:
    """Seven records stand in both then; known by their sequence, they are not moved again."""
    uncut: dict[str, bytes] = {}
    journal = open_journal(StorageModel(uncut))
    journal.adopt(1)
    sell(journal, 22)
    files: dict[str, bytes] = {}
    storage = StorageModel(files, cut_at=1 + 14 + 2 + 1)  # the epoch, 14 heads, two moves, and the head after the second
    journal = open_journal(storage)
    journal.adopt(1)
    with pytest.raises(PowerCut):
        sell(journal, 22)
    assert len(files["001-00000001"]) == 14 * 66
    again = open_journal(StorageModel(files))
    assert again.next == 15
    sell(again, 22 - 14)
    assert files == uncut


def test_a_journal_that_was_cut_goes_on_and_may_be_cut_again() -> None:
    for cut_at in range(1, OPERATION_COUNT + 1, 3):
        files: dict[str, bytes] = {}
        done: list[bytes] = []
        with pytest.raises(PowerCut):
            do_a_day(StorageModel(files, cut_at, 60), done)
        check_it_goes_on(files, done)


def check_it_goes_on(files: dict[str, bytes], done: list[bytes]) -> None:
    """After a cut, twenty more records can be written and read, with another cut at each write of those."""
    for cut_at in (0, 1, 2, 3, 8, 9):
        copy = dict(files)
        expected = list(done)
        journal = open_journal(StorageModel(copy, cut_at, 50))
        try:
            if not journal.epoch:
                journal.adopt(1)
            for _ in range(20):
                made = make_record(journal.epoch, journal.next)
                journal.append(made)
                expected.append(made)
        except PowerCut:
            pass
        again = open_journal(StorageModel(copy))
        found = read_all(again)
        gone = expected[: len(expected) - len(found)]
        assert found == expected[len(gone) :]
        assert all(name_of(record) <= again.acknowledged for record in gone)


def name_of(record: bytes) -> tuple[int, int]:
    return int.from_bytes(record[4:6], "little"), int.from_bytes(record[6:10], "little")


class JournalMachine(RuleBasedStateMachine):
    """A journal against plain lists: what was appended, what was marked; boots and cuts in between."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.storage = StorageModel(self.files)
        self.journal = open_journal(self.storage)
        self.records: list[bytes] = []
        self.removable = 0  # so many of the oldest are acknowledged
        self.session: Mark | None = None

    @rule()
    @precondition(lambda self: self.journal.epoch < 0xFFF)
    def adopt(self) -> None:
        self.journal.adopt(self.journal.epoch + 1)

    @rule(count=st.integers(1, 9))
    @precondition(lambda self: self.journal.epoch)
    def append(self, count: int) -> None:
        for _ in range(count):
            if self.journal.can_append:
                self._append(SALE, NONE)

    @rule()
    @precondition(lambda self: self.journal.epoch and self.session is None and self.journal.has_room)
    def open_session(self) -> None:
        self.session = Mark(Name(TERMINAL, self.journal.epoch, self.journal.next), 0, 0, 0, 0)
        self._append(OPENED, NONE)

    @rule(value=st.integers(0, 65_535))
    @precondition(lambda self: self.session is not None)
    def mark(self, value: int) -> None:
        assert self.session is not None
        self.session = Mark(self.session.name, value, value, value, value)
        self.journal.mark(self.session)

    @rule()
    @precondition(lambda self: self.session is not None and self.journal.can_append)
    def settle(self) -> None:
        assert self.session is not None
        self._append(SETTLED, self.session.name)
        self.session = None

    @rule(left=st.integers(0, 30))
    @precondition(lambda self: self.records)
    def acknowledge(self, left: int) -> None:
        count = max(self.removable, len(self.records) - left)
        if count > 0:
            self.removable = count
            self.journal.acknowledge(*name_of(self.records[count - 1]))

    @rule()
    def boot(self) -> None:
        self.storage = StorageModel(self.files)
        self.journal = open_journal(self.storage)

    @rule(after=st.integers(1, 3), torn_percent=st.sampled_from((0, 25, 50, 75)))
    @precondition(lambda self: self.journal.epoch)
    def cut_power(self, after: int, torn_percent: int) -> None:
        self.storage = StorageModel(self.files, after, torn_percent)
        self.journal = open_journal(self.storage)
        try:
            while self.journal.can_append and self.storage.operation_count < after:
                self._append(SALE, NONE)
        except PowerCut:
            self.records.pop()
        self.boot()

    def _append(self, kind: int, reference: Name) -> None:
        made = make_record(self.journal.epoch, self.journal.next, kind, reference)
        self.records.append(made)
        self.journal.append(made)

    @invariant()
    def kept_is_the_end_of_what_was_written(self) -> None:
        kept = read_all(self.journal)
        assert kept == self.records[len(self.records) - len(kept) :]
        assert len(self.records) - len(kept) <= self.removable

    @invariant()
    def the_open_session_is_known(self) -> None:
        assert self.journal.open_sessions == (() if self.session is None else (self.session,))


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
