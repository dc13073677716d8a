"""Delivery against a host that takes only its high water + 1, whatever it has forgotten."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.terminal.delivery import Delivery
from firmware.terminal.journal import Journal
from protocol.crc import crc16
from protocol.record import SIZE
from tests.firmware.terminal.records import TERMINAL, make_record
from tests.firmware.terminal.storage_model import StorageModel


class Intake:
    """The host's side of section 4 of MONEY, for one terminal: a high water for each epoch."""

    def __init__(self, taken: dict[int, int]) -> None:
        self.taken = taken
        self.message_count = 0

    def take(self, data: bytes) -> tuple[int, int]:
        self.message_count += 1
        epoch = int.from_bytes(data[4:6], "little")
        for at in range(0, len(data), SIZE):
            assert data[at + 4 : at + 6] == data[4:6]
            if int.from_bytes(data[at + 6 : at + 10], "little") == self.taken.get(epoch, 0) + 1:
                self.taken[epoch] = self.taken.get(epoch, 0) + 1
        return epoch, self.taken.get(epoch, 0)


def make_journal(lives: list[tuple[int, int]]) -> Journal:
    """A journal of several epochs, (epoch, count of records) each."""
    journal = Journal(StorageModel({}), TERMINAL, crc16, 14, 8)
    for epoch, count in lives:
        journal.adopt(epoch)
        for _ in range(count):
            journal.append(make_record(epoch, journal.next))
    return journal


def deliver(delivery: Delivery, intake: Intake, now_ms: int = 0) -> None:
    """Until nothing is left to say."""
    for _ in range(1000):
        records = delivery.next(now_ms)
        if records is None:
            return
        delivery.acknowledge(*intake.take(records.data))
    raise AssertionError("it never ends")


def test_nothing_is_said_before_the_host_said_where_it_is() -> None:
    delivery = Delivery(make_journal([(1, 5)]))
    assert delivery.next(0) is None
    delivery.resume(1, 3)
    records = delivery.next(0)
    assert records is not None
    assert records.data == make_record(1, 4) + make_record(1, 5)


def test_one_message_is_under_way_at_a_time_and_comes_again_after_two_seconds() -> None:
    delivery = Delivery(make_journal([(1, 7)]))
    delivery.resume(1, 0)
    first = delivery.next(0)
    assert delivery.next(1_999) is None
    assert delivery.next(2_000) == first
    delivery.acknowledge(1, 0)
    assert delivery.next(2_500) is None, "no headway: not again at once"
    delivery.acknowledge(1, 2)
    again = delivery.next(2_500)
    assert again is not None
    assert again.data[:SIZE] == make_record(1, 3)


def test_an_older_epoch_is_delivered_first() -> None:
    journal = make_journal([(1, 5), (2, 4)])
    delivery, intake = Delivery(journal), Intake({1: 2})
    journal.acknowledge(1, 2)
    delivery.resume(2, 0)
    deliver(delivery, intake)
    assert intake.taken == {1: 5, 2: 4}
    assert intake.message_count == 3
    assert journal.acknowledged == (2, 4)


def test_a_restored_host_gets_all_that_is_kept() -> None:
    journal = make_journal([(1, 5), (2, 30), (7, 4)])
    journal.acknowledge(7, 4)
    delivery, intake = Delivery(journal), Intake({1: 5, 2: 11, 7: 1})
    delivery.resume(7, 1)
    assert journal.acknowledged == (0, 0), "nothing may be removed now"
    deliver(delivery, intake)
    assert intake.taken == {1: 5, 2: 30, 7: 4}
    assert journal.acknowledged == (7, 4)


def test_a_gap_in_an_older_epoch_blocks_nothing_and_frees_nothing() -> None:
    journal = make_journal([(1, 5), (2, 4)])
    delivery, intake = Delivery(journal), Intake({1: -9, 2: 0})
    delivery.resume(2, 0)
    deliver(delivery, intake)
    assert intake.taken[2] == 4
    assert journal.acknowledged < (1, 1)


@pytest.mark.parametrize("at_first", [0, 900])
def test_a_high_water_beyond_the_journal_makes_no_record_undeliverable(at_first: int) -> None:
    journal = make_journal([(1, 3)])
    delivery = Delivery(journal)
    delivery.resume(1, at_first)
    delivery.acknowledge(1, 900)
    journal.append(make_record(1, 4))
    records = delivery.next(0)
    assert records is not None
    assert records.data == make_record(1, 4)


def test_a_record_the_flash_lost_asks_for_a_handshake() -> None:
    storage = StorageModel({})
    journal = Journal(storage, TERMINAL, crc16, 14, 8)
    journal.adopt(1)
    for _ in range(10):
        journal.append(make_record(1, journal.next))
    data = storage.files["001-00000001"]
    storage.files["001-00000001"] = b"\0" + data[1:]
    delivery = Delivery(journal)
    delivery.resume(1, 0)
    assert delivery.next(0) is None
    assert delivery.is_broken
    assert journal.oldest == 2
    delivery.pause()
    delivery.resume(1, 1)
    assert delivery.next(0) is not None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=4),
    st.lists(st.integers(0, 20), min_size=4, max_size=4),
    st.integers(0, 80),
    st.lists(st.sampled_from(("deliver", "lose", "lose the answer", "new session")), max_size=40),
)
def test_everything_arrives_once_whatever_is_lost(counts: list[int], known: list[int], acknowledged: int, acts: list[str]) -> None:
    """`known`: what the host has, from before its restore or not; `acknowledged`: what the terminal believes."""
    lives = [(index + 1, count) for index, count in enumerate(counts)]
    journal = make_journal(lives)
    for epoch, count in lives:
        for sequence in range(1, count + 1):
            if acknowledged > 0:
                journal.acknowledge(epoch, sequence)
                acknowledged -= 1
    believed = journal.acknowledged
    taken = {epoch: min(count, known[epoch - 1]) for epoch, count in lives}
    # A host that never lost anything has what it acknowledged.
    is_restored = taken[journal.epoch] < (believed[1] if believed[0] == journal.epoch else 0)
    if not is_restored:
        for epoch, count in lives[:-1]:
            taken[epoch] = max(taken[epoch], count if epoch < believed[0] else believed[1] if epoch == believed[0] else 0)
    delivery, intake = Delivery(journal), Intake(taken)
    now_ms = 0
    delivery.resume(journal.epoch, taken[journal.epoch])
    for act in acts:
        now_ms += 2_000
        if act == "new session":
            delivery.pause()
            delivery.resume(journal.epoch, taken[journal.epoch])
            continue
        records = delivery.next(now_ms)
        if records is None or act == "lose":
            continue
        answer = intake.take(records.data)
        if act == "deliver":
            delivery.acknowledge(*answer)
    deliver(delivery, intake, now_ms + 2_000)
    assert taken == dict(lives)
