"""The journal: what is read back, what is removed, what is known after a boot."""

from pathlib import Path

import pytest

from firmware.terminal.actions import Mark
from firmware.terminal.journal import JournalFull
from firmware.terminal.storage import FileStorage
from protocol.record import OPENED, SALE, SETTLED, Name
from tests.firmware.terminal.journals import RECORDS_PER_SEGMENT, open_journal, read_all, sell
from tests.firmware.terminal.records import TERMINAL, make_record
from tests.firmware.terminal.storage_model import StorageModel


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
