"""The worklist: what did not fit, with its evidence in words, closed by a person who gives a reason."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from host.errors import AlreadyClosed, InvalidValue, NotFound
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.kinds import KIND_NAMES, ItemKind
from host.ledger.reports import name_text, yuan
from host.ledger.rows import Fact, Item, Movement, Place, Terminal
from protocol import codes
from protocol.messages import SUBJECT_ACCOUNT, SUBJECT_CARD
from protocol.packing import unpack
from protocol.record import NONE, SIZE, decode, pack_key

_LONGEST_REASON = 200
_SUBJECTS = {SUBJECT_CARD: "card", SUBJECT_ACCOUNT: "account"}


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item with the words around it. `amount_fen`: what it is about, 0 for none."""

    number: int
    kind: str
    at_s: int
    terminal: int
    place: str
    record: str
    amount_fen: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class ItemStory:
    """An item and what is known of it: its evidence, and its record, line by line."""

    line: ItemLine
    evidence: tuple[str, ...]
    record: tuple[str, ...]


def every(ledger: Ledger, *, kind: str = "", with_closed: bool = False) -> list[ItemLine]:
    """The items, oldest first. Raises `InvalidValue` for a kind that is none."""
    if kind and kind not in set(ItemKind):
        raise InvalidValue(f"种类不对 kind {kind!r}: {', '.join(ItemKind)}")
    return ledger.view(lambda books: _every(books, kind, (0, 1) if with_closed else (1, 1)))


def show(ledger: Ledger, number: int) -> ItemStory:
    """One item with its evidence in words. Raises `NotFound`."""
    return ledger.view(lambda books: _story(books, _need(books, number)))


def close(ledger: Ledger, number: int, reason: str) -> ItemLine:
    """Close an item; why stands in the audit log. Raises `NotFound`, `InvalidValue`, `AlreadyClosed`, `LedgerAway`."""
    reason = reason.strip()
    if not 0 < len(reason) <= _LONGEST_REASON or not reason.isprintable():
        raise InvalidValue(f"理由不对 reason {reason!r}: 1 to {_LONGEST_REASON} printable characters")
    return ledger.commit(lambda books: _close(books, _need(books, number), reason))


def _every(books: Books, kind: str, states: tuple[int, int]) -> list[ItemLine]:
    found = books.find(Item, kind=kind, is_open=states) if kind else books.find(Item, is_open=states)
    return [_line(books, item) for item in found]


def _need(books: Books, number: int) -> Item:
    item = books.get(Item, number)
    if item is None:
        raise NotFound("差错 item", number, "see `onecard worklist`")
    return item


def _close(books: Books, item: Item, reason: str) -> ItemLine:
    if not item.is_open:
        raise AlreadyClosed(item.number)
    closed = replace(item, is_open=0)
    books.change(closed)
    note(books, "item.close", item.number, kind=item.kind, record=name_text(item.key) if item.key else "", reason=reason)
    return _line(books, closed)


def _line(books: Books, item: Item) -> ItemLine:
    terminal = books.get(Terminal, item.terminal)
    place = books.get(Place, terminal.place) if terminal and terminal.place is not None else None
    name = name_text(item.key) if item.key else ""
    amount_fen = 0 if item.kind == ItemKind.FAULT else item.amount_fen
    return ItemLine(item.number, item.kind, item.at_s, item.terminal, place.name if place else "", name, amount_fen, bool(item.is_open))


def _story(books: Books, item: Item) -> ItemStory:
    row = books.peek(Movement, item.key) or books.peek(Fact, item.key) if item.key else None
    record = record_lines(row.record) if row is not None and row.record is not None else ()
    return ItemStory(_line(books, item), evidence_lines(item), record)


def evidence_lines(item: Item) -> tuple[str, ...]:
    """What an item's evidence says. Never raises: evidence is what somebody sent."""
    if item.kind == ItemKind.FAULT:
        name, remedy = (text.decode("gb2312", "replace") for text in codes.texts(item.amount_fen))
        return (f"{codes.label(item.amount_fen)} {name}: {remedy}",)
    try:
        found = _DECODERS[item.kind](item.evidence) if item.kind in _DECODERS else None
    except (ValueError, struct.error, TypeError, IndexError):
        found = None
    if found is not None:
        return found
    if len(item.evidence) == SIZE:
        return record_lines(item.evidence)
    return (item.evidence.hex(),) if item.evidence else ()


def record_lines(data: bytes) -> tuple[str, ...]:
    """A record in words, a line each."""
    try:
        record = decode(data)
    except ValueError:
        return (f"no record of this version: {data.hex()}",)
    subject = f"{_SUBJECTS.get(record.subject_kind, 'subject')} {record.subject}" if record.subject_kind else ""
    reference = f", of {name_text(pack_key(record.reference, 0))}" if record.reference != NONE else ""
    name = f"{record.terminal}-{record.epoch}-{record.sequence}"
    return (
        f"{KIND_NAMES.get(record.kind, f'kind {record.kind}')} {name}, {yuan(record.amount_fen)} yuan{reference}",
        *((subject + (", from the purse" if record.purse else ""),) if subject else ()),
        f"time {record.at_s} s since 2020, trust {record.trust}" + (", host away" if record.away else ""),
        f"bytes {data.hex()}",
    )


def _gap(evidence: bytes) -> tuple[str, ...]:
    return (f"records up to sequence {struct.unpack('<I', evidence)[0]} are gone",)


def _journal(evidence: bytes) -> tuple[str, ...]:
    had, said, following = struct.unpack("<HHI", evidence)
    return (f"the ledger had epoch {had}; the terminal says epoch {said}, next sequence {following}",)


def _behind(evidence: bytes) -> tuple[str, ...]:
    had, said = struct.unpack("<HH", evidence)
    return (f"the ledger had epoch {had}; the terminal is in epoch {said}",)


def _ask(evidence: bytes) -> tuple[str, ...]:
    found: Any = unpack(evidence)
    kind, subject_kind, subject, amount_fen, used_fen = cast("list[int]", found)
    what = f"ask of kind {kind}, {_SUBJECTS.get(subject_kind, 'subject')} {subject}"
    return (f"{what}, {yuan(int(amount_fen))} yuan, {yuan(int(used_fen))} used",)


_DECODERS: dict[str, Callable[[bytes], tuple[str, ...]]] = {
    ItemKind.GAP: _gap,
    ItemKind.JOURNAL_OLDER: _journal,
    ItemKind.HOST_BEHIND: _behind,
    ItemKind.ASK_DIFFERS: _ask,
}
