"""What is known of who wrote a card's counters, kept for the verdicts of MONEY 5.

Three tell: the record of an operation that wrote the card, the two operations a record carries in
`shown`, and the copies a terminal sends with an ask. Only what was seen is evidence; whose MAC or TAC is
wrong was not seen.
"""

from host.ledger.books import Books
from host.ledger.rows import Card, Writing
from protocol import record as kinds
from protocol.card import BLOCK_COPY_A, BLOCK_COPY_B, decode_copy
from protocol.messages import SUBJECT_CARD
from protocol.record import NOTHING_SHOWN, Operation, Record, unpack_shown

COPIES_SIZE = 32

_CARD_WRITES = (kinds.SALE, kinds.OPENED, kinds.STEP, kinds.LOAD)
_SHOW_OPERATIONS = (kinds.SALE, kinds.OPENED, kinds.STEP, kinds.LOAD, kinds.NOTHING, kinds.VOID, kinds.REFUND)
"""Kinds that follow a reading of a card; the others use `shown` for themselves."""


def keep_copies(books: Books, card: Card, copies: bytes, told_by: int) -> None:
    """Keep what both purse copies of an ask say, as far as their MACs are right."""
    if len(copies) != COPIES_SIZE:
        return
    cmac = books.keys.card_cmac(card.uid, card.key_version)
    for block, number in ((copies[:16], BLOCK_COPY_A), (copies[16:], BLOCK_COPY_B)):
        copy = decode_copy(block, number, cmac)
        # As issued: written by nobody.
        if copy is not None and copy.terminal:
            seen = Operation(copy.terminal, copy.sequence_low, copy.kind, copy.epoch_low, copy.amount_fen)
            _keep(books, card.number, copy.counter, seen, told_by)


def keep_shown(books: Books, record: Record, told_by: int) -> None:
    """Keep what a proven record says: its own write, and the two operations its reading showed."""
    if record.shown == NOTHING_SHOWN and not record.purse and record.kind != kinds.LOAD:
        return
    if record.subject_kind != SUBJECT_CARD or record.kind not in _SHOW_OPERATIONS or books.get(Card, record.subject) is None:
        return
    newest = record.counter
    if record.kind == kinds.LOAD or (record.kind in _CARD_WRITES and record.purse):
        own = Operation(record.terminal, record.sequence & 0xFFFF, record.kind, record.epoch & 0x0F, record.amount_fen)
        _keep(books, record.subject, newest, own, told_by)
        newest -= 1
    for counter, seen in zip((newest, newest - 1), unpack_shown(record.shown), strict=False):
        if seen.terminal and counter > 0:
            _keep(books, record.subject, counter, seen, told_by)


def _keep(books: Books, card: int, counter: int, seen: Operation, told_by: int) -> None:
    """Keep it once: who told first is enough."""
    books.add_once(Writing(card, counter, *seen, told_by))
