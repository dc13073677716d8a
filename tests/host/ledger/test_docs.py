"""docs/ledger.md names every table, every item and every kind of record."""

import re
from pathlib import Path

import pytest

from host.ledger.kinds import ItemKind
from host.ledger.reports import KIND_NAMES
from host.ledger.rows import TABLES

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "ledger.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [table.TABLE for table in TABLES])
def test_every_table_is_documented(table: str) -> None:
    assert f"`{table}`" in TEXT


def test_every_item_is_documented_and_no_other() -> None:
    worklist = TEXT.partition("## The worklist")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", worklist, re.MULTILINE)) == {str(kind) for kind in ItemKind}


def test_every_kind_with_an_effect_is_documented() -> None:
    records = TEXT.partition("## Records")[2].partition("\n## ")[0]
    documented = {word for row in re.findall(r"^\| ([a-z, ]+) \|", records, re.MULTILINE) for word in row.split(", ")}
    assert set(KIND_NAMES.values()) - {"cut", "adjust"} <= documented
