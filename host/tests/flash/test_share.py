"""Shared names: the same program by shorter names, and what others ask for keeps its own."""

from __future__ import annotations

import ast
import re
import subprocess
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from greenmast import site as sites
from greenmast.emulator import runtime
from greenmast.flash import build, share

BUNDLE = """
    LIMIT = 3

    class Grid:
        def __init__(self):
            self.voltage = 230
            self.frequency = 50
            self.named = 1

        def judge(self):
            return self.voltage - LIMIT

    class Genset(Grid):
        def crank(self):
            return self.judge() + self.frequency

    class BrokenError(Exception):
        pass

    def look(thing):
        return getattr(thing, "named") + thing.voltage
"""
OUT = """
    from pack import bundle

    genset = bundle.Genset()
    genset.frequency = 60
    RESULT = (genset.crank(), bundle.look(genset), bundle.BrokenError.__name__, bundle.LIMIT)
"""
PROGRAM = """
import micropython, sys
compile("0 .a", "", "eval")
micropython.qstr_info()
while True:
    name = sys.stdin.readline().strip()
    if not name:
        break
    compile("0 ." + name, "", "eval")
    micropython.qstr_info()
"""


def shared(keep: tuple[str, ...] = ()) -> tuple[dict[str, ast.Module], dict[str, str]]:
    trees = {"pack.bundle": ast.parse(dedent(BUNDLE)), "pack.out": ast.parse(dedent(OUT))}
    return trees, share.share(trees, share.members(trees), "pack.bundle", keep)


def test_the_program_does_the_same() -> None:
    trees, _ = shared()
    bundle: Any = ModuleType("bundle")
    exec(compile(ast.unparse(trees["pack.bundle"]), "bundle", "exec"), vars(bundle))
    out = {"bundle": bundle}
    body = ast.Module(trees["pack.out"].body[1:], [])
    exec(compile(ast.unparse(body), "out", "exec"), out)
    assert out["RESULT"] == (287, 231, "BrokenError", 3)  # type: ignore[comparison-overlap]


def test_names_that_meet_in_one_object_stay_different() -> None:
    short = shared()[1]
    members = [short[name] for name in ("voltage", "frequency", "judge", "crank")]
    assert len(set(members)) == 4


def test_names_are_shared_by_what_never_meets() -> None:
    short = shared()[1]
    assert len(set(short.values())) < len(short)


@pytest.mark.parametrize("name", ["named", "BrokenError"])
def test_what_is_asked_for_by_name_keeps_it(name: str) -> None:
    assert name not in shared()[1]


def test_what_is_to_be_kept_is() -> None:
    assert not {"voltage", "look"} & set(shared(keep=("voltage", "look"))[1])


def test_no_name_of_micropython_itself_is_taken_from_our_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may call them: `readblocks` of a partition, `write` of a stream. Its own names take no heap."""
    renamed: dict[str, str] = {}
    attributes = share._attributes

    def note(*args: Any) -> dict[str, str]:
        renamed.update(attributes(*args))
        return renamed

    monkeypatch.setattr(share, "_attributes", note)
    monkeypatch.setattr(build, "_firmware", build._firmware.__wrapped__)
    monkeypatch.setattr(build, "_compile", lambda source: (source[0], b""))
    build.firmware(sites.load("india-rural"))
    given = subprocess.run(
        [runtime.find(), "-c", PROGRAM],
        input="".join(f"{name}\n" for name in sorted(renamed)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    counts = [int(count) for count in re.findall(r"n_qstr=(\d+)", given.stdout)]
    assert len(counts) == len(renamed) + 1 > 200
    own = [name for name, a, b in zip(sorted(renamed), counts, counts[1:], strict=False) if a == b]
    assert not own, "MicroPython has these itself: they belong to share._ITS_OWN"
