"""The movements as the host tells them: a thread that follows its event stream, across its restarts."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from sim.host_process import UNREACHABLE, HostProcess

KEPT = 1000
"""Movements kept, for who asks what came after a commit; the page shows fewer."""

_FIRST_COUNT = 50
_RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement. `commit`: its link of the chain; `kind`, `record`: of the record that moved it; `payer`, `payee`: as labels."""

    commit: int
    kind: str
    record: str
    payer: str
    payee: str
    amount_fen: int


class BooksFeed:
    """Follows the books of one host from `start` to `stop`. Any thread may read `movements`, and wait for one."""

    def __init__(self, host: HostProcess) -> None:
        self._host = host
        self._changed = threading.Condition()
        self._movements: deque[Moved] = deque(maxlen=KEPT)
        self._commit = -1
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="books", daemon=True)

    def start(self) -> None:
        """Read the newest movements, then follow. The host must be up."""
        page = self._host.get(f"/api/movements?limit={_FIRST_COUNT}")
        self._take(int(page["next"]), page["movements"])
        self._thread.start()

    def stop(self) -> None:
        """End the thread. The host must have ended: a stream ends with it."""
        self._is_ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def commit(self) -> int:
        """The newest commit heard of: what comes later has a greater one."""
        return self._commit

    def movements(self, after: int = -1) -> list[Moved]:
        """What is known, oldest first; only what came after a commit, if one is given."""
        with self._changed:
            return [moved for moved in self._movements if moved.commit > after]

    def wait_for(self, after: int, kind: str, amount_fen: int, limit_s: float) -> Moved | None:
        """Wait for a movement of that kind and amount that came after a commit; None if `limit_s` real seconds passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._find(after, kind, amount_fen), limit_s)

    def _find(self, after: int, kind: str, amount_fen: int) -> Moved | None:
        found = (moved for moved in self._movements if moved.commit > after)
        return next((moved for moved in found if (moved.kind, moved.amount_fen) == (kind, amount_fen)), None)

    def _run(self) -> None:
        while not self._is_ending.is_set():
            try:
                # A commit may have several records, and the stream may have ended between them: so the last one again.
                for name, data in self._host.events(f"/api/events?after={max(0, self._commit - 1)}"):
                    if name == "record":
                        self._take(int(data["commit"]), data["movements"])
            except UNREACHABLE:
                self._is_ending.wait(_RETRY_S)

    def _take(self, commit: int, rows: list[dict[str, Any]]) -> None:
        with self._changed:
            self._commit = max(self._commit, commit)
            self._movements.extend(moved for moved in map(_moved, rows) if moved not in self._movements)
            self._changed.notify_all()


def _moved(row: dict[str, Any]) -> Moved:
    return Moved(row["commit"], row["kind"], row["name"], row["debit"]["label"], row["credit"]["label"], row["amount_fen"])
