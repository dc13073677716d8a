"""Changes to a Python source: a text in place of a piece of its syntax tree, the rest untouched."""

import ast
import itertools
from collections.abc import Iterable

from host.errors import CompileFailed


class Edit:
    """The text that takes the place of a node. Lines that go leave an empty one each, so that tracebacks stay true."""

    def __init__(self, node: ast.stmt | ast.expr, text: str = "pass") -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        # A decorator begins behind its @.
        self.start = (decorators[0].lineno, decorators[0].col_offset - 1) if decorators else (node.lineno, node.col_offset)
        self.end = (node.end_lineno, node.end_col_offset)
        self.text = text + "\n" * (self.end[0] - self.start[0])
        self.replaced = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else None


def apply(edits: Iterable[Edit], source: str, module: str) -> str:
    """Return a source with its edits, of which none lies in another. Raises `CompileFailed`."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    starts = [0, *itertools.accumulate(map(len, lines))]
    text = b"".join(lines)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        start, end = (starts[line - 1] + column for line, column in (edit.start, edit.end))
        # Inside a formatted string Python 3.11 does not know where a name stands.
        if edit.replaced is not None and text[start:end] != edit.replaced.encode():
            raise CompileFailed(f"{module}, line {edit.start[0]}: {edit.replaced} is a constant in a formatted string; put it in before")
        text = text[:start] + edit.text.encode() + text[end:]
    return text.decode()


def origin(module: str, node: ast.ImportFrom) -> str:
    """Return which module or package a `from ... import` in `module`, which is no package, names."""
    if not node.level:
        return node.module or ""
    return ".".join([*module.split(".")[: -node.level], *([node.module] if node.module else [])])


def trimmed(node: ast.ImportFrom, kept: list[ast.alias]) -> Edit:
    """Return the edit that leaves these names of an import."""
    return Edit(node, ast.unparse(ast.ImportFrom(node.module, kept, node.level)) if kept else "pass")
