"""Records taken in, exactly once and in order, and the handshake that says where to go on.

Nothing that arrives raises, and nothing that cannot be understood blocks what comes behind it: it is
kept, put on the worklist, and acknowledged (MONEY 4 and 7, SPEC L3).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from host import restoring
from host.errors import NeedsAlone, OnecardError
from host.ledger.books import Books
from host.ledger.clock import to_wire
from host.ledger.contract import Ledger
from host.ledger.gathering import Wanted
from host.ledger.kinds import ItemKind
from host.ledger.posting import post, report
from host.ledger.rows import Active, Epoch, Item, Terminal
from protocol.messages import SUBJECT_ACCOUNT, SUBJECT_CARD, Resume, State
from protocol.record import ACTIVATED, EPOCH_MAX, REFUND, SALE, SEQUENCE_MAX, SIZE, VOID, pack_key

_HEAD = struct.Struct("<xxHHI")
"""Terminal, epoch and sequence of a record, whatever its version."""
_NAMES = struct.Struct("<xBHHI4xBIHHI37x")
"""Kind, the same, flags, subject, and the three of the reference."""

_PURSE = 0x10
"""The flag of a record that was paid from the purse."""

_ALONE = frozenset((VOID, REFUND, ACTIVATED))
"""Kinds that touch another terminal's sales, or the bookings of a stall."""

_CONFLICTS_KEPT = 8
"""Other contents kept of one name; a terminal that invents more is broken, and known to be."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One or more records of 64 bytes, as a terminal delivered them at `at_s` (Unix): an `Arrival`.

    Answered with (epoch, high water) for ACK; the epoch is that of the last record whose epoch is known: a
    terminal may still deliver an older one.
    """

    terminal: int
    data: bytes
    at_s: int

    @property
    def is_alone(self) -> bool:
        """See `Arrival.is_alone`."""
        return any(kind in _ALONE for kind in self.data[1::SIZE])

    def want(self, wanted: Wanted) -> None:
        """See `Arrival.want`."""
        wanted.terminals.add(self.terminal)
        for _, terminal, epoch, *_ in _NAMES.iter_unpack(self._whole()):
            if terminal == self.terminal:
                wanted.epochs.add((terminal, epoch))

    def want_more(self, wanted: Wanted, books: Books) -> None:
        """See `Arrival.want_more`. Of a record that is posted already only its bytes are wanted."""
        for kind, terminal, number, sequence, flags, subject, of_terminal, of_epoch, of_sequence in _NAMES.iter_unpack(self._whole()):
            epoch = books.get(Epoch, terminal, number) if terminal == self.terminal else None
            if epoch is None:
                continue
            if sequence <= epoch.high_water:
                wanted.records.add(pack_key((terminal, number, sequence), 0))
                continue
            if epoch.is_closed:
                raise NeedsAlone(f"{terminal}-{number}-{sequence} is of a closed epoch: it undoes what stands in its place")
            subject_kind = flags >> 2 & 3
            if subject_kind == SUBJECT_CARD:
                wanted.cards.add(subject)
                if flags & _PURSE or kind != SALE:
                    wanted.purses.add(subject)
            elif subject_kind == SUBJECT_ACCOUNT:
                wanted.holders.add(subject)
            if of_terminal and of_epoch <= EPOCH_MAX and of_sequence <= SEQUENCE_MAX:
                wanted.references.add(pack_key((of_terminal, of_epoch, of_sequence), 0))

    def run(self, books: Books) -> tuple[int, int]:
        """See `Arrival.run`."""
        return take_in(books, self.terminal, self.data, self.at_s)

    def _whole(self) -> bytes:
        return self.data[: len(self.data) - len(self.data) % SIZE]


def take(ledger: Ledger, terminal_number: int, data: bytes, now_s: int) -> tuple[int, int]:
    """Take one or more records of 64 bytes; returns (epoch, high water) for ACK, once they are on disk.

    The epoch is that of the last record whose epoch is known; a terminal may still deliver an older one.
    Raises only `LedgerAway`: then nothing was taken, and the terminal sends again.
    """
    return ledger.post([Delivery(terminal_number, data, now_s)])[0]


def resume(ledger: Ledger, terminal_number: int, state: State, now_s: int) -> Resume:
    """Answer a handshake: the epoch in force and its high water, a fresh epoch committed before it is said.

    Raises `LedgerAway`, and `OnecardError` for a terminal that has used up its 4,095 epochs.
    """
    return ledger.commit(lambda books: resume_in(books, terminal_number, state, now_s))


def take_in(books: Books, terminal_number: int, data: bytes, now_s: int) -> tuple[int, int]:
    """`take` as part of a commit."""
    books.now_s = now_s
    terminal = books.need(Terminal, terminal_number)
    answered = terminal.epoch
    old: list[tuple[int, bytes]] = []
    for start in range(0, len(data) - SIZE + 1, SIZE):
        one = data[start : start + SIZE]
        number, epoch_number, sequence = _HEAD.unpack_from(one)
        epoch = _delivered_epoch(books, terminal, epoch_number) if number == terminal.number else None
        if epoch is None or not 0 < sequence <= SEQUENCE_MAX:
            _keep_other(books, ItemKind.STRAY, terminal.number, 0, one)
            continue
        answered = epoch_number
        if sequence == epoch.high_water + 1:
            post(books, terminal, epoch, one)
        elif sequence <= epoch.high_water:
            old.append((pack_key((number, epoch_number, sequence), 0), one))
    if old:
        _compare(books, old)
    restoring.note_records(books, terminal_number)
    epoch = books.get(Epoch, terminal.number, answered)
    return answered, epoch.high_water if epoch else 0


def resume_in(books: Books, terminal_number: int, state: State, now_s: int) -> Resume:
    """`resume` as part of a commit: a job for `Writer.submit`."""
    books.now_s = now_s
    found = _resume_in(books, terminal_number, state, now_s)
    restoring.note_handshake(books, terminal_number, epoch=state.epoch, following=state.next)
    return found


def _resume_in(books: Books, terminal_number: int, state: State, now_s: int) -> Resume:
    terminal = replace(books.need(Terminal, terminal_number), firmware=state.firmware)
    books.change(terminal)
    _note_active(books, terminal.number, state)
    epoch = _known_epoch(books, terminal, state)
    oldest = min(state.oldest, state.next)
    if epoch is not None and oldest > epoch.high_water + 1:
        gap = pack_key((terminal.number, epoch.epoch, epoch.high_water + 1), 0)
        report(books, ItemKind.GAP, terminal=terminal.number, key=gap, evidence=struct.pack("<I", oldest - 1))
        books.change(epoch := replace(epoch, high_water=oldest - 1))
    is_over = epoch is not None and epoch.is_closed
    if epoch is not None and not is_over and state.epoch >= terminal.epoch and state.next > epoch.high_water:
        if state.epoch > terminal.epoch:
            report(books, ItemKind.HOST_BEHIND, terminal=terminal.number, evidence=struct.pack("<HH", terminal.epoch, state.epoch))
            books.change(replace(terminal, epoch=state.epoch))
        return Resume(epoch.epoch, epoch.high_water, to_wire(now_s))
    # A board of an epoch that was closed is what the operator gave up, found: no news of the journal.
    if terminal.epoch and not is_over:
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
    number = max(terminal.epoch + 1, claimed + 1, terminal.next_epoch)
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


def _compare(books: Books, old: Sequence[tuple[int, bytes]]) -> None:
    """Names that are posted already: the same bytes are a repeat, other bytes are refused and kept."""
    books.load_records([key for key, _ in old])
    for key, data in old:
        before = books.known_record(key)
        if before != data:
            _keep_other(books, ItemKind.LATE if before is None else ItemKind.ALTERED, data=data, terminal=key >> 47, key=key)


def _keep_other(books: Books, kind: ItemKind, terminal: int, key: int, data: bytes) -> None:
    if len(books.find(Item, kind=kind, terminal=terminal, key=key, limit=_CONFLICTS_KEPT)) < _CONFLICTS_KEPT:
        report(books, kind, terminal=terminal, key=key, evidence=data)
