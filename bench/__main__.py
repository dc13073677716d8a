"""`python -m bench`: measure every row, print the table, write build/bench.json and the charts.

`--long` measures what takes longer instead, with ten million movements, and writes build/bench-long.json.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import archive, frames, postgres, posting, records, waits
from bench.canteens import Canteens
from bench.row import REPETITIONS, Result, Row, measure

Group = Callable[[Canteens, Path], Iterator[Row]]
"""Rows that share what they are measured on, which is made when the first is asked for; given the site, and a folder for charts."""

GROUPS: list[Group] = [posting.rows, waits.rows, postgres.rows, records.rows, frames.rows]
LONG_GROUPS: list[Group] = [archive.rows]
BUILD = Path("build")


def main() -> None:
    """Measure; a name says the unit, a ratio is ours / reference."""
    is_long = sys.argv[1:] == ["--long"]
    console = Console(highlight=False)
    results = run(LONG_GROUPS if is_long else GROUPS, console)
    output = BUILD / ("bench-long.json" if is_long else "bench.json")
    output.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", encoding="utf-8")
    console.print(table(results))


def run(groups: list[Group], console: Console) -> list[Result]:
    """Measure all rows of some groups, one after the other, saying which."""
    BUILD.mkdir(exist_ok=True)
    results: list[Result] = []
    start = time.monotonic()
    # On the disk of the checkout: a commit into memory would cost nothing.
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-") as scratch:
        canteens = Canteens(Path(scratch).resolve())
        for group in groups:
            for row in group(canteens, BUILD):
                result = _measured(row, console)
                console.print(f"{time.monotonic() - start:4.0f} s  {result.name}: {result.ratio:.2f} (goal {result.goal})", soft_wrap=True)
                results.append(result)
    return sorted(results, key=lambda result: int(result.name.split()[0]))


def table(results: list[Result]) -> Table:
    """Return the results as a table for people."""
    lines = Table("name", box=None, pad_edge=False)
    for title in ("ours", "reference", "ratio", "goal"):
        lines.add_column(title, justify="right")
    for result in results:
        lines.add_row(result.name, f"{result.ours:,.7g}", f"{result.reference:,.7g}", f"{result.ratio:.2f}", result.goal)
    return lines


def _measured(row: Row, console: Console) -> Result:
    """Measure a row; on a terminal a line says how far it is."""
    if not console.is_terminal:
        return measure(row)
    with console.status("") as status:
        return measure(row, lambda repetition: status.update(f"{row.name}: {repetition} of {REPETITIONS}"))


if __name__ == "__main__":
    main()
