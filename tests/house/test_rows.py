"""Every row of the specification that README.md says works is named by a story that proves it, and the other way round."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ROWS = re.compile(r"Rows: ([A-Z]\d+(?:, [A-Z]\d+)*)")


def rows_promised() -> set[str]:
    """The rows in README.md's table."""
    return set(re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))


def rows_proven() -> set[str]:
    """The rows named in the docstrings of the stories' tests."""
    proven: set[str] = set()
    for path in (ROOT / "tests/stories").glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found = _ROWS.search(ast.get_docstring(node) or "")
                assert found, f"{path.name}: {node.name} names no row: begin its docstring with `Rows: ...`"
                proven |= set(found[1].split(", "))
    return proven


def test_readme_promises_what_stories_prove() -> None:
    promised, proven = rows_promised(), rows_proven()
    assert not promised - proven, f"README.md promises, but no story proves: {sorted(promised - proven)}"
    assert not proven - promised, f"stories prove, but README.md does not say: {sorted(proven - promised)}"
