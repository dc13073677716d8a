"""Only what a program uses: a function that nothing names takes no heap on a board.

Files are shared by boards, hosts and tests, so a board would load much that only others call. Whatever the program's live code does
not name is left out: functions, classes and variables of a file, methods of a class, imports, and at last whole files.
A name counts wherever it could mean the thing: a method under its name on any object, and any of them as a text, since
`getattr` may look for it. Setting a variable at the top of a file has no effect but the variable ("no work at import").

What a ValueError says is left out too: it is for people at a computer, a board only catches it.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping

from host.linking.edits import Edit, apply, origin, trimmed

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def prune(roots: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str]:
    """Return what a program uses of the sources, by module: the files in the order to load them, each behind all it imports.

    `roots`: by module, the name with which the program begins; there may be several.
    """
    program = _Program(sources)
    for module, name in roots.items():
        program.load(module)
        program.name(module, name)
    while program.spread():
        pass
    return program.files(roots)


class _Module:
    """One file: what it defines and imports, and which of that is live."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.definitions: dict[str, list[Definition]] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        """Names it imports: of which module or package, and under which name there."""
        self.live: set[str] = set()
        self.statements: list[ast.stmt] = []
        """What is done when the file is loaded, whoever uses it."""
        self._tree = ast.parse(source)
        for node in self._top_level():
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (origin(name, node), alias.name)
            elif (defined := _defined(node)) is not None:
                assert isinstance(node, Definition)
                self.definitions.setdefault(defined, []).append(node)
            else:
                self.statements.append(node)

    def pruned(self, attributes: set[str]) -> str:
        """Return the source without what is not live."""
        source = apply(self._edits(attributes), self.source, self.name)
        return apply(_unworded(ast.parse(source)), source, self.name)

    def imported(self) -> Iterator[tuple[str, str]]:
        """Yield the live imports, in order."""
        for name, found in self.imports.items():
            if name in self.live:
                yield found

    def _edits(self, attributes: set[str]) -> Iterator[Edit]:
        for node in self._top_level():
            if isinstance(node, ast.ImportFrom):
                kept = [alias for alias in node.names if (alias.asname or alias.name) in self.live]
                if len(kept) < len(node.names):
                    yield trimmed(node, kept)
            elif (name := _defined(node)) is not None:
                if name not in self.live:
                    yield Edit(node)
                elif isinstance(node, ast.ClassDef):
                    yield from (Edit(method) for method in _methods(node) if not _is_called(method, attributes))

    def _top_level(self) -> Iterator[ast.stmt]:
        for node in self._tree.body:
            # What only type checkers read has become `if False`; the board has the other branch.
            other = _other_branch(node)
            yield from [node] if other is None else other


class _Program:
    """All files together; `attributes`: every name by which live code gets at something of an object."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._modules = {name: _Module(name, source) for name, source in sources.items()}
        self._loaded: set[str] = set()
        self._classes: list[tuple[_Module, ast.ClassDef]] = []
        self._attributes: set[str] = set()
        self._texts: set[str] = set()
        self._visited: set[ast.AST] = set()

    def load(self, name: str) -> None:
        """A module is imported: what it does at once is live."""
        if name not in self._loaded:
            self._loaded.add(name)
            for node in self._modules[name].statements:
                self._read(self._modules[name], node)

    def name(self, module: str, name: str) -> None:
        """Something of a module is named: it is live, and all that it names."""
        of = self._modules[module]
        if name in of.live:
            return
        if name in of.imports:
            of.live.add(name)
            source, original = of.imports[name]
            if (inner := f"{source}.{original}") in self._modules:
                self.load(inner)
            elif source in self._modules:
                self.load(source)
                self.name(source, original)
        elif name in of.definitions:
            of.live.add(name)
            for node in of.definitions[name]:
                self._read(of, node)
                if isinstance(node, ast.ClassDef):
                    self._classes.append((of, node))

    def spread(self) -> bool:
        """Follow names to methods of live classes, and texts to what they may name; tell whether anything new came to life."""
        count = len(self._visited)
        for of, node in list(self._classes):
            for method in _methods(node):
                if _is_called(method, self._attributes | self._texts):
                    self._read(of, method)
        for module in list(self._loaded):
            for name in self._modules[module].definitions.keys() & self._texts:
                self.name(module, name)
        return len(self._visited) > count

    def files(self, roots: Iterable[str]) -> dict[str, str]:
        """Return the live files, those that others import first."""
        pruned: dict[str, str] = {}

        def visit(name: str) -> None:
            for source, original in self._modules[name].imported():
                other = f"{source}.{original}" if f"{source}.{original}" in self._modules else source
                if other in self._modules and other not in pruned:
                    visit(other)
            pruned[name] = self._modules[name].pruned(self._attributes | self._texts)

        for root in roots:
            if root not in pruned:
                visit(root)
        return pruned

    def _read(self, of: _Module, node: ast.AST) -> None:
        """Take in all that a piece of live code names, but not what is inside methods of a class, which live on their own."""
        if node in self._visited:
            return
        self._visited.add(node)
        if isinstance(node, ast.Name):
            self.name(of.name, node.id)
        elif isinstance(node, ast.Attribute):
            self._attributes.add(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id in of.imports:
                source, original = of.imports[node.value.id]
                if (module := f"{source}.{original}") in self._modules:
                    self.name(of.name, node.value.id)
                    self.name(module, node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._texts.add(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "namedtuple":
            # The texts are names of fields, nothing that `getattr` looks for.
            self._read(of, node.func)
            return
        for child in _executed(node):
            self._read(of, child)


def _unworded(tree: ast.Module) -> Iterator[Edit]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ValueError":
            yield Edit(node, "ValueError()")


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a node that a board executes: no annotations, no docstrings, no methods, no branch that is never taken."""
    if (other := _other_branch(node)) is not None:
        yield from other
        return
    not_executed: list[ast.AST | None] = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    if isinstance(node, ast.ClassDef):
        not_executed += _methods(node)
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if child not in not_executed and not is_docstring:
            yield child


def _defined(node: ast.stmt) -> str | None:
    """Return the one name that a statement at the top of a file brings into being; None for any other statement."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
    return target.id if isinstance(target, ast.Name) else None


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef):
            yield child


def _is_called(method: ast.FunctionDef, attributes: set[str]) -> bool:
    return method.name in attributes or (method.name.startswith("__") and method.name.endswith("__"))


def _other_branch(node: ast.AST) -> list[ast.stmt] | None:
    """Return what a board does instead of an `if False`; None for any other statement."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value is False:
        return node.orelse
    return None
