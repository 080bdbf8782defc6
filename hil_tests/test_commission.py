"""A whole commissioning visit to the board as deployed: devices, signs, contactors, genset, sheet."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from hil_tests.bench import GRID_GOOD, PARAMETERS, SITE

from greenmast import site as sites
from greenmast.chain import Chain
from greenmast.commission import engine, run, switching
from greenmast.commission.result import FAILED, NOT_DONE
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for

SPEED = 4


def test_a_visit_proves_the_site_and_leaves_it_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "SETTLE_S", 2.0)
    monkeypatch.setattr(switching, "MEAN_S", 1.0)
    monkeypatch.setattr(engine, "LOADED_S", 4.0)
    site = sites.load(SITE, PARAMETERS)
    start = datetime(2025, 4, 15, 22, tzinfo=site.timezone)
    with Chain(
        lambda log: World(site, tmp_path, seed=1, speed=SPEED, start=start, on_log=log), tmp_path / "log"
    ) as chain:
        for name, value in {**GRID_GOOD, "battery.soc_permille": 600}.items():
            chain.world.plant.set_truth(name, value)
        with SerialLink(chain.world.board.console) as link:
            wait_for(
                lambda: reading.get(link, ["source.ac"]).values["source.ac"] == 1, "grid in use", 60, 0.5
            )
            page = tmp_path / "sheet.html"
            code = run.run(link, ask=lambda question: True, report_file=page, critical=True, json_output=True)
            after = reading.get(link, ["source.ac", "output.load1", "output.load2", "output.load3"]).values
        violations = chain.do(lambda: dict(chain.world.plant.violations))
    told = json.loads(capsys.readouterr().out)
    bad = [row for rows in told["sections"].values() for row in rows if row["verdict"] in (FAILED, NOT_DONE)]
    assert bad == []
    assert code == 0
    assert after == {"source.ac": 1, "output.load1": 1, "output.load2": 1, "output.load3": 1}
    assert not any(violations.values()), violations
    assert page.read_text(encoding="utf-8").count("<svg") == 2
