"""A small journal, filled and read back."""

from firmware.terminal.journal import Journal
from firmware.terminal.storage import FileStorage
from protocol.crc import crc16
from protocol.record import SIZE
from tests.firmware.terminal.records import TERMINAL, make_record
from tests.firmware.terminal.storage_model import StorageModel

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


def name_of(record: bytes) -> tuple[int, int]:
    """Epoch and sequence of a record."""
    return int.from_bytes(record[4:6], "little"), int.from_bytes(record[6:10], "little")
