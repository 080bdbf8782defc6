"""Lets public names share short ones: each distinct name takes heap, and their table grows by doubling.

- Attributes and methods that our classes define. Every mention of one name, on whatever object, gets the same
  new one; names that may occur in one object stay different.
- Names of the bundle.
A name stays where it may be asked for from outside: as a string or by an argument's name, of a module, by
MicroPython (`_ITS_OWN`), its modules or the machine's drivers. Exceptions keep theirs: messages have them.

Works on the syntax trees that `shorten` and `once` leave, all modules together.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from itertools import product
from string import ascii_letters

# What MicroPython itself is built with costs nothing, and it may ask our objects for it.
_ITS_OWN = {
    "add",
    "append",
    "clear",
    "close",
    "config",
    "connect",
    "decode",
    "drain",
    "encode",
    "end",
    "extend",
    "flags",
    "format",
    "full",
    "get",
    "index",
    "insert",
    "ioctl",
    "join",
    "keys",
    "lock",
    "open",
    "parse",
    "peek",
    "pop",
    "put",
    "read",
    "readblocks",
    "readinto",
    "release",
    "remove",
    "replace",
    "reset",
    "run",
    "send",
    "set",
    "sleep",
    "start",
    "stop",
    "target",
    "tell",
    "ticks_ms",
    "ticks_us",
    "update",
    "v",
    "value",
    "values",
    "wait",
    "write",
    "writeblocks",
}
_NO_SHIM = frozenset({"network"})  # modules that only real boards have: nobody knows the names in there

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def members(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Attribute or method -> families of classes that it occurs in, as long as classes have their methods."""
    families = _families(trees)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for tree in trees.values():
        for part in _classes(tree):
            for name in _defined(part):
                found[name].add(families[part.name])
    return found


def share(
    trees: Mapping[str, ast.Module], members: Mapping[str, set[str]], bundle: str, keep: Collection[str]
) -> dict[str, str]:
    """Rename in place; returns old -> new. `keep`: names that stay."""
    given = _attributes(trees, members, {*keep, *_outside(trees)})
    return given | _globals(trees, bundle, set(keep))


def _attributes(
    trees: Mapping[str, ast.Module], members: Mapping[str, set[str]], kept: set[str]
) -> dict[str, str]:
    own = {name for name in members if name not in kept and not name.startswith("__")}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    others = {node.attr for node in nodes if isinstance(node, ast.Attribute)} | set(members)
    others -= own
    taken: defaultdict[str, set[str]] = defaultdict(set)
    short: dict[str, str] = {}
    # Those of many families first: they leave the least choice.
    for name in sorted(own, key=lambda name: (-len(members[name]), name)):
        short[name] = next(
            new
            for new in _short_names()
            if new not in others and not any(new in taken[family] for family in members[name])
        )
        for family in members[name]:
            taken[family].add(short[name])
    for node in nodes:
        if isinstance(node, ast.Attribute):
            node.attr = short.get(node.attr, node.attr)
    for tree in trees.values():
        for part in _classes(tree):
            for each in part.body:
                if isinstance(each, _Function):
                    each.name = short.get(each.name, each.name)
                else:
                    for node in ast.walk(each):  # names in a class's own statements are its attributes
                        if isinstance(node, ast.Name):
                            node.id = short.get(node.id, node.id)
    return short


def _defined(part: ast.ClassDef) -> Iterator[str]:
    """Attributes and methods that a class has, as far as it says."""
    for each in part.body:
        if isinstance(each, _Function):
            yield each.name
        else:
            yield from (
                n.id for n in ast.walk(each) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            )
    for node in ast.walk(part):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node.attr


def _outside(trees: Mapping[str, ast.Module]) -> set[str]:
    """Names that others may ask for."""
    found = _ITS_OWN | _drivers()
    for tree in trees.values():
        nodes = list(ast.walk(tree))
        imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        aliases = {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names}
        is_unknown = _NO_SHIM & {alias.name for node in imports for alias in node.names}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
            elif isinstance(node, ast.alias):
                found.update(node.name.split("."))
            elif isinstance(node, ast.Attribute) and (is_unknown or _root(node) in aliases):
                found.add(node.attr)
    return found


def _root(node: ast.Attribute) -> str:
    return node.value.id if isinstance(node.value, ast.Name) else ""


def _drivers() -> set[str]:
    """Every name in what stands for the machine's drivers on the virtual board."""
    found: set[str] = set()
    for file in (resources.files("greenmast.emulator") / "shim").iterdir():
        if file.name.endswith(".py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, _Definition):
                    found.add(node.name)
                elif isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Name):
                    found.add(node.id)
    return found


def _globals(trees: Mapping[str, ast.Module], bundle: str, kept: set[str]) -> dict[str, str]:
    tree, leaf = trees[bundle], bundle.rpartition(".")[2]
    nodes = list(ast.walk(tree))
    own = dict.fromkeys(
        name
        for node in tree.body
        if not (isinstance(node, ast.ClassDef) and node.bases)
        for name in _bound(node)
        if name not in kept
    )
    methods = {each.name for part in _classes(tree) for each in part.body if isinstance(each, _Function)}
    others = {node.id for node in nodes if isinstance(node, ast.Name)}
    others |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    others |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    others |= {node.name for node in nodes if isinstance(node, _Definition)} - methods
    others -= set(own)
    short = dict(zip(own, (new for new in _short_names() if new not in others), strict=False))
    for node in nodes:
        if isinstance(node, ast.Name):
            node.id = short.get(node.id, node.id)
        elif isinstance(node, ast.Global):
            node.names = [short.get(name, name) for name in node.names]
    for part in tree.body:
        if isinstance(part, _Definition):
            part.name = short.get(part.name, part.name)
    for other in trees.values():
        for node in ast.walk(other):
            is_of_bundle = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if other is not tree and is_of_bundle and node.value.id == leaf:  # type: ignore[attr-defined]
                node.attr = short.get(node.attr, node.attr)  # type: ignore[attr-defined]
    return short


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module binds, imports apart."""
    if isinstance(node, _Definition):
        yield node.name
    elif not isinstance(node, ast.Import | ast.ImportFrom):
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _families(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Class name -> a name for all classes that may share an object with it. Namesakes count as one."""
    family: dict[str, str] = {}

    def head(name: str) -> str:
        while family.setdefault(name, name) != name:
            name = family[name]
        return name

    for tree in trees.values():
        for part in _classes(tree):
            head(part.name)
            for base in part.bases:
                name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                family[head(part.name)] = head(name)
    return {name: head(name) for name in list(family)}


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (part for part in tree.body if isinstance(part, ast.ClassDef))


def _short_names() -> Iterator[str]:
    for length in (1, 2):
        for letters in product(ascii_letters, repeat=length):
            yield "_" + "".join(letters)
