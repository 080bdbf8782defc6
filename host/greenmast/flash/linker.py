"""Links the firmware's sources: constants instead of their names, and nothing that the board does not use.

Heap is the scarcest thing on the board, and every name, constant and unused function of a module takes some.
The sources stay plain: tables read by name, constants shared by modules, one protocol for board and host.
What the board does not need goes on the way to it, for all modules together:
- A module's upper-case name that is bound once, to a value known now, is a constant. It is worked out here,
  not at every boot; where it is a number or a short string, its uses become its value, as do look-ups such as
  `points.index("source.ac")`, and `params["battery.cells"]` becomes the place of that parameter.
- Annotations, docstrings, slots and what is only for type checkers go: MicroPython ignores them.
- Definitions that no linked code mentions go. A mention is `module.name`, an imported name or a use in its
  own module; for methods, and for the `roots`, which others hold as objects, any attribute or string of the
  name.
- Modules that the `roots` do not lead to are left out.

Knows the language, not what the firmware does.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from greenmast_protocol import params

# Pure modules that may be run here, so that constants can be looked up in their tables.
_PURE = "greenmast_protocol"
_BUILTINS = {"bytes": bytes, "len": len, "range": range, "tuple": tuple}
_TEXT_MAX = 40  # a longer string is kept in one place
_LOOKUPS = ("index", "code")
_SETTINGS = "params"  # what holds a `greenmast_protocol.settings.Settings`

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def link(sources: Mapping[str, str], roots: Collection[str]) -> dict[str, ast.Module]:
    """Name -> linked tree, of the modules `roots` and those that they need.

    `sources`: name such as "package.room.module" -> source, of all modules there are. Raises SyntaxError.
    """
    modules = {name: _Module(name, text) for name, text in sources.items()}
    for module in modules.values():
        module.find_imports(modules)
    for module in modules.values():
        module.find_constants(modules)
    for module in modules.values():
        _Fold(module, modules).visit(module.tree)
    while _drop_unmentioned(modules, roots):
        pass
    needed: set[str] = set()
    for name in roots:
        _reach(name, modules, needed)
    return {name: modules[name].tree for name in sources if name in needed}


class _Module:
    """One module: its tree, what its names import, its constants."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.tree: ast.Module = _Strip().visit(ast.parse(text, name))
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
        known = vars(import_module(self.name)) if self.is_pure else {}
        names: dict[str, object] = {}
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
                value = known.get(target, _value(node.value, {**names, **self.constants}))
                if _is_plain(value):
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

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        is_for_checkers = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if is_for_checkers else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return None if node.value is None else ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        kept = [part for part in _without_docstring(node.body) if _target(part) != "__slots__"]
        node.body = kept or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        node.body = _without_docstring(node.body) or [ast.Pass()]
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
        module = self._of_module(node.func)
        if module and module.is_pure and node.func.attr in _LOOKUPS:  # type: ignore[attr-defined]
            names = {node.func.value.id: import_module(module.name)}  # type: ignore[attr-defined]
            value = _value(node, names)
            return _in_place(value, node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        of = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if of.endswith(_SETTINGS) and key in params.NAMES:
            node.slice = ast.Constant(params.NAMES.index(key))
        return node

    def _of_module(self, node: ast.expr) -> _Module | None:
        is_of_name = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        return self._modules.get(node.value.id) if is_of_name else None  # type: ignore[attr-defined]


def _drop_unmentioned(modules: Mapping[str, _Module], roots: Collection[str]) -> bool:
    """One round. Returns whether anything went: then others may have become unmentioned.

    `roots`: modules that others hold as objects.
    """
    mentions = {mention for module in modules.values() for mention in _mentions(module)}
    anywhere = {name for module, name in mentions if not module}
    dropped = False
    for module in modules.values():
        known = {name for of, name in mentions if of == module.name}
        kept = _mentioned(module.tree.body, known | anywhere if module.name in roots else known)
        dropped |= len(kept) < len(module.tree.body)
        module.tree.body = kept
        for part in kept:
            if isinstance(part, ast.ClassDef):
                members = _mentioned(part.body, anywhere) or [ast.Pass()]
                dropped |= len(members) < len(part.body)
                part.body = members
    return dropped


def _mentioned(body: list[ast.stmt], names: Set[str]) -> list[ast.stmt]:
    """The statements of a module or class without those that only bind other names than these."""
    kept = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = [(alias, alias.asname or alias.name.split(".")[0]) for alias in node.names]
            node.names = [alias for alias, name in bound if name in names]
            is_kept = bool(node.names)
        else:
            name = node.name if isinstance(node, _Definition) else _target(node)
            is_kept = not name or name in names or name.startswith("__")
        if is_kept:
            kept.append(node)
    return kept


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


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    return body[1:] if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else body


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
    """What the expression stands for, or None."""
    try:
        code = compile(ast.Expression(node), "constant", "eval")
        return eval(code, {**names, "__builtins__": _BUILTINS})  # noqa: S307 (our own sources)
    except Exception:  # noqa: BLE001 (whatever cannot be worked out here is worked out on the board)
        return None


def _is_plain(value: object) -> bool:
    return type(value) in (int, str, bytes) or (type(value) is tuple and all(_is_plain(v) for v in value))
