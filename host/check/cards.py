"""Cards: the evidence of who wrote their counters against the records that told it, and what their mirrors must hold.

Evidence that an ask told cannot be found again in a record; its seal holds it.
"""

from collections.abc import Iterator

from host.check.entries import Entry, Follower
from host.check.names import Items
from host.check.proof import Proof
from host.check.seals import place_text
from host.ledger.books import Books
from host.ledger.columns import key_of
from host.ledger.kinds import HoldKind
from host.ledger.reports import name_text, yuan
from host.ledger.rows import Account, Card, Epoch, Hold, Writing
from protocol import record as kinds
from protocol.messages import SUBJECT_CARD
from protocol.record import Record, unpack_key, unpack_shown

_WRITES = (kinds.SALE, kinds.OPENED, kinds.STEP)
"""Debits of a purse, if the record says that the purse paid."""
_SHOWS = (*_WRITES, kinds.LOAD, kinds.NOTHING, kinds.VOID, kinds.REFUND)
"""Kinds whose `shown` is what the card showed."""

_BATCH = 500
"""Tellings looked up at a time."""

_LOW_COUNT = 0x1_0000
_AHEAD = 16_384
"""Low bits of a sequence mean the nearest one, at most this far above the high water (MONEY 5)."""


class Cards:
    """Sees every entry once, in the order of names."""

    def __init__(self, books: Books, proof: Proof, accounts: dict[int, Account], items: Items) -> None:
        self._books = books
        self._proof = proof
        self._accounts = accounts
        self._items = items
        self._cards = {row.number: row.mirror for row in books.scan(Card)}
        self._told = Follower(books.scan(Writing, order=("told_by",)), lambda row: row.told_by)
        self._newest: dict[int, tuple[int, int]] = {}
        """Card to the greatest counter a record tells of, and the purse's balance after it."""
        self._doubtful: set[int] = set()
        """Cards of which a record has an item: their mirrors wait for what the office finds."""
        self._expected: list[tuple[Writing, int]] = []

    def see(self, entry: Entry) -> None:
        """Look at what a record says of a card."""
        told = self._told.at(entry.key)
        record = entry.record
        if record is None or not entry.is_proven or record.subject_kind != SUBJECT_CARD or record.subject not in self._cards:
            expected = set[Writing]()
        else:
            expected = set(_tellings(record, entry.key))
            if record.kind in (*_WRITES, kinds.LOAD) and (record.purse or record.kind == kinds.LOAD):
                self._newest[record.subject] = max(self._newest.get(record.subject, (0, 0)), (record.counter, record.balance_fen))
            if self._items.any(entry.key):
                self._doubtful.add(record.subject)
        for row in told:
            # What an ask of that name showed, before a record of that name closed it.
            if row not in expected and row.told_by == entry.key and _is_own(row, entry):
                self._proof.wrong(f"表 {place_text(row)}: {entry} tells something else")
        self._expected += [(row, entry.key) for row in expected.difference(told)]
        if len(self._expected) >= _BATCH:
            self._look_up()

    def end(self) -> None:
        """Nothing follows: evidence that is gone, mirrors, and what is under way."""
        self._look_up()
        self._told.end()
        self._look_at_mirrors()
        self._add_up_under_way()

    def _look_up(self) -> None:
        """What a record told second stands under whoever told first; it must stand."""
        wanted = sorted({key_of(row) for row, _ in self._expected})
        there = {key_of(row) for row in self._books.look(Writing, wanted)}
        for row, key in self._expected:
            if key_of(row) not in there:
                self._proof.wrong(f"表 {place_text(row)}: it is gone, record {name_text(key)} told it")
        self._expected = []

    def _look_at_mirrors(self) -> None:
        """A card never holds more than its mirror, what is under way to it counted."""
        loads: dict[int, int] = {}
        purses: dict[int, int] = {}
        for hold in self._books.scan(Hold):
            if hold.kind == HoldKind.LOAD and hold.subject_kind == SUBJECT_CARD:
                loads[hold.subject] = loads.get(hold.subject, 0) + hold.amount_fen
            elif hold.kind == HoldKind.PURSE:
                purses[hold.account] = purses.get(hold.account, 0) + hold.amount_fen
        for card, mirror in self._cards.items():
            account = self._accounts.get(mirror)
            if account is None or card in self._doubtful:
                continue
            _, purse_fen = self._newest.get(card, (0, 0))
            covered_fen = account.balance_fen - purses.get(mirror, 0) + loads.get(card, 0)
            if covered_fen < purse_fen:
                covers = f"the mirror of card {card:08d} covers {yuan(covered_fen)}"
                self._proof.wrong(f"表 accounts, number {mirror}: {covers}, and its records say {yuan(purse_fen)}")
            if account.balance_fen + loads.get(card, 0) < 0:
                self._proof.wrong(f"表 accounts, number {mirror}: the mirror of card {card:08d} is below zero: {yuan(account.balance_fen)}")

    def _add_up_under_way(self) -> None:
        """Debits that a card has shown, and whose record is still to come: the amount of each is its bound."""
        newest: dict[tuple[int, int], Epoch] = {}
        for epoch in self._books.scan(Epoch):
            newest[(epoch.terminal, epoch.epoch & 0x0F)] = epoch
        for row in self._books.scan(Writing):
            epoch = newest.get((row.terminal, row.epoch_low))
            if row.kind in _WRITES and epoch is not None and not epoch.is_closed and _sequence(row, epoch.high_water) > epoch.high_water:
                self._proof.under_way_fen += row.amount_fen


def _tellings(record: Record, key: int) -> Iterator[Writing]:
    """What a record says of its card's counters: its own write, and the two operations its reading showed."""
    if record.kind not in _SHOWS:
        return
    newest = record.counter
    if record.kind == kinds.LOAD or (record.kind in _WRITES and record.purse):
        own = (record.terminal, record.sequence & 0xFFFF, record.kind, record.epoch & 0x0F, record.amount_fen)
        yield Writing(record.subject, newest, *own, told_by=key)
        newest -= 1
    for counter, seen in zip((newest, newest - 1), unpack_shown(record.shown), strict=False):
        if seen.terminal and counter > 0:
            yield Writing(record.subject, counter, *seen, told_by=key)


def _is_own(row: Writing, entry: Entry) -> bool:
    """Whether a telling claims to be the write of the record itself."""
    name, _ = unpack_key(entry.key)
    return (row.terminal, row.sequence_low, row.epoch_low) == (name.terminal, name.sequence & 0xFFFF, name.epoch & 0x0F)


def _sequence(row: Writing, high_water: int) -> int:
    """The sequence whose low bits a card shows, the nearest one to the high water."""
    nearest = high_water - (high_water - row.sequence_low) % _LOW_COUNT
    return nearest + _LOW_COUNT if nearest + _LOW_COUNT <= high_water + _AHEAD else nearest
