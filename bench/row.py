"""One row of the table: two functions that do the same work, measured in turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

REPETITIONS = 5
"""So many times each is run, in turn, so that a noisy moment meets both; the medians count."""

Measured = Callable[[], float]
"""One measurement, of the unit its row's name says; it raises if the work came out wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured, and what beside. `name` begins with the row's number; `goal` bounds ours / reference, as "<= 1.5"."""

    name: str
    ours: Measured
    reference: Measured
    goal: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row."""

    name: str
    ours: float
    reference: float
    ratio: float
    goal: str


def measure(row: Row, tell: Callable[[int], None] = lambda _: None) -> Result:
    """Run both functions of a row once to warm up, then interleaved, and return the medians. `tell` hears of each repetition begun."""
    ours: list[float] = []
    reference: list[float] = []
    for repetition in range(REPETITIONS + 1):
        tell(repetition)
        ours.append(row.ours())
        reference.append(row.reference())
    median, limit = statistics.median(ours[1:]), statistics.median(reference[1:])
    return Result(row.name, _short(median), _short(limit), round(median / limit, 3), row.goal)


def microseconds(work: Callable[[], None], count: int) -> Measured:
    """Measure the microseconds of one piece of work; `work` does `count` of them."""

    def once() -> float:
        # Processor time, not the clock's: another process on the same core would otherwise count as ours.
        start = time.process_time()
        work()
        return (time.process_time() - start) / count * 1e6

    return once


def per_second(make: Callable[[], Callable[[], None]], count: int) -> Measured:
    """Measure the pieces of work done in a second of the clock, waits for the disk included.

    `make` prepares work of `count` pieces, unmeasured, and returns what does it.
    """

    def once() -> float:
        work = make()
        start = time.perf_counter()
        work()
        return count / (time.perf_counter() - start)

    return once


def _short(value: float) -> float:
    """Four digits and more say nothing in a measurement."""
    return round(value, 3) if value < 1000 else round(value)
