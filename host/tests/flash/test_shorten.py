"""Short names for private attributes: fewer names, and every object as it was."""

from __future__ import annotations

import ast
from textwrap import dedent

from greenmast.flash import shorten

SOURCE = """
    class Pump:
        kind = "_fitted"

        def __init__(self):
            self._rate_lpm = 3
            self._total_l = 4
            self._seen = 5
            self._fitted = 6

        def _run(self):
            self._total_l += self._rate_lpm
            return self._total_l

        def read(self):
            return (self._run(), self._rate_lpm, self._seen, getattr(self, self.kind))

    class Valve:
        def __init__(self, pump):
            self._travel = 7
            self._seal = 8
            self.pump = pump

        def read(self):
            return (self._travel, self._seal, self.pump._seen)

    class Safe(Valve):
        def __init__(self, pump):
            Valve.__init__(self, pump)
            self._spring = 9

        def read(self):
            return Valve.read(self) + (self._spring,)

    PUMP = Pump()
    RESULT = (PUMP.read(), Safe(PUMP).read(), sorted(vars(PUMP)), len(vars(Safe(PUMP))))
"""


def run(tree: ast.Module) -> tuple[object, ...]:
    names: dict[str, object] = {}
    exec(compile(ast.unparse(tree), "source", "exec"), names)
    result = names["RESULT"]
    assert isinstance(result, tuple)
    return result


def test_objects_keep_their_values_and_classes_share_the_names() -> None:
    tree = ast.parse(dedent(SOURCE))
    before = run(tree)
    shorten.shorten({"main": tree})
    pump, safe, names, count = run(tree)
    assert (pump, safe) == before[:2]
    # `_seen` is read by another class and `_fitted` is a string: both stay.
    assert names == ["_a", "_c", "_fitted", "_seen"]
    text = ast.unparse(tree)
    assert "def read" in text, "public methods keep their names"
    assert "def _b" in text, "private ones share the short names"
    assert count == 4, "a class and its base share an object"
    assert text.count("self._a = ") == 2, "classes apart share names"


def test_a_short_name_that_is_in_use_is_not_given() -> None:
    source = """
        class Part:
            def __init__(self):
                self._long = 1

            def _a(self):
                return self._long

        RESULT = (Part()._a(),)
    """
    tree = ast.parse(dedent(source))
    shorten.shorten({"main": tree})
    assert run(tree) == (1,)
    assert "self._b = 1" in ast.unparse(tree)


def test_arguments_get_the_same_names_in_every_function_unless_a_call_gives_them_by_name() -> None:
    source = """
        def lower(value_mv, limit_mv, a):
            return [value_mv + limit_mv for limit_mv in (a, limit_mv)]

        def named(value_mv, label):
            return (value_mv, label)

        def failing(error, text_mv):
            try:
                return error / 0
            except ZeroDivisionError as error:
                return (text_mv, str(error) != "")

        def outer(start_mv):
            def inner(step_mv):
                return start_mv + step_mv
            return inner(1)

        RESULT = (lower(1, 2, 3), named(4, label=5), failing(6, 7), outer(8))
    """
    tree = ast.parse(dedent(source))
    before = run(tree)
    shorten.shorten({"main": tree})
    assert run(tree) == before
    text = ast.unparse(tree)
    for line in ("lower(b, c, a)", "named(a, label)", "failing(error, a)", "outer(start_mv)", "inner(a)"):
        assert f"def {line}" in text, text
