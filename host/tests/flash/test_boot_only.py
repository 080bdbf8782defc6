"""What only the start needs is found, and nothing that may be called later."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from greenmast.flash import boot_only

RESIDENT = """
    LIMIT = at_import()

    def at_import():
        return 3

    def by_build():
        return by_both()

    def by_both():
        return 1

    def as_value():
        return 2

    def by_generator():
        return 2

    def by_lambda():
        return 2

    def by_text():
        return 2

    def by_nobody():
        return 2

    class Part:
        def __init__(self):
            self.helped()

        def helped(self):
            pass

        def work(self):
            return by_both()

        def close(self):
            pass

    class Base:
        def __init__(self):
            pass

    class Child(Base):
        def __init__(self):
            Base.__init__(self)

    class Made:
        def __init__(self):
            pass

    class Kin(Made):
        pass
"""
APP = """
    from resident import Part, Kin

    def build():
        by_build()
        part = Part()
        part.close()
        Child()
        Kin()
        task = as_value
        by_text()
        def steps():
            yield by_generator()
        then = lambda: by_lambda()
        return part
"""
OVERLAY = """
    import resident

    def answer(part):
        part.work()
        resident.Made()
        return getattr(resident, "by_text")()
"""


@pytest.fixture
def trees() -> dict[str, ast.Module]:
    sources = {"resident": RESIDENT, "app": APP, "overlay": OVERLAY}
    return {name: ast.parse(dedent(source)) for name, source in sources.items()}


def test_what_is_called_while_starting_only_goes(trees: dict[str, ast.Module]) -> None:
    gone = {
        (owner.name if owner else "", part.name) for owner, part in boot_only.find(trees, "resident", "app")
    }
    assert gone == {
        ("", "at_import"),
        ("", "by_build"),
        ("Part", "__init__"),
        ("Part", "helped"),
        ("Base", "__init__"),
        ("Child", "__init__"),
    }


def test_the_build_lets_go_before_it_returns(trees: dict[str, ast.Module]) -> None:
    parts = boot_only.find(trees, "resident", "app")
    boot_only.drop(trees["app"], "build", "greenmast_fw.resident", parts)
    lines = ast.unparse(trees["app"]).splitlines()
    assert lines[-1].strip() == "return part"
    assert "    from greenmast_fw import resident as started" in lines
    assert "    started.Part.__init__ = None" in lines
    assert "    started.by_build = None" in lines
