"""The compiled loop: the same run to the last bit, and sources with their constants written out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from greenmast.simulate import native
from greenmast.simulate.native_build import final

RUN = Path(__file__).with_name("native_run.py")


def run(*arguments: str) -> list[str]:
    command = [sys.executable, str(RUN), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1_800)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


@pytest.mark.timeout(1_800)  # the first time it is built
def test_the_compiled_run_is_the_plain_run_bit_for_bit_through_an_outage_and_a_genset_run() -> None:
    if native.missing():
        pytest.skip(f"{native.missing()}: make native")
    *plain, plain_file = run()
    *compiled, compiled_file = run("compiled")
    assert plain_file.endswith("loop.py")
    assert compiled_file.endswith(native.SUFFIX)
    for one, other in zip(plain, compiled, strict=True):
        assert other == one
    seen = "\n".join(plain)
    assert "('genset.starts', 1.0)" in seen, "the genset has not run"
    assert "('grid.voltage_mv', 0.0)" in seen, "the grid has not failed"
    assert seen.count("\nevent ") > 5


def made(text: str) -> ModuleType:
    module = ModuleType("made")
    exec(text, module.__dict__)
    return module


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A = 2 + 3\n", "A: Final = 5\n"),
        ("A = 0.5 * 3\n", "A: Final = 1.5\n"),
        ("A, B = 1, 2\n", "A: Final = 1\nB: Final = 2\n"),
        ("A = 'x' + 'y'\n", "A: Final[str] = ('x' + 'y')\n"),
        ("A = tuple([1, 2])\n", "A: Final[tuple[int, ...]] = (tuple([1, 2]))\n"),
        (
            "A = ((1, 'x'),\n     (2, 'y'))\n",
            "A: Final[tuple[tuple[int, str], ...]] = (((1, 'x'),\n     (2, 'y')))\n",
        ),
    ],
)
def test_constants_become_final_and_numbers_are_written_out(text: str, says: str) -> None:
    assert final(text, made(text)) == "from typing import Final\n" + says


@pytest.mark.parametrize(
    "text",
    [
        "A = []\n",  # may be changed
        "A = float('inf')\n",  # has no literal
        "A = (1, 'x')\n",  # of fixed length: would be copied at every look
        "TYPE_CHECKING = False\n",
        "A = 1\nA = 2\n",
        "A = 1\n\n\ndef change() -> None:\n    global A\n    A = 2\n",
        "for A in range(3):\n    pass\n",
    ],
)
def test_what_may_change_or_has_no_literal_stays(text: str) -> None:
    assert final(text, made(text)) == "from typing import Final\n" + text.replace(
        "A = float('inf')", "A: Final[float] = (float('inf'))"
    )


def test_what_is_added_stands_behind_docstring_and_future_imports() -> None:
    text = '"""Doc."""\n\nfrom __future__ import annotations\n\nA = 7\n'
    said = final(text, made(text))
    assert (
        said == '"""Doc."""\n\nfrom __future__ import annotations\nfrom typing import Final\n\nA: Final = 7\n'
    )
    assert made(said).A == 7


def test_without_a_compiler_the_run_stays_plain_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(native.CHOICE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    told: list[str] = []
    tell: Callable[[str], None] = told.append
    assert native.built(tell) is None
    assert not native.use(tell)
    assert all("no-such-compiler" in line for line in told)
    assert len(told) == 2
    assert not list(tmp_path.iterdir())


def test_a_build_that_fails_leaves_nothing_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(native.CHOICE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(native, "missing", lambda: "")
    left = tmp_path / "greenmast" / "building-left"
    left.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    told: list[str] = []
    assert native.built(told.append) is None
    assert "failed" in told[-1]
    assert [path.name for path in left.parent.iterdir()] == ["native.lock"]
