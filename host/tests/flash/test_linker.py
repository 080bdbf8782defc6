"""The linker: what reaches the board means the same as the sources, without what the board does not need."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from greenmast.flash import linker
from greenmast_protocol import points


def linked(*roots: str, **sources: str) -> dict[str, str]:
    """Modules `a`, `b` .. of one package, linked from the roots."""
    modules = {f"pack.{name}": dedent(text) for name, text in sources.items()}
    out = linker.link(modules, [f"pack.{root}" for root in roots])
    return {name.removeprefix("pack."): f"{ast.unparse(tree)}\n" for name, tree in out.items()}


def test_constants_of_other_modules_become_their_values() -> None:
    out = linked(
        "main",
        main="from pack import a\nfrom pack.a import TWO\nprint(a.ONE, TWO, a.WORD)\n",
        a="ONE = 1\nTWO = ONE + 1\nWORD = 'word'\n",
    )
    assert out["main"] == "print(1, 2, 'word')\n"
    assert "a" not in out


def test_tables_are_looked_up_here_and_not_on_the_board() -> None:
    source = "from greenmast_protocol import points\n_BUS = points.index('dc.bus_mv')\nprint(_BUS)\n"
    out = linker.link({"greenmast_protocol.points": "", "main": source}, ["main"])
    assert list(out) == ["main"]
    assert ast.unparse(out["main"]) == f"print({points.index('dc.bus_mv')})"


def test_what_is_worked_out_at_import_is_a_literal() -> None:
    main = """
        _ROWS = ((1, 2), (3, 4))
        _FIRST = bytes([row[0] for row in _ROWS])
        _LAST = tuple([row[1] for row in _ROWS])
        print(_FIRST, _LAST)
    """
    assert (
        linked("main", main=main)["main"] == "_FIRST = b'\\x01\\x03'\n_LAST = (2, 4)\nprint(_FIRST, _LAST)\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "LIMIT = 1\nLIMIT = 2\nprint(LIMIT)\n",
        "LIMIT = 1\n\ndef f(LIMIT):\n    return LIMIT\nprint(LIMIT, f(2))\n",
        "LIMIT = 1\n\ndef f():\n    global LIMIT\n    LIMIT = 2\nf()\nprint(LIMIT)\n",
    ],
    ids=["bound twice", "an argument", "a global"],
)
def test_a_name_bound_in_two_places_is_no_constant(source: str) -> None:
    assert linked("main", main=source)["main"] == source


def test_definitions_that_nobody_mentions_go_and_with_them_what_only_they_need() -> None:
    used = """
        from pack import b
        import json

        def used():
            return Kept()

        def unused():
            return b.deep(json)

        class Kept:
            def __init__(self):
                self.run()

            def run(self):
                pass

            def idle(self):
                pass
    """
    out = linked("main", main="from pack import a\na.used()\n", a=used, b="def deep(x):\n    return x\n")
    assert sorted(out) == ["a", "main"]
    assert "def run" in out["a"]
    for gone in ("unused", "idle", "json", "import"):
        assert gone not in out["a"], gone


def test_what_is_reached_through_an_object_or_by_a_string_stays() -> None:
    main = """
        class Part:
            def restore(self):
                pass

            def other(self):
                pass

        getattr(Part(), "restore")()
        print(__import__("pack.product").product.LIMITS)
    """
    out = linked("main", "product", main=main, product="LIMITS = (1, 2)\nSPARE = (3, 4)\n")
    assert "def restore" in out["main"]
    assert "def other" not in out["main"]
    assert out["product"] == "LIMITS = (1, 2)\n"


def test_annotations_docstrings_and_what_is_for_type_checkers_go() -> None:
    main = """
        'What it is.'

        TYPE_CHECKING = False
        if TYPE_CHECKING:
            from typing import Any

        class A:
            'What it is.'

            __slots__ = ("x",)

            def __init__(self, x: "Any") -> None:
                'What it does.'
                self.x: int = x

        print(A(1).x)
    """
    expected = """
        class A:

            def __init__(self, x):
                self.x = x
        print(A(1).x)
    """
    assert linked("main", main=main)["main"] == dedent(expected).lstrip()
