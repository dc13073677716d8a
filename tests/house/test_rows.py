"""What README.md says works today is proved by a tale, and what a tale proves is said there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| ([A-Z]\d+) \|", re.MULTILINE)
_ROWS_PROVED = re.compile(r"\bRows: ((?:[A-Z]\d+(?:, )?)+)\.")


def tales() -> dict[str, str]:
    """Every test of tests/stories, as file::name, with its docstring."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "tests" / "stories").glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[f"{path.name}::{node.name}"] = ast.get_docstring(node) or ""
    return found


def rows_proved(docstring: str) -> set[str]:
    """The rows named behind "Rows:"."""
    found = _ROWS_PROVED.search(docstring)
    return set(found[1].split(", ")) if found else set()


def test_every_tale_names_the_rows_it_proves() -> None:
    assert [name for name, docstring in tales().items() if not rows_proved(docstring)] == []


def test_rows_of_the_readme_and_rows_of_the_tales_are_the_same() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    promised = set(_ROW.findall(text[text.index("## What works today") :].partition("\n## ")[0]))
    proved = set[str]().union(*map(rows_proved, tales().values()))
    assert promised, "README.md has no table of rows"
    assert proved == promised
