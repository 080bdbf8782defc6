"""Puts modules that are always loaded together into one: each of its own costs heap, and bytes for names.

Works on the syntax trees that `linker` gives. The bundle has the top-level names of all its modules; one that
would clash with another, or with a local name somewhere, gets a number. What was `module.name` is then a
plain name inside the bundle, and `bundle.name` in the modules that stay outside.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Mapping

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def loaded_with(start: str, trees: Mapping[str, ast.Module]) -> list[str]:
    """The modules that loading `start` loads, itself last, in the order in which they run. No packages."""
    order: dict[str, None] = {}

    def load(name: str) -> None:
        for node in trees[name].body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    for other in (f"{node.module}.{alias.name}", node.module or ""):
                        if other in trees and other not in order:
                            load(other)
        order[name] = None

    load(start)
    packages = {name.rpartition(".")[0] for name in trees}
    return [name for name in order if name not in packages]


def bundle(trees: dict[str, ast.Module], inside: list[str], name: str) -> None:
    """Replaces the modules `inside`, in the order in which they run, by one called `name`, in a package."""
    names = _names(trees, inside)
    body: list[ast.stmt] = []
    for module, tree in trees.items():
        rewrite = _Rewrite(module, tree, names, "" if module in inside else name.rpartition(".")[2])
        rewrite.visit(tree)
        if rewrite.uses_bundle:
            package, _, leaf = name.rpartition(".")
            tree.body.insert(0, ast.ImportFrom(package, [ast.alias(leaf)], 0))
    for module in inside:
        body += trees.pop(module).body
    imports = {ast.unparse(node): node for part in body for node in _single_imports(part)}
    rest = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    trees[name] = ast.fix_missing_locations(ast.Module([*imports.values(), *rest], []))


class _Rewrite(ast.NodeTransformer):
    """Puts the names of the bundle in the places of what they were in one module."""

    def __init__(
        self, module: str, tree: ast.Module, names: Mapping[tuple[str, str], str], prefix: str
    ) -> None:
        self._module = module
        self._names = names
        self._prefix = prefix
        self._modules = {of for of, _ in names}
        self._aliases: dict[str, str] = {}
        self._taken: dict[str, tuple[str, str]] = {}
        self._scopes: list[set[str]] = []
        self.uses_bundle = False
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    local = alias.asname or alias.name
                    if f"{node.module}.{alias.name}" in self._modules:
                        self._aliases[local] = f"{node.module}.{alias.name}"
                    elif node.module in self._modules:
                        self._taken[local] = (node.module, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        node.names = [
            alias
            for alias in node.names
            if node.module not in self._modules and f"{node.module}.{alias.name}" not in self._modules
        ]
        return node if node.names else None

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if any(node.id in scope for scope in self._scopes):
            return node
        if (self._module, node.id) in self._names:
            node.id = self._names[self._module, node.id]
            return node
        return self._reference(self._taken.get(node.id), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self._aliases:
            return self._reference((self._aliases[node.value.id], node.attr), node)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._names.get((self._module, name), name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._rename(node)
        node.bases = [self.visit(base) for base in node.bases]
        attributes = {
            name for part in node.body if not isinstance(part, _Definition) for name in _stored(part)
        }
        body: list[ast.stmt] = []
        for part in node.body:
            if isinstance(part, _Definition):
                self._scopes.append({part.name})  # a method's name is not the module's
                body.append(self.visit(part))
                self._scopes.pop()
            else:
                self._scopes.append(attributes)
                body.append(self.visit(part))
                self._scopes.pop()
        node.body = body
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self._rename(node)
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.args.kw_defaults = [default and self.visit(default) for default in node.args.kw_defaults]
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        self._scope(node)
        node.body = node.body or [ast.Pass()]
        return node

    def _scope(self, node: _Function) -> ast.AST:
        self._scopes.append(_bound(node))
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = [part for part in map(self.visit, node.body) if part is not None]
        self._scopes.pop()
        return node

    def _rename(self, node: _Definition) -> None:
        if not self._scopes:
            node.name = self._names.get((self._module, node.name), node.name)

    def _reference(self, what: tuple[str, str] | None, node: ast.expr) -> ast.expr:
        new = self._names.get(what) if what else None
        if new is None:
            return node
        if not self._prefix:
            return ast.copy_location(ast.Name(new, ast.Load()), node)
        self.uses_bundle = True
        return ast.copy_location(ast.Attribute(ast.Name(self._prefix, ast.Load()), new, ast.Load()), node)


def _single_imports(node: ast.stmt) -> Iterator[ast.Import | ast.ImportFrom]:
    """An import of several names as imports of one each; nothing for other statements."""
    if isinstance(node, ast.Import):
        yield from (ast.Import([alias]) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (ast.ImportFrom(node.module, [alias], node.level) for alias in node.names)


def _names(trees: Mapping[str, ast.Module], inside: list[str]) -> dict[tuple[str, str], str]:
    """(module, name) -> name in the bundle, of all top-level names."""
    taken = set(dir(builtins)) | {local for module in inside for local in _local_names(trees[module])}
    found: dict[tuple[str, str], str] = {}
    count: Counter[str] = Counter()
    for module in inside:
        for old in dict.fromkeys(_top_level_names(trees[module])):
            new = old
            while new in taken:
                count[old] += 1
                new = f"{old}{count[old]}"
            taken.add(new)
            found[module, old] = new
    return found


def _top_level_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, _Definition):
            yield node.name
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            yield from _stored(node)


def _stored(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _local_names(tree: ast.Module) -> Iterator[str]:
    """Names that are bound in functions, and those of imported modules."""
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            yield from _bound(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0]


def _bound(function: _Function) -> set[str]:
    found = set(_stored(function)) | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            found -= set(node.names)
    return found


def put_constants_in_place(trees: Mapping[str, ast.Module], bundle: str) -> None:
    """Puts tuples, bytes and numbers that only the bundle reads where it does: they are constants there."""
    tree, leaf = trees[bundle], bundle.rpartition(".")[2]
    outside = {
        node.attr
        for other in trees.values()
        for node in ast.walk(other)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == leaf
    }
    stored = Counter(_stored(tree))
    stored.update(name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names)
    values: dict[str, ast.expr] = {}
    for node in list(tree.body):
        name = node.targets[0].id if _is_constant(node) else ""  # type: ignore[attr-defined]
        if name and stored[name] == 1 and name not in outside:
            values[name] = node.value  # type: ignore[attr-defined]
            tree.body.remove(node)
    _Constants(values).visit(tree)


class _Constants(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._values.get(node.id, node)


def _is_constant(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign) or len(node.targets) > 1 or not isinstance(node.targets[0], ast.Name):
        return False
    try:
        return type(ast.literal_eval(node.value)) in (tuple, bytes, int)
    except ValueError:
        return False
