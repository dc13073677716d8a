"""Money set aside: each hold is one that its terminal can still take up, or has taken up, and each open shower has one."""

from host.check.entries import Entry, Follower
from host.check.names import Items, Names
from host.check.proof import MOST_HOLDS, Proof
from host.ledger.bookings import booking_annex
from host.ledger.books import Books
from host.ledger.kinds import HoldKind, HoldState, ReservationState
from host.ledger.process import LAST_NUMBER
from host.ledger.reports import HoldLine, name_text
from host.ledger.rows import Account, Annex, Hold, Reservation, Settlement
from protocol import record as kinds
from protocol.record import NONE, pack_key

_OPENING = {HoldKind.BOOKING: kinds.BOOKING, HoldKind.SHOWER: kinds.OPENED, HoldKind.PURSE: kinds.OPENED}
"""The record that takes each kind up; sales and loads are captured at once, so only showers and bookings stay taken."""

_WAITING = (ReservationState.OPEN, ReservationState.CANCELLED)
"""States of a booking whose money is still set aside."""


class Holds:
    """Sees every entry once, in the order of names, with the holds, bookings and settlements that name it."""

    def __init__(self, books: Books, proof: Proof, accounts: dict[int, Account], names: Names, items: Items) -> None:
        self._books = books
        self._proof = proof
        self._accounts = accounts
        self._names = names
        self._items = items
        self._asked: list[Hold] = []
        """Asked holds, to be looked at when all of their terminals' records are known."""
        self._holds = Follower(books.scan(Hold), lambda row: row.key, self._without_record)
        self._bookings = Follower(books.scan(Reservation), lambda row: row.key, self._booking_astray)
        self._settlements = Follower(books.scan(Settlement), lambda row: row.opened)
        self._settled = Follower(books.scan(Settlement, order=("settled",)), lambda row: row.settled, self._settlement_astray)

    def see(self, entry: Entry) -> None:
        """Look at what names this record."""
        holds, bookings = self._holds.at(entry.key), self._bookings.at(entry.key)
        is_settled = bool(self._settlements.at(entry.key))
        for hold in holds:
            self._look_at(hold, entry, bookings, is_settled=is_settled)
        self._look_at_booking(entry, bookings, holds)
        self._look_at_settlements(entry, self._settled.at(entry.key))
        kind = entry.record.kind if entry.record is not None and entry.is_proven else 0
        if kind != kinds.OPENED or is_settled or self._items.any(entry.key):
            return
        # In a closed epoch too: a board that is found brings an opened, and its settled comes later.
        if not holds:
            gone = f"表 holds, key {entry.key}, or 表 settlements, opened {entry.key}: it is gone"
            self._proof.wrong(f"{gone}, {entry} opened a shower that is neither settled nor held for")

    def end(self) -> None:
        """Nothing follows."""
        for follower in (self._holds, self._bookings, self._settlements, self._settled):
            follower.end()
        for hold in self._asked:
            if self._names.is_passed(hold.key):
                self._wrong(hold, "is only asked for, and its terminal is past it")

    def _look_at(self, hold: Hold, entry: Entry, bookings: list[Reservation], *, is_settled: bool) -> None:
        self._count(hold)
        if hold.state == HoldState.ASKED:
            self._wrong(hold, "is only asked for, and its terminal is past it")
        elif entry.record is None or entry.record.kind != _OPENING.get(HoldKind(hold.kind)):
            self._wrong(hold, "is taken up by no record")
        elif is_settled:
            self._wrong(hold, "was settled and is still held")
        elif hold.kind == HoldKind.BOOKING and (not bookings or bookings[0].state not in _WAITING):
            self._wrong(hold, "is of a booking that is used or freed")

    def _without_record(self, hold: Hold) -> None:
        self._count(hold)
        if hold.state == HoldState.TAKEN:
            self._wrong(hold, "is taken up by no record")
        elif self._names.is_closed(hold.key):
            self._wrong(hold, "is in an epoch that was closed")
        else:
            self._asked.append(hold)

    def _look_at_booking(self, entry: Entry, bookings: list[Reservation], holds: list[Hold]) -> None:
        record = entry.record
        is_booking = record is not None and entry.is_proven and record.kind == kinds.BOOKING and entry.name.terminal <= LAST_NUMBER
        if is_booking and not bookings and not self._items.any(entry.key):
            self._proof.wrong(f"表 reservations, key {entry.key}: it is gone, {entry} made it")
        for booking in bookings:
            annex = self._books.peek(Annex, booking.key)
            said = booking_annex(
                terminal=booking.terminal,
                house=booking.house,
                day=booking.day,
                from_s=booking.from_s,
                until_s=booking.until_s,
                try_count=booking.try_count,
                lookup=booking.lookup,
            )
            if (
                record is None
                or not is_booking
                or (annex.content if annex else b"", record.subject, record.amount_fen)
                != (
                    said,
                    booking.account,
                    booking.held_fen,
                )
            ):
                self._proof.wrong(f"表 reservations, key {booking.key}: {entry} says otherwise")
            if booking.state in _WAITING and not holds:
                self._proof.wrong(f"表 holds, key {booking.key}: it is gone, and the booking still waits")

    def _look_at_settlements(self, entry: Entry, settlements: list[Settlement]) -> None:
        record = entry.record
        for row in settlements:
            if record is None or record.kind not in (kinds.SETTLED, kinds.ADJUST) or pack_key(record.reference, 0) != row.opened:
                self._proof.wrong(f"表 settlements, opened {row.opened}: {entry} settles something else")
        settles = record is not None and entry.is_proven and record.kind == kinds.SETTLED and record.reference != NONE
        if not settles or settlements or record is None or record.reference.terminal != record.terminal:
            return
        if not self._items.any(entry.key) and not self._names.is_closed(pack_key(record.reference, 0)):
            self._proof.wrong(f"表 settlements, opened {pack_key(record.reference, 0)}: it is gone, {entry} settled it")

    def _booking_astray(self, booking: Reservation) -> None:
        self._proof.wrong(f"表 reservations, key {booking.key}: there is no record {name_text(booking.key)}")

    def _settlement_astray(self, row: Settlement) -> None:
        self._proof.wrong(f"表 settlements, opened {row.opened}: there is no record {name_text(row.settled)}")

    def _count(self, hold: Hold) -> None:
        self._proof.hold_count += 1
        account = self._accounts.get(hold.account)
        if len(self._proof.holds) < MOST_HOLDS:
            label = account.label if account else ""
            self._proof.holds.append(HoldLine(hold.key, name_text(hold.key), hold.account, label, hold.kind, hold.state, hold.amount_fen))

    def _wrong(self, hold: Hold, what: str) -> None:
        self._proof.wrong(f"表 holds, key {hold.key}: hold {name_text(hold.key)} {what}")
