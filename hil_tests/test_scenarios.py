"""Every scenario of this folder at level core."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenmast.scenario import run

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_scenario_holds_at_level_core(path: Path) -> None:
    verdict = run.play(str(path), "core")
    told = [f"{f.at_s} s: {f.what}\n  saw {f.saw}\n  " + "\n  ".join(f.context) for f in verdict.failures]
    assert verdict.passed, "\n".join(told)


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 12
