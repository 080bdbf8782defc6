"""Finds what the board needs only while it starts, and has it dropped when everything has been built.

A function takes heap as long as its name leads to it, though its bytecode lies in flash. Most constructors,
and what they alone call, run once: `app.build` gets last statements that let go of them. What counts is who
mentions a name, whatever it stands for: a function goes when all that mention it are calls in code that runs
while the board starts. A class's constructor goes when only such code makes one, of it or of its kin.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_INIT = "__init__"
# Called by MicroPython itself, or by name.
_KEPT = {"close", "ioctl", "read", "readblocks", "readinto", "write", "writeblocks"}

Part = tuple[ast.ClassDef | None, _Function]


def find(trees: Mapping[str, ast.Module], resident: str, app: str) -> list[Part]:
    """Functions of module `resident`, with their class, that nothing calls once `app` has built the board."""
    tree = trees[resident]
    parts = list(_parts(tree))
    families = _families(tree)
    late = _Mentions()
    for name, other in trees.items():
        if name not in (resident, app):
            late.take(other, runs_later=True)
    starting = _Mentions()
    starting.take(trees[app])
    for statement in tree.body:
        for outside in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            if not isinstance(outside, _Function):
                starting.take(outside)
    late.values |= starting.values
    called = starting.calls | late.calls
    mentions: dict[int, _Mentions] = {}
    for _, function in parts:
        mentions[id(function)] = seen = _Mentions()
        seen.take(function)
        late.values |= seen.values
        called |= seen.calls
    going = [part for part in parts if _may_go(part, called)]
    staying = [part for part in parts if part not in going]
    while staying:
        for _, function in staying:
            late.calls |= mentions[id(function)].calls
        needed = late.calls | late.values
        kin = {families.get(name, name) for name in needed}
        staying = [part for part in going if _is_needed(part, needed, kin, families)]
        going = [part for part in going if part not in staying]
    return going


def drop(app: ast.Module, build: str, resident: str, parts: list[Part]) -> None:
    """Have the function `build` of module `app` let go of these just before it returns."""
    function = next(part for part in app.body if isinstance(part, _Function) and part.name == build)
    package, _, leaf = resident.rpartition(".")
    lines = [
        f"from {package} import {leaf} as started"
    ]  # a local name: the module may have the other as its own
    for owner, part in parts:
        place = f"started.{owner.name}" if owner else "started"
        lines.append(f"{place}.{part.name} = None")  # a place that `del` leaves still leads to what was there
    function.body[-1:-1] = ast.parse("\n".join(lines)).body


def _parts(tree: ast.Module) -> Iterator[Part]:
    for statement in tree.body:
        if isinstance(statement, _Function):
            yield None, statement
        elif isinstance(statement, ast.ClassDef):
            yield from ((statement, part) for part in statement.body if isinstance(part, _Function))


def _may_go(part: Part, called: set[str]) -> bool:
    function = part[1]
    if function.decorator_list or function.name in _KEPT:
        return False
    if function.name == _INIT:
        return True
    return function.name in called and not function.name.startswith("__")


def _is_needed(part: Part, needed: set[str], kin: set[str], families: Mapping[str, str]) -> bool:
    owner, function = part
    if function.name == _INIT and owner:
        return families[owner.name] in kin
    return function.name in needed


def _families(tree: ast.Module) -> dict[str, str]:
    """Class name -> the oldest class of this module that it descends from."""
    family: dict[str, str] = {}
    for part in tree.body:
        if isinstance(part, ast.ClassDef):
            bases = [base.id for base in part.bases if isinstance(base, ast.Name)]
            family[part.name] = next((family[name] for name in bases if name in family), part.name)
    return family


def _yields(function: ast.AST) -> bool:
    """Whether this is a generator; one inside it does not count."""
    return any(
        isinstance(part, ast.Yield | ast.YieldFrom)
        or (not isinstance(part, _Function | ast.Lambda) and _yields(part))
        for part in ast.iter_child_nodes(function)
    )


class _Mentions(ast.NodeVisitor):
    """Names that code mentions: in direct calls, and in any other way, which may be a call at any time."""

    def __init__(self) -> None:
        self.calls: set[str] = set()
        self.values: set[str] = set()
        self._later = False
        self._depth = 0

    def take(self, tree: ast.AST, *, runs_later: bool = False) -> None:
        """All of `tree`. `runs_later`: it is not known when, so nothing in it is a call while starting."""
        self._later = runs_later
        self.visit(tree)

    def visit_Call(self, node: ast.Call) -> None:
        """Its function is called; of `isinstance` the classes are not."""
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            self.visit(node.args[0])
            return
        if isinstance(node.func, ast.Name):
            self._mention(node.func.id, self.calls)
        elif isinstance(node.func, ast.Attribute):
            self._mention(node.func.attr, self.calls)
            if node.func.attr == _INIT and isinstance(node.func.value, ast.Name):
                self._mention(node.func.value.id, self.calls)
            else:
                self.visit(node.func.value)
        else:
            self.visit(node.func)
        for argument in [*node.args, *node.keywords]:
            self.visit(argument)

    def visit_Name(self, node: ast.Name) -> None:
        """A value."""
        self._mention(node.id, self.values)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A value, and what has it."""
        self._mention(node.attr, self.values)
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A string may be a name for `getattr`."""
        if isinstance(node.value, str):
            self._mention(node.value, self.values)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Its classes are not called."""
        for statement in node.body:
            self.visit(statement)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """What another module takes by name may be anything later."""
        if self._later:
            self.values.update(alias.name for alias in node.names)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Runs when somebody calls it."""
        self._take_later(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """One inside another, or a generator, runs when somebody wants it to."""
        self._depth += 1
        if self._depth > 1 or _yields(node):
            self._take_later(node)
        else:
            self.generic_visit(node)
        self._depth -= 1

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Runs when somebody awaits it."""
        self._take_later(node)

    def _take_later(self, node: ast.AST) -> None:
        later, self._later = self._later, True
        self.generic_visit(node)
        self._later = later

    def _mention(self, name: str, where: set[str]) -> None:
        (self.values if self._later else where).add(name)
