"""The host's journal: its own records once more, in files on another disk (MONEY 8).

Terminals keep what they wrote, so a restored ledger asks them again. Nobody but the host has the host's own records,
so each is appended to a file, and is on that disk, before a person is answered. `onecard restore` reads the files.

A folder, `[ledger] journal`, and in it a file for each life of a host process that wrote something:

    1-17.journal      terminal 1, epoch 17: a line of text, then entries
    complete          "1 16": of terminal 1, all epochs up to 16 are whole here

Entry: size of the body 4; body: record 64, size of the request's key 2, key (UTF-8), annex; CRC-32 over size and body 4;
all little-endian. A file has its own process's records, and those of others that it answered a person from.
A torn last entry is no entry. Whoever lives holds a lock on its file, so another process never writes there.
"""

import errno
import fcntl
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct
from struct import error as StructError

from host.errors import CopyMissing, LedgerAway
from host.ledger.contract import Written
from protocol.record import SIZE, Name

SUFFIX = ".journal"
COMPLETE_NAME = "complete"

_TITLE = "onecard journal 1"
_TITLE_SIZE_MAX = 64
_SIZE = Struct("<I")
_REQUEST_SIZE = Struct("<H")
_NAME = Struct("<xxHHI")
_BODY_SIZE_MAX = 1 << 20
"""No annex comes near it: a cut names a few thousand journals. More is no size, but noise."""
_REMEMBERED_COUNT = 10_000
"""Records of other processes that this one knows to have copied; a longer memory only spares repeats."""


def name_of(record: bytes) -> Name:
    """The name in a record's bytes, whatever the rest of them is."""
    return Name(*_NAME.unpack_from(record))


def encode_entry(written: Written) -> bytes:
    """The bytes of one entry."""
    request = written.request.encode()
    body = b"".join((written.record, _REQUEST_SIZE.pack(len(request)), request, written.annex))
    sized = _SIZE.pack(len(body)) + body
    return sized + _SIZE.pack(zlib.crc32(sized))


class Reader:
    """Iterate over the entries of one file, as far as they are whole.

    An entry that is damaged but has another behind it is counted in `damaged_count` and passed over; what is behind the
    last whole entry is `torn_size` bytes long. `good_size` and the two counts are right when the iteration has ended.
    Raises `OSError`.
    """

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        title, newline, _ = self._data[:_TITLE_SIZE_MAX].partition(b"\n")
        self.role = title.decode(errors="replace").removeprefix(_TITLE).strip() if title.startswith(_TITLE.encode()) else ""
        self._start = len(title) + 1 if newline else 0
        """A file that ends within its title was cut in its first write: there is nothing in it."""
        self.is_foreign = not newline and len(self._data) >= _TITLE_SIZE_MAX
        self.good_size = self._start
        self.damaged_count = 0

    @property
    def torn_size(self) -> int:
        """Bytes behind the last whole entry."""
        return len(self._data) - self.good_size

    def __iter__(self) -> Iterator[Written]:
        at, passed_count = self._start, 0
        while self._start and (size := self._size_at(at)) is not None:
            body, end = self._data[at + _SIZE.size : at + _SIZE.size + size], at + 2 * _SIZE.size + size
            found = _decode_body(body) if self._crc_at(end - _SIZE.size) == zlib.crc32(self._data[at : end - _SIZE.size]) else None
            at = end
            if found is None:
                passed_count += 1
                continue
            # What was passed over was no torn tail: something whole is behind it.
            self.damaged_count += passed_count
            self.good_size, passed_count = end, 0
            yield found

    def _size_at(self, at: int) -> int | None:
        """The size of the body that begins there, None if it does not end within the file."""
        if len(self._data) - at < _SIZE.size:
            return None
        (size,) = _SIZE.unpack_from(self._data, at)
        fits = SIZE + _REQUEST_SIZE.size <= size <= _BODY_SIZE_MAX and at + 2 * _SIZE.size + size <= len(self._data)
        return size if fits else None

    def _crc_at(self, at: int) -> int:
        return _SIZE.unpack_from(self._data, at)[0]


class JournalFile:
    """One file, locked for as long as it is open. Appends are all or nothing, and on the disk when they return.

    Raises `BlockingIOError` when the process whose file it is lives, other `OSError`s when the disk does not do its part.
    What is torn at its end is cut off here.
    """

    def __init__(self, path: Path, role: str) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            reader = Reader(path)
            if reader.is_foreign:
                raise OSError(errno.EINVAL, "it is no journal of a host: move it away", str(path))
            self.written = {name_of(entry.record) for entry in reader}
            """Names of what is in it, as it was opened."""
            self._size = reader.good_size
            os.ftruncate(self._descriptor, self._size)
            if self._size == 0:
                self.append(f"{_TITLE} {role}\n".encode())
                _sync_folder(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, data: bytes) -> None:
        """Add bytes at the end; when it raises they are not there, or are cut off by whoever opens the file next."""
        try:
            _write_all(self._descriptor, data, self._size)
            os.fsync(self._descriptor)
        except OSError:
            # Written again from here the next time: after a failed fsync the system may have forgotten that they were not on disk.
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


class Journal:
    """The `Copies` (host/ledger/contract.py) of one host process: its file, made with its first record.

    What could not be written stays in hand, and is written before anything else; as long as it cannot be, no own
    record is begun, so no more than one commit ever lacks its copy. Any thread may use it.

    `problem`: why copies cannot be written just now, "" while they can.
    """

    def __init__(self, folder: Path, *, process: tuple[int, int], role: str) -> None:
        self.folder = folder
        self.problem = ""
        self._process = process
        self._role = role
        self._file: JournalFile | None = None
        self._missing: list[bytes] = []
        self._last_sequence = 0
        """All own records up to this one are in the file, or in hand."""
        self._others: dict[Name, None] = {}
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """Its file, which may not be there yet."""
        return file_path(self.folder, self._process)

    def make_ready(self) -> None:
        """See `Copies.make_ready`."""
        try:
            with self._lock:
                self._write_missing()
        except OSError as error:
            raise LedgerAway(
                f"主机日志写不了 the host's journal in {self.folder} cannot be written ({_reason(error)}): nothing was changed; "
                "free the disk, or let [ledger] journal name another folder"
            ) from error

    def lacking(self, next_sequence: int) -> range:
        """See `Copies.lacking`."""
        return range(self._last_sequence + 1, next_sequence)

    def retry(self) -> None:
        """See whether a disk that had a problem has it still."""
        if self.problem:
            with suppress(LedgerAway):
                self.make_ready()

    def keep(self, written: Sequence[Written]) -> None:
        """See `Copies.keep`."""
        try:
            with self._lock:
                self._missing += [encode_entry(one) for one in written if self._is_news(one)]
                self._write_missing()
        except OSError as error:
            raise CopyMissing(
                f"已入账，缺副本 it is in the ledger, but its copy in {self.folder} could not be written ({_reason(error)}): do not call "
                "it done; free the disk, then ask again with the same key: it is not booked twice"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_news(self, written: Written) -> bool:
        """Whether this process has not copied it before: what it answers again needs no second copy."""
        name = name_of(written.record)
        if name[:2] == self._process:
            is_news, self._last_sequence = name.sequence > self._last_sequence, max(self._last_sequence, name.sequence)
            return is_news
        is_news = name not in self._others
        self._others[name] = None
        if len(self._others) > _REMEMBERED_COUNT:
            del self._others[next(iter(self._others))]
        return is_news

    def _write_missing(self) -> None:
        try:
            if self._file is None:
                self._file = JournalFile(self.path, self._role)
            if self._missing:
                self._file.append(b"".join(self._missing))
        except OSError as error:
            self.problem = _reason(error)
            raise
        self._missing.clear()
        self.problem = ""


def file_path(folder: Path, journal: tuple[int, int]) -> Path:
    """The file of a host process's life: (terminal, epoch)."""
    return folder / f"{journal[0]}-{journal[1]}{SUFFIX}"


def files_in(folder: Path) -> list[Path]:
    """All journal files of a folder, in the order of terminal and epoch, then whatever else ends so."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: (journal_of(path) or (1 << 16, 0), path.name))


def is_on_disk_of(folder: Path, other: Path) -> bool:
    """Whether two paths lie on one disk, as far as the system can tell; a folder still to be made counts as its parent."""
    return _device_of(folder) == _device_of(other)


def _decode_body(body: bytes) -> Written | None:
    try:
        (size,) = _REQUEST_SIZE.unpack_from(body, SIZE)
        start = SIZE + _REQUEST_SIZE.size
        request = body[start : start + size].decode()
    except (StructError, UnicodeDecodeError):
        return None
    return Written(body[:SIZE], body[start + size :], request) if start + size <= len(body) else None


def journal_of(path: Path) -> tuple[int, int] | None:
    """The (terminal, epoch) that a file is named after, None for another name."""
    terminal, _, epoch = path.name.removesuffix(SUFFIX).partition("-")
    return (int(terminal), int(epoch)) if terminal.isdecimal() and epoch.isdecimal() else None


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    while data:
        count = os.pwrite(descriptor, data, at)
        data, at = data[count:], at + count


def _sync_folder(folder: Path) -> None:
    """Make a new name durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _device_of(path: Path) -> int:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path.stat().st_dev


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
