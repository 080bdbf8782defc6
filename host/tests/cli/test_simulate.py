"""`greenmast simulate`: JSON as promised, a page, a map; what is wrong is said before anything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast.errors import UserError
from greenmast.simulate.command import sweep_of

runner = CliRunner()
KEYS = (
    "site policy days seed diesel_l grid_kwh cost co2_kg availability genset_starts genset_hours switches "
    "battery_cycles violations speed baselines bound"
)


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """As a person would: workers are processes of their own."""
    return subprocess.run(
        [sys.executable, "-m", "greenmast", "simulate", *args],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip


@pytest.mark.timeout(900)  # the first run on a machine compiles
def test_a_comparison_gives_json_and_a_page_and_is_resumed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    args = ["india-rural", "--days", "1", "--compare", "grid-only", "--bound", "--json"]
    kept = ("--keep", str(tmp_path / "runs"), "--report", str(page))
    done = run(*args, *kept)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert list(found) == KEYS.split()
    assert found["baselines"]["grid-only"]["days"] == 1
    assert found["bound"]["cost"] <= found["cost"]
    assert found["violations"] == {}
    assert "<svg" in page.read_text(encoding="utf-8")
    again = run(*args, *kept)
    assert "2 of 2 runs are there already" in again.stderr
    second = json.loads(again.stdout)
    del found["bound"]["seconds"], second["bound"]["seconds"]
    assert second == found


@pytest.mark.timeout(900)
def test_a_sweep_gives_a_map_with_the_best_cell(tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    done = run("off-grid", "--days", "1", "--sweep", "solar.kwp=4:8:4", "--report", str(page))
    assert done.returncode == 0, done.stderr
    assert "solar.kwp" in done.stdout
    assert "*" in done.stdout
    assert "solar.kwp" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("no-such-site",), 2, "unknown site"),
        (("india-rural", "--set", "solar.kwpp=3"), 2, "solar.kwp"),
        (("india-rural", "--set", "solar.kwp"), 2, "KEY=VALUE"),
        (("india-rural", "--set", "solar.kwp=-3"), 5, "[solar] kwp"),
        (("india-rural", "--sweep", "solar.kwp=9:3:1"), 2, "FIRST:LAST:STEP"),
        (("india-rural", "--start", "yesterday"), 2, "2025-01-01"),
        (("india-rural", "--figure", "beauty"), 2, "cost"),
        (("india-rural", "--plan", "oracle"), 2, "persistence"),
        (("india-rural", "--compare", "dg-frist"), 2, "dg-first"),
        (("japan-urban", "--compare", "dg-first"), 2, "genset"),
        (("india-rural", "--weather", "nowhere.epw"), 2, "nowhere.epw"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(args: tuple[str, ...], code: int, words: str) -> None:
    done = runner.invoke(app, ["simulate", *args])
    assert done.exit_code == code, done.stderr
    assert words in done.stderr
    assert "simulated s/s" not in done.stderr


def test_a_sweep_is_a_range_or_a_list() -> None:
    assert sweep_of("solar.kwp=3:4:0.5") == ("solar.kwp", (3, 3.5, 4))
    assert sweep_of("battery.capacity_ah=200,400") == ("battery.capacity_ah", (200, 400))
    for text in ("solar.kwp", "=1,2", "solar.kwp=a,b", "solar.kwp=1:2:0"):
        with pytest.raises(UserError, match="write KEY="):
            sweep_of(text)
