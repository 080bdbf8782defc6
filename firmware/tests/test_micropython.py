"""The plain tests of the firmware's folders under the real MicroPython."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
LAUNCH = HERE.parents[1] / "protocol" / "tests" / "micropython_launch.py"
PLAIN = runpy.run_path(str(LAUNCH))["plain_modules"]  # some folders have none: they need what CPython has
FOLDERS = [folder for folder in sorted({path.parent for path in HERE.glob("*/test_*.py")}) if PLAIN(folder)]


@pytest.mark.timeout(450)
@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_every_plain_test_passes_under_micropython_too(folder: Path) -> None:
    command = [sys.executable, str(LAUNCH), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=430, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
