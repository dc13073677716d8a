"""Business days: one open, each cut a record that is there, each movement in the day it belongs to."""

from host.check.entries import Entry
from host.check.names import Items
from host.check.proof import Proof
from host.ledger.archive import Measured, measure, movements_of
from host.ledger.books import Books
from host.ledger.cuts import Cut, in_order, parse_cut
from host.ledger.process import LAST_NUMBER
from host.ledger.reports import name_text
from host.ledger.rows import Annex, Day
from host.ledger.seals import seal_of
from protocol import record as kinds


class Days:
    """Sees every entry once: each cut has its day."""

    def __init__(self, books: Books, proof: Proof, items: Items) -> None:
        self._books = books
        self._proof = proof
        self._items = items
        cmac = books.keys.seal_cmac()
        # One whose seal does not fit is reported, and not followed to a table that may not be there.
        self._days = [day for day, seal in books.scan_sealed(Day) if seal_of(cmac, day) == seal]
        self._by_cut = {day.cut: day for day in self._days if day.cut}
        self._cuts: set[int] = set()

    def see(self, entry: Entry) -> None:
        """Note the cuts."""
        if entry.record is None or entry.record.kind != kinds.CUT or not entry.is_proven or entry.name.terminal > LAST_NUMBER:
            return
        self._cuts.add(entry.key)
        if entry.key not in self._by_cut and not self._items.any(entry.key):
            self._proof.wrong(f"表 days, cut {entry.key}: it is gone, {entry} closed it")

    def end(self) -> None:
        """Look at every day; an archived one is measured again."""
        if [day.cut for day in in_order(self._days)].count(0) != 1:
            self._proof.wrong("表 days: there must be one open day, and there is not")
        cuts: list[tuple[int, Cut]] = []
        for day in in_order(self._days):
            if day.cut and day.cut not in self._cuts:
                self._wrong(day, f"its cut {name_text(day.cut)} is no record of a cut")
                continue
            if day.archived_s:
                self._proof.archived_days += 1
                if measure(movements_of(self._books, day)) != Measured(day.movement_count, day.moved_fen, day.digest):
                    self._wrong(day, "its movements in movements_archive are not those that were archived")
                continue
            self._proof.open_days += 1
            if (cut := self._cut_of(day)) is not None:
                cuts.append((day.number, cut))
            self._look_at_table(day, cuts)

    def _cut_of(self, day: Day) -> Cut | None:
        annex = self._books.peek(Annex, day.cut) if day.cut else None
        try:
            return parse_cut(annex.content) if annex else None
        except ValueError:
            return None

    def _look_at_table(self, day: Day, cuts: list[tuple[int, Cut]]) -> None:
        """A movement belongs to the first day whose cut covers it, else to the open one. `cuts` end with this day's, if it has one."""
        for row in movements_of(self._books, day):
            number = next((number for number, cut in cuts if cut.covers(row.key)), 0 if day.cut else day.number)
            if number != day.number:
                self._wrong(day, f"movement {name_text(row.key)} (key {row.key}) belongs to another day")
                return

    def _wrong(self, day: Day, what: str) -> None:
        self._proof.wrong(f"表 days, number {day.number}: {what}")
