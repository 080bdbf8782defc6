"""What is compiled for a board: every name in it is there, and what the board does not need is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from greenmast.flash import build
from greenmast.site import load


def test_the_linked_firmware_mentions_no_name_that_it_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(source: tuple[str, str]) -> tuple[str, bytes]:
        path, text = source
        (tmp_path / path.replace("/", "-")).write_text(text)
        return path, b""

    monkeypatch.setattr(build, "_compile", keep)
    monkeypatch.setattr(
        build, "_firmware", build._firmware.__wrapped__
    )  # what was built before, was compiled
    files = build.firmware(load("india-rural"))
    assert "main.py" in files
    assert "greenmast_fw/services/app.py" in files
    assert "greenmast_protocol/param_text.py" not in files
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "F401,F811,F821",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
