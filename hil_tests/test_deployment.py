"""The other way to deploy: code loaded from flash into the heap, for boards with external RAM."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from hil_tests.bench import GRID_GOOD

from greenmast import site as sites
from greenmast.chain import Chain
from greenmast.emulator.board import POWER_ON
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for


def test_the_firmware_loaded_from_flash_takes_over_and_answers_within_its_heap(tmp_path: Path) -> None:
    site = sites.load("india-rural")

    def make_world(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        unheard = {"host": "127.0.0.1", "port": 1}  # the client is loaded and tries
        return World(site, tmp_path, mqtt=unheard, start=start, romfs=False, on_log=log)

    chain = Chain(make_world, tmp_path / "board.log")
    for name, value in GRID_GOOD.items():
        chain.world.plant.set_truth(name, value)
    with chain, SerialLink(chain.world.board.console) as link:
        wait_for(lambda: reading.get(link, ["source.ac"]).values["source.ac"] == 1, "grid in use", 60, 0.2)
        for _ in range(3):
            assert link.call("explain")["rows"]
            assert len(reading.get(link).values) > 80
        assert chain.world.board.resets == [POWER_ON], chain.last_words()
        assert "MemoryError" not in chain.log.read_text()
