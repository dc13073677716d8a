"""What `python -m bench` prints and writes."""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from bench import __main__ as bench
from bench.canteens import Canteens
from bench.row import Row


def rows(_canteens: Canteens, _pictures: Path) -> Iterator[Row]:
    yield Row("12 late", lambda: 1.0, lambda: 2.0, ">= 0.8")
    yield Row("2 early", lambda: 12345.6, lambda: 2.0, "<= 1.5")


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr(bench, "BUILD", tmp_path / "build")
    return Console(file=io.StringIO(), width=200)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rows_come_in_the_order_of_their_numbers(console: Console) -> None:
    assert [result.name for result in bench.run([rows], console)] == ["2 early", "12 late"]


def test_each_row_is_told_as_soon_as_it_is_measured(console: Console) -> None:
    bench.run([rows], console)
    assert "12 late: 0.50 (goal >= 0.8)" in printed(console)


def test_table_shows_ours_reference_ratio_and_goal(console: Console) -> None:
    console.print(bench.table(bench.run([rows], console)))
    assert ["2", "early", "12,346", "2", "6172.80", "<=", "1.5"] in [line.split() for line in printed(console).splitlines()]


def test_file_has_five_keys_a_row(console: Console) -> None:
    results = bench.run([rows], console)
    assert [list(one) for one in json.loads(json.dumps([asdict(result) for result in results]))] == [
        ["name", "ours", "reference", "ratio", "goal"]
    ] * 2


def test_nothing_is_left_of_the_files_that_were_measured_on(console: Console, tmp_path: Path) -> None:
    bench.run([rows], console)
    assert list((tmp_path / "build").iterdir()) == []
