"""docs/ledger.md names every table, every item and every kind of record."""

import re
from pathlib import Path

import pytest

from host.ledger.kinds import KIND_NAMES, ItemKind
from host.ledger.rows import TABLES
from host.ledger.sqlite_query import query
from host.ledger.views import VIEWS
from tests.host.full_site import fill
from tests.host.site import Site

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


LOOKING = TEXT.partition("## Looking yourself")[2].partition("\n## ")[0]


def test_every_view_is_documented_and_has_an_example() -> None:
    assert set(re.findall(r"^\| `(\w+)`", LOOKING, re.MULTILINE)) == VIEWS.keys()
    assert {view for view in VIEWS if re.search(rf"FROM {view}\b", LOOKING)} == VIEWS.keys()


@pytest.mark.stores("sqlite")
def test_every_example_of_sql_runs(site: Site) -> None:
    fill(site)
    examples = re.findall(r'onecard sql "([^"]+)"', LOOKING)
    assert len(examples) >= len(VIEWS)
    for statement in examples:
        columns, _ = query(site.path, statement, 10)
        assert columns
