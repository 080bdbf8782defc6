"""Gives short names, which all share, to what nobody asks for by name: each name takes heap on the board.

- Private attributes and methods, as far as a class alone mentions them: a name that begins with one
  underscore, is defined in a class or assigned as `self._name` there and occurs in no other way (on another
  object, as a string or as a name of a module). Names that occur together in a class, or
  in one and its bases, stay different.
- Private functions and values of a module that nothing else mentions.
- Arguments of functions that no call gives by name.
What is public keeps its name, so that a traceback can be read.

Works on the syntax trees that `linker` gives, all modules together.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from itertools import count, product
from string import ascii_letters, ascii_lowercase
from typing import TypeGuard

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def shorten(trees: Mapping[str, ast.Module]) -> None:
    """Rename in place."""
    _shorten_attributes(trees)
    _shorten_globals(trees)
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


def _shorten_globals(trees: Mapping[str, ast.Module]) -> None:
    words = {name: [word for node in ast.walk(tree) for word in _words(node)] for name, tree in trees.items()}
    for name, tree in trees.items():
        elsewhere = {word for other in trees if other != name for word in words[other]}
        own = dict.fromkeys(_globals(tree))
        nodes = list(ast.walk(tree))
        # A name that also stands for something local, or occurs in another way, keeps itself.
        local = {word for part in nodes if _is_scope(part) for word in _bound(part)}
        others = {w for node in nodes if not isinstance(node, ast.Name | _Function) for w in _words(node)}
        methods = {
            part.name
            for each in nodes
            if isinstance(each, ast.ClassDef)
            for part in each.body
            if _is_function(part)
        }
        plain = [word for word in own if word not in elsewhere | local | others | methods]
        taken = set(words[name])
        free = (new for new in _short_names() if new not in taken)
        short = dict(zip(plain, free, strict=False))
        for node in nodes:
            if isinstance(node, ast.Name):
                node.id = short.get(node.id, node.id)
            elif isinstance(node, _Function):
                node.name = short.get(node.name, node.name)
            elif isinstance(node, ast.Global):
                node.names = [short.get(word, word) for word in node.names]


def _is_scope(part: ast.AST) -> bool:
    return isinstance(part, _Function | ast.Lambda | ast.comprehension | ast.ClassDef)


def _bound(scope: ast.AST) -> set[str]:
    """Names that a scope binds for itself."""
    inside = list(ast.walk(scope))
    stored = {node.id for node in inside if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return stored.difference(*(node.names for node in inside if isinstance(node, ast.Global)))


def _globals(tree: ast.Module) -> Iterator[str]:
    """Private names that a module defines: functions and values."""
    for part in tree.body:
        if _is_function(part):
            names = [part.name]
        elif isinstance(part, ast.Assign):
            names = [target.id for target in part.targets if isinstance(target, ast.Name)]
        else:
            names = []
        yield from (name for name in names if _is_private(name))


def _is_function(part: ast.AST) -> TypeGuard[_Function]:
    return isinstance(part, _Function)


def _is_private(name: str) -> bool:
    return name[0] == "_" != name[1:2]


def _shorten_attributes(trees: Mapping[str, ast.Module]) -> None:
    own, known = _names(trees)
    families = _families(trees)
    members: defaultdict[str, set[str]] = defaultdict(set)  # private name -> families that it occurs in
    for tree in trees.values():
        for part in _classes(tree):
            for name in (*(node.attr for node in _of_self(part)), *(each.name for each in _methods(part))):
                if name in own:
                    members[name].add(families[part.name])
    taken: defaultdict[str, set[str]] = defaultdict(set)  # family -> short names given there
    short: dict[str, str] = {}
    # Those of many families first: they leave the least choice.
    for name in sorted(members, key=lambda name: (-len(members[name]), name)):
        new = next(new for new in _short_names() if _is_free(new, known, members[name], taken))
        short[name] = new
        for family in members[name]:
            taken[family].add(new)
    for tree in trees.values():
        for found in ast.walk(tree):
            if isinstance(found, ast.Attribute):
                found.attr = short.get(found.attr, found.attr)
        for part in _classes(tree):
            for method in _methods(part):
                method.name = short.get(method.name, method.name)


def _is_free(new: str, known: set[str], families: set[str], taken: Mapping[str, set[str]]) -> bool:
    return new not in known and not any(new in taken[family] for family in families)


def _names(trees: Mapping[str, ast.Module]) -> tuple[set[str], set[str]]:
    """Attributes that may be renamed, and all other names and words there are."""
    stored: set[str] = set()
    private: set[int] = set()  # nodes that are `self._name`, or define it, in a class
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
            and _is_private(node.attr)
        ):
            yield node


def _methods(part: ast.ClassDef) -> Iterator[_Function]:
    """Private methods of a class."""
    return (each for each in part.body if _is_function(each) and _is_private(each.name))


def _short_names() -> Iterator[str]:
    for length in count(1):
        for letters in product(ascii_letters, repeat=length):
            yield "_" + "".join(letters)
