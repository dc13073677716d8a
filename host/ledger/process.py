"""A host process as a terminal of its own: its number, its epoch, its records.

Everything the host does with money is a record like any other, under a number from 1 to 99. A process
takes a new epoch at each start, committed before its first record, so its sequence needs no lock and is
fixed before a commit: a commit that must be tried again brings the same names.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from host.errors import OnecardError
from host.keys import KEY_VERSION
from host.ledger.books import Books
from host.ledger.clock import to_wire
from host.ledger.contract import Written
from host.ledger.kinds import TerminalKind
from host.ledger.posting import post
from host.ledger.rows import Annex, Epoch, Request, Terminal
from protocol.record import NO_TAC, NONE, TRUST_SET, Name, Record, encode, pack_key
from protocol.shown import pack_face

LAST_NUMBER = 99
LAST_EPOCH = 4_000
"""At this epoch a process takes a new number (MONEY 8): 12 bits end at 4,095."""

FACE_OFFICE = 1
"""Who acted, in a host record's detail: the office and its command line."""
FACE_CLOCK = 2
"""Nobody: time passed."""

_FIRST_NUMBERS = {"serve": 1, "command": 2}
_SHOWN_SIZE = 14
_LEG_MASK = 15


@dataclass(frozen=True, slots=True)
class Process:
    """The life of one host process."""

    terminal: int
    epoch: int


def take_epoch(books: Books, role: str) -> Process:
    """Give this process a number of its role, and a new epoch of it."""
    mine = [row for row in books.find(Terminal, kind=TerminalKind.HOST, role=role) if max(row.epoch + 1, row.next_epoch) <= LAST_EPOCH]
    if mine:
        books.change(terminal := replace(mine[0], epoch=max(mine[0].epoch + 1, mine[0].next_epoch)))
    else:
        books.add(terminal := Terminal(_free_number(books, role), TerminalKind.HOST, role, None, 0, 0, KEY_VERSION, epoch=1))
    books.add(Epoch(terminal.number, terminal.epoch))
    return Process(terminal.number, terminal.epoch)


def write_record(
    books: Books,
    *,
    kind: int,
    subject_kind: int = 0,
    subject: int = 0,
    reference: Name = NONE,
    amount_fen: int = 0,
    face: int = FACE_OFFICE,
    annex: bytes = b"",
    request: str = "",
) -> int:
    """Write and post the host's own next record; its key is returned. The ledger was started with a role.

    `request`: the key of the request from outside that this answers, which no record has answered yet
    (ledger/requests.py tells). Before anybody is told, the record is in the host's journal file too.
    """
    assert books.process is not None, "`start` comes before the first record"
    number, epoch_number = books.process
    terminal, epoch = books.need(Terminal, number), books.need(Epoch, number, epoch_number)
    assert epoch.high_water + 1 == books.next_sequence, (epoch, books.next_sequence)
    assert not request or books.get(Request, request) is None, request
    if books.copies is not None:
        books.copies.make_ready()
    record = Record(
        kind=kind,
        terminal=number,
        epoch=epoch_number,
        sequence=books.next_sequence,
        at_s=to_wire(books.now_s),
        trust=TRUST_SET,
        subject_kind=subject_kind,
        subject=subject,
        purse=False,
        away=False,
        reference=reference,
        amount_fen=amount_fen,
        detail=pack_face(clerk=0, face=face),
        balance_fen=0,
        counter=0,
        shown=annex_digest(annex),
        tariff=0,
        list_version=0,
        tac=NO_TAC,
    )
    data = encode(record, books.keys.record_cmac(number, terminal.key_version))
    post(books, terminal, epoch, data, annex, request)
    books.written.append(Written(data, annex, request))
    books.next_sequence += 1
    return pack_key((number, epoch_number, record.sequence), 0)


def written_under(books: Books, keys: Iterable[int]) -> list[Written]:
    """Records of the host as a journal has them, by their keys; a name without a record (a gap) is passed over."""
    spans = [(key, key | _LEG_MASK) for key in sorted(keys)]
    annexes = {row.key: row.content for row in books.spans(Annex, "key", spans)}
    requests = {row.key: row.request for row in books.spans(Request, "key", spans)}
    records = books.records(spans)
    return [Written(records[key], annexes.get(key, b""), requests.get(key, "")) for key in sorted(records)]


def annex_digest(annex: bytes) -> bytes:
    """What a record's `shown` says of its annex: the beginning of its SHA-256; zeros without one."""
    return hashlib.sha256(annex).digest()[:_SHOWN_SIZE] if annex else bytes(_SHOWN_SIZE)


def _free_number(books: Books, role: str) -> int:
    taken = {row.number for row in books.find(Terminal, kind=TerminalKind.HOST)}
    preferred = _FIRST_NUMBERS[role]
    free = [number for number in range(1, LAST_NUMBER + 1) if number not in taken and number not in _FIRST_NUMBERS.values()]
    if preferred not in taken:
        return preferred
    if not free:
        raise OnecardError("主机编号已用完 all numbers 1 to 99 of host processes are used up: move the site to a new ledger")
    return free[0]
