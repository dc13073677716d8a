"""The proof of the books: everything recomputed from the records, naively, and compared.

It reads one snapshot and waits for nobody, so it runs beside a host that is serving. What it looks at:
every record's name, TAC and amount; that no name is missing or stands twice; the hash chain; each balance
and what is held; every hold. Each problem names the row that is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from host.ledger.books import Books
from host.ledger.chain import NO_DIGEST, digest_of
from host.ledger.contract import Ledger
from host.ledger.effects import LEG_LIMIT
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.process import LAST_NUMBER, annex_digest
from host.ledger.reports import HoldLine, name_text, open_holds, yuan
from host.ledger.rows import Account, Annex, Commit, Epoch, Fact, Hold, Item, Movement, Terminal
from protocol import record as kinds
from protocol.record import Record, decode, unpack_key, verify

_LEG_MASK = LEG_LIMIT - 1
_PAYS_MERCHANT = (kinds.SALE, kinds.SETTLED)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account: what the ledger says, and what its movements say."""

    number: int
    kind: str
    label: str
    balance_fen: int
    recomputed_fen: int
    held_fen: int


@dataclass(slots=True)
class Proof:
    """What was counted, and every problem found."""

    movement_count: int = 0
    fact_count: int = 0
    moved_fen: int = 0
    commit_count: int = 0
    sum_fen: int = 0
    accounts: list[AccountLine] = field(default_factory=list[AccountLine])
    holds: list[HoldLine] = field(default_factory=list[HoldLine])
    open_items: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(ledger: Ledger) -> Proof:
    """Recompute the books. Never raises for what is wrong in them."""
    return ledger.view(_check)


def _check(books: Books) -> Proof:
    proof = Proof()
    reader = _Reader(books, proof)
    sums = reader.read_movements()
    reader.read_facts()
    _check_accounts(books, proof, sums)
    _check_holds(books, proof)
    _check_epochs(books, proof, reader.sequences)
    _check_chain(books, proof)
    proof.open_items = Counter(item.kind for item in books.scan(Item) if item.is_open)
    return proof


class _Reader:
    """Reads every record once; `sequences` counts what each epoch has."""

    def __init__(self, books: Books, proof: Proof) -> None:
        self._books = books
        self._proof = proof
        self._key_versions = {row.number: row.key_version for row in books.find(Terminal)}
        self._merchants = {row.number for row in books.find(Account, kind=AccountKind.MERCHANT)}
        self._excused = {(row.kind, row.key) for row in books.scan(Item)}
        self.sequences: defaultdict[tuple[int, int], list[int]] = defaultdict(list)

    def read_movements(self) -> Counter[int]:
        """Check all movements; returns what they make of each account."""
        sums: Counter[int] = Counter()
        legs: list[Movement] = []
        for row in self._books.scan(Movement):
            self._proof.movement_count += 1
            self._proof.moved_fen += row.amount_fen
            sums[row.debit] -= row.amount_fen
            sums[row.credit] += row.amount_fen
            if legs and legs[0].key | _LEG_MASK < row.key:
                self._read_legs(legs)
                legs = []
            legs.append(row)
        if legs:
            self._read_legs(legs)
        return sums

    def read_facts(self) -> None:
        """Check all records that move nothing."""
        for row in self._books.scan(Fact):
            self._proof.fact_count += 1
            if self._books.get(Movement, row.key) is not None:
                self._wrong(row.key, "stands in movements and in facts")
            self._read_record(row.key, row.record)

    def _read_legs(self, legs: list[Movement]) -> None:
        key = legs[0].key & ~_LEG_MASK
        if [leg.key for leg in legs] != [key | index for index in range(len(legs))]:
            self._wrong(key, "lacks a leg")
        if legs[0].record is None:
            self._wrong(key, "has no record")
            return
        record = self._read_record(key, legs[0].record)
        if record is None:
            return
        paying = [leg for leg in legs if leg.credit in self._merchants] if record.kind in _PAYS_MERCHANT else legs
        if (moved_fen := sum(leg.amount_fen for leg in paying)) != record.amount_fen:
            self._wrong(key, f"moves {yuan(moved_fen)}, its record says {yuan(record.amount_fen)}")

    def _read_record(self, key: int, data: bytes) -> Record | None:
        """Check name, TAC and annex; None when the bytes say nothing."""
        name, _ = unpack_key(key)
        self.sequences[(name.terminal, name.epoch)].append(name.sequence)
        try:
            record = decode(data)
        except ValueError:
            if (ItemKind.UNREADABLE, key) not in self._excused:
                self._wrong(key, "is no record")
            return None
        if (record.terminal, record.epoch, record.sequence) != tuple(name):
            self._wrong(key, "names itself otherwise")
        version = self._key_versions.get(name.terminal)
        is_proven = version is not None and verify(data, self._books.keys.record_cmac(name.terminal, version))
        if not is_proven and (ItemKind.BAD_TAC, key) not in self._excused:
            self._wrong(key, "has a wrong TAC: it was altered")
        if name.terminal <= LAST_NUMBER:
            annex = self._books.get(Annex, key)
            if annex_digest(annex.content if annex else b"") != record.shown:
                self._wrong(key, "has another annex than it says")
        return record

    def _wrong(self, key: int, what: str) -> None:
        self._proof.problems.append(f"记录 record {name_text(key)} (key {key}) {what}")


def _check_accounts(books: Books, proof: Proof, sums: Counter[int]) -> None:
    held: Counter[int] = Counter()
    for hold in books.scan(Hold):
        held[hold.account] += hold.amount_fen
    for row in books.scan(Account):
        proof.sum_fen += row.balance_fen
        recomputed_fen = sums.pop(row.number, 0)
        held_fen = held.pop(row.number, 0)
        proof.accounts.append(AccountLine(row.number, row.kind, row.label, row.balance_fen, recomputed_fen, row.held_fen))
        if row.balance_fen != recomputed_fen:
            proof.problems.append(f"账户 account {row.number} has {yuan(row.balance_fen)}, its movements make {yuan(recomputed_fen)}")
        if row.held_fen != held_fen:
            proof.problems.append(f"账户 account {row.number} holds {yuan(row.held_fen)}, its holds make {yuan(held_fen)}")
        if row.kind == AccountKind.HOLDER and row.available_fen < 0:
            proof.problems.append(f"账户 account {row.number} has less than nothing available: {yuan(row.available_fen)}")
    proof.problems.extend(f"账户 account {number} has movements or holds and does not exist" for number in sorted({*sums, *held}))
    if proof.sum_fen:
        proof.problems.append(f"总和不为零 the balances make {yuan(proof.sum_fen)} instead of 0.00")


def _check_holds(books: Books, proof: Proof) -> None:
    proof.holds = open_holds(books)
    for hold in books.scan(Hold):
        name, _ = unpack_key(hold.key)
        epoch = books.get(Epoch, name.terminal, name.epoch)
        is_past = epoch is None or epoch.high_water >= name.sequence
        if hold.state == HoldState.ASKED and is_past:
            proof.problems.append(f"冻结 hold {name_text(hold.key)} is only asked for, and its terminal is past it")
        if hold.state == HoldState.TAKEN and not _is_taken_up(books, hold):
            proof.problems.append(f"冻结 hold {name_text(hold.key)} is taken up by no record")


def _is_taken_up(books: Books, hold: Hold) -> bool:
    fact = books.get(Fact, hold.key)
    try:
        kind = decode(fact.record).kind if fact else 0
    except ValueError:
        return False
    return kind == (kinds.BOOKING if hold.kind == HoldKind.BOOKING else kinds.OPENED)


def _check_epochs(books: Books, proof: Proof, sequences: dict[tuple[int, int], list[int]]) -> None:
    """Every name up to the high water is there, or in a gap that is an item; none is above it."""
    gaps: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for item in books.find(Item, kind=ItemKind.GAP):
        name, _ = unpack_key(item.key)
        gaps[(name.terminal, name.epoch)].append((name.sequence, int.from_bytes(item.evidence, "little")))
    for epoch in books.scan(Epoch):
        place = (epoch.terminal, epoch.epoch)
        there = set(sequences.pop(place, []))
        missing = _missing(there, epoch.high_water, gaps[place])
        if missing:
            proof.problems.append(f"缺失 {epoch.terminal}-{epoch.epoch} lacks record {missing[0]} and {len(missing) - 1} more")
        if there and max(there) > epoch.high_water:
            proof.problems.append(f"终端 {epoch.terminal}-{epoch.epoch} has record {max(there)} above its high water {epoch.high_water}")
    proof.problems.extend(f"记录 records of {terminal}-{epoch}, an epoch nobody gave" for terminal, epoch in sorted(sequences))


def _missing(there: set[int], high_water: int, gaps: Iterable[tuple[int, int]]) -> list[int]:
    if len(there) >= high_water:
        return []
    excused = {sequence for first, last in gaps for sequence in range(first, last + 1)}
    return [sequence for sequence in range(1, high_water + 1) if sequence not in there and sequence not in excused]


def _check_chain(books: Books, proof: Proof) -> None:
    digest, linked_count = NO_DIGEST, 0
    for commit in books.scan(Commit):
        proof.commit_count += 1
        span = (commit.first_key, commit.last_key)
        rows: list[Movement | Fact] = [*books.find(Movement, key=span), *books.find(Fact, key=span)]
        rows.sort(key=lambda row: row.key)
        linked_count += len(rows)
        if commit.number != proof.commit_count:
            proof.problems.append(f"链 the chain lacks commit {proof.commit_count}: {commit.number} follows")
            return
        found = digest_of(digest, commit.number, commit.first_key, commit.last_key, commit.at_s, rows)
        if found != commit.digest:
            span_text = f"{name_text(commit.first_key)} to {name_text(commit.last_key)}"
            proof.problems.append(f"链 commit {commit.number} ({span_text}) does not match its digest: a row in it was altered")
            return
        digest = commit.digest
    if linked_count != proof.movement_count + proof.fact_count:
        proof.problems.append(f"链 {proof.movement_count + proof.fact_count - linked_count} rows stand in no commit of the chain")
