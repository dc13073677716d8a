"""The books of one commit: rows in hand, and what was done to them.

Rows are read once and kept; changes are written together when the job ends, so a batch of records costs
one statement a table. A job sees its own changes. What it adds to movements and facts becomes links of
the hash chain when it ends.

Balances are deltas: `move` and `set_aside` add to an account, whether it is in hand or not, and the database is told
what to add. So many terminals pay one merchant at once, and nobody need read it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from host.keys import SiteKeys
from host.ledger.chain import link, spans_of
from host.ledger.columns import key_getter, key_of
from host.ledger.contract import Changes, Copies, Key, Store, Value, Written
from host.ledger.hand import Hand
from host.ledger.kinds import HoldState
from host.ledger.rows import TABLES, Account, Epoch, Fact, Hold, Item, Movement, Refund, Restore, Row, Writing
from host.ledger.storing import Storing
from host.ledger.tallies import Tally, read_tallies
from host.settings import Settings
from protocol.record import pack_key

R = TypeVar("R", bound=Row)
Range = tuple[int, int]

_JOURNAL_SHIFT = 35
"""A key without sequence and leg names a journal: terminal and epoch."""
_LEG_MASK = 15

_ANOTHER = Epoch(0, 0)
"""No epoch is like it: what the database has of one whose high water was raised."""


class Books:
    """One job's view of the ledger, and its changes.

    `keys`, `settings` and `now_s` (Unix) are what a job may know beside the rows; `process` and
    `next_sequence` name the host's own next record (ledger/process.py), `process` None where the
    process writes none. `actor` is who acts, for the audit log.
    """

    def __init__(
        self,
        store: Store,
        *,
        keys: SiteKeys,
        settings: Settings,
        now_s: int,
        process: "tuple[int, int] | None" = None,
        next_sequence: int = 1,
        actor: str = "",
        copies: Copies | None = None,
        hand: Hand | None = None,
    ) -> None:
        self.keys = keys
        self.settings = settings
        self.now_s = now_s
        self.process = process
        """(terminal, epoch) of this host process."""
        self.next_sequence = next_sequence
        self.actor = actor
        self.copies = copies
        """Where own records are copied to; None: nowhere."""
        self.written: list[Written] = []
        """What is to be copied there before anybody is answered."""
        self._store = store
        hand = hand or Hand()
        self._rows = hand.rows
        self._asked = hand.asked
        self._before: defaultdict[type[Row], dict[Key, Row | None]] = defaultdict(dict)
        """What the database has, for each row changed since the last write."""
        self._fresh: defaultdict[type[Row], list[Movement | Fact]] = defaultdict(list)
        """Movements and facts that were added since the last write."""
        self._once: defaultdict[type[Row], dict[Key, Row]] = defaultdict(dict)
        """Rows that may be there already, to be written."""
        self._deltas: dict[int, list[int]] = {}
        """Account to what is added to its balance and to what is held, since the last write."""
        self._posted: list[Movement | Fact] = []
        self._known: dict[int, bytes | None] = {}
        """Bytes of records by their keys, where they were asked for."""
        self._waiting: dict[int, list[Refund]] | None = None
        """Refunds that wait for their sale, by its key, once they were asked for."""
        self._open_restore: list[Restore] | None = None
        """The restore that still waits, if any, once it was asked for."""
        self._storing = Storing(store, keys.seal_cmac())

    # Reading.

    def get(self, kind: type[R], *key: Value) -> R | None:
        """The row of that primary key, or None."""
        rows = self._rows[kind]
        if key not in rows:
            if kind in self._once:
                self.write()
            rows[key] = self._taken(kind, self._store.get(kind, key))
        return rows[key]

    def need(self, kind: type[R], *key: Value) -> R:
        """The row of that primary key, which must be there."""
        row = self.get(kind, *key)
        assert row is not None, (kind.TABLE, key)
        return row

    @property
    def open_restore(self) -> Restore | None:
        """The restore after which this ledger still waits for its terminals (MONEY 7); looked for once in a commit."""
        if self._open_restore is None:
            self._open_restore = self.find(Restore, ended_s=0, limit=1)
        return self._open_restore[0] if self._open_restore else None

    def note_restore(self, restore: Restore | None) -> None:
        """A restore was opened or ended in this commit."""
        self._open_restore = [] if restore is None else [restore]

    def peek(self, kind: type[R], *key: Value) -> R | None:
        """The same, kept in hand by nobody: for whoever reads the whole books."""
        return self._rows[kind][key] if key in self._rows[kind] else self._store.get(kind, key)

    def look(self, kind: type[R], keys: Iterable[Key]) -> list[R]:
        """The rows of those primary keys, as far as they are there, likewise kept by nobody."""
        return self._store.load(kind, sorted(set(keys)))

    def load(self, kind: type[R], keys: Iterable[Key]) -> None:
        """Take the rows of those primary keys in hand, set by set; in a shared commit they are locked in sorted order."""
        rows = self._rows[kind]
        if wanted := sorted({key for key in keys if key not in rows}):
            rows.update(dict.fromkeys(wanted))
            found = self._store.load(kind, wanted)
            if kind is Account and self._deltas:
                for row in found:
                    self._taken(kind, row)
            rows.update(zip(map(key_getter(kind), found), found, strict=True))

    def find(self, table: type[R], /, *, limit: int | None = None, newest_first: bool = False, **where: Value | Range) -> list[R]:
        """Rows whose columns equal the values, or lie between two (a pair, inclusive), in the order of the primary key."""
        self._write_if_changed(table)
        return self._kept(table, self._store.find(table, where, limit=limit, newest_first=newest_first))

    def spans(self, table: type[R], column: str, spans: Iterable[Range], /, **where: Value | Range) -> list[R]:
        """Rows with a column between two values (inclusive), one pair of many, in one query."""
        self._write_if_changed(table)
        return self._kept(table, self._store.spans(table, column, sorted(spans), where))

    def scan(self, table: type[R], /, *, order: Sequence[str] = ()) -> Iterator[R]:
        """All rows of a table, a few at a time, none of them kept: for whoever reads the whole books."""
        self._write_if_changed(table)
        return self._store.scan(table, order=order)

    def scan_sealed(self, table: type[R], /) -> Iterator[tuple[R, bytes]]:
        """All rows of a table with their seals, likewise."""
        self._write_if_changed(table)
        return self._store.scan_sealed(table)

    def first(self, table: type[R], /, **where: Value | Range) -> R | None:
        """The first of those rows, or None."""
        rows = self.find(table, limit=1, newest_first=False, **where)
        return rows[0] if rows else None

    def highest(self, kind: type[Row], column: str) -> int:
        """The greatest value of an integer column, 0 where there is none."""
        self._write_if_changed(kind)
        return self._store.highest(kind, column)

    def run(self, statement: str, *values: Value) -> Iterator[tuple[Any, ...]]:
        """One statement of portable SQL (ledger/schema.py) on all that was changed so far; rows in hand know nothing of it."""
        self.write()
        return self._store.run(statement, values)

    def damage(self) -> list[str]:
        """What the database itself finds wrong with its files, before anything in them is believed."""
        return self._store.damage()

    def tallies(self) -> dict[str, Tally]:
        """How many rows the tallied tables must have, and the sums over them."""
        return read_tallies(self._store)

    def guard(self, table: str) -> None:
        """Let the database refuse changes of a table that this job has made."""
        self._store.guard(table)

    def records(self, spans: Iterable[Range]) -> dict[int, bytes]:
        """The bytes of every record between two keys (inclusive), one pair of many, by key."""
        spans = sorted(spans)
        return {**self._records_in(Movement, spans), **self._records_in(Fact, spans)}

    def load_records(self, keys: Iterable[int]) -> None:
        """Take in hand the bytes of the records with these keys (leg 0): one look-up for each run of consecutive ones."""
        missing = {key for key in keys if key not in self._known}
        if not missing:
            return
        self._known.update(dict.fromkeys(missing))
        for kind in (Movement, Fact):
            found = self._records_in(kind, spans_of(missing))
            self._known.update(found)
            missing -= found.keys()

    def known_record(self, key: int) -> bytes | None:
        """The bytes of the record with this key, None if it is not here."""
        if key not in self._known:
            self.load_records([key])
        return self._known[key]

    def _records_in(self, kind: type[Movement] | type[Fact], spans: Sequence[Range]) -> dict[int, bytes]:
        if not spans:
            return {}
        self._write_if_changed(kind)
        return {row.key: row.record for row in self._store.spans(kind, "key", spans, {}) if row.record is not None}

    def load_asked(self, journals: Iterable[tuple[int, int]]) -> None:
        """Take in hand all asked holds of these (terminal, epoch)."""
        lows = [pack_key((*journal, 0), 0) for journal in journals]
        spans = [(low, low | (1 << _JOURNAL_SHIFT) - 1) for low in lows if low >> _JOURNAL_SHIFT not in self._asked]
        self._asked.update((low >> _JOURNAL_SHIFT, {}) for low, _ in spans)
        for hold in self.spans(Hold, "key", spans, state=HoldState.ASKED):
            self._asked[hold.key >> _JOURNAL_SHIFT][hold.key] = hold

    def asked_up_to(self, terminal: int, epoch: int, sequence: int) -> tuple[Hold, ...]:
        """The asked holds of a terminal and epoch up to a sequence: all end with its record."""
        journal = pack_key((terminal, epoch, 0), 0) >> _JOURNAL_SHIFT
        if journal not in self._asked:
            self.load_asked([(terminal, epoch)])
        asked = self._asked[journal]
        if not asked:
            return ()
        last = pack_key((terminal, epoch, sequence), _LEG_MASK)
        return tuple(asked[key] for key in sorted(asked) if key <= last)

    def waiting_refunds(self) -> dict[int, list[Refund]]:
        """The refunds whose sale is not here yet, by its key: nearly always none."""
        if self._waiting is None:
            self._waiting = {}
            for refund in self.find(Refund, is_waiting=1):
                self._waiting.setdefault(refund.sale, []).append(refund)
        return self._waiting

    def forget_waiting(self) -> None:
        """One more waits, or one less."""
        self._waiting = None

    # Changing.

    def add(self, row: Row) -> None:
        """Add a row. A key that is there already fails the job when it is written."""
        kind = type(row)
        rows = self._rows[kind]
        if isinstance(row, Movement | Fact):
            key = (row.key,)
            assert rows.get(key) is None, row
            rows[key] = row
            self._fresh[kind].append(row)
            self._posted.append(row)
            return
        key = key_of(row)
        assert rows.get(key) is None, row
        self._put(kind, key, row, before=None)

    def add_once(self, row: Item | Writing) -> None:
        """Add a row that may be there already: then nothing changes. Items have number 0 here: the database numbers them."""
        self._once[type(row)].setdefault((row.kind, row.terminal, row.key, row.evidence) if isinstance(row, Item) else key_of(row), row)

    def change(self, row: Row) -> None:
        """Put a row in the place of the one with its key, which was read before."""
        key = key_of(row)
        self._put(type(row), key, row, before=self._rows[type(row)][key])

    def drop(self, row: Row) -> None:
        """Take a row away."""
        key = key_of(row)
        self._put(type(row), key, None, before=self._rows[type(row)][key])

    def move(self, debit: int, credit: int, amount_fen: int) -> None:
        """Let a movement have its effect on two balances."""
        # As `_add_up` does, without calling it: this is done twice for each record.
        deltas, accounts = self._deltas, self._rows[Account]
        for number, change_fen in ((debit, -amount_fen), (credit, amount_fen)):
            if number in deltas:
                deltas[number][0] += change_fen
            else:
                deltas[number] = [change_fen, 0]
            account = accounts.get((number,))
            if account is not None:
                account.balance_fen += change_fen

    def set_aside(self, number: int, amount_fen: int) -> None:
        """Hold more of an account, or less."""
        self._add_up(number, 0, amount_fen)

    def raise_high_water(self, epoch: Epoch, sequence: int) -> None:
        """Note that the ledger has an epoch's records up to this one. `epoch` is the row in hand, and is changed."""
        before, key = self._before[Epoch], (epoch.terminal, epoch.epoch)
        assert self._rows[Epoch][key] is epoch, epoch
        epoch.high_water = sequence
        if before.get(key, _ANOTHER) is not None:  # one that was added in this commit stays to be inserted
            before[key] = _ANOTHER

    # Writing.

    def write(self) -> None:
        """Write what was changed so far; queries do it by themselves."""
        if not (self._before or self._deltas or self._once or self._fresh):
            return
        changes: list[Changes] = []
        deletes: list[Changes] = []
        for kind in TABLES:
            if kind in self._before:
                found = self._storing.changes(kind, self._rows[kind], self._before[kind])
                if kind is Account:
                    self._forget_deltas(found)
                changes.append(found._replace(deletes=()))
                deletes.append(Changes(kind, (), (), found.deletes))
            if kind in self._fresh:
                rows = self._fresh[kind]
                changes += self._storing.by_day(cast("list[Movement]", rows)) if kind is Movement else [Changes(kind, rows, (), ())]
            if kind in self._once:
                changes.append(self._storing.once(kind, self._once[kind].values()))
        deltas = [(balance_fen, held_fen, number) for number, (balance_fen, held_fen) in sorted(self._deltas.items())]
        self._before.clear()
        self._fresh.clear()
        self._once.clear()
        self._deltas.clear()
        # What refers to a row goes before it.
        self._store.write([change for change in (*reversed(deletes), *changes) if change.inserts or change.updates or change.deletes])
        self._store.add_up([delta for delta in deltas if delta[0] or delta[1]])

    def finish(self) -> None:
        """Write everything, the chain's links last: whoever has the newest link keeps the others waiting. The job has ended."""
        self.write()
        self._storing.finish()
        if self._posted:
            for commit in link(self._store.last_link(), self._posted, self.now_s):
                self.add(commit)
            self._posted = []
            self.write()

    def _forget_deltas(self, accounts: Changes) -> None:
        """What was moved is in the rows that are written whole."""
        for values in accounts.inserts:
            self._deltas.pop(values[0], None)
        for values in accounts.updates:
            self._deltas.pop(values[-1], None)

    def _write_if_changed(self, table: type[Row]) -> None:
        """Before a query: it must see this job's changes, if there are any in its table."""
        if table in self._before or table in self._fresh or table in self._once or (table is Account and self._deltas):
            self.write()

    def _put(self, kind: type[Row], key: Key, row: Row | None, *, before: Row | None) -> None:
        self._before[kind].setdefault(key, before)
        self._rows[kind][key] = row
        if kind is Hold:
            self._note_asked(cast(int, key[0]), cast("Hold | None", row))

    def _note_asked(self, key: int, hold: Hold | None) -> None:
        asked = self._asked.get(key >> _JOURNAL_SHIFT)
        if asked is None:
            return
        if hold is not None and hold.state == HoldState.ASKED:
            asked[key] = hold
        else:
            asked.pop(key, None)

    def _add_up(self, number: int, balance_fen: int, held_fen: int) -> None:
        if (delta := self._deltas.get(number)) is None:
            delta = self._deltas[number] = [0, 0]
        delta[0] += balance_fen
        delta[1] += held_fen
        account: Account | None = self._rows[Account].get((number,))
        if account is not None:
            account.balance_fen += balance_fen
            account.held_fen += held_fen

    def _taken(self, kind: type[R], row: R | None) -> R | None:
        """A row just read, with what was added to it before it was in hand."""
        if kind is Account and isinstance(row, Account) and (delta := self._deltas.get(row.number)):
            row.balance_fen += delta[0]
            row.held_fen += delta[1]
        return row

    def _kept(self, kind: type[R], found: list[R]) -> list[R]:
        """Rows just read after everything was written; the ones in hand stay the ones in hand."""
        rows = self._rows[kind]
        for index, row in enumerate(found):
            key = key_of(row)
            if (known := rows.get(key)) is None:
                rows[key] = row
            else:
                found[index] = known
        return found
