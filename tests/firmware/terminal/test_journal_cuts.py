"""The journal with the power cut at every write, and against a list over boots and cuts."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware.terminal.actions import Mark
from protocol.record import NONE, OPENED, SALE, SETTLED, Name
from tests.firmware.terminal.journals import name_of, open_journal, read_all, sell
from tests.firmware.terminal.records import TERMINAL, make_record
from tests.firmware.terminal.storage_model import PowerCut, StorageModel


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
