"""What only setting up needs: it does the same from the module that sets up, and nothing else is moved."""

from __future__ import annotations

import ast
from textwrap import dedent
from types import ModuleType
from typing import Any

from greenmast.flash import once

BUNDLE = """
    import json

    LIMIT = 3

    class Part:
        def __init__(self, size):
            self.size = size
            if not size:
                return
            self.tune(LIMIT)

        def tune(self, n):
            self.size += n

        def step(self):
            return self.size

    class Whole:
        def __init__(self, parts):
            self.parts = [Part(n) for n in parts]

        def tune(self, n):
            for part in self.parts:
                part.tune(n)

        def grow(self):
            self.parts.append(Later(7))

        def step(self):
            return [part.step() for part in self.parts]

    class Later:
        def __init__(self, size):
            self.size = size

        def tune(self, n, more):
            self.size += n * more

        def step(self):
            self.tune(2, 10)
            return self.size

    class Base:
        def __init__(self, size):
            self.size = size

        def tune(self, n):
            self.size -= n

    class Kin(Base):
        pass

    def make(text):
        return Whole(json.loads(text))

    def run(f, *args):
        return f(*args)

    def twice(whole):
        whole.tune(1)
        return whole
"""
SETUP = """
    from pack import bundle

    def build(text):
        whole = bundle.run(bundle.twice, bundle.make(text))
        kin = bundle.Kin(9)
        kin.tune(1)
        return whole, kin.size
"""
TASKS = """
    from pack import bundle

    def run(whole):
        whole.grow()
        return bundle.run(whole.step)
"""


def moved(bundle: str = BUNDLE, setup: str = SETUP, **others: str) -> dict[str, ast.Module]:
    texts = {"pack.bundle": bundle, "pack.setup": setup, "pack.tasks": TASKS}
    texts.update({f"pack.{name}": text for name, text in others.items()})
    trees = {name: ast.parse(dedent(text)) for name, text in texts.items()}
    once.once(trees, "pack.bundle", "pack.setup")
    return trees


def defined(tree: ast.Module) -> set[str]:
    """Functions, and methods as "Class.method"."""
    found = {part.name for part in tree.body if isinstance(part, ast.FunctionDef)}
    for part in tree.body:
        if isinstance(part, ast.ClassDef):
            found |= {f"{part.name}.{each.name}" for each in part.body if isinstance(each, ast.FunctionDef)}
    return found


def test_what_is_set_up_is_the_same() -> None:
    trees = moved()
    modules: dict[str, Any] = {}
    for name in ("bundle", "setup"):
        module = ModuleType(name)
        vars(module).update(modules)
        body = [node for node in trees[f"pack.{name}"].body if not ast.unparse(node).startswith("from pack")]
        exec(compile(ast.unparse(ast.Module(body, [])), name, "exec"), vars(module))
        modules[name] = module
    whole, size = modules["setup"].build("[0, 5]")
    assert (whole.step(), size) == ([1, 9], 8)
    whole.grow()
    assert whole.step() == [1, 9, 27]


def test_what_only_setting_up_calls_is_no_longer_in_the_bundle() -> None:
    gone = {"make", "twice", "Part.__init__", "Part.tune", "Whole.__init__", "Whole.tune"}
    assert defined(ast.parse(dedent(BUNDLE))) - defined(moved()["pack.bundle"]) == gone


def test_what_others_call_stays() -> None:
    rare = "from pack import bundle\ndef run(x):\n    bundle.Part(1)\n    x.tune(5)\n"
    stays = {"Part.__init__", "Part.tune", "Whole.tune"}
    assert stays - defined(moved()["pack.bundle"]) == stays
    assert stays <= defined(moved(rare=rare)["pack.bundle"])


def test_a_method_that_is_handed_on_stays() -> None:
    setup = SETUP + "\n    def later(whole):\n        return [whole.tune]\n"
    assert {"Part.tune", "Whole.tune"} <= defined(moved(setup=setup)["pack.bundle"])


def test_an_import_goes_with_its_only_user() -> None:
    trees = moved()
    assert "import json" not in ast.unparse(trees["pack.bundle"])
    assert "import json" in ast.unparse(trees["pack.setup"])
