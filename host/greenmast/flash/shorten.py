"""Gives short names, which all share, to what nobody asks for by name: each name takes heap on the board.

- Private attributes and methods, as far as a class alone mentions them: a name that begins with one
  underscore, is assigned as `self._name` or defined in a class and occurs in no other way (on another object,
  as a string or as a name of a module). Names that occur together in a class, or in one and its bases, stay
  different.
- Arguments of functions that no call gives by name.
Public methods and functions keep their names, so that a traceback can be read.

Works on the syntax trees that `linker` gives, all modules together.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from itertools import count, product
from string import ascii_letters, ascii_lowercase

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def shorten(trees: Mapping[str, ast.Module]) -> None:
    """Rename in place."""
    _shorten_attributes(trees)
    _shorten_arguments(trees)


def _shorten_arguments(trees: Mapping[str, ast.Module]) -> None:
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    given = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    for function in nodes:
        if isinstance(function, _Function):
            inside = list(ast.walk(function))
            # One inside another would need care about whose name is whose: there are few.
            if not any(isinstance(node, _Function | ast.Lambda) for node in inside[1:]):
                _shorten_of(function, inside, given)


def _shorten_of(function: _Function, inside: list[ast.AST], given: Set[str | None]) -> None:
    others = [node for node in inside if isinstance(node, ast.alias | ast.ExceptHandler)]
    bound = {word for node in others for word in _words(node)}  # anew, by other statements than assignments
    names = [arg.arg for arg in function.args.args if len(arg.arg) > 1]
    plain = [name for name in names if name not in {"self", *given, *bound}]
    words = {word for node in inside for word in _words(node)}
    free = (name for name in ascii_lowercase if name not in words)
    short = dict(zip(plain, free, strict=False))
    for node in inside:
        if isinstance(node, ast.Name):
            node.id = short.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = short.get(node.arg, node.arg)


def _shorten_attributes(trees: Mapping[str, ast.Module]) -> None:
    own, known = _names(trees)
    families = _families(trees)
    members: defaultdict[str, set[str]] = defaultdict(set)  # private name -> families that it occurs in
    for tree in trees.values():
        for part in _classes(tree):
            for node in _of_self(part):
                if node.attr in own:
                    members[node.attr].add(families[part.name])
            for method in _methods(part):
                if method.name in own:
                    members[method.name].add(families[part.name])
    taken: defaultdict[str, set[str]] = defaultdict(set)  # family -> short names given there
    short: dict[str, str] = {}
    # Those of many families first: they leave the least choice.
    for name in sorted(members, key=lambda name: (-len(members[name]), name)):
        new = next(new for new in _short_names() if _is_free(new, known, members[name], taken))
        short[name] = new
        for family in members[name]:
            taken[family].add(new)
    for tree in trees.values():
        for part in _classes(tree):
            for method in _methods(part):
                method.name = short.get(method.name, method.name)
        for found in ast.walk(tree):
            if isinstance(found, ast.Attribute):
                found.attr = short.get(found.attr, found.attr)


def _is_free(new: str, known: set[str], families: set[str], taken: Mapping[str, set[str]]) -> bool:
    return new not in known and not any(new in taken[family] for family in families)


def _names(trees: Mapping[str, ast.Module]) -> tuple[set[str], set[str]]:
    """Attributes that may be renamed, and all other names and words there are."""
    stored: set[str] = set()
    private: set[int] = set()  # nodes that are `self._name` in a class, or define it
    for tree in trees.values():
        for part in _classes(tree):
            for node in _of_self(part):
                private.add(id(node))
                if isinstance(node.ctx, ast.Store):
                    stored.add(node.attr)
            for method in _methods(part):
                private.add(id(method))
                stored.add(method.name)
    known = {
        word
        for tree in trees.values()
        for node in ast.walk(tree)
        if id(node) not in private
        for word in _words(node)
    }
    return stored - known, known


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.alias):
        yield node.asname or node.name
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _families(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Class name -> a name for all classes that may share an object with it. Namesakes count as one."""
    family: dict[str, str] = {}

    def head(name: str) -> str:
        while family.setdefault(name, name) != name:
            name = family[name]
        return name

    for tree in trees.values():
        for part in _classes(tree):
            for base in part.bases:
                for node in ast.walk(base):
                    if isinstance(node, ast.Attribute | ast.Name):
                        family[head(part.name)] = head(
                            node.attr if isinstance(node, ast.Attribute) else node.id
                        )
            head(part.name)
    return {name: head(name) for name in family}


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (part for part in tree.body if isinstance(part, ast.ClassDef))


def _of_self(part: ast.ClassDef) -> Iterator[ast.Attribute]:
    """`self._name` in a class."""
    for node in ast.walk(part):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
            and node.attr[0] == "_" != node.attr[1:2]
        ):
            yield node


def _methods(part: ast.ClassDef) -> Iterator[_Function]:
    """Private methods of a class."""
    for node in part.body:
        if isinstance(node, _Function) and node.name[0] == "_" != node.name[1:2]:
            yield node


def _short_names() -> Iterator[str]:
    for length in count(1):
        for letters in product(ascii_letters, repeat=length):
            yield "_" + "".join(letters)
