"""What is compiled for a board: every name in it is there, and what the board does not need is not."""

from __future__ import annotations

import dataclasses
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
    monkeypatch.setattr(build, "_firmware", build._firmware.__wrapped__)  # nothing of this is kept
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


def test_a_board_carries_its_own_table_and_the_drivers_that_its_site_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "_compile", lambda source: (source[0], b""))
    monkeypatch.setattr(build, "_firmware", build._firmware.__wrapped__)
    virtual = load("india-rural")
    relays = dataclasses.replace(virtual, board="waveshare-esp32-s3-relay-6ch")
    chips = dataclasses.replace(virtual, board="kincony-kc868-a16")
    on_bus = [dataclasses.replace(o, pin=200) if o.name == "load3" else o for o in virtual.outputs]
    module = dataclasses.replace(virtual, outputs=tuple(on_bus))
    optional = ("drivers/at_rest.py", "drivers/expander.py", "services/remote.py")
    for site, carried in (
        (virtual, ()),
        (relays, optional[:1]),
        (chips, optional[:2]),
        (module, optional[2:]),
    ):
        files = build.firmware(site)
        assert tuple(name for name in optional if f"greenmast_fw/{name}" in files) == carried
        tables = [path for path in files if path.startswith("greenmast_fw/boards/")]
        own = f"greenmast_fw/boards/{site.board.replace('-', '_')}.py"
        assert sorted(tables) == sorted(["greenmast_fw/boards/__init__.py", own])
