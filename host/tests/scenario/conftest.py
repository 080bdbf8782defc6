"""Scenario files written on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from greenmast.scenario import document
from greenmast.scenario.core_level import CoreRun
from greenmast.scenario.document import Scenario
from greenmast.scenario.judge import Failure

HEAD = """
title = "test"
site = "india-rural"
levels = ["core"]
duration = "10m"
[start]
"grid.voltage_mv" = 230000
"grid.frequency_chz" = 5000
"battery.soc_permille" = 700
"load.power_w" = 2000
"solar.power_w" = 0
"genset.fuel_permille" = 700
"""

Write = Callable[..., Path]
Load = Callable[..., Scenario]
Play = Callable[..., list[Failure]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(text)`: a file of a calm site and `text`; `whole=True`: of `text` alone."""

    def write(text: str, *, whole: bool = False, name: str = "story.toml") -> Path:
        path = tmp_path / name
        path.write_text(text if whole else HEAD + text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def load(write: Write) -> Load:
    return lambda text, **how: document.load(write(text, **how))


@pytest.fixture
def play(load: Load) -> Play:
    """The failures of a story at level core."""
    return lambda text, **how: CoreRun(load(text, **how)).run()
