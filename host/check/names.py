"""Names: each up to the high water once, or in a gap that is an item; none above it. And each record says its own.

Records come in the order of names, so an epoch's sequences are one after the other: what is missing is kept as
runs, of which there are as many as holes, however wide they are.
"""

from collections import defaultdict
from collections.abc import Sequence

from host.check.entries import Entry, Follower
from host.check.proof import Proof
from host.ledger.books import Books
from host.ledger.kinds import ItemKind
from host.ledger.process import LAST_NUMBER, annex_digest
from host.ledger.reports import name_text
from host.ledger.rows import Annex, Epoch, Item
from protocol.record import unpack_key

Run = tuple[int, int]
Place = tuple[int, int]


class Names:
    """Sees every entry once, in the order of names. `last` has the greatest sequence of each (terminal, epoch) that is there."""

    def __init__(self, books: Books, proof: Proof, items: "Items") -> None:
        self._proof = proof
        self._items = items
        self._epochs = {(row.terminal, row.epoch): row for row in books.scan(Epoch)}
        self._annexes = Follower(books.scan(Annex), lambda row: row.key, self._astray)
        self._holes: list[Run] = []
        self._at: Place | None = None
        self.last: dict[Place, int] = {}

    def see(self, entry: Entry) -> None:
        """Look at its name, its TAC and its annex."""
        name = entry.name
        place = (name.terminal, name.epoch)
        if place != self._at:
            self._end_epoch()
            self._at = place
        before = self.last.get(place, 0)
        if name.sequence > before + 1:
            self._holes.append((before + 1, name.sequence - 1))
        self.last[place] = name.sequence
        self._look_at(entry)
        self._look_at_annex(entry, self._annexes.at(entry.key))

    def end(self) -> None:
        """Nothing follows: epochs without a record."""
        self._end_epoch()
        self._annexes.end()
        for place, epoch in self._epochs.items():
            if place not in self.last and epoch.high_water:
                self._compare(place, [(1, epoch.high_water)])

    def is_passed(self, key: int) -> bool:
        """Whether its terminal has delivered a record of this name or after it. A gap brings none, so it ends no hold."""
        name, _ = unpack_key(key)
        return self.last.get((name.terminal, name.epoch), 0) >= name.sequence

    def is_closed(self, key: int) -> bool:
        """Whether the operator has closed the epoch of that name."""
        name, _ = unpack_key(key)
        epoch = self._epochs.get((name.terminal, name.epoch))
        return epoch is not None and bool(epoch.is_closed)

    def _look_at(self, entry: Entry) -> None:
        if entry.record is None:
            if not self._items.has(ItemKind.UNREADABLE, entry.key):
                self._proof.wrong(f"{entry} is no record")
            return
        record = entry.record
        if (record.terminal, record.epoch, record.sequence) != tuple(entry.name):
            self._proof.wrong(f"{entry} names itself otherwise: {record.terminal}-{record.epoch}-{record.sequence}")
        if not entry.is_proven and not self._items.has(ItemKind.BAD_TAC, entry.key):
            self._proof.wrong(f"{entry} has a wrong TAC: it was altered")
        for index, leg in enumerate(entry.legs):
            if leg.key != entry.key | index:
                self._proof.wrong(f"{entry} lacks leg {index} in movements")
                break

    def _look_at_annex(self, entry: Entry, annexes: Sequence[Annex]) -> None:
        content = annexes[0].content if annexes else b""
        is_host = entry.name.terminal <= LAST_NUMBER
        if annexes and not is_host:
            self._proof.wrong(f"表 annexes, key {entry.key}: {entry} is a terminal's, which has none")
        elif is_host and entry.record is not None and annex_digest(content) != entry.record.shown:
            self._proof.wrong(f"表 annexes, key {entry.key}: {entry} has another annex than it says")

    def _astray(self, annex: Annex) -> None:
        self._proof.wrong(f"表 annexes, key {annex.key}: there is no record {name_text(annex.key)}")

    def _end_epoch(self) -> None:
        if self._at is None:
            return
        place, holes, last = self._at, self._holes, self.last[self._at]
        self._holes = []
        epoch = self._epochs.get(place)
        if epoch is None:
            self._proof.wrong(f"表 epochs: records of {_text(place)}, an epoch nobody gave")
            return
        if last > epoch.high_water:
            self._proof.wrong(f"表 epochs: {_text(place)} has record {last} above its high water {epoch.high_water}")
        if last < epoch.high_water:
            holes.append((last + 1, epoch.high_water))
        self._compare(place, holes)

    def _compare(self, place: Place, holes: Sequence[Run]) -> None:
        missing = [run for hole in holes for run in _less(hole, self._items.gaps[place])]
        if missing:
            count = sum(last - first + 1 for first, last in missing)
            self._proof.wrong(f"缺失 {_text(place)} lacks record {missing[0][0]} and {count - 1} more, and no item says so")


class Items:
    """The worklist, as far as it excuses what is found: which record has an item of which kind, and which gaps are known."""

    def __init__(self, books: Books, proof: Proof) -> None:
        self._excused: set[tuple[str, int]] = set()
        self._keys: set[int] = set()
        self.gaps: defaultdict[Place, list[Run]] = defaultdict(list)
        for item in books.scan(Item):
            if item.key:
                self._excused.add((item.kind, item.key))
                self._keys.add(item.key)
            if item.kind == ItemKind.GAP:
                name, _ = unpack_key(item.key)
                self.gaps[(name.terminal, name.epoch)].append((name.sequence, int.from_bytes(item.evidence, "little")))
            if item.is_open:
                proof.open_items[item.kind] += 1
                proof.item_fen += item.amount_fen if item.kind != ItemKind.FAULT else 0

    def has(self, kind: str, key: int) -> bool:
        """Whether there is an item of that kind about that record, open or closed."""
        return (kind, key) in self._excused

    def any(self, key: int) -> bool:
        """Whether there is an item about that record."""
        return key in self._keys


def _less(hole: Run, gaps: Sequence[Run]) -> list[Run]:
    """What of a hole no gap covers."""
    left: list[Run] = []
    first, last = hole
    for gap_first, gap_last in sorted(gaps):
        if gap_last < first or gap_first > last:
            continue
        if gap_first > first:
            left.append((first, gap_first - 1))
        first = max(first, gap_last + 1)
    if first <= last:
        left.append((first, last))
    return left


def _text(place: Place) -> str:
    return f"{place[0]}-{place[1]}"
