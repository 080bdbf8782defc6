"""The bundle: modules put together mean the same as apart, seen from inside and from outside."""

from __future__ import annotations

import ast
import sys
from textwrap import dedent
from types import ModuleType

from greenmast.flash import bundle

A = """
    from pack import b
    from pack.b import name as label

    LIMIT = 1

    class Part:
        size = LIMIT

        def run(self, name):
            return [name, b.name(self.size), label(2), run()]

    def run():
        return b.count()
"""
B = """
    import sys

    LIMIT = 5
    _total = 0

    def name(i):
        LIMIT = i
        return (i, LIMIT, "b")

    def count():
        global _total
        _total += LIMIT
        return _total
"""
OUT = """
    from pack import a
    from pack.b import LIMIT

    RESULT = [a.Part().run("x"), a.LIMIT, LIMIT, a.run()]
"""


def run(sources: dict[str, ast.Module]) -> object:
    """`RESULT` of the module `out` when all run in this order."""
    before = set(sys.modules)
    sys.modules["pack"] = package = ModuleType("pack")
    try:
        for name, tree in sources.items():
            module = ModuleType(name)
            exec(compile(ast.unparse(tree), name, "exec"), module.__dict__)
            sys.modules[name] = module
            setattr(package, name.removeprefix("pack."), module)
        return sys.modules["pack.out"].__dict__["RESULT"]
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]


def trees() -> dict[str, ast.Module]:
    return {f"pack.{name}": ast.parse(dedent(text)) for name, text in (("b", B), ("a", A), ("out", OUT))}


def test_a_bundle_means_the_same_as_its_modules() -> None:
    apart = run(trees())
    together = trees()
    inside = bundle.loaded_with("pack.a", together)
    assert inside == ["pack.b", "pack.a"]
    bundle.bundle(together, inside, "pack.all")
    assert sorted(together) == ["pack.all", "pack.out"]
    assert run({name: together[name] for name in ("pack.all", "pack.out")}) == apart
    assert apart == [["x", (1, 1, "b"), (2, 2, "b"), 5], 1, 5, 10]
