"""Row 6: how long a tap waits for its commit on a disk that needs 5 ms more for each sync.

The ledger, its writer and the threads that hand it taps run in a process of their own, into which `slow_disk.c` is
preloaded. The limit is one commit of one bare row there, its median.
"""

import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from bench.arrivals import Answer
from bench.bare import BareTable
from bench.canteens import NOW_S, Canteens, open_ledger
from bench.helper import Helper, serve
from bench.lunch import Lunch, encoded
from bench.row import Row
from host.intake import Delivery
from host.writer import Writer

SYNC_US = 5_000
TAPS_PER_S, MOST_TAPS_PER_S = 100, 1_000

_LINE_COUNT = 10
"""Threads that hand in taps, as lines do: thirty tills each."""
_TAPS_S, _MOST_TAPS_S = 4.0, 2.0
_BARE_COUNT = 200
_PERCENTILE = 99


def rows(canteens: Canteens, _pictures: Path) -> Iterator[Row]:
    """Both rows; the second's reference is the rate at which taps come."""
    folder, ledger = canteens.folder, canteens.path()
    environment = {"LD_PRELOAD": str(slow_disk(folder)), "ONECARD_SYNC_US": str(SYNC_US)}
    with Helper("bench.waits", [str(ledger), str(folder / "bare-waits.db")], environment) as helper:
        name = f"6 wait for a commit, p99 at {TAPS_PER_S} taps/s, 5 ms added to each fsync, ms"
        yield Row(name, helper.measured("wait"), helper.measured("commit"), "<= 4")
        name = f"6 taps/s answered, of {MOST_TAPS_PER_S} that come, 5 ms added to each fsync"
        yield Row(name, helper.measured("most"), lambda: MOST_TAPS_PER_S, ">= 0.98")


def slow_disk(folder: Path) -> Path:
    """Compile the library to preload. Raises with what to install where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("没有 C 编译器 row 6 needs a C compiler for bench/slow_disk.c: sudo apt-get install gcc libc6-dev")
    library, source = folder / "slow_disk.so", Path(__file__).with_name("slow_disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return library


class Taps:
    """Taps that come whether the last was answered or not, at random times, handed in by a few threads."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._lunch = Lunch()
        self._random = random.Random(6)

    def run(self, per_s: int, seconds: float) -> list[tuple[float, float]]:
        """Let taps come for so long; returns when each came and when it was durable."""
        count = round(per_s * seconds)
        arrivals = [Delivery(sale.till, encoded(sale), NOW_S) for _ in range(count) for sale in self._lunch.sales(1)]
        start = time.perf_counter() + 0.05
        times = sorted(start + self._random.uniform(0, seconds) for _ in range(count))
        taps: list[tuple[float, float]] = []

        def hand_in(line: int) -> None:
            futures: list[Future[Answer]] = []
            for at, arrival in list(zip(times, arrivals, strict=True))[line::_LINE_COUNT]:
                time.sleep(max(at - time.perf_counter(), 0))
                came = time.perf_counter()
                future = self._writer.request(arrival)
                future.add_done_callback(lambda _, came=came: taps.append((came, time.perf_counter())))
                futures.append(future)
            for future in futures:
                future.result()

        lines = [threading.Thread(target=hand_in, args=(line,)) for line in range(_LINE_COUNT)]
        for thread in lines:
            thread.start()
        for thread in lines:
            thread.join()
        assert len(taps) == count, (len(taps), count)
        return taps


def main() -> None:
    """Measure when asked: the process that `rows` starts."""
    ledger_path, bare_path = (Path(argument) for argument in sys.argv[1:])
    ledger, bare, lunch = open_ledger(ledger_path), BareTable(bare_path), Lunch()
    writer = Writer(ledger)
    taps = Taps(writer)

    def wait() -> float:
        waits = [done - came for came, done in taps.run(TAPS_PER_S, _TAPS_S)]
        return statistics.quantiles(waits, n=100)[_PERCENTILE - 1] * 1e3

    def most() -> float:
        times = [done for _, done in taps.run(MOST_TAPS_PER_S, _MOST_TAPS_S)]
        return len(times) / (max(times) - min(times))

    def one_commit() -> float:
        waits: list[float] = []
        for _ in range(_BARE_COUNT):
            work = bare.prepare(lunch.sales(1))
            start = time.perf_counter()
            work()
            waits.append(time.perf_counter() - start)
        if min(waits) < SYNC_US / 1e6:
            raise AssertionError("the disk is not slow: was slow_disk.so not preloaded?")
        return statistics.median(waits) * 1e3

    serve({"wait": wait, "most": most, "commit": one_commit})
    writer.close()
    ledger.close()


if __name__ == "__main__":
    main()
