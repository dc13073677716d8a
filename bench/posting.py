"""Rows 1, 2, 3 and 5: records into the ledger on SQLite, beside the bare parts and beside code written row by row."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bench import arrivals
from bench.bare import BareTable, PerRow
from bench.canteens import KEYS, Canteens, earned, open_ledger
from bench.lunch import Sale, encoded
from bench.plot import Chart, Line
from bench.row import REPETITIONS, Row, per_second
from bench.side import SIZES, Side
from protocol import record

BASE_COUNT = 60_000
"""What the day's table has before anything is measured: a third of the 180,000 taps of a campus-day."""

_REPLAYED_COUNT = 10_000


def rows(canteens: Canteens, pictures: Path) -> Iterator[Row]:
    """All of them, then the chart. The files grow in step."""
    intake = ledger_side("一卡通收账全程 our whole intake", canteens.path(), arrivals.intake)
    posting = ledger_side("其中只记账 posting only", canteens.path(), arrivals.posting)
    bare_table, user = BareTable(canteens.folder / "bare.db"), PerRow(canteens.folder / "per-row.db")
    bare = Side("极限：只插一行 limit: the bare row", bare_table.path, bare_table.prepare, bare_table.earned)
    per_row = Side("逐行代码 code written row by row", user.path, user.prepare, user.earned)
    for side in (intake, posting, bare, per_row):
        side.fill(BASE_COUNT)
        if side.earned() != intake.earned():
            raise AssertionError(f"{side.name} comes to {side.earned()}, the whole intake to {intake.earned()}")
    yield Row("1 SQLite posting, batch 1000, records/s", posting.rate(1_000), bare.rate(1_000), ">= 0.70")
    for size, goal in ((1_000, ">= 1.5"), (16, ">= 1.2")):
        yield Row(f"2 whole intake, batch {size}, records/s, to posting only", intake.rate(size), posting.rate(size), ">= 0.80")
        yield Row(f"2 whole intake, batch {size}, records/s, to code row by row", intake.rate(size), per_row.rate(size), goal)
    yield replay(intake)
    yield Row("5 log bytes a movement, batch 100", lambda: intake.log_bytes(100), lambda: bare.log_bytes(100), "<= 1.35")
    rate_by_batch((intake, bare, per_row, posting)).write(pictures / "rate-by-batch.svg")


def ledger_side(name: str, path: Path, form: Callable[..., arrivals.Prepare]) -> Side:
    """A ledger that is given sales in one form or the other."""
    ledger = open_ledger(path)
    return Side(name, path, form(ledger), partial(earned, ledger))


def replay(intake: Side) -> Row:
    """A batch that is posted arrives again: each record is found, compared and acknowledged. The limit verifies and decodes it."""
    sales: list[Sale] = []

    def again() -> Callable[[], None]:
        sales[:] = intake.lunch.sales(1_000)
        work = intake.prepare(sales)
        work()
        return partial(_times, work, _REPLAYED_COUNT // 1_000)

    def checked() -> Callable[[], None]:
        records = [encoded(sale) for sale in sales]
        return partial(_times, partial(_verify_and_decode, records), _REPLAYED_COUNT // 1_000)

    ours, reference = per_second(again, _REPLAYED_COUNT), per_second(checked, _REPLAYED_COUNT)
    return Row("3 replay of a batch already posted, records/s", ours, reference, ">= 0.5")


def rate_by_batch(sides: Sequence[Side]) -> Chart:
    """Measure all sides at all sizes, in turn."""
    lines: dict[str, list[tuple[float, float]]] = {side.name: [] for side in sides}
    for size in SIZES:
        rates = [[measured() for measured in [side.rate(size) for side in sides]] for _ in range(REPETITIONS)]
        for side, some in zip(sides, zip(*rates, strict=True), strict=True):
            lines[side.name].append((size, statistics.median(some)))
    return Chart(
        title="入账速度与批量 Rate against batch size",
        note="SQLite，每批落盘 each batch on disk before the next; 300 tills, 20,000 holders; medians of five",
        x_name="一批几条记录 records in a batch",
        y_name="每秒记录 records a second",
        lines=[Line(name, points) for name, points in lines.items()],
    )


def _verify_and_decode(records: Sequence[bytes]) -> None:
    verify, decode = record.verify, record.decode
    for data in records:
        if not verify(data, KEYS.record_cmac(int.from_bytes(data[2:4], "little"), 1)):
            raise AssertionError(data)
        decode(data)


def _times(work: Callable[[], object], count: int) -> None:
    for _ in range(count):
        work()
