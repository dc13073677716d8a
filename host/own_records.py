"""The host's own records: a process starts as a terminal of its own, and its journal folder gets what it lacks.

A process may die between a commit and the copy of it. So at each start what the ledger has of host records, and
the files have not, is appended: to the files of processes that have ended; those that live copy for themselves.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from host.journal import COMPLETE_NAME, Journal, JournalFile, encode_entry, file_path
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.contract import Ledger, Written
from host.ledger.kinds import TerminalKind
from host.ledger.process import Process, written_under
from host.ledger.rows import Epoch, Terminal
from protocol.record import pack_key

_BATCH_COUNT = 1_000
"""Records copied in one piece."""
_UNSURE_COUNT = 64
"""Epochs without a record, counted from the newest, that are looked at again: their processes may be about to write the first."""


def start(ledger: SiteLedger, role: str, folder: Path, *, actor: str = "") -> tuple[Process, Journal]:
    """Start this process as a terminal (`SiteLedger.start`), with a journal in `folder` for its records.

    Records of ended processes that the folder lacks are appended first. A folder that cannot be written fails no
    start: `Journal.problem` says why, and own records are refused until it can. Raises `LedgerAway`.
    """
    process = ledger.start(role, actor=actor)
    journal = Journal(folder, process=(process.terminal, process.epoch), role=role)
    try:
        complete(ledger, folder)
    except OSError as error:
        journal.problem = error.strerror or str(error)
    ledger.copies = journal
    return process, journal


def complete(ledger: Ledger, folder: Path) -> int:
    """Append to the files of ended host processes what the ledger has of theirs; how many records. Raises `OSError`, `LedgerAway`."""
    known = _read_known(folder)
    count = 0
    before = dict(known)
    for terminal, epochs in ledger.view(lambda books: _epochs_after(books, known)).items():
        newest = epochs[-1].epoch
        is_known = True
        for epoch in epochs:
            copied = _complete_one(ledger, folder, epoch)
            count += copied or 0
            is_known = is_known and copied is not None and (epoch.high_water > 0 or epoch.epoch <= newest - _UNSURE_COUNT)
            if is_known:
                known[terminal] = epoch.epoch
    if known != before:
        _write_known(folder, known)
    return count


def _epochs_after(books: Books, known: dict[int, int]) -> dict[int, list[Epoch]]:
    """Of each host terminal the epochs after the last one that is known to be whole."""
    found: dict[int, list[Epoch]] = {}
    for terminal in books.find(Terminal, kind=TerminalKind.HOST):
        epochs = books.find(Epoch, terminal=terminal.number, epoch=(known.get(terminal.number, 0) + 1, terminal.epoch))
        if epochs:
            found[terminal.number] = epochs
    return found


def _complete_one(ledger: Ledger, folder: Path, epoch: Epoch) -> int | None:
    """Bring one file to the ledger's high water: how many records that took, None while its process lives."""
    if not epoch.high_water:
        return 0
    try:
        file = JournalFile(file_path(folder, (epoch.terminal, epoch.epoch)), _role_of(ledger, epoch.terminal))
    except BlockingIOError:
        return None
    try:
        there = {name.sequence for name in file.written if name[:2] == (epoch.terminal, epoch.epoch)}
        missing = [sequence for sequence in range(1, epoch.high_water + 1) if sequence not in there]
        for sequences in _pieces(missing):
            file.append(b"".join(encode_entry(one) for one in _written(ledger, epoch, sequences)))
        return len(missing)
    finally:
        file.close()


def _written(ledger: Ledger, epoch: Epoch, sequences: list[int]) -> list[Written]:
    return ledger.view(lambda books: written_under(books, [pack_key((epoch.terminal, epoch.epoch, each), 0) for each in sequences]))


def _role_of(ledger: Ledger, terminal: int) -> str:
    return ledger.view(lambda books: books.need(Terminal, terminal).role)


def _pieces(numbers: list[int]) -> Iterator[list[int]]:
    return (numbers[start : start + _BATCH_COUNT] for start in range(0, len(numbers), _BATCH_COUNT))


def _read_known(folder: Path) -> dict[int, int]:
    """Up to which epoch of each terminal all files are whole; what cannot be read is looked at again."""
    known: dict[int, int] = {}
    with suppress(OSError, ValueError):
        for line in (folder / COMPLETE_NAME).read_text(encoding="ascii").splitlines():
            terminal, epoch = line.split()
            known[int(terminal)] = int(epoch)
    return known


def _write_known(folder: Path, known: dict[int, int]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f"{COMPLETE_NAME}.{os.getpid()}"
    new.write_text("".join(f"{terminal} {epoch}\n" for terminal, epoch in sorted(known.items())), encoding="ascii")
    new.replace(folder / COMPLETE_NAME)
