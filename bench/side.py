"""One of those compared: a store of its own, and a lunch of its own, which is the same for all."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.lunch import Lunch, Sale
from bench.row import Measured, per_second

SIZES = {1: 300, 4: 800, 16: 3_200, 64: 3_200, 256: 5_120, 1_000: 10_000}
"""Records in a repetition, a tenth of a second and more, by the size of a batch."""

_LOG_BATCH_COUNT = 20


@dataclass
class Side:
    """Something that takes sales in. `prepare` makes a batch ready, unmeasured, and returns what takes it in, durable.

    `earned` says what each canteen has earned, in order: sides that were given the same must say the same.
    """

    name: str
    path: Path
    prepare: Callable[[Sequence[Sale]], Callable[[], object]]
    earned: Callable[[], list[int]]
    lunch: Lunch = field(default_factory=Lunch)

    def fill(self, count: int, size: int = 1_000) -> None:
        """Take in what is there before anything is measured."""
        for _ in range(count // size):
            self._next(size)()

    def rate(self, size: int) -> Measured:
        """Measure the records a second in batches of a size, each durable before the next."""
        batch_count = SIZES[size] // size

        def make() -> Callable[[], None]:
            works = [self._next(size) for _ in range(batch_count)]

            def run() -> None:
                for work in works:
                    work()

            return run

        return per_second(make, batch_count * size)

    def log_bytes(self, size: int) -> float:
        """Count the bytes of write-ahead log that a record costs in batches of a size."""
        works = [self._next(size) for _ in range(_LOG_BATCH_COUNT)]
        log = Path(f"{self.path}-wal")
        reader = sqlite3.connect(self.path, isolation_level=None)
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # A log that somebody reads is not begun anew: it only grows.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        before = log.stat().st_size
        for work in works:
            work()
        grown = log.stat().st_size - before
        reader.close()
        return grown / (_LOG_BATCH_COUNT * size)

    def _next(self, size: int) -> Callable[[], object]:
        return self.prepare(self.lunch.sales(size))
