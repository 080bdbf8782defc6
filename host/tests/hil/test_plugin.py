"""The pytest plugin as another repository uses it: tests start a pytest of their own in another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

STORY = """
title = "The grid fails"
site = "india-rural"
levels = {levels}
duration = "30s"
[start]
"battery.soc_permille" = 700
"grid.voltage_mv" = 230000
"grid.frequency_chz" = 5000
"load.power_w" = 2000
"solar.power_w" = 0
[[at]]
time = "5s"
plant = {{ "grid.voltage_mv" = 0, "grid.frequency_chz" = 0 }}
[[expect]]
after = "5s"
by = "20s"
that = "source.ac == {source}"
"""


def story(path: Path, source: str = "none", levels: str = '["core"]') -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(STORY.format(source=source, levels=levels), encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    story(tmp_path / "stories" / "holds.toml")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    return tmp_path


def pytest_in(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "greenmast.hil.plugin", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_files_that_merely_lie_there_are_not_collected(run: Path) -> None:
    code, said = pytest_in(run, "-q")
    assert code == 5, said  # no tests: neither the story nor pyproject.toml


def test_named_by_option_by_ini_or_by_path_a_scenario_is_a_test(run: Path) -> None:
    for arguments in (
        ["--scenarios=stories/*.toml"],
        ["-o", "hil_scenarios=stories/*.toml"],
        ["stories/holds.toml"],
    ):
        code, said = pytest_in(run, "-v", *arguments)
        assert code == 0, said
        assert "stories/holds.toml::core PASSED" in said
        assert "1 passed" in said
    assert not (run / "hil-traces").exists()


def test_a_pattern_that_names_nothing_is_an_error_not_a_pass(run: Path) -> None:
    code, said = pytest_in(run, "--scenarios=storys/*.toml")
    assert code == 4
    assert "no such file: storys/*.toml" in said


def test_a_failure_tells_what_was_seen_and_where_its_traces_are(run: Path) -> None:
    story(run / "stories" / "breaks.toml", "genset")
    code, said = pytest_in(run, "--scenarios=stories/*.toml", "--hil-seed=7")
    assert code == 1
    assert "[[expect]] 1 source.ac == genset" in said
    assert "saw: source.ac = none" in said
    assert "genset off: no demand" in said
    folder = run / "hil-traces" / "stories" / "breaks-core"
    assert str(folder) in said.partition("traces of what failed")[2]
    assert "--level core --seed 7" in (folder / "README.txt").read_text(encoding="utf-8")
    rows = (folder / "plant.csv").read_text(encoding="utf-8").splitlines()
    assert {"time_s", "grid.voltage_mv", "contactor.grid"} <= set(rows[0].split(","))
    assert len(rows) > 20
    assert (folder / "breaks.toml").is_file()


def test_a_file_that_is_not_right_lists_every_problem(run: Path) -> None:
    story(run / "stories" / "bad.toml", "gensett")
    path = run / "stories" / "bad.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("duration", "duraton"), encoding="utf-8")
    code, said = pytest_in(run, "--scenarios=stories/*.toml")
    assert code == 2
    assert "duraton: no such key; did you mean: duration" in said
    assert "no such word: gensett; did you mean: genset" in said


def test_a_level_that_a_file_is_not_for_is_counted_with_its_reason(run: Path) -> None:
    code, said = pytest_in(run, "--scenarios=stories/*.toml", "--level=hil")
    assert code == 0, said
    assert "1 skipped" in said
    assert "1  the file is for core" in said.partition("not on this bench: 1 tests")[2]


def test_a_file_that_can_be_played_nowhere_is_a_failure(run: Path) -> None:
    story(run / "stories" / "nowhere.toml", levels='["sim"]')
    code, said = pytest_in(run, "--scenarios=stories/nowhere.toml")
    assert code == 1
    assert "not run at this level: this version has no level sim" in said


def test_a_bus_without_a_board_is_refused(run: Path) -> None:
    code, said = pytest_in(run, "--bus=/dev/ttyUSB7")
    assert code == 4
    assert "--bus goes with --board" in said


def test_loading_the_plugin_loads_neither_firmware_nor_emulator() -> None:
    program = """
import sys, greenmast.hil.plugin
heavy = ("greenmast_fw", "greenmast.emulator", "greenmast.plant", "greenmast.scenario", "pymodbus")
print(*[name for name in sys.modules if name.startswith(heavy)], end="")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("", "")
