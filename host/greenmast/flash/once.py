"""Puts what only setting up needs into the module that sets up, which is forgotten afterwards.

A function takes heap for as long as its class or module is loaded, and many only make objects and give them
their parameters and memories. `once` moves from the bundle to the module that sets up:
- Functions that nothing else calls.
- Methods that nothing else calls, whatever their objects; those with one name and one number of arguments
  together.
- `__init__` of classes that nothing else makes objects of: `Grid(params)` becomes `_a(Grid(), params)`.
What is used otherwise than by calling it stays, and so do classes with a base or derived from. A function may
be handed to another one, as to `overlay.run`.

Works on the syntax trees that `shorten` leaves: the bundle's names clash with no local ones.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from string import ascii_letters
from textwrap import dedent

_INIT = "__init__"
_IMPORT = ast.Import | ast.ImportFrom
# ("function", name), ("class", name) for its `__init__`, or (name, number of arguments) of methods.
_Key = tuple[str, str | int]


def once(trees: Mapping[str, ast.Module], bundle: str, setup: str) -> None:
    """Move in place, from the module `bundle` to the module `setup`."""
    world = _World(trees, trees[bundle])
    keys = _needed_once(world, trees, bundle, setup)
    pieces = [(part, method) for part, method in world.pieces() if world.key(part, method) in keys]
    used = [trees[setup], *(method or part for part, method in pieces)]
    rewrite = _Rewrite(world, keys, bundle.rpartition(".")[2], {w for tree in used for w in _words(tree)})
    rewrite.visit(trees[setup])
    moved: list[ast.stmt] = []
    for part, method in pieces:
        (part.body if method and isinstance(part, ast.ClassDef) else trees[bundle].body).remove(
            method or part
        )
        moved.append(rewrite.function(method or part, part))
    for part in trees[bundle].body:
        if isinstance(part, ast.ClassDef):
            part.body = part.body or [ast.Pass()]
    _take_imports(trees[bundle], trees[setup], rewrite.imports)
    body = trees[setup].body
    at = next(i for i, node in enumerate(body) if not isinstance(node, _IMPORT))
    body[at:at] = moved + rewrite.dispatchers()
    ast.fix_missing_locations(trees[setup])


def _take_imports(bundle: ast.Module, setup: ast.Module, names: set[str]) -> None:
    """Import these in the module that sets up, and no longer in the bundle where it does without."""
    here = {ast.unparse(node) for node in setup.body}
    still = {node.id for node in ast.walk(bundle) if isinstance(node, ast.Name)}
    for node in list(bundle.body):
        if isinstance(node, _IMPORT) and names.intersection(_bound(node)):
            if ast.unparse(node) not in here:
                setup.body.insert(0, node)
            if not still.intersection(_bound(node)):
                bundle.body.remove(node)


class _World:
    """What the bundle has. `methods`: keys by class; of `plain` ones, without relatives, some may go."""

    def __init__(self, trees: Mapping[str, ast.Module], bundle: ast.Module) -> None:
        self.body = bundle.body
        self.names = {name for node in bundle.body for name in _bound(node)}
        self.imported = {name for node in bundle.body if isinstance(node, _IMPORT) for name in _bound(node)}
        classes = [part for tree in trees.values() for part in tree.body if isinstance(part, ast.ClassDef)]
        based = {_last(base) for part in classes for base in part.bases}
        self.methods = {
            part.name: {each.name: _method(each) for each in part.body if isinstance(each, ast.FunctionDef)}
            for part in bundle.body
            if isinstance(part, ast.ClassDef)
        }
        self.plain = {part.name for part in classes if not part.bases} & set(self.methods) - based

    def pieces(self) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
        """(statement of the bundle, statement in it if it is a class of which some may be moved)."""
        for part in self.body:
            if isinstance(part, ast.ClassDef) and part.name in self.plain:
                yield from ((part, each) for each in part.body)
            else:
                yield part, None

    def key(self, part: ast.stmt, method: ast.stmt | None) -> _Key | None:
        """What may be moved; None for other statements."""
        if isinstance(method, ast.FunctionDef) and isinstance(part, ast.ClassDef):
            return ("class", part.name) if method.name == _INIT else _method(method)
        return ("function", part.name) if isinstance(part, ast.FunctionDef) else None


def _needed_once(world: _World, trees: Mapping[str, ast.Module], bundle: str, setup: str) -> set[_Key]:
    uses: list[tuple[_Key | None, set[_Key]]] = []  # what is mentioned by what; None for what stays
    uses.append((None, set(_mentions(trees[setup], world, "", but_calls=True))))
    for name, tree in trees.items():
        if name not in (bundle, setup):
            for node in tree.body:
                of = node.name if isinstance(node, ast.ClassDef) else ""
                uses.append((None, set(_mentions(node, world, of))))
    keys: set[_Key] = set()
    for part, method in world.pieces():
        piece, of = method or part, part.name if isinstance(part, ast.ClassDef) else ""
        key = world.key(part, method)
        uses.append((key, set(_mentions(piece, world, of))))
        if key:
            keys.add(key)
            uses.append((None, set(_mentions(piece, world, of, but_calls=True))))
            if not _may_move(piece):
                uses.append((None, {key}))
    while True:
        gone = {key for of, found in uses if of not in keys for key in found} & keys
        if not gone:
            return keys
        keys -= gone


def _may_move(piece: ast.AST) -> bool:
    if not isinstance(piece, ast.FunctionDef) or piece.decorator_list:
        return False
    inside = [node for node in ast.walk(piece) if isinstance(node, ast.Global | ast.Lambda | ast.FunctionDef)]
    return len(inside) == 1 and (piece.name == _INIT or not piece.name.startswith("__"))


def _method(node: ast.FunctionDef) -> _Key:
    """-1 arguments: their number is not fixed."""
    args = node.args
    is_fixed = not (args.defaults or args.kwonlyargs or args.vararg or args.kwarg)
    return node.name, len(args.args) - 1 if is_fixed else -1


def _mentions(tree: ast.AST, world: _World, owner: str, *, but_calls: bool = False) -> Iterator[_Key]:
    """What the code, in the class `owner` or in none, mentions; with `but_calls` what it does not call.

    Words in strings are none: by computed names only modules' tables and the controller's parts are found.
    """
    nodes = list(ast.walk(tree))
    calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    given = {id(each) for call in calls.values() for each in call.args} if but_calls else set()
    looked_into = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        word = node.name if isinstance(node, ast.alias) else _last(node)
        count = _count(calls[id(node)]) if id(node) in calls else None
        is_name = isinstance(node, ast.Name)
        is_all = isinstance(node, ast.alias) or (is_name and not isinstance(tree, ast.FunctionDef))
        if is_all or (isinstance(node, ast.Attribute) and _may_be_moved(node, world, owner)):
            if count is None:
                yield from ((word, n) for n in range(-1, 20))
            elif not but_calls:
                yield from ((word, count), (word, -1))
        if count is None or not but_calls:
            if id(node) not in given:
                yield "function", word
            if id(node) not in looked_into:  # `Genset._rest` makes none
                yield "class", word


def _may_be_moved(node: ast.Attribute, world: _World, owner: str) -> bool:
    """Whether this may be a method that is moved, as far as its object is known."""
    of = _last(node.value)
    if of == "self" and owner:
        return owner in world.plain and node.attr in world.methods[owner]
    return of not in world.methods or of in world.plain


def _count(call: ast.Call) -> int | None:
    """Number of arguments; None where it cannot be seen."""
    is_open = call.keywords or any(isinstance(each, ast.Starred) for each in call.args)
    return None if is_open else len(call.args)


class _Rewrite(ast.NodeTransformer):
    """Calls of what is moved, and in what is moved the bundle's names seen from outside.

    `imports`: what it needs of what the bundle imports.
    """

    def __init__(self, world: _World, keys: set[_Key], leaf: str, taken: set[str]) -> None:
        self._world = world
        self._keys = keys
        self._leaf = leaf
        self._names: dict[tuple[str, _Key], str] = {}  # (class or "", key) -> name where it is moved
        self._free = (name for name in _short_names() if name not in taken)
        self.imports: set[str] = set()
        self._owner = ""
        self._own: set[str] | None = None  # local names; None: in the module that sets up
        self._sent: dict[_Key, None] = {}  # methods called of objects whose class is not known here

    def function(self, node: ast.stmt, part: ast.stmt) -> ast.stmt:
        """A function of the bundle, or a method of its class `part`, as the other module has it."""
        assert isinstance(node, ast.FunctionDef)
        owner = part.name if isinstance(part, ast.ClassDef) else ""
        self._owner = owner
        self._own = set(_words(node, is_bound=True))
        self.generic_visit(node)
        self._owner, self._own = "", None
        key: _Key = ("function", node.name) if not owner else _method(node)
        if node.name == _INIT:
            key, owner = ("class", owner), ""
            node.body.append(ast.Return())
            for each in ast.walk(node):
                if isinstance(each, ast.Return):
                    each.value = _name("self")
        node.name = self._new(key, owner)
        return node

    def dispatchers(self) -> list[ast.stmt]:
        """Functions that call a moved method of any object, whatever its class."""
        text = ""
        for key in self._sent:
            owners = [
                owner for owner in sorted(self._world.plain) if key in self._world.methods[owner].values()
            ]
            rows = ", ".join(f"{self._leaf}.{owner}: {self._new(key, owner)}" for owner in owners)
            table = next(self._free)
            text += dedent(f"""
                {table} = {{{rows}}}
                def {self._new(key)}(self, *args):
                    method = {table}.get(type(self))
                    return method(self, *args) if method else self.{key[0]}(*args)
            """)
        return ast.parse(text).body

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if self._own is None or node.id in self._own or node.id not in self._world.names:
            return node
        if node.id in self._world.imported:
            self.imports.add(node.id)
            return node
        if ("function", node.id) in self._keys:
            return _name(self._new(("function", node.id)))
        return ast.Attribute(_name(self._leaf), node.id, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if _last(node.value) == self._leaf and ("function", node.attr) in self._keys:
            return _name(self._new(("function", node.attr)))
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name, func = self._of_bundle(node.func), node.func
        self.generic_visit(node)
        if ("class", name) in self._keys:
            made = _name(self._new(("class", name)))
            return ast.Call(made, [ast.Call(node.func, [], []), *node.args], node.keywords)
        if name or not isinstance(func, ast.Attribute):
            return node
        key = next((key for n in (_count(node), -1) if (key := (func.attr, n)) in self._keys), None)
        if key is None:
            return node
        owner = ""
        if self._owner and _last(func.value) == "self":
            if func.attr not in self._world.methods[self._owner]:
                return node
            owner = self._owner
        else:
            self._sent[key] = None
        return ast.Call(_name(self._new(key, owner)), [func.value, *node.args], node.keywords)

    def _of_bundle(self, func: ast.expr) -> str:
        """The name in the bundle that is called; "" for everything else."""
        if isinstance(func, ast.Name):
            return func.id if self._own is not None and func.id not in self._own else ""
        return func.attr if isinstance(func, ast.Attribute) and _last(func.value) == self._leaf else ""

    def _new(self, key: _Key, owner: str = "") -> str:
        place = (owner, key)
        if place not in self._names:
            self._names[place] = next(self._free)
        return self._names[place]


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _words(tree: ast.AST, *, is_bound: bool = False) -> Iterator[str]:
    """Names in the code, or those that it binds for itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not (is_bound and isinstance(node.ctx, ast.Load)):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.split(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_bound:
            yield node.name


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    else:
        yield from _words(node, is_bound=True)


def _short_names() -> Iterator[str]:
    for length in (1, 2):
        for letters in product(ascii_letters, repeat=length):
            yield "_" + "".join(letters)
