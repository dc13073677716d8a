"""Days, bills and reports against a naive model, in any order hypothesis can think of, and once more after restores.

The model is plain dicts: every record with what it moves and when it was written, and every cut with what it
covers. Which day a record belongs to, each bill and each report are computed from them anew, by the sentence of
MONEY 8: the first cut that covers it, else the open day. A restore brings the same records into books that were
made anew, each journal in its order, journals among each other in any.
"""

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from host import days, holders
from host.check import check
from host.errors import DayNotReady
from host.ledger.bills import BillLine, Cursor, Wish, bill
from host.ledger.clock import to_wire
from host.ledger.commits import SiteLedger
from host.ledger.day_report import DayReport, Takings
from host.ledger.rows import CASH, Day
from protocol import record as kinds
from protocol.record import TRUST_NONE, TRUST_SET, Name, decode, pack_key
from tests.host.collecting import Collected, Life, bring, collect
from tests.host.machines import SiteMachine, on_both
from tests.host.site import SHOWER, TILL, Journal, Site, new_site

HOLDERS = {"20260001": 100, "20260002": 101}
CARDS = {1: 100, 2: 101}
OFFICE = 2
"""The terminal number of the command line, the second process that writes records and closes days."""
HOUR_S = 3_600
FIRST_DAY = 20261124


@dataclass(frozen=True)
class Known:
    """A record as the model knows it: what it moves, (debit, credit, fen, owner), and when it was written, 0 if nobody knows."""

    name: Name
    kind: str
    at_s: int
    legs: tuple[tuple[int, int, int, int], ...]


@dataclass
class Model:
    """Plain data: nothing of it comes out of the ledger."""

    records: dict[Name, Known] = field(default_factory=dict[Name, Known])
    cuts: list[tuple[int, Name, dict[Life, int]]] = field(default_factory=list[tuple[int, Name, dict[Life, int]]])
    lives: defaultdict[Life, int] = field(default_factory=lambda: defaultdict(int))
    """High water."""

    @property
    def open_date(self) -> int:
        """The business day that is open."""
        return day_after(max(date for date, _, _ in self.cuts)) if self.cuts else FIRST_DAY

    def date_of(self, name: Name) -> int:
        """The first cut that covers it, else the open day."""
        for date, _, waters in sorted(self.cuts, key=lambda cut: cut[0]):
            if name.sequence <= waters.get((name.terminal, name.epoch), 0):
                return date
        return self.open_date


def shanghai_day(at_s: int) -> int:
    """The business day of a time in Shanghai, where it begins at three: the date five hours east of Greenwich."""
    return int(datetime.fromtimestamp(at_s, timezone(timedelta(hours=8 - 3))).strftime("%Y%m%d"))


def day_after(day: int) -> int:
    """The next date."""
    return int((datetime.strptime(str(day), "%Y%m%d") + timedelta(days=1)).strftime("%Y%m%d"))


class DaysMachine(SiteMachine):
    """See the file's docstring."""

    @initialize()
    def set_up(self) -> None:
        self.opened = ExitStack()
        self.restore_count = 0
        self.model = Model()
        self.site = self.build()
        self.undelivered: dict[int, list[tuple[bytes, Known]]] = {TILL: [], SHOWER: []}
        self.journals = {number: Journal(number, 1) for number in (TILL, SHOWER)}
        self.note_host(1, self.first_recharges)

    def build(self) -> Site:
        """Books with two holders with money and a card each, two tills' worth of terminals; the same bytes each time."""
        self.opened.close()
        folder = Path(self.opened.enter_context(TemporaryDirectory(prefix="onecard-")))
        site = self.opened.enter_context(new_site(self.store, folder / "ledger.db"))
        self.first_recharges = [("20260001", 9_000), ("20260002", 8_000)]
        for number, amount_fen in self.first_recharges:
            site.add_holder(number, amount_fen)
        for number in HOLDERS:
            site.add_card(number)
        site.add_terminals()
        for number in (TILL, SHOWER):
            site.journal(number)
        self.merchants = {TILL: 105, SHOWER: 104}
        self.processes: dict[int, tuple[SiteLedger, Life]] = {1: (site.ledger, (1, 1))}
        office = site.open()
        self.opened.callback(office.close)
        started = office.start("command")
        self.processes[OFFICE] = (office, (started.terminal, started.epoch))
        return site

    def note_host(self, process: int, recharges: list[tuple[str, int]]) -> None:
        """Let the model know of recharges that a process has just written."""
        life = self.processes[process][1]
        for number, amount_fen in recharges:
            self.model.lives[life] += 1
            name = Name(*life, self.model.lives[life])
            account = HOLDERS[number]
            self.model.records[name] = Known(name, "recharge", self.site.now_s, ((CASH, account, amount_fen, account),))

    # Acts.

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.site.now_s += hours * HOUR_S

    @rule(process=st.sampled_from((1, OFFICE)), number=st.sampled_from(sorted(HOLDERS)), amount_fen=st.integers(1, 500))
    def recharge(self, process: int, number: str, amount_fen: int) -> None:
        holders.recharge(self.processes[process][0], number, amount_fen)
        self.note_host(process, [(number, amount_fen)])

    @rule(till=st.sampled_from((TILL, SHOWER)), card=st.sampled_from(sorted(CARDS)), fen=st.integers(1, 60), known=st.booleans())
    def sell(self, till: int, card: int, fen: int, known: bool) -> None:
        """Into the journal; it may be delivered days later. A shower settles without an `opened`: the same legs."""
        journal, account = self.journals[till], CARDS[card]
        sequence = journal.next
        kind = kinds.SALE if till == TILL else kinds.SETTLED
        clock = {"at_s": to_wire(self.site.now_s), "trust": TRUST_SET if known else TRUST_NONE}
        data = journal.write(kind, subject=card, amount_fen=fen, **clock)
        legs = ((account, self.merchants[till], fen, account),)
        meant = Known(Name(till, 1, sequence), "sale" if till == TILL else "settled", self.site.now_s if known else 0, legs)
        self.undelivered[till].append((data, meant))

    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        """Take a delivered sale of the till back."""
        gone = {decode(one).reference for one in self.journals[TILL].records}
        sales = [row for row in self.model.records.values() if row.kind == "sale" and row.name not in gone]
        if not sales or self.undelivered[TILL]:
            return
        sale = data.draw(st.sampled_from(sales))
        ((account, merchant, fen, _),) = sale.legs
        card = next(card for card, owner in CARDS.items() if owner == account)
        sequence = self.journals[TILL].next
        clock = {"at_s": to_wire(self.site.now_s), "trust": TRUST_SET}
        wrote = self.journals[TILL].write(kinds.VOID, subject=card, amount_fen=fen, reference=sale.name, **clock)
        meant = Known(Name(TILL, 1, sequence), "void", self.site.now_s, ((merchant, account, fen, account),))
        self.undelivered[TILL].append((wrote, meant))

    @rule(till=st.sampled_from((TILL, SHOWER)), count=st.integers(1, 3))
    def deliver(self, till: int, count: int) -> None:
        now, self.undelivered[till] = self.undelivered[till][:count], self.undelivered[till][count:]
        if now:
            self.site.take(self.journals[till], *(data for data, _ in now))
        for _, meant in now:
            self.model.lives[(till, 1)] += 1
            self.model.records[meant.name] = meant

    @rule(process=st.sampled_from((1, OFFICE)), early=st.booleans())
    def close_day(self, process: int, early: bool) -> None:
        ledger, life = self.processes[process]
        expected: list[int] = []
        today = shanghai_day(self.site.now_s)
        while self.model.open_date < today or (early and self.model.open_date == today and today not in expected):
            self.model.lives[life] += 1
            date = self.model.open_date
            self.model.cuts.append((date, Name(*life, self.model.lives[life]), dict(self.model.lives)))
            expected.append(date)
        is_in_advance = early and self.model.open_date > today and today not in expected
        try:
            closed = days.close(ledger, early=early)
        except DayNotReady:
            assert is_in_advance
        else:
            assert closed == expected

    @rule()
    def archive(self) -> None:
        assert days.archive_closed(self.site.ledger)[1] == []

    @precondition(lambda self: self.restore_count < 2)
    @rule(data=st.data(), archive_between=st.booleans())
    def restore(self, data: st.DataObject, archive_between: bool) -> None:
        """The same records in books made anew: each journal in its order, whose turn it is drawn."""
        self.restore_count += 1
        journals: dict[Life, list[Collected]] = {life: collect(self.site, life) for life in self.model.lives}
        at_s = self.site.now_s
        self.site = self.build()
        self.site.now_s = at_s
        there = {(1, 1): len(self.first_recharges)}
        waiting = {life: records[there.get(life, 0) :] for life, records in journals.items()}
        while lives := sorted(life for life, records in waiting.items() if records):
            life = data.draw(st.sampled_from(lives))
            count = data.draw(st.integers(1, 4))
            bring(self.site, life, *waiting[life][:count])
            waiting[life] = waiting[life][count:]
            if archive_between:
                days.archive_closed(self.site.ledger)
        for number in (1, OFFICE):
            ledger = self.processes[number][0]
            started = ledger.start("serve" if number == 1 else "command")
            self.processes[number] = (ledger, (started.terminal, started.epoch))

    # Laws.

    @invariant()
    def every_movement_is_in_its_day(self) -> None:
        expected: defaultdict[int, set[tuple[int, int, int, int, int]]] = defaultdict(set)
        for name, record in self.model.records.items():
            for index, leg in enumerate(record.legs):
                expected[self.model.date_of(name)].add((pack_key(name, index), *leg))
        found: defaultdict[int, set[tuple[int, int, int, int, int]]] = defaultdict(set)
        dates = {row.number: row.date or self.model.open_date for row in self.site.rows(Day)}
        for row in self.site.rows(Day):
            columns = "key, debit, credit, amount_fen, owner"
            table = f"movements_archive WHERE day = {row.number}" if row.archived_s else f"movements_{row.number}"
            found[dates[row.number]].update(tuple(one) for one in self.site.execute(f"SELECT {columns} FROM {table}"))
        assert {date: rows for date, rows in found.items() if rows} == expected
        assert sorted(dates.values()) == [*sorted(date for date, _, _ in self.model.cuts), self.model.open_date]

    @invariant()
    def reports_are_what_the_model_adds_up(self) -> None:
        for date in sorted({date for date, _, _ in self.model.cuts} | {self.model.open_date}):
            assert self.told(days.report(self.site.ledger, date)) == self.added_up(date)

    @invariant()
    def bills_are_what_the_model_lists(self) -> None:
        for account in HOLDERS.values():
            expected = self.listed(account)
            assert self.read_bill(account, Wish()) == expected
            some = Wish(from_date=FIRST_DAY + 1, to_date=FIRST_DAY + 2, kinds=frozenset(("sale", "void")))
            wanted = [line for line in expected if some.from_date <= line[0] <= some.to_date and line[4] in some.kinds]
            assert self.read_bill(account, some) == wanted

    def teardown(self) -> None:
        if hasattr(self, "site"):
            proof = check(self.site.ledger)
            self.opened.close()
            assert proof.is_right, proof.problems
        super().teardown()

    # The model's own answers, beside what the ledger says.

    def added_up(self, date: int) -> dict[str, Any]:
        records = [record for name, record in self.model.records.items() if self.model.date_of(name) == date]
        sums: dict[str, Any] = {"count": sum(len(record.legs) for record in records), "kinds": {}, "merchants": {}}
        for record in records:
            ((debit, credit, fen, _),) = record.legs
            count, moved_fen = sums["kinds"].get(record.kind, (0, 0))
            sums["kinds"][record.kind] = (count + 1, moved_fen + fen)
            merchant = next((one for one in (debit, credit) if one in self.merchants.values()), 0)
            if not merchant:
                continue
            origin = shanghai_day(record.at_s) if record.at_s else date
            places = [(merchant, "all"), (merchant, record.name.terminal)] + ([(merchant, "late", origin)] if origin != date else [])
            for place in places:
                gross, back, paid, returned = sums["merchants"].get(place, (0, 0, 0, 0))
                is_paid = credit == merchant
                sums["merchants"][place] = (gross + fen * is_paid, back + fen * (not is_paid), paid + is_paid, returned + (not is_paid))
        return sums

    @staticmethod
    def told(report: DayReport) -> dict[str, Any]:
        def sums(takings: Takings) -> tuple[int, int, int, int]:
            return takings.gross_fen, takings.back_fen, takings.count, takings.back_count

        merchants: dict[Any, Any] = {}
        for number, merchant in report.merchants.items():
            merchants[(number, "all")] = sums(merchant.all)
            merchants.update({(number, terminal): sums(takings) for terminal, takings in merchant.terminals.items()})
            merchants.update({(number, "late", origin): sums(takings) for origin, takings in merchant.late.items()})
        kinds = {kind: (line.count, line.moved_fen) for kind, line in report.kinds.items()}
        assert sum(report.changes.values()) == 0
        return {"count": report.movement_count, "kinds": kinds, "merchants": merchants}

    def listed(self, account: int) -> list[tuple[int, int, int, int, str, int, int]]:
        lines: list[tuple[int, int, int, int, str, int, int]] = []
        for name, record in self.model.records.items():
            for index, (_, credit, fen, owner) in enumerate(record.legs):
                if owner == account:
                    date, day = self.model.date_of(name), shanghai_day(record.at_s) if record.at_s else 0
                    origin = day if day != date else 0
                    change_fen = fen if credit == account else -fen
                    lines.append((date, record.at_s, pack_key(name, index), origin, record.kind, fen, change_fen))
        return sorted(lines, reverse=True)

    def read_bill(self, account: int, wish: Wish) -> list[tuple[int, int, int, int, str, int, int]]:
        """Page by page, three lines a page."""
        lines: list[BillLine] = []
        after: Cursor | None = None
        while page := self.page(account, wish, after):
            lines += page
            after = page[-1].cursor
        return [(row.date, row.at_s, row.key, row.origin, row.kind, row.amount_fen, row.change_fen) for row in lines]

    def page(self, account: int, wish: Wish, after: Cursor | None) -> list[BillLine]:
        return self.site.ledger.view(lambda books: bill(books, account, wish, after=after, limit=3))


TestDays, TestDaysOnPostgres = on_both(DaysMachine, examples=24, steps=20)
