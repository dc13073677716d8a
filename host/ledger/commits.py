"""The ledger of a site: jobs and arrivals run in commits, on whatever database.

What the databases share is here: which record of its own the process writes next, what becomes of each job
of a batch, when own records are copied, and what is run again. A database brings its transactions (contract.py).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from host.errors import NeedsAlone, TransactionLost, TryAgain
from host.keys import SiteKeys
from host.ledger.books import Books
from host.ledger.contract import Arrival, Copies, Database, Job, Store, Written
from host.ledger.gathering import gather
from host.ledger.hand import Hand
from host.ledger.process import Process, take_epoch, written_under
from host.ledger.rows import Epoch
from host.settings import Settings
from protocol.record import pack_key

T = TypeVar("T")

TRY_COUNT = 8
"""Times a commit is run that the database breaks off for another's sake: with four processes a third try is rare."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of one job of a batch."""

    result: T | None = None
    error: Exception | None = None

    def get(self) -> T:
        """The result, or the job's error raised."""
        if self.error is not None:
            raise self.error
        return cast(T, self.result)


@dataclass(slots=True)
class _Run(Generic[T]):
    """One run of a batch: it counts only once its transaction is committed."""

    outcomes: list[Outcome[T]]
    written: list[Sequence[Written]]
    unseen: Sequence[Written] = ()
    """Own records of earlier commits whose answer was lost: they are still to be copied."""
    hand: Hand | None = None
    version: int | None = None


class SiteLedger:
    """A `Ledger` (host/ledger/contract.py) on a database.

    Any thread may use it; commits go one after the other. `clock` gives Unix seconds; `actor` is who acts, for the
    audit log; `copies` is where own records are copied to, None for nowhere. Call `start` with the process's
    role before its first own record.
    """

    def __init__(self, database: Database, *, keys: SiteKeys, settings: Settings, clock: Callable[[], int], actor: str = "") -> None:
        self.database = database
        self.actor = actor
        self.copies: Copies | None = None
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._hand: Hand | None = None
        """Rows that were read in the last shared commit, as of the database's `_version`."""
        self._version: int | None = None

    def start(self, role: str, *, actor: str = "") -> Process:
        """Take a host process's number and a fresh epoch, committed before its first record.

        `role`: "serve" or "command"; `actor`: who acts from now on, for the audit log.
        """
        self.actor = actor or self.actor
        self._process = self.commit(lambda books: take_epoch(books, role))
        return self._process

    def commit(self, job: Job[T]) -> T:
        """See `Ledger.commit`."""
        return self.batch([job])[0].get()

    def batch(self, jobs: Sequence[Job[T]]) -> list[Outcome[T]]:
        """Run jobs in one commit. One that fails leaves nothing, and does not spoil the others.

        Raises `LedgerAway` when the commit itself fails: then nothing of any job stays.
        """
        return self._committed(lambda store: self._run(store, jobs), is_shared=False).outcomes

    def post(self, arrivals: Sequence[Arrival[T]]) -> list[T]:
        """See `Ledger.post`. What an arrival raises is raised here, and nothing of any stays: `Writer` runs them one by one then."""
        try:
            if not any(arrival.is_alone for arrival in arrivals):
                return [outcome.get() for outcome in self._committed(lambda store: self._answer(store, arrivals), is_shared=True).outcomes]
        except NeedsAlone:
            pass
        return [outcome.get() for outcome in self.batch([arrival.run for arrival in arrivals])]

    def view(self, job: Job[T]) -> T:
        """See `Ledger.view`."""
        with self.database.snapshot() as store:
            return job(self._books(store, self._clock(), 0))

    def close(self) -> None:
        """Close the database. Committed work needs no closing."""
        with self._lock:
            self.database.close()

    def _committed(self, run: Callable[[Store], _Run[T]], *, is_shared: bool) -> _Run[T]:
        """Run a batch in a transaction, again from the start if the database says so; then copy what it wrote."""
        with self._lock:
            for tries_left in reversed(range(TRY_COUNT)):
                try:
                    with self.database.transaction(is_shared=is_shared) as store:
                        done = run(store)
                    break
                except TryAgain:
                    if not tries_left:
                        raise
            else:
                raise AssertionError("a last try returns or raises")
            if done.hand is not None and done.hand.keep():
                self._hand, self._version = done.hand, done.version
            self._copy(done)
            return done

    def _run(self, store: Store, jobs: Sequence[Job[T]]) -> _Run[T]:
        self._hand = None
        now_s, sequence = self._clock(), self._next_sequence(store)
        done: _Run[T] = _Run([], [], self._unseen(store, sequence))
        for job in jobs:
            books = self._books(store, now_s, sequence)
            try:
                with self.database.savepoint():
                    result = job(books)
                    books.finish()
            except (TransactionLost, TryAgain):
                raise
            except Exception as error:  # noqa: BLE001 (handed to whoever gave the job)
                done.outcomes.append(Outcome(error=error))
                done.written.append(())
                continue
            sequence = books.next_sequence
            done.outcomes.append(Outcome(result=result))
            done.written.append(books.written)
        return done

    def _answer(self, store: Store, arrivals: Sequence[Arrival[T]]) -> _Run[T]:
        version = store.version()
        hand = self._hand if self._hand is not None and version == self._version else Hand()
        self._hand = None
        books = self._books(store, self._clock(), 0, hand)
        gather(books, arrivals)
        results = [arrival.run(books) for arrival in arrivals]
        books.finish()
        return _Run([Outcome(result=result) for result in results], [()], (), hand if version is not None else None, version)

    def _next_sequence(self, store: Store) -> int:
        """Which of its own records the process writes next: read each time, for a commit may have happened that nobody saw."""
        if self._process is None:
            return 1
        epoch = store.get(Epoch, (self._process.terminal, self._process.epoch))
        assert epoch is not None, self._process
        return epoch.high_water + 1

    def _unseen(self, store: Store, next_sequence: int) -> list[Written]:
        """Own records that are committed, though nobody saw it, and so were not copied."""
        if self.copies is None or self._process is None or not (lacking := self.copies.lacking(next_sequence)):
            return []
        number, epoch = self._process.terminal, self._process.epoch
        return written_under(self._books(store, 0, 0), [pack_key((number, epoch, sequence), 0) for sequence in lacking])

    def _copy(self, done: _Run[T]) -> None:
        """Copy own records; a job that wrote one is answered with the error if that fails, for it has happened."""
        written = [*done.unseen, *(one for each in done.written for one in each)]
        if self.copies is None or not written:
            return
        try:
            self.copies.keep(written)
        except Exception as error:  # noqa: BLE001 (handed to those whose records are not copied)
            for index, each in enumerate(done.written):
                if each:
                    done.outcomes[index] = Outcome(error=error)

    def _books(self, store: Store, now_s: int, sequence: int, hand: Hand | None = None) -> Books:
        return Books(
            store,
            keys=self._keys,
            settings=self._settings,
            now_s=now_s,
            process=(self._process.terminal, self._process.epoch) if self._process else None,
            next_sequence=sequence,
            actor=self.actor,
            copies=self.copies,
            hand=hand,
        )
