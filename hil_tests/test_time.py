"""The board's wall clock at work: hours of the day mean something once a time server has told it the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from hil_tests.bench import GRID_DEAD, PARAMETERS, SITE

from greenmast import site as sites
from greenmast.chain import Chain
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for

SPEED = 10
TEN_THIRTY = 10 * 60 + 30
# The genset's window is open for these ten minutes of the site's local time, and the battery needs nothing.
WINDOW = {
    "genset.window_start_min": TEN_THIRTY - 5,
    "genset.window_end_min": TEN_THIRTY + 5,
    "telemetry.period_s": 30,
}


def test_the_window_opens_by_local_time_and_only_when_the_time_is_known(tmp_path: Path) -> None:
    site = sites.load(SITE, PARAMETERS | WINDOW)

    def make_world(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        unheard = {"host": "127.0.0.1", "port": 1}
        return World(site, tmp_path, mqtt=unheard, start=start, speed=SPEED, time_server=True, on_log=log)

    chain = Chain(make_world, tmp_path / "board.log")
    server = chain.world.time_server
    assert server
    server.fault = "silent"
    for name, value in {**GRID_DEAD, "battery.soc_permille": 700}.items():
        chain.world.plant.set_truth(name, value)
    with chain, SerialLink(chain.world.board.console) as link:

        def point(name: str) -> int | None:
            return reading.get(link, [name]).values[name]

        wait_for(lambda: server.asked >= 1, "a round without an answer", 60, 0.2)
        assert point("controller.time_trusted") == 0
        assert point("output.genset_start") == 0
        server.fault = ""
        wait_for(lambda: point("controller.time_trusted") == 1, "a trusted clock", 60, 0.2)
        wait_for(lambda: point("output.genset_start") == 1, "the genset in its window", 60, 0.2)
        gap_ms = link.call("hello", {"statistics": True})["statistics"]["scan_gap_max_ms"]
        print("longest time between scans, ms:", gap_ms)
        assert "MemoryError" not in chain.log.read_text()
