"""kill -9 at any moment, again and again: what was acknowledged is there, once, and whoever was not killed noticed nothing.

A host posts as fast as it can (posting.py), commands pay in beside it, each a process of its own; one of them
is killed. The same books go on with the next. 200 times, in `make faults` 2,000; ONECARD_SEED repeats a
schedule as far as real processes allow.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from host.ledger.commits import SiteLedger
from host.ledger.rows import Epoch, Fact, Hold, Movement
from protocol.record import pack_key
from tests.host.faults.expect import prove, rows
from tests.host.faults.load import make_base, open_books
from tests.host.faults.posting import SALES_TOGETHER, journalled
from tests.host.faults.rig import IS_ALL, SEED
from tests.host.faults.worker import Said, Worker
from tests.host.site import SHOWER, TILL

KILL_COUNT = 2_000 if IS_ALL else 200
KILLS_OF_ONE_LEDGER = 25
PROVED_EVERY = 5
"""How often all is recomputed; what was acknowledged is looked for after every kill."""

PAYMENTS = 3


@dataclass
class Victims:
    """A host and a command beside it on one ledger, and what they have said."""

    worker: Worker
    path: Path
    random: Random
    said: list[Said] = field(default_factory=list[Said])

    def post_until_killed(self) -> None:
        """Let both run, kill one at a random moment, and the host at last."""
        host = self.worker.order(self.path, "post")
        command = self.worker.order(self.path, "pay", count=PAYMENTS)
        victim = self.random.choice([host, host, command])
        self._hear(self.random.randint(0, 40))
        self._kill_soon(victim)
        if victim == command:
            self._hear(self.random.randint(0, 10))
            self._kill_soon(host)
        ended = {one["ended"]: one["status"] for one in (self._until_end(), self._until_end())}
        assert ended[host] == -signal.SIGKILL, self.said[-3:]
        assert ended[command] == 0 or victim == command, self.said[-3:]

    def _hear(self, count: int) -> None:
        for _ in range(count):
            self._note(self.worker.read())

    def _kill_soon(self, pid: int) -> None:
        """After a moment between two acknowledgements, at least as a rule."""
        if (one := self.worker.poll(self.random.uniform(0, 0.004))) is not None:
            self._note(one)
        with suppress(ProcessLookupError):  # a command may have come to its end
            os.kill(pid, signal.SIGKILL)

    def _until_end(self) -> Said:
        waiting = [one for one in self.said if "ended" in one]
        if waiting:
            self.said.remove(waiting[0])
            return waiting[0]
        while "ended" not in (one := self.worker.read()):
            self._note(one)
        return one

    def _note(self, one: Said) -> None:
        assert not {"failed", "crashed"} & one.keys(), one
        self.said.append(one)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker()
    print(f"ONECARD_SEED={SEED}")
    yield made
    made.close()


@pytest.mark.parametrize("part", range(KILL_COUNT // KILLS_OF_ONE_LEDGER))
def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nobody_else_notices(worker: Worker, folder: Path, part: int) -> None:
    path = folder / f"{part}" / "ledger.db"
    path.parent.mkdir()
    make_base(path)
    random = Random(f"{SEED} {part}")
    before: dict[int, int] = {TILL: 0, SHOWER: 0}
    for kill in range(1, KILLS_OF_ONE_LEDGER + 1):
        victims = Victims(worker, path, random)
        victims.post_until_killed()
        ledger = open_books(path)
        holds_what_was_acknowledged(ledger, victims.said, before)
        if kill % PROVED_EVERY == 0:
            prove(ledger)
        ledger.close()


def holds_what_was_acknowledged(ledger: SiteLedger, said: list[Said], before: dict[int, int]) -> None:
    """`before`: high water of each terminal up to which all was seen; it is brought up to date."""
    high_water = {(row.terminal, row.epoch): row.high_water for row in rows(ledger, Epoch)}
    for one in said:
        if "took" in one or "paid" in one:
            terminal, epoch, sequence = one.get("took") or one["paid"]
            assert high_water[terminal, epoch] >= sequence, one
        elif "asked" in one:
            terminal, sequence, code, held_fen = one["asked"]
            held = {row.key: row.amount_fen for row in rows(ledger, Hold)}
            assert code or high_water[terminal, 1] >= sequence or held[pack_key((terminal, 1, sequence), 0)] >= held_fen, one
    for terminal, seen in before.items():
        before[terminal] = high_water[terminal, 1]
        span = (pack_key((terminal, 1, seen + 1), 0), pack_key((terminal, 1, 0x7FFF_FFFF), 15))
        found = ledger.view(lambda books, span=span: [*books.find(Movement, key=span), *books.find(Fact, key=span)])
        written = sorted((row.key, row.record) for row in found if row.record is not None)
        names = range(seen + 1, before[terminal] + 1)
        assert written == [(pack_key((terminal, 1, sequence), 0), journalled(terminal, sequence)) for sequence in names]
    assert before[TILL] % SALES_TOGETHER == 0, "a delivery is there whole or not at all"
