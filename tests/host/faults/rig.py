"""A worker on a faulty disk, ledgers to give it, and what must be true of them afterwards."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from tests.host.faults.disk import ENDED_BY_FAULT, TORN, Disk, Fault
from tests.host.faults.expect import ends_the_same, holds_what_was_acknowledged, prove, said
from tests.host.faults.load import Ack, Load, make_base, open_books
from tests.host.faults.worker import Worker

SEED = int(os.environ.get("ONECARD_SEED", "0")) or SystemRandom().randrange(1, 1_000_000)
IS_ALL = os.environ.get("ONECARD_FAULTS") == "all"
FIRST_COUNT = 20
SAMPLE_COUNT = 15

_NEVER = 1 << 40
_LEFT_AT = 60
"""The call at which the process was cut whose ledger, with its write-ahead log, is opened again on a faulty disk."""


@dataclass
class Rig:
    """Ledgers by name, and `expected`: what each says after the morning.

    `base`: before it; `left`: what a torn write left in the middle of it; `old`: before it, of the first version.
    """

    folder: Path
    acks: dict[str, list[Ack]] = field(default_factory=lambda: {"base": [], "left": [], "old": []})
    """What had been acknowledged in each of them."""

    def __post_init__(self) -> None:
        (self.folder / "base").mkdir()
        make_base(self.folder / "base" / "ledger.db")
        self.disk = Disk(self.folder)
        self.disk.heal()
        self.worker = Worker(self.disk.environment)
        self.expected = self._expect()
        self._leave()
        (self.folder / "old").mkdir()
        make_old(self.folder / "old" / "ledger.db")

    def fresh(self, base: str) -> Path:
        """A copy of a ledger, its write-ahead log with it."""
        path = self.folder / "run" / "ledger.db"
        shutil.rmtree(path.parent, ignore_errors=True)
        shutil.copytree(self.folder / base, path.parent)
        return path

    def call_count(self, fault: Fault, base: str, **order: Any) -> int:
        """How many calls there are that could go wrong."""
        self.disk.arm(fault, at=_NEVER)
        told, status = self.worker.run(self.fresh(base), **order)
        assert status == 0, told
        assert not [one for one in told if "failed" in one or "away" in one], told
        return self.disk.count

    def break_and_mend(self, fault: Fault, at: int, base: str, **order: Any) -> None:
        """Let the `at`-th call of a process go wrong; afterwards the books are whole, and end as without that."""
        path = self.fresh(base)
        self.disk.arm(fault, at, seed=_seed_of(fault, at))
        told, status = self.worker.run(path, **order)
        self.disk.heal()
        try:
            assert status in (0, ENDED_BY_FAULT), told[-1].get("crashed", told)
            ledger = open_books(path)
            prove(ledger)
            holds_what_was_acknowledged(ledger, [*self.acks[base], *told])
            ledger.close()
            ends_the_same(path, self.expected)
        except Exception as error:
            error.add_note(f"{fault} at call {at} of {order} on {base!r}, ONECARD_SEED={SEED}, told {told}")
            raise

    def _expect(self) -> dict[str, Any]:
        path = self.fresh("base")
        Load(path, lambda ack: None).run()
        ledger = open_books(path)
        expected = said(ledger)
        ledger.close()
        return expected

    def _leave(self) -> None:
        path = self.fresh("base")
        self.disk.arm(TORN, _LEFT_AT, seed=2)
        self.acks["left"], status = self.worker.run(path, do="load", tries=1)
        self.disk.heal()
        assert status == ENDED_BY_FAULT
        assert path.with_name("ledger.db-wal").stat().st_size > 0
        shutil.copytree(path.parent, self.folder / "left")


def make_old(path: Path) -> None:
    """A ledger as the first version left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("first_version.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")


def calls_to_fail(count: int, fault: Fault, *, first_count: int = FIRST_COUNT, sample_count: int = SAMPLE_COUNT) -> list[int]:
    """Every call, or the first ones and a sample spread evenly over the rest."""
    if IS_ALL or count <= first_count + sample_count:
        return list(range(1, count + 1))
    random = Random(f"{SEED} {fault}")
    bounds = [first_count + (count - first_count) * step // sample_count for step in range(sample_count + 1)]
    return [*range(1, first_count + 1), *(random.randint(low + 1, high) for low, high in pairwise(bounds))]


def _seed_of(fault: Fault, at: int) -> int:
    """What of an unsynced or torn write stays, drawn anew for each call; nothing at all each fourth time."""
    return 0 if at % 4 == 0 else Random(f"{SEED} {fault} {at}").randrange(1, 1 << 40)
