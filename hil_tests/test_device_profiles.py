"""The deployed firmware on a bus of products that ask more of it than reading fixed registers.

A meter whose models are walked and that measures three phases, a genset that only its controller starts, and
a relay module.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import resources
from pathlib import Path

from hil_tests.bench import GRID_DEAD, GRID_GOOD, PARAMETERS, SITE

from greenmast import site as sites
from greenmast.chain import Chain
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for

REPLACED = (
    ('profile = "eastron-sdm230"', 'profile = "sunspec-meter"'),
    ('profile = "dse-7320"', 'profile = "comap-il4"'),
    ("[output.genset_start]\npin = 48\n", '[output.genset_start]\ndevice = "genset"\n'),
    ("[output.alarm_minor]\npin = 39\n", '[output.alarm_minor]\npin = "io.8"\n'),
    (
        "[[device.solar]]",
        '[[device.io]]\nprofile = "waveshare-relay-8ch"\nbus = "power"\naddress = 5\n\n[[device.solar]]',
    ),
)


def site_of(folder: Path) -> sites.Site:
    text = (resources.files("greenmast") / "sites" / f"{SITE}.toml").read_text(encoding="utf-8")
    for old, new in REPLACED:
        assert old in text
        text = text.replace(old, new)
    file = folder / "products.toml"
    file.write_text(text, encoding="utf-8")
    return sites.load(str(file), PARAMETERS)


def test_a_walked_meter_and_a_genset_that_its_controller_starts(tmp_path: Path) -> None:
    site = site_of(tmp_path)

    def make_world(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        # Three phases and a relay module are more points than a board without external RAM has room for.
        return World(site, tmp_path, start=start, speed=3, romfs=False, on_log=log)

    chain = Chain(make_world, tmp_path / "board.log")
    for name, value in GRID_GOOD.items():
        chain.world.plant.set_truth(name, value)
    with chain, SerialLink(chain.world.board.console) as link:

        def values(*names: str) -> tuple[int | None, ...]:
            found = reading.get(link, list(names)).values
            return tuple(found[name] for name in names)

        phases = [f"grid.l{phase}_voltage_mv" for phase in (1, 2, 3)]
        wait_for(lambda: all(values(*phases)), "three phases of a walked meter", 60, 0.2)
        wait_for(lambda: values("genset.auto", "genset.running") == (1, 0), "a genset at rest", 60, 0.2)
        wait_for(lambda: values("device.online") == (1,), "all devices", 60, 0.2)

        def grid_fails() -> None:
            for name, value in {**GRID_DEAD, "battery.soc_permille": 200}.items():
                chain.world.plant.set_truth(name, value)

        chain.do(grid_fails)
        wait_for(lambda: values("output.genset_start", "genset.running") == (1, 1), "a start", 90, 0.2)
        assert "MemoryError" not in chain.log.read_text()
