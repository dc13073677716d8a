"""Records taken in, exactly once and in order, and the handshake that says where to go on.

Nothing that arrives raises, and nothing that cannot be understood blocks what comes behind it: it is
kept, put on the worklist, and acknowledged (MONEY 4 and 7, SPEC L3).
"""

import struct
from dataclasses import replace

from host.errors import OnecardError
from host.ledger.books import Books
from host.ledger.clock import to_wire
from host.ledger.contract import Ledger
from host.ledger.kinds import ItemKind
from host.ledger.posting import post, report
from host.ledger.rows import Active, Epoch, Fact, Item, Movement, Terminal
from protocol.messages import Resume, State
from protocol.record import EPOCH_MAX, SIZE, pack_key

_HEAD = struct.Struct("<xxHHI")
"""Terminal, epoch and sequence of a record, whatever its version."""

_SEQUENCE_MAX = 0x7FFF_FFFF
_CONFLICTS_KEPT = 8
"""Other contents kept of one name; a terminal that invents more is broken, and known to be."""


def take(ledger: Ledger, terminal_number: int, data: bytes, now_s: int) -> tuple[int, int]:
    """Take one or more records of 64 bytes; returns (epoch, high water) for ACK, once they are on disk.

    The epoch is that of the last record whose epoch is known; a terminal may still deliver an older one.
    Raises only `LedgerAway`: then nothing was taken, and the terminal sends again.
    """
    return ledger.commit(lambda books: take_in(books, terminal_number, data, now_s))


def resume(ledger: Ledger, terminal_number: int, state: State, now_s: int) -> Resume:
    """Answer a handshake: the epoch in force and its high water, a fresh epoch committed before it is said.

    Raises `LedgerAway`, and `OnecardError` for a terminal that has used up its 4,095 epochs.
    """
    return ledger.commit(lambda books: resume_in(books, terminal_number, state, now_s))


def take_in(books: Books, terminal_number: int, data: bytes, now_s: int) -> tuple[int, int]:
    """`take` as part of a commit: a job for `Writer.submit`."""
    books.now_s = now_s
    terminal = books.need(Terminal, terminal_number)
    answered = terminal.epoch
    for start in range(0, len(data) - SIZE + 1, SIZE):
        one = bytes(data[start : start + SIZE])
        number, epoch_number, sequence = _HEAD.unpack_from(one)
        epoch = _delivered_epoch(books, terminal, epoch_number) if number == terminal.number else None
        if epoch is None or not 0 < sequence <= _SEQUENCE_MAX:
            _keep_other(books, ItemKind.STRAY, terminal.number, 0, one)
            continue
        answered = epoch_number
        if sequence == epoch.high_water + 1:
            post(books, terminal, epoch, one)
        elif sequence <= epoch.high_water:
            _compare(books, pack_key((number, epoch_number, sequence), 0), one)
    epoch = books.get(Epoch, terminal.number, answered)
    return answered, epoch.high_water if epoch else 0


def resume_in(books: Books, terminal_number: int, state: State, now_s: int) -> Resume:
    """`resume` as part of a commit: a job for `Writer.submit`."""
    books.now_s = now_s
    terminal = replace(books.need(Terminal, terminal_number), firmware=state.firmware)
    books.change(terminal)
    _note_active(books, terminal.number, state)
    epoch = _known_epoch(books, terminal, state)
    oldest = min(state.oldest, state.next)
    if epoch is not None and oldest > epoch.high_water + 1:
        gap = pack_key((terminal.number, epoch.epoch, epoch.high_water + 1), 0)
        report(books, ItemKind.GAP, terminal=terminal.number, key=gap, evidence=struct.pack("<I", oldest - 1))
        books.change(epoch := replace(epoch, high_water=oldest - 1))
    if epoch is not None and state.epoch >= terminal.epoch and state.next > epoch.high_water:
        if state.epoch > terminal.epoch:
            report(books, ItemKind.HOST_BEHIND, terminal=terminal.number, evidence=struct.pack("<HH", terminal.epoch, state.epoch))
            books.change(replace(terminal, epoch=state.epoch))
        return Resume(epoch.epoch, epoch.high_water, to_wire(now_s))
    if terminal.epoch:
        said = struct.pack("<HHI", terminal.epoch, state.epoch, state.next)
        report(books, ItemKind.JOURNAL_OLDER, terminal=terminal.number, evidence=said)
    return Resume(_new_epoch(books, terminal, state.epoch), 0, to_wire(now_s))


def _delivered_epoch(books: Books, terminal: Terminal, number: int) -> Epoch | None:
    """The row of the epoch of a record; an older one that this ledger lost with a restore is made again, so that it can be delivered."""
    epoch = books.get(Epoch, terminal.number, number)
    if epoch is None and 0 < number < terminal.epoch:
        epoch = Epoch(terminal.number, number)
        books.add(epoch)
    return epoch


def _known_epoch(books: Books, terminal: Terminal, state: State) -> Epoch | None:
    """The row of the epoch a terminal says it is in; one this ledger has lost with a restore is made again."""
    if state.epoch == 0:
        return None
    epoch = books.get(Epoch, terminal.number, state.epoch)
    if epoch is None:
        epoch = Epoch(terminal.number, state.epoch)
        books.add(epoch)
    return epoch


def _new_epoch(books: Books, terminal: Terminal, claimed: int) -> int:
    number = max(terminal.epoch, claimed) + 1
    if number > EPOCH_MAX:
        raise OnecardError(f"终端 {terminal.number} has used up its {EPOCH_MAX} epochs: give the device a new number")
    books.change(replace(terminal, epoch=number))
    books.add(Epoch(terminal.number, number))
    return number


def _note_active(books: Books, terminal: int, state: State) -> None:
    for resource, version, digest in state.resources:
        active = Active(terminal, resource, version, bytes(digest))
        before = books.get(Active, terminal, resource)
        if before is None:
            books.add(active)
        elif before.version != version:
            books.change(active)


def _compare(books: Books, key: int, data: bytes) -> None:
    """A name that is posted already: the same bytes are a repeat, other bytes are refused and kept."""
    row = books.get(Movement, key) or books.get(Fact, key)
    if row is None or row.record is None:
        _keep_other(books, ItemKind.LATE, data=data, terminal=key >> 47, key=key)
    elif row.record != data:
        _keep_other(books, ItemKind.ALTERED, data=data, terminal=key >> 47, key=key)


def _keep_other(books: Books, kind: ItemKind, terminal: int, key: int, data: bytes) -> None:
    if len(books.find(Item, kind=kind, terminal=terminal, key=key, limit=_CONFLICTS_KEPT)) < _CONFLICTS_KEPT:
        report(books, kind, terminal=terminal, key=key, evidence=data)
