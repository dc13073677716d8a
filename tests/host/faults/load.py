"""What a host does on a busy morning, step by step and always the same, so that it can be broken off anywhere and done again.

Each step is one commit, and says what was acknowledged by it. Doing everything again, as terminals and
clerks do who heard no answer, changes nothing that is there already: terminals ask by high water, clerks
bring the key of their request. So the books must end the same, whatever went wrong on the way.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host import approvals, holders, intake, reservations
from host.errors import AlreadyThere, LedgerAway
from host.intake import Delivery
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.process import write_record
from host.ledger.rows import Request
from host.ledger.sqlite import sqlite_ledger
from host.settings import Settings
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SALE, ASK_SHOWER, RESERVATIONS, SUBJECT_ACCOUNT, SUBJECT_CARD, Answer, Ask
from protocol.shown import pack_activated
from tests.host.site import KEYS, NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

POOR_FEN = 9_000
RICH, POOR = 100, 101
"""The two holders' accounts; the card of each has the account's number less 99."""

NUMBERS = {RICH: "20260001", POOR: "20260002"}

Ack = dict[str, Any]
Say = Callable[[Ack], None]
Step = Callable[[], list[Ack]]


def open_books(path: Path) -> SiteLedger:
    """The ledger as every process of these tests opens it."""
    return sqlite_ledger(path, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)


def make_base(path: Path) -> None:
    """A site before the morning: two holders, their cards, a till and a shower with their first epoch, a shower without."""
    site = Site(path)
    site.add_holder("20260001", 20_000)
    site.add_holder("20260002", POOR_FEN, "李强")
    site.add_card("20260001")
    site.add_card("20260002")
    site.add_terminals()
    site.journal(SHOWER)
    site.journal(TILL)
    site.ledger.close()
    check_in(path)


def check_in(path: Path) -> None:
    """Bring what is in the write-ahead log into the file, as SQLite does by itself from time to time."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def till_journal() -> Journal:
    """What the till writes this morning."""
    till = Journal(TILL, epoch=1)
    till.write(kinds.STARTED)
    till.write(kinds.SALE, subject=1, amount_fen=500)
    till.write(kinds.SALE, subject=2, amount_fen=120)
    till.write(kinds.NOTHING)
    till.write(kinds.LOAD, subject=1, amount_fen=2_000, counter=1)
    for amount_fen in (700, 35, 1_250):
        till.write(kinds.SALE, subject=1, amount_fen=amount_fen)
    till.write(kinds.SALE, subject=1, amount_fen=410, purse=True, counter=2)
    till.write(kinds.SALE, subject=1, amount_fen=30, purse=True, counter=3)
    return till


def shower_journal() -> Journal:
    """What the shower writes: a shower by card, a list of bookings, a shower that is still open."""
    shower = Journal(SHOWER, epoch=1)
    shower.write(kinds.STARTED)
    shower.write(kinds.OPENED, subject=2, amount_fen=300)
    shower.write(kinds.SETTLED, subject=2, reference=shower.name(2), amount_fen=450)
    shower.write(kinds.ACTIVATED, shown=pack_activated(resource=RESERVATIONS, version=1, digest=bytes(9)))
    shower.write(kinds.OPENED, subject=1, amount_fen=300)
    return shower


JOURNALS = {TILL: till_journal(), SHOWER: shower_journal()}
BOUNDARIES = {TILL: {0, 1, 4, 8, 10}, SHOWER: {0, 1, 2, 4, 5}}
"""Where a delivery ends: nothing between them is ever seen, for a delivery is there whole or not at all."""

PAYMENTS = {"r1": (RICH, 101), "r2": (POOR, 2_03), "r3": (RICH, 4_07), "r4": (POOR, 8_09), "r5": (RICH, 16_13)}
"""Amounts that no two sums of others make."""


@dataclass
class Load:
    """The morning at one host. `tries`: how often a step is tried that finds the ledger away."""

    path: Path
    say: Say
    tries: int = 1

    def run(self) -> None:
        """Do everything; a step that finds the ledger away to the end is left out.

        Raises what opening the ledger raises, and `LedgerAway` when the process could not take its epoch.
        """
        for steps in (self._morning(), self._noon()):
            # Closing brings what is in the write-ahead log into the file; what goes on is a new process.
            self.ledger = open_books(self.path)
            self._start()
            for step in steps:
                self._do(step)
            self.ledger.close()

    def _morning(self) -> list[Step]:
        return [
            lambda: [self._shake_hands()],
            lambda: self._pay("r1"),
            lambda: self._take(till=1),
            lambda: [self._ask(TILL, 2, ASK_SALE, 1, 500)],
            lambda: [self._ask(TILL, 2, ASK_SALE, 1, 500)],
            lambda: self._pay("r2"),
            lambda: self._take(till=4, shower=1),
            lambda: [self._ask(SHOWER, 2, ASK_SHOWER, 2, 300)],
            lambda: self._take(shower=2),
            lambda: [self._ask(SHOWER, 2, ASK_EXTEND, 2, 600)],
            lambda: [self._book()],
            self._check_in,
            lambda: self._take(till=8),
            lambda: self._pay("r3", "r4"),
            lambda: self._take(shower=4, till=10),
            lambda: self._take(shower=5),
        ]

    def _noon(self) -> list[Step]:
        return [
            lambda: [self._ask(TILL, 11, ASK_SALE, 2, 777)],
            lambda: self._pay("r5"),
        ]

    def _do(self, step: Step) -> None:
        reason = ""
        for _ in range(self.tries):
            try:
                for ack in step():
                    self.say(ack)
            except LedgerAway as error:
                reason = str(error)
            else:
                return
        self.say({"away": reason})

    def _start(self) -> None:
        for _ in range(1, self.tries):
            with suppress(LedgerAway):
                self._take_epoch()
                return
        self._take_epoch()

    def _take_epoch(self) -> None:
        process = self.ledger.start("serve")
        self.say({"started": [process.terminal, process.epoch]})

    def _check_in(self) -> list[Ack]:
        """Bring the write-ahead log into the file while the ledger stays open, as every thousandth page does."""
        with suppress(sqlite3.Error):
            check_in(self.path)
        return []

    def _shake_hands(self) -> Ack:
        """A terminal without an epoch is given one."""
        resume = intake.resume(self.ledger, SHOWER_2, Journal(SHOWER_2).state(), NOW_S)
        return {"shook": [SHOWER_2, resume.epoch]}

    def _pay(self, *requests: str) -> list[Ack]:
        """Clerks' requests; those that came in while another commit was under way share the next."""
        if len(requests) == 1:
            account, amount_fen = PAYMENTS[requests[0]]
            holders.recharge(self.ledger, NUMBERS[account], amount_fen, request=requests[0])
            return [{"paid": requests[0]}]
        return [outcome.get() for outcome in self.ledger.batch([self._paying(request) for request in requests])]

    def _take(self, **upto: int) -> list[Ack]:
        """Terminals deliver at once, each from the high water it is told up to a sequence: one commit."""
        numbers = {"till": TILL, "shower": SHOWER}
        found = [(numbers[name], last) for name, last in upto.items()]
        told = self.ledger.post([Delivery(terminal, b"", NOW_S) for terminal, _ in found])
        deliveries = [
            Delivery(terminal, b"".join(JOURNALS[terminal].records[high_water:last]), NOW_S)
            for (terminal, last), (_, high_water) in zip(found, told, strict=True)
        ]
        answers = self.ledger.post(deliveries)
        return [{"took": [terminal, *answer]} for (terminal, _), answer in zip(found, answers, strict=True)]

    def _ask(self, terminal: int, sequence: int, kind: int, card: int, amount_fen: int) -> Ack:
        ask = Ask(1, sequence, kind, SUBJECT_CARD, card, amount_fen, 0, b"", b"")
        answer = approvals.answer(self.ledger, terminal, ask, NOW_S)
        assert isinstance(answer, Answer), answer
        return {"asked": [terminal, sequence, answer.code, answer.held_fen]}

    def _book(self) -> Ack:
        with suppress(AlreadyThere):
            reservations.book(self.ledger, "20260001", SHOWER_2, NOW_S, NOW_S + 1_800, 300)
        return {"booked": [RICH, SHOWER_2, 300]}

    @staticmethod
    def _paying(request: str) -> Callable[[Books], Ack]:
        """A clerk's request with a key of its own: found again, the same answer and no second record."""
        account, amount_fen = PAYMENTS[request]

        def pay(books: Books) -> Ack:
            if books.get(Request, request) is None:
                key = write_record(books, kind=kinds.RECHARGE, subject_kind=SUBJECT_ACCOUNT, subject=account, amount_fen=amount_fen)
                books.add(Request(request, key))
            return {"paid": request}

        return pay
