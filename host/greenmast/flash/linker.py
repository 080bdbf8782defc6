"""Links the firmware's sources: constants instead of their names, and nothing that the board does not use.

Heap is the scarcest thing on the board, and every name, constant and unused function of a module takes some.
The sources stay plain: tables read by name, constants shared by modules, one protocol for board and host.
What the board does not need goes on the way to it, for all modules together:
- A module's upper-case name that is bound once, to a value known now, is a constant. It is worked out here, not
  at every boot; where it is a number or a short string, its uses become its value, as do look-ups such as
  `points.index("source.ac")`.
- Annotations, docstrings, slots and what is only for type checkers go: MicroPython ignores them.
- Definitions that no linked code mentions go. A mention is `module.name`, an imported name or a use in its
  own module; for methods, and what may be reached through an object, any attribute or string of that name.
- Modules that the `roots` do not lead to are left out.

Knows the language, not what the firmware does.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

# Pure modules that may be run here, so that constants can be looked up in their tables.
_PURE = "greenmast_protocol"
_BUILTINS = {"bytes": bytes, "len": len, "range": range, "tuple": tuple, "const": lambda value: value}
_TEXT_MAX = 40  # a longer string is kept in one place
_LOOKUPS = ("index", "code")

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def link(sources: Mapping[str, str], roots: Iterable[str]) -> dict[str, str]:
    """Path -> linked source, of the modules that the modules at the paths `roots` need.

    `sources`: path such as "package/room/module.py" -> source, of all modules there are. Raises SyntaxError.
    """
    modules = {module.name: module for module in (_Module(path, text) for path, text in sources.items())}
    for module in modules.values():
        module.find_imports(modules)
    for module in modules.values():
        module.find_constants(modules)
    for module in modules.values():
        _Fold(module, modules).visit(module.tree)
    while _drop_unmentioned(modules):
        pass
    needed: set[str] = set()
    for path in roots:
        _reach(_name(path), modules, needed)
    return {modules[name].path: f"{ast.unparse(modules[name].tree)}\n" for name in needed}


class _Module:
    """One module: its tree, what its names import, its constants."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.name = _name(path)
        self.tree = _Strip().visit(ast.parse(text, path))
        self.imported: dict[str, str] = {}  # local name -> module of ours
        self.taken: dict[str, tuple[str, str]] = {}  # local name -> (module of ours, its name there)
        self.constants: dict[str, Any] = {}
        self.is_pure = self.name.startswith(_PURE + ".")
        self._is_done = False

    def find_imports(self, modules: Mapping[str, _Module]) -> None:
        """Which local names stand for modules of ours, or for names of theirs; ambiguous ones for neither."""
        bound = self._bindings()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    local = alias.asname or alias.name
                    full = f"{node.module}.{alias.name}"
                    known = self.imported.get(local, full) == full
                    if full in modules and known and not bound[local]:
                        self.imported[local] = full
                    elif node.module in modules and full not in modules:
                        self.taken[local] = (node.module, alias.name)

    def find_constants(self, modules: Mapping[str, _Module]) -> None:
        if self._is_done:
            return
        self._is_done = True
        names: dict[str, object] = vars(import_module(self.name)).copy() if self.is_pure else {}
        for local, full in self.imported.items():
            other = modules[full]
            other.find_constants(modules)
            names[local] = import_module(full) if other.is_pure else SimpleNamespace(**other.constants)
        bound = self._bindings()
        for local, (full, name) in self.taken.items():
            modules[full].find_constants(modules)
            if name in modules[full].constants and not bound[local]:
                self.constants[local] = modules[full].constants[name]
        for node in self.tree.body:
            target = _target(node)
            if isinstance(node, ast.Assign) and target.isupper() and bound[target] == 1:
                value = _value(node.value, {**names, **self.constants})
                if value is not None:
                    self.constants[target] = value
                    node.value = ast.parse(repr(value), mode="eval").body

    def _bindings(self) -> Counter[str]:
        """How often each name is bound in any scope, imports apart."""
        found: Counter[str] = Counter()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found[node.id] += 1
            elif isinstance(node, ast.arg):
                found[node.arg] += 1
        return found


class _Strip(ast.NodeTransformer):
    """Removes what MicroPython ignores."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        is_for_checkers = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if is_for_checkers else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return None if node.value is None else ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if _target(node) == "__slots__" else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._definition(node)

    def _definition(self, node: _Definition) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        node.body = node.body or [ast.Pass()]
        return node


class _Fold(ast.NodeTransformer):
    """Puts the values of constants in their places."""

    def __init__(self, module: _Module, modules: Mapping[str, _Module]) -> None:
        self._constants = module.constants
        self._modules = {local: modules[full] for local, full in module.imported.items()}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = isinstance(node.ctx, ast.Load) and node.id in self._constants
        return _in_place(self._constants[node.id], node) if known else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        module = self._of_module(node)
        if module and node.attr in module.constants:
            return _in_place(module.constants[node.attr], node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "const":
            return node.args[0]
        module = self._of_module(node.func)
        if module and module.is_pure and node.func.attr in _LOOKUPS:  # type: ignore[attr-defined]
            names = {node.func.value.id: import_module(module.name)}  # type: ignore[attr-defined]
            value = _value(node, names)
            return node if value is None else _in_place(value, node)
        return node

    def _of_module(self, node: ast.expr) -> _Module | None:
        is_of_name = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        return self._modules.get(node.value.id) if is_of_name else None  # type: ignore[attr-defined]


class _Drop(ast.NodeTransformer):
    """Removes from one module what is not mentioned."""

    def __init__(self, module: str, mentions: set[tuple[str, str]]) -> None:
        self._module = module
        self._mentions = mentions
        self._depth = 0
        self.dropped = False

    def _is_mentioned(self, name: str) -> bool:
        own = not self._depth and (self._module, name) in self._mentions
        return own or ("", name) in self._mentions or name.startswith("__")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST | None:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST | None:
        return self._definition(node)

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return self._import(node)

    def _definition(self, node: _Definition) -> ast.AST | None:
        if not self._is_mentioned(node.name):
            self.dropped = True
            return None
        if isinstance(node, ast.ClassDef):
            self._depth += 1
            self.generic_visit(node)
            self._depth -= 1
            node.body = node.body or [ast.Pass()]
        return node  # what a function defines inside, it uses

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target = _target(node)
        if not target or self._is_mentioned(target):
            return node
        self.dropped = True
        return None

    def _import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        bound = ((alias, alias.asname or alias.name.split(".")[0]) for alias in node.names)
        needed = [alias for alias, name in bound if self._is_mentioned(name)]
        self.dropped |= len(needed) < len(node.names)
        node.names = needed
        return node if needed else None


def _drop_unmentioned(modules: Mapping[str, _Module]) -> bool:
    """One round. Returns whether anything went; others may then have become unmentioned."""
    mentions = {mention for module in modules.values() for mention in _mentions(module)}
    dropped = False
    for module in modules.values():
        drop = _Drop(module.name, mentions)
        module.tree = drop.visit(module.tree)
        dropped |= drop.dropped
    return dropped


def _mentions(module: _Module) -> Iterator[tuple[str, str]]:
    """(module, name) of what this module mentions; the module is "" where it is not known."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield module.name, node.id
            if node.id in module.taken:
                yield module.taken[node.id]
        elif isinstance(node, ast.Attribute):
            of = node.value.id if isinstance(node.value, ast.Name) else ""
            yield module.imported.get(of, ""), node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield "", node.value


def _reach(name: str, modules: Mapping[str, _Module], needed: set[str]) -> None:
    """Adds the module `name`, its packages and everything that they import."""
    if name in needed or name not in modules:
        return
    needed.add(name)
    _reach(name.rpartition(".")[0], modules, needed)
    for node in ast.walk(modules[name].tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            _reach(node.module, modules, needed)
            for alias in node.names:
                _reach(f"{node.module}.{alias.name}", modules, needed)


def _name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def _target(node: ast.AST) -> str:
    """The name that an assignment binds; "" where it does anything else."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _in_place(value: Any, node: ast.expr) -> ast.expr:
    """What stands for a constant where it is used."""
    is_short = isinstance(value, int) or (isinstance(value, str) and len(value) <= _TEXT_MAX)
    return ast.Constant(value) if is_short else node


def _value(node: ast.expr, names: Mapping[str, object]) -> Any:
    """The constant that the expression stands for, or None."""
    try:
        code = compile(ast.Expression(node), "constant", "eval")
        value = eval(code, {**names, "__builtins__": _BUILTINS})  # noqa: S307 (our own sources)
    except Exception:  # noqa: BLE001 (whatever cannot be worked out here is worked out on the board)
        return None
    return value if _is_plain(value) else None


def _is_plain(value: object) -> bool:
    return type(value) in (int, str, bytes) or (type(value) is tuple and all(_is_plain(v) for v in value))
