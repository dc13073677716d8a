"""A small site to test the books with: holders, cards, a shower, two tills, and terminals that keep journals."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from host import approvals, cards, holders, intake, terminals
from host.check import Proof, check
from host.keys import SiteKeys
from host.ledger.commits import SiteLedger
from host.ledger.contract import Job
from host.ledger.kinds import TerminalKind
from host.ledger.postgres import postgres_ledger
from host.ledger.rows import Account, Card, Hold, Item, Row
from host.ledger.sqlite import sqlite_ledger
from host.settings import Settings
from protocol.messages import ASK_SALE, SUBJECT_CARD, SUBJECT_NONE, Answer, Ask, Resume, State
from protocol.record import NO_TAC, NONE, Name, Record, encode
from tests.postgres import shared_server

NOW_S = 1_795_500_000
"""2026-11-24, in the afternoon."""

KEYS = SiteKeys(bytes(range(16)))
SHOWER, TILL, SHOWER_2 = 100, 101, 102

R = TypeVar("R", bound=Row)
T = TypeVar("T")


@dataclass
class Journal:
    """A terminal that keeps to the rules of MONEY 1: what it wrote, and the next sequence."""

    number: int
    epoch: int = 0
    records: list[bytes] = field(default_factory=list[bytes])

    @property
    def next(self) -> int:
        """The sequence of the next record."""
        return len(self.records) + 1

    def write(self, kind: int, **fields: Any) -> bytes:
        """Journal the next record."""
        data = make_record(kind, name=Name(self.number, self.epoch, self.next), **fields)
        self.records.append(data)
        return data

    def name(self, sequence: int) -> Name:
        """The name of a record of this journal."""
        return Name(self.number, self.epoch, sequence)

    def state(self) -> State:
        """What it says at a handshake."""
        return State(self.epoch, self.next, 1, "test", 1, [])


class Site:
    """A ledger, and shortcuts to what tests do with it.

    `path` is SQLite's file. With `url` the ledger is in that PostgreSQL database instead, which has the tables already.
    """

    def __init__(self, path: Path, settings: Settings | None = None, *, url: str = "") -> None:
        self.path = path
        self.url = url
        self.settings = settings or Settings()
        self.now_s = NOW_S
        """What its clock shows."""
        self._opened: list[SiteLedger] = []
        self.ledger = self.open(create=not url)
        self.ledger.start("serve")

    def open(self, *, create: bool = False) -> SiteLedger:
        """These books once more, as another process opens them; not started."""
        if self.url:
            ledger = postgres_ledger(self.url, keys=KEYS, settings=self.settings, clock=lambda: self.now_s, create=create)
        else:
            ledger = sqlite_ledger(self.path, keys=KEYS, settings=self.settings, clock=lambda: self.now_s, create=create)
        self._opened.append(ledger)
        return ledger

    def close(self) -> None:
        """Close whatever was opened here."""
        for ledger in self._opened:
            ledger.close()

    @property
    def database(self) -> str:
        """The PostgreSQL database it is in."""
        return str(conninfo_to_dict(self.url)["dbname"])

    def reopen(self) -> None:
        """Close and open again, as a restart does."""
        self.ledger.close()
        self.ledger = self.open()
        self.ledger.start("serve")

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """A statement past the ledger, as an operator's own shell would run it; `?` for each value."""
        if not self.url:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
                return connection.execute(statement, values).fetchall()
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(cast(Any, statement.replace("?", "%s")), values or None)
            return cursor.fetchall() if cursor.description else []

    def stored(self) -> bytes:
        """Every byte that lies in the database: what somebody who copies it gets."""
        if not self.url:
            return b"".join(path.read_bytes() for path in self.path.parent.iterdir() if path.is_file())
        tables = [name for (name,) in self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return b"".join(bytes(cell) for name in tables for row in self.execute(f"SELECT * FROM {name}") for cell in map(_as_bytes, row))

    def commit(self, job: Job[T]) -> T:
        """Run a job."""
        return self.ledger.commit(job)

    def add_holder(self, number: str, balance_fen: int = 0, name: str = "张小雨") -> int:
        """Open an account with money in it; returns its number."""
        account = holders.add(self.ledger, number, name).account
        if balance_fen:
            holders.recharge(self.ledger, number, balance_fen)
        return account

    def add_card(self, holder_number: str) -> int:
        """Issue the next card; returns its number."""
        number = self.ledger.view(lambda books: books.highest(Card, "number")) + 1
        return cards.add(self.ledger, holder_number, b"\x04" + number.to_bytes(3, "big")).number

    def add_terminals(self) -> None:
        """Add two showers of one bath house and a till."""
        terminals.add(self.ledger, SHOWER, TerminalKind.SHOWER, "北区浴室 12 号", line=1)
        terminals.add(self.ledger, TILL, TerminalKind.POS, "第一食堂 03 窗口", line=1)
        terminals.add(self.ledger, SHOWER_2, TerminalKind.SHOWER, "北区浴室 13 号", line=1)

    def shake_hands(self, journal: Journal) -> Resume:
        """A handshake; the journal adopts the epoch it is given, and begins anew if it is a new one."""
        resume = intake.resume(self.ledger, journal.number, journal.state(), NOW_S)
        if resume.epoch != journal.epoch:
            journal.epoch, journal.records = resume.epoch, []
        return resume

    def journal(self, number: int) -> Journal:
        """A new terminal with its first epoch."""
        journal = Journal(number)
        self.shake_hands(journal)
        return journal

    def ask(self, journal: Journal, *, amount_fen: int, subject: int = 1, kind: int = ASK_SALE, sequence: int = 0, **fields: Any) -> Answer:
        """Ask under the journal's next name."""
        ask = Ask(
            journal.epoch,
            sequence or journal.next,
            kind,
            fields.get("subject_kind", SUBJECT_CARD if subject else SUBJECT_NONE),
            subject,
            amount_fen,
            fields.get("used_fen", 0),
            fields.get("copies", b""),
            fields.get("code", b""),
        )
        answer = approvals.answer(self.ledger, journal.number, ask, NOW_S)
        assert isinstance(answer, Answer), answer
        return answer

    def take(self, journal: Journal, *data: bytes) -> tuple[int, int]:
        """Deliver records."""
        return intake.take(self.ledger, journal.number, b"".join(data), NOW_S)

    def account(self, number: int) -> Account:
        """An account as it stands."""
        return self.ledger.view(lambda books: books.need(Account, number))

    def rows(self, table: type[R]) -> list[R]:
        """All rows of a table."""
        return self.ledger.view(lambda books: books.find(table))

    def items(self) -> list[str]:
        """The kinds of all items, in order."""
        return [item.kind for item in self.rows(Item)]

    def holds(self) -> list[Hold]:
        """All holds."""
        return self.rows(Hold)

    def prove(self) -> Proof:
        """Check the books; they must be right."""
        proof = check(self.ledger)
        assert proof.is_right, proof.problems
        return proof


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def make_record(kind: int, *, name: Name, key: int = 0, **fields: Any) -> bytes:
    """A record signed by the terminal that its name says, or by `key`."""
    subject = fields.pop("subject", 0)
    values: dict[str, Any] = {
        "at_s": 0,
        "trust": 0,
        "subject_kind": fields.pop("subject_kind", SUBJECT_CARD if subject else 0),
        "subject": subject,
        "purse": False,
        "away": False,
        "reference": NONE,
        "amount_fen": 0,
        "detail": 0,
        "balance_fen": 0,
        "counter": 0,
        "shown": bytes(14),
        "tariff": 0,
        "list_version": 0,
        "tac": NO_TAC,
    }
    values.update(fields)
    record = Record(kind=kind, terminal=name.terminal, epoch=name.epoch, sequence=name.sequence, **values)
    return encode(record, KEYS.record_cmac(key or name.terminal, 1))


@contextmanager
def new_site(store: str, path: Path, settings: Settings | None = None) -> Generator[Site]:
    """A site without anybody in it, on "sqlite" (in that file) or "postgresql"."""
    if store == "sqlite":
        made = Site(path, settings)
        yield made
        made.close()
        return
    server = shared_server()
    database = server.lend(_template())
    made = Site(path, settings, url=server.url(database))
    yield made
    made.close()
    server.take_back(database, _template())


def populate(site: Site) -> None:
    """Two holders with a card each (张小雨: account 100, card 1, 200.00; 李强: account 101, card 2, 3.20), two showers, a till."""
    if site.url and _POPULATED:
        shared_server().put(site.database, _POPULATED[0])
        return
    site.add_holder("20260001", 20_000)
    site.add_holder("20260002", 320, "李强")
    site.add_card("20260001")
    site.add_card("20260002")
    site.add_terminals()
    if site.url:
        _POPULATED.append(shared_server().contents(site.database))


_POPULATED: list[str] = []
"""The rows that makes in PostgreSQL, once they were made: to put them there is one commit instead of eight."""


@cache
def _template() -> str:
    """A PostgreSQL database with an empty ledger in it, from which the others are copied."""
    server = shared_server()
    name = server.create()
    postgres_ledger(server.url(name), keys=KEYS, settings=Settings(), clock=lambda: NOW_S, create=True).close()
    return name
