"""Constants across files: MicroPython's compiler puts in their values within one file, this does it for a whole tree.

A private `_NAME = const(...)` costs nothing on a device, since the compiler leaves the name out. A public one it must keep for
other files: an entry in the module's dictionary, and its name, some 80 bytes for each. Here all files that could use it
are at hand, so the value goes where the name was used, and the name is left out as well.
"""

import ast
from collections.abc import Iterator, Mapping

from host.errors import CompileFailed
from host.linking.edits import Edit, apply, origin, trimmed

Constant = int | str

# What the compiler knows by itself, or the build has done before (host/flash.py): nothing to import on a device.
_WORDS = {"protocol.compat": ("const", "gb", "micropython"), "micropython": ("const",)}


def fold(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the sources, by module name, with every constant that is a number or a text resolved.

    Constant is what a module sets at its top level to `const(...)`, and what has a name in capitals and is set to a plain
    number, text or truth value (`TYPE_CHECKING`). It may be imported by name or read as an attribute of its module.
    Raises `CompileFailed` for what cannot be resolved.
    """
    modules = {name: _Module(name, text) for name, text in sources.items()}
    while sum(module.learn(modules) for module in modules.values()):
        pass
    return {name: module.folded(modules) for name, module in modules.items()}


class _Module:
    """One file: what is constant in it, under its own names and those it imports."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.constants: dict[str, Constant] = {}
        self.aliases: dict[str, str] = {}
        """Modules that it imports, by their names in it."""
        self._source = source
        self._tree = ast.parse(source)
        self._definitions: dict[str, ast.Assign] = {}

    def learn(self, modules: "Mapping[str, _Module]") -> bool:
        """Find constants that follow from what is known by now; tell whether there were any new ones."""
        count = len(self.constants) + len(self.aliases)
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom):
                self._import(node, modules)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = self._value(node.targets[0].id, node.value)
                if value is not None:
                    self.constants[node.targets[0].id] = value
                    self._definitions[node.targets[0].id] = node
        return len(self.constants) + len(self.aliases) > count

    def is_left_to_the_compiler(self, name: str) -> bool:
        """Tell whether a constant is private to this file, and said to be `const`."""
        return name.startswith("_") and name in self._definitions and isinstance(self._definitions[name].value, ast.Call)

    def is_removed(self, node: ast.Assign) -> bool:
        """Tell whether a statement defines a constant that no one needs any more."""
        return any(node is definition and not self.is_left_to_the_compiler(name) for name, definition in self._definitions.items())

    def folded(self, modules: "Mapping[str, _Module]") -> str:
        """Return the source with the values in place of the names."""
        uses = _Uses(self, modules)
        uses.visit(self._tree)
        return apply([*uses.edits, *self._trimmed_imports(uses.left)], self._source, self.name)

    def _import(self, node: ast.ImportFrom, modules: "Mapping[str, _Module]") -> None:
        of = origin(self.name, node)
        for alias in node.names:
            name = alias.asname or alias.name
            if f"{of}.{alias.name}" in modules:
                self.aliases[name] = f"{of}.{alias.name}"
            elif of in modules and alias.name in modules[of].constants:
                self.constants[name] = modules[of].constants[alias.name]

    def _value(self, name: str, node: ast.expr) -> Constant | None:
        """Return the number or text that a name is set to; None if it is none, or not known yet."""
        if isinstance(node, ast.Constant) and name.isupper():
            value = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
            try:
                value = eval(ast.unparse(node.args[0]), {"__builtins__": {}}, dict(self.constants))
            except NameError:
                return None
        else:
            return None
        return value if isinstance(value, int | str) else None

    def _trimmed_imports(self, left: set[str]) -> Iterator[Edit]:
        """Leave out of the imports what is resolved; a module too, if nothing else of it is used."""
        for node in self._tree.body:
            if not isinstance(node, ast.ImportFrom):
                continue
            words = _WORDS.get(origin(self.name, node), ())
            kept = [
                alias
                for alias in node.names
                if (name := alias.asname or alias.name) not in self.constants
                and (name not in self.aliases or name in left)
                and alias.name not in words
            ]
            if len(kept) < len(node.names):
                yield trimmed(node, kept)


class _Uses(ast.NodeVisitor):
    """Finds where the constants of a module are used; `left`: modules of which something else is used too."""

    def __init__(self, module: _Module, modules: Mapping[str, _Module]) -> None:
        self.edits: list[Edit] = []
        self.left: set[str] = set()
        self._module = module
        self._modules = modules
        self._hidden: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Visit a function, whose own names hide those of the module."""
        outside = self._hidden
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        stored = [child.id for child in ast.walk(node) if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)]
        self._hidden = outside | {argument.arg for argument in arguments if argument} | set(stored)
        if hidden := self._hidden & self._module.constants.keys():
            raise CompileFailed(f"{self._module.name}, line {node.lineno}: {', '.join(hidden)} is a constant, and here a variable too")
        self.generic_visit(node)
        self._hidden = outside

    visit_Lambda = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        """Leave out the definition of what is resolved everywhere."""
        if self._module.is_removed(node):
            self.edits.append(Edit(node))
        else:
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Resolve `module.NAME`."""
        if isinstance(node.value, ast.Name) and (of := self._module.aliases.get(node.value.id)) and node.value.id not in self._hidden:
            constants = self._modules[of].constants
            if node.attr in constants:
                self._replace(node, constants[node.attr])
                return
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """Resolve `NAME`."""
        if not isinstance(node.ctx, ast.Load):
            return
        if node.id in self._module.constants and not self._module.is_left_to_the_compiler(node.id):
            self._replace(node, self._module.constants[node.id])
        elif node.id in self._module.aliases and node.id not in self._hidden:
            self.left.add(node.id)

    def _replace(self, node: ast.expr, value: Constant) -> None:
        text = repr(value)
        self.edits.append(Edit(node, f"({text})" if text.startswith("-") else text))
