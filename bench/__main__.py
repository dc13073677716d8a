"""`python -m bench`: measure every row, print the table, write build/bench.json."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import frames, records
from bench.row import Result, Row, measure

ROWS: list[Callable[[], Row]] = [records.verify_and_decode, frames.encode_and_decode]
OUTPUT = Path("build") / "bench.json"


def main() -> None:
    """Measure; times are microseconds of processor time, and a ratio is ours / reference."""
    results = [measure(make()) for make in ROWS]
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", encoding="utf-8")
    Console().print(table(results))


def table(results: list[Result]) -> Table:
    """Return the results as a table for people."""
    lines = Table("name", box=None, pad_edge=False)
    for title in ("ours", "reference", "ratio", "goal"):
        lines.add_column(title, justify="right")
    for result in results:
        lines.add_row(result.name, f"{result.ours:.3f}", f"{result.reference:.3f}", f"{result.ratio:.2f}", result.goal)
    return lines


if __name__ == "__main__":
    main()
