"""One writer for many threads: what waits while a commit is under way is the next commit.

A commit costs one wait for the disk whatever it holds, so at noon a batch of tills shares one. What terminals
sent is joined into one post; jobs of the host's own come after it, each for itself. One that fails leaves nothing and
does not spoil the others. `Writer` is a `Ledger` itself: services take either.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from host.errors import LedgerAway
from host.ledger.commits import Outcome, SiteLedger
from host.ledger.contract import Arrival, Job

T = TypeVar("T")
Entry = tuple[Arrival[Any] | Job[Any], "Future[Any]"]

BATCH_COUNT = 1_000
"""What waits in one commit (DESIGN 9)."""
WAITING_COUNT = 10_000
"""What may wait: ten batches, some seconds of the busiest noon; then the asker waits too."""


class Writer:
    """The thread that commits.

    Any thread submits jobs, or what a terminal sent; their futures are done once the commit is on disk, or failed with
    what the job raised, or with `LedgerAway` when the commit itself failed. `close` commits what waits, then ends.
    The callers of `commit` and `post` wait, so they must not be called from a job or a listener.
    """

    def __init__(self, ledger: SiteLedger) -> None:
        self._ledger = ledger
        self._waiting: queue.Queue[Entry | None] = queue.Queue(WAITING_COUNT)
        self._listeners: list[Callable[[], None]] = []
        self._is_closed = False
        self.is_away = False
        """Whether the last commit found the ledger away."""
        self._thread = threading.Thread(target=self._run, name="ledger writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> "Future[T]":
        """Queue a job; the future's result is the job's, once durable."""
        return self._queue(job)

    def request(self, arrival: Arrival[T]) -> "Future[T]":
        """Queue what a terminal sent; the future's result is the answer, once durable."""
        return self._queue(arrival)

    def commit(self, job: Job[T]) -> T:
        """See `Ledger.commit`."""
        assert threading.current_thread() is not self._thread, "a job must not wait for the writer"
        return self.submit(job).result()

    def post(self, arrivals: Sequence[Arrival[T]]) -> list[T]:
        """See `Ledger.post`."""
        assert threading.current_thread() is not self._thread, "a job must not wait for the writer"
        return [future.result() for future in [self.request(arrival) for arrival in arrivals]]

    def view(self, job: Job[T]) -> T:
        """See `Ledger.view`."""
        return self._ledger.view(job)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called by the writer after each commit, before its futures are done; it must be short and never raise."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Commit what waits, and end the thread. What is submitted afterwards fails."""
        self._is_closed = True
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        """Commit until closed; whoever came in beside the closing is told."""
        is_open = True
        while is_open:
            batch = [self._waiting.get()]
            while len(batch) < BATCH_COUNT and not self._waiting.empty():
                batch.append(self._waiting.get())
            is_open = None not in batch
            self._commit([entry for entry in batch if entry is not None and entry[1].set_running_or_notify_cancel()])
        while not self._waiting.empty():
            entry = self._waiting.get()
            if entry is not None:
                entry[1].set_exception(_stopping())

    def _queue(self, work: Arrival[T] | Job[T]) -> "Future[T]":
        future: Future[T] = Future()
        if self._is_closed:
            future.set_exception(_stopping())
        else:
            self._waiting.put((work, future))
        return future

    def _commit(self, batch: Sequence[Entry]) -> None:
        """What terminals sent first, in one commit, then the jobs in another: so neither keeps the other waiting for long."""
        arrivals: list[Entry] = []
        jobs: list[Entry] = []
        for work, future in batch:
            if callable(work):
                jobs.append((work, future))
            elif work.is_alone:
                jobs.append((work.run, future))
            else:
                arrivals.append((work, future))
        if arrivals:
            self._finish(arrivals, self._post)
        if jobs:
            self._finish(jobs, self._ledger.batch)

    def _post(self, arrivals: Sequence[Arrival[Any]]) -> list[Outcome[Any]]:
        """Answer them together; if one cannot be, each as a job of its own, so that it spoils nobody else's."""
        try:
            return [Outcome(result=result) for result in self._ledger.post(arrivals)]
        except LedgerAway:
            raise
        except Exception:  # noqa: BLE001 (found again, and told, when it is run by itself)
            return self._ledger.batch([arrival.run for arrival in arrivals])

    def _finish(self, entries: Sequence[Entry], run: Callable[[Sequence[Any]], list[Outcome[Any]]]) -> None:
        try:
            outcomes = run([work for work, _ in entries])
        except Exception as error:  # noqa: BLE001 (the outermost loop: everyone who waits is told)
            self.is_away = isinstance(error, LedgerAway)
            for _, future in entries:
                future.set_exception(error)
            return
        self.is_away = False
        for listener in self._listeners:
            listener()
        for (_, future), outcome in zip(entries, outcomes, strict=True):
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.result)


def _stopping() -> LedgerAway:
    return LedgerAway("账本已关闭 the host is stopping: nothing was changed")
