"""Every scenario of this folder at level core, short stories at level hil."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from greenmast.scenario import run

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
STORIES = sorted((Path(__file__).parent / "stories").glob("*.toml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenario_holds_at_level_core(path: Path) -> None:
    verdict = run.play(str(path), "core")
    told = [f"{f.at_s} s: {f.what}\n  saw {f.saw}\n  " + "\n  ".join(f.context) for f in verdict.failures]
    assert verdict.passed, "\n".join(told)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_holds_at_level_hil_as_at_level_core(
    path: Path, play_scenario: Callable[..., None]
) -> None:
    assert run.play(str(path), "core").passed
    play_scenario(path, "hil", speed=4)


def test_the_table_of_rules_lists_every_scenario_and_only_what_exists() -> None:
    root = Path(__file__).parent.parent
    told: list[set[str]] = [set(), set(), set()]
    for line in (root / "docs" / "rules.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| rule "):
            cells = line.strip("| ").split(" | ")
            assert len(cells) == 4, line
            for names, cell in zip(told, cells[1:], strict=True):
                names.update(re.findall(r"`([^`]+)`", cell))
    scenarios, tests, modules = told
    assert scenarios == {path.stem for path in SCENARIOS}
    for folder in ("firmware/tests/core", "protocol/tests"):
        tests -= {path.stem for path in (root / folder).glob("test_*.py")}
    assert not tests
    assert modules <= {path.stem for path in (root / "firmware/greenmast_fw/core").glob("*.py")}


STORY = """
site = "india-rural"
levels = ["hil"]
duration = "50s"
[start]
"battery.soc_permille" = 700
"grid.voltage_mv" = 230000
"grid.frequency_chz" = 5000
"load.power_w" = 2000
"solar.power_w" = 0
[[at]]
time = "4s"
fault = { on = "battery", kind = "silent", for = "20s" }
[[at]]
time = "15s"
plant = { "grid.voltage_mv" = 0, "grid.frequency_chz" = 0 }
[[at]]
time = "30s"
fault = { on = "controller", kind = "reset" }
[[expect]]
by = "4s"
that = ["source.ac == grid", "battery.soc_permille > 600", "alarm.grid_lost == 0"]
[[expect]]
after = "15s"
by = "25s"
hold = "3s"
that = ["source.ac == none", "feedback.grid == 0"]
[[expect]]
after = "30s"
by = "45s"
that = ["controller.boot == 2", "battery.soc_permille > 600"]
[[always]]
that = "output.load1 == 1"
[[always]]
that = "battery.soc_permille > 750"
[[expect]]
after = "17s"
by = "40s"
that = "source.ac == genset"
"""


def test_at_level_hil_what_is_so_holds_and_what_is_not_so_fails(tmp_path: Path) -> None:
    path = tmp_path / "story.toml"
    path.write_text(STORY, encoding="utf-8")
    verdict = run.play(str(path), "hil", run.How(speed=3, traces=tmp_path / "traces"))
    assert [failure.what.split(" in ")[0] for failure in verdict.failures] == [
        "[[always]] 2 battery.soc_permille > 750",
        "[[expect]] 4 source.ac == genset",
    ], verdict
    always, expect = verdict.failures
    assert always.saw.startswith("battery.soc_permille = 7")
    assert expect.saw == "source.ac = none"
    assert any("no demand" in line for line in expect.context)
    kept = {file.name for file in Path(verdict.traces).iterdir()}
    assert kept == {
        "README.txt", "bus-meters.txt", "bus-power.txt", "configuration.json", "console.log",
        "line-meters.jsonl", "line-power.jsonl", "pins.csv", "plant.csv", "plot.svg", "story.toml",
        "told.csv",
    }  # fmt: skip
