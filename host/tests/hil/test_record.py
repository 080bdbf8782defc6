"""What is kept of a run: enough of a long one, and a picture that a browser can read."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from greenmast import site as sites
from greenmast.hil.real import difference
from greenmast.hil.record import Recorder
from greenmast.plant import Plant, PlantConfig

SITE = sites.load("india-rural")


def recorder() -> Recorder:
    start = datetime(2026, 6, 15, tzinfo=UTC)
    return Recorder(SITE, Plant(PlantConfig.from_site(SITE.plant), start=start, sun=False))


def test_a_long_run_is_thinned_evenly_to_its_end() -> None:
    run = recorder()
    for _ in range(20_000):
        run.plant.step(0.5)
        run.sample()
    assert 1_000 < len(run.times) <= 4_000
    gaps = [later - earlier for earlier, later in zip(run.times, run.times[1:], strict=False)]
    assert max(gaps) <= 2 * min(gaps)
    assert run.times[-1] > 9_990


def test_times_count_from_the_beginning_of_the_story(tmp_path: Path) -> None:
    run = recorder()
    for step in range(40):
        run.plant.step(0.5)
        run.sample()
        run.exchange("meters", 1, b"\x03\x00", None if step % 2 else b"\x03\x02")
        run.told({"source.ac": step // 20})
        if step == 19:
            run.zero_s = run.plant.time_s
            run.pin("output", "grid", 1, 1)
    run.begin("battery silent <&>").to_s = run.plant.time_s + 3
    run.mark("killed")
    folder = run.save(tmp_path / "trace", "A & B", ["again: x"], failed_s=[9.5])
    rows = list(csv.DictReader((folder / "plant.csv").read_text(encoding="utf-8").splitlines()))
    assert float(rows[0]["time_s"]) == -9.5
    assert float(rows[-1]["time_s"]) == 10.0
    assert (folder / "pins.csv").read_text(encoding="utf-8").splitlines()[1] == "0.00,output,grid,1,1"
    told = (folder / "told.csv").read_text(encoding="utf-8").splitlines()
    assert told[1:] == ["-9.50,source.ac,0", "0.50,source.ac,1"]  # changes only
    bus = (folder / "bus-meters.txt").read_text(encoding="utf-8").splitlines()
    assert bus[1:3] == ["-9.50 1 0300 0302", "-9.00 1 0300 -"]
    picture = ElementTree.parse(folder / "plot.svg").getroot()
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "A & B" in texts
    assert "1  battery silent <&>, 10.0 s to 13.0 s" in texts
    assert "red: a check failed at 9.5 s" in texts


def test_a_run_of_which_nothing_was_seen_can_be_saved(tmp_path: Path) -> None:
    folder = recorder().save(tmp_path / "trace", "nothing", [])
    assert "nothing was recorded" in (folder / "plot.svg").read_text(encoding="utf-8")
    assert "What was done:\n  nothing" in (folder / "README.txt").read_text(encoding="utf-8")


def test_two_configurations_differ_where_they_differ() -> None:
    ours = SITE.board_config()
    theirs = SITE.board_config(revision=9, mqtt={"host": "elsewhere"})
    assert difference(ours, theirs) == []
    theirs["params"] = theirs["params"] | {"grid.return_delay_s": 7}
    del theirs["outputs"]["pv"]
    told = difference(ours, theirs)
    assert told[0].startswith("outputs.pv: None on the board, {'pin': 41")
    assert told[1] == "params.grid.return_delay_s: 7 on the board, 120 in the site file"
