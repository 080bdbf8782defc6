"""The plain tests of this folder under the real MicroPython."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
LAUNCH = FOLDER / "micropython_launch.py"


def launch(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LAUNCH), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)


def test_every_plain_test_passes_under_micropython_too() -> None:
    done = launch(FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def test_a():\n    pass\n\ndef test_b():\n    assert 1 == 2\n", "RAN 2 FAILED 1"),
        ("x = 1\n", "RAN 0 FAILED 0"),
        ("def test_a():\n    pass\n\nif 1 == 1:\n    del test_a\n", "RAN 0 FAILED 0"),
        ("def test_a(:\n", "SyntaxError"),
    ],
    ids=["a failing test", "no test", "a lost test", "not even a module"],
)
def test_a_run_counts_as_passed_only_if_every_test_ran(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "test_sample.py").write_text(source)
    done = launch(tmp_path)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
