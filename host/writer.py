"""One writer for many threads: what waits while a commit is under way is the next commit.

A commit costs one wait for the disk whatever it holds, so at noon a batch of tills shares one. A job that
fails leaves nothing and does not spoil the others. `Writer` is a `Ledger` itself: services take either.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from host.errors import LedgerAway
from host.ledger.contract import Job
from host.ledger.sqlite import SqliteLedger

T = TypeVar("T")

BATCH_COUNT = 1_000
"""Jobs in one commit (DESIGN 9)."""
WAITING_COUNT = 10_000
"""Jobs that may wait: ten batches, some seconds of the busiest noon; then the asker waits too."""


class Writer:
    """The thread that commits.

    Any thread submits jobs; their futures are done once the commit is on disk, or failed with what the job
    raised, or with `LedgerAway` when the commit itself failed. `close` commits what waits, then ends. The
    callers of `commit` wait, so it must not be called from a job or a listener.
    """

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self._waiting: queue.Queue[tuple[Job[Any], Future[Any]] | None] = queue.Queue(WAITING_COUNT)
        self._listeners: list[Callable[[], None]] = []
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="ledger writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> "Future[T]":
        """Queue a job; the future's result is the job's, once durable."""
        future: Future[T] = Future()
        if self._is_closed:
            future.set_exception(_stopping())
        else:
            self._waiting.put((job, future))
        return future

    def commit(self, job: Job[T]) -> T:
        """See `Ledger.commit`."""
        assert threading.current_thread() is not self._thread, "a job must not wait for the writer"
        return self.submit(job).result()

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

    def _commit(self, batch: list[tuple[Job[Any], "Future[Any]"]]) -> None:
        if not batch:
            return
        try:
            outcomes = self._ledger.batch([job for job, _ in batch])
        except Exception as error:  # noqa: BLE001 (the outermost loop: everyone who waits is told)
            for _, future in batch:
                future.set_exception(error)
            return
        for listener in self._listeners:
            listener()
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.result)


def _stopping() -> LedgerAway:
    return LedgerAway("账本已关闭 the host is stopping: nothing was changed")
