"""The host's journal files brought back into the books: after a restore, or when a file turns up late (MONEY 8).

Each file is read like any collected journal: a record the ledger has is compared, the next one of its epoch is
posted, a hole that no file fills is an item and is passed. Records of several files are posted in the order of
their time, those of one epoch in the order of their names.
"""

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import merge
from pathlib import Path

from host.errors import LedgerAway
from host.journal import Reader, name_of
from host.keys import KEY_VERSION
from host.ledger.adjustment import decode_annex
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.contract import Written
from host.ledger.kinds import ItemKind, TerminalKind
from host.ledger.posting import post, report
from host.ledger.process import LAST_NUMBER, annex_digest
from host.ledger.rows import Annex, Epoch, Fact, Request, Terminal
from protocol.messages import SUBJECT_ACCOUNT, SUBJECT_CARD
from protocol.record import ADJUST, EPOCH_MAX, SEQUENCE_MAX, Name, Record, decode, pack_key, verify

_BATCH_COUNT = 500
"""Records in one commit."""
_AT_S = struct.Struct("<12xI")
_UNKNOWN_ROLE = "command"

_Life = tuple[int, int]
"""Terminal and epoch."""


@dataclass(slots=True)
class Replayed:
    """What came of some files. `in_force`: records under an epoch that a living process may have; they are left alone."""

    file_count: int = 0
    posted_count: int = 0
    known_count: int = 0
    altered_count: int = 0
    gap_count: int = 0
    damaged_count: int = 0
    in_force_count: int = 0
    highest_account: int = 0
    """The greatest number of an account that a genuine record in them names."""
    highest_card: int = 0
    unreadable: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Step:
    """A record to be posted, when the ledger is at `after` in its epoch: the one before it in the files."""

    written: Written
    after: int


def replay(ledger: SiteLedger, files: Sequence[Path], *, is_restore: bool) -> Replayed:
    """Bring journal files into the books; what is there already changes nothing, so it may be done again.

    `is_restore`: nobody else has the ledger, so every epoch may be added to. Otherwise the newest epoch of each host
    terminal is left alone, for its process may live. Raises `LedgerAway`; what was posted until then stays.
    """
    found = Replayed(file_count=len(files))
    records, roles = _read(files, found)
    if is_restore:
        ledger.view(lambda books: _look_for_numbers(books, records, found))
    known = ledger.view(lambda books: {life: _state_of(books, life) for life in records})
    missing: dict[_Life, list[_Step]] = {}
    for life, by_sequence in records.items():
        high_water, may_live = known[life]
        old = [by_sequence[sequence] for sequence in sorted(by_sequence) if sequence <= high_water]
        found.known_count += len(old)
        found.altered_count += sum(ledger.commit(partial(_compare, piece=piece)) for piece in _pieces(old))
        if may_live and not is_restore:
            found.in_force_count += len(by_sequence) - len(old)
        else:
            missing[life] = _steps(by_sequence, high_water)
    ledger.commit(lambda books: _add_lives(books, [life for life, steps in missing.items() if steps], roles))
    _post_all(ledger, merge(*(_by_time(steps) for steps in missing.values()), key=lambda timed: timed[0]), found)
    return found


def _read(files: Sequence[Path], found: Replayed) -> tuple[dict[_Life, dict[int, Written]], dict[int, str]]:
    """All records of host terminals in the files, by life and sequence, and the role of each terminal."""
    records: defaultdict[_Life, dict[int, Written]] = defaultdict(dict)
    roles: dict[int, str] = {}
    for path in files:
        try:
            reader = Reader(path)
        except OSError as error:
            found.unreadable.append(f"{path}: {error.strerror or error}")
            continue
        if reader.is_foreign:
            found.unreadable.append(f"{path}: no journal of a host")
        for written in reader:
            name = name_of(written.record)
            if not (0 < name.terminal <= LAST_NUMBER and 0 < name.epoch <= EPOCH_MAX and 0 < name.sequence <= SEQUENCE_MAX):
                found.damaged_count += 1
                continue
            # Two files may have a record; one of them may have been copied without its request's key.
            before = records[name[:2]].get(name.sequence)
            if before is None or (not before.request and before.record == written.record):
                records[name[:2]][name.sequence] = written
            if path.name.startswith(f"{name.terminal}-") and reader.role:
                roles[name.terminal] = reader.role
        found.damaged_count += reader.damaged_count
    return records, roles


def _look_for_numbers(books: Books, records: Mapping[_Life, Mapping[int, Written]], found: Replayed) -> None:
    """Note the greatest numbers that were given: as subjects, and as what an adjustment moves between."""
    for life, by_sequence in records.items():
        cmac = books.keys.record_cmac(life[0], KEY_VERSION)
        for written in by_sequence.values():
            record = _genuine(written, cmac)
            if record is None:
                continue
            if record.subject_kind == SUBJECT_CARD:
                found.highest_card = max(found.highest_card, record.subject)
            elif record.subject_kind == SUBJECT_ACCOUNT:
                found.highest_account = max(found.highest_account, record.subject)
            adjustment = decode_annex(written.annex) if record.kind == ADJUST else None
            for leg in adjustment.legs if adjustment else ():
                found.highest_account = max(found.highest_account, leg.debit, leg.credit)


def _genuine(written: Written, cmac: Callable[[bytes], bytes]) -> Record | None:
    """A record that a host of this site has signed, annex and all; a number out of any other may be anything."""
    try:
        record = decode(written.record)
    except ValueError:
        return None
    is_genuine = verify(written.record, cmac) and record.shown == annex_digest(written.annex)
    return record if is_genuine else None


def _state_of(books: Books, life: _Life) -> tuple[int, bool]:
    """The high water of a life, and whether its process may still be there: only in an epoch given since the last restore."""
    terminal, epoch = books.get(Terminal, life[0]), books.get(Epoch, *life)
    may_live = terminal is not None and life[1] >= max(terminal.epoch, terminal.next_epoch)
    return epoch.high_water if epoch else 0, may_live


def _steps(by_sequence: Mapping[int, Written], high_water: int) -> list[_Step]:
    steps: list[_Step] = []
    after = high_water
    for sequence in sorted(sequence for sequence in by_sequence if sequence > high_water):
        steps.append(_Step(by_sequence[sequence], after))
        after = sequence
    return steps


def _by_time(steps: Iterable[_Step]) -> Iterator[tuple[tuple[int, Name], _Step]]:
    """Steps of one life with what they are sorted by: time never goes back within a life, whatever the clock did."""
    at_s = 0
    for step in steps:
        at_s = max(at_s, _AT_S.unpack_from(step.written.record)[0])
        yield (at_s, name_of(step.written.record)), step


def _add_lives(books: Books, lives: Sequence[_Life], roles: Mapping[int, str]) -> None:
    """Make the terminals and epochs that the ledger has lost."""
    for number, epoch in sorted(lives):
        terminal = books.get(Terminal, number)
        if terminal is None:
            terminal = Terminal(number, TerminalKind.HOST, roles.get(number, _UNKNOWN_ROLE), None, 0, 0, KEY_VERSION, epoch=epoch)
            books.add(terminal)
        elif terminal.epoch < epoch:
            books.change(replace(terminal, epoch=epoch))
        if books.get(Epoch, number, epoch) is None:
            books.add(Epoch(number, epoch))


def _post_all(ledger: SiteLedger, timed: Iterator[tuple[object, _Step]], found: Replayed) -> None:
    waiting: list[_Step] = []
    is_more = True
    while is_more or waiting:
        while is_more and len(waiting) < _BATCH_COUNT:
            if (following := next(timed, None)) is None:
                is_more = False
            else:
                waiting.append(following[1])
        outcomes = ledger.batch([partial(_post, step=step) for step in waiting])
        again: list[_Step] = []
        for step, outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome.error, LedgerAway):
                raise outcome.error
            if outcome.error is not None:
                ledger.commit(partial(_keep, step=step))
            elif not outcome.get():
                again.append(step)
                continue
            found.posted_count += 1
            found.gap_count += name_of(step.written.record).sequence - step.after - 1
        assert len(again) < len(waiting) or not waiting, "each batch posts its first record at least"
        waiting = again


def _post(books: Books, step: _Step) -> bool:
    """Post the next record of a life; False while the one before it is not there, because it failed just now."""
    ready = _pass_hole(books, step)
    if ready is None:
        return False
    terminal, epoch = ready
    post(books, terminal, epoch, step.written.record, step.written.annex, step.written.request)
    return True


def _keep(books: Books, step: _Step) -> None:
    """Keep a record that no rule of this ledger can follow: a fact, with an item for the office."""
    ready = _pass_hole(books, step)
    assert ready is not None, step
    terminal, epoch = ready
    name = name_of(step.written.record)
    key = pack_key(name, 0)
    books.raise_high_water(epoch, name.sequence)
    books.add(Fact(key, step.written.record))
    if step.written.annex:
        books.add(Annex(key, step.written.annex))
    if step.written.request and books.get(Request, step.written.request) is None:
        books.add(Request(step.written.request, key))
    report(books, ItemKind.NOT_EFFECTIVE, terminal=terminal.number, key=key)


def _pass_hole(books: Books, step: _Step) -> tuple[Terminal, Epoch] | None:
    """Bring the high water of a life to just before a record, over a hole if no file fills it."""
    name = name_of(step.written.record)
    terminal, epoch = books.need(Terminal, name.terminal), books.need(Epoch, *name[:2])
    if epoch.high_water < step.after:
        return None
    if epoch.high_water + 1 < name.sequence:
        gap = pack_key((*name[:2], epoch.high_water + 1), 0)
        report(books, ItemKind.GAP, terminal=name.terminal, key=gap, evidence=struct.pack("<I", name.sequence - 1))
        books.raise_high_water(epoch, name.sequence - 1)
    return terminal, epoch


def _compare(books: Books, piece: Sequence[Written]) -> int:
    """Compare records that the ledger has names for; other bytes are kept as evidence. Returns how many differed."""
    keys = [pack_key(name_of(written.record), 0) for written in piece]
    known = books.records([(key, key) for key in keys])
    differing = 0
    for key, written in zip(keys, piece, strict=True):
        if known.get(key) != written.record:
            differing += 1
            kind = ItemKind.ALTERED if key in known else ItemKind.LATE
            report(books, kind, terminal=name_of(written.record).terminal, key=key, evidence=written.record)
    return differing


def _pieces(written: Sequence[Written]) -> Iterator[Sequence[Written]]:
    return (written[start : start + _BATCH_COUNT] for start in range(0, len(written), _BATCH_COUNT))
