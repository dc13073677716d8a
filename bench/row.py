"""One row of the table: two functions that do the same work, timed in turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

REPETITIONS = 5
"""So many times each is run, in turn, so that a noisy moment meets both; the medians count."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured. `ours` and `reference` each do the work `count` times and raise if it came out wrong.

    `name` begins with the row's number; `goal` is of the form "<= 1.5" and bounds ours / reference.
    """

    name: str
    ours: Callable[[], None]
    reference: Callable[[], None]
    count: int
    goal: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row: microseconds of processor time for one piece of work, and their ratio."""

    name: str
    ours: float
    reference: float
    ratio: float
    goal: str


def measure(row: Row) -> Result:
    """Run both functions of a row once to warm up, then interleaved, and return the medians."""
    row.ours()
    row.reference()
    ours: list[float] = []
    reference: list[float] = []
    for _ in range(REPETITIONS):
        ours.append(_microseconds(row.ours, row.count))
        reference.append(_microseconds(row.reference, row.count))
    median, limit = statistics.median(ours), statistics.median(reference)
    return Result(row.name, round(median, 3), round(limit, 3), round(median / limit, 3), row.goal)


def _microseconds(function: Callable[[], None], count: int) -> float:
    # Processor time, not the clock's: another process on the same core would otherwise count as ours.
    start = time.process_time()
    function()
    return (time.process_time() - start) / count * 1e6
