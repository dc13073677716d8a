"""A site to measure with: 20,000 holders with a card and money each, 300 tills in ten canteens."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from host import cards, holders, intake, terminals
from host.keys import SiteKeys
from host.ledger.books import Books
from host.ledger.commits import SiteLedger
from host.ledger.contract import Arrival, Job, Ledger
from host.ledger.kinds import AccountKind, TerminalKind
from host.ledger.rows import Account
from host.ledger.sqlite import sqlite_ledger
from host.settings import Settings
from protocol.messages import State

T = TypeVar("T")

HOLDER_COUNT = 20_000
TILL_COUNT = 300
CANTEEN_COUNT = 10
FIRST_TILL = 100
NOW_S = 1_795_492_800
"""2026-11-24, noon."""
BALANCE_FEN = 1_000_000
"""More than anybody eats here."""
KEYS = SiteKeys(bytes(range(16)))

_TOGETHER_COUNT = 1_000
"""Rows made in one commit."""


class Within:
    """A `Ledger` whose commits are part of one job: what services do by the thousand becomes one commit."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def commit(self, job: Job[T]) -> T:
        """Run a job in these books."""
        return job(self._books)

    def post(self, arrivals: Sequence[Arrival[T]]) -> list[T]:
        """Answer arrivals in these books."""
        return [arrival.run(self._books) for arrival in arrivals]

    def view(self, job: Job[T]) -> T:
        """Run a job in these books."""
        return job(self._books)


class Canteens:
    """The site in a file of a folder, made when it is first asked for; each row begins with a copy of its own.

    `folder` is for the other files of rows too, and goes when everything is measured.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._template = folder / "template.db"

    def path(self) -> Path:
        """A fresh copy, which nobody else has."""
        if not self._template.exists():
            _make(self._template)
        self._count += 1
        return Path(shutil.copy(self._template, self.folder / f"ledger-{self._count}.db"))


def open_ledger(path: Path, *, create: bool = False) -> SiteLedger:
    """Open a ledger as a host does that serves."""
    ledger = sqlite_ledger(path, keys=KEYS, settings=Settings(), clock=lambda: NOW_S, create=create)
    ledger.start("serve")
    return ledger


def earned(ledger: Ledger) -> list[int]:
    """What each canteen has earned, in the order of their making."""
    return [account.balance_fen for account in ledger.view(lambda books: books.find(Account, kind=AccountKind.MERCHANT))]


def furnish(ledger: Ledger) -> None:
    """Give an empty ledger its holders, cards, money, canteens and tills, each till with its first epoch."""
    _together(ledger, range(TILL_COUNT), _add_till)
    _together(ledger, range(HOLDER_COUNT), _add_holder)
    _together(ledger, range(HOLDER_COUNT), _add_card)


def _make(path: Path) -> None:
    ledger = open_ledger(path, create=True)
    furnish(ledger)
    ledger.close()


def _together(ledger: Ledger, numbers: range, add: Callable[[Ledger, int], None]) -> None:
    for first in range(0, len(numbers), _TOGETHER_COUNT):
        some = numbers[first : first + _TOGETHER_COUNT]

        def add_some(books: Books, some: range = some) -> None:
            for number in some:
                add(Within(books), number)

        ledger.commit(add_some)


def _add_till(ledger: Ledger, index: int) -> None:
    canteen = f"第{1 + index % CANTEEN_COUNT}食堂"
    number = FIRST_TILL + index
    terminals.add(ledger, number, TerminalKind.POS, f"{canteen} {1 + index // CANTEEN_COUNT:02d} 窗口", house=canteen)
    intake.resume(ledger, number, State(0, 1, 1, "bench", 1, []), NOW_S)


def _add_holder(ledger: Ledger, index: int) -> None:
    number = f"{20260001 + index}"
    holders.add(ledger, number, "张小雨")
    holders.recharge(ledger, number, BALANCE_FEN)


def _add_card(ledger: Ledger, index: int) -> None:
    cards.add(ledger, f"{20260001 + index}", b"\x04" + index.to_bytes(6))
