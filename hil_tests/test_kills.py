"""SIGKILL at random instants of a running story: switching, cranking, on load, writing to flash.

A slice of it here; `make kills N=100 SEED=7` for as long as one likes. The seed decides what is done and
when.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from hil_tests.bench import GRID_DEAD, GRID_GOOD

from greenmast.emulator.world import World
from greenmast.hil.bench import Bench
from greenmast.hil.real import difference
from greenmast.site import Site

KILLS = int(os.environ.get("GREENMAST_KILLS", "8"))
LONGEST_S = 40.0  # of the site, from a boot to the next kill
TRAVEL_S = 0.03  # contactors differ by less than that
WRITE_MS = 3.0  # about as long as the record of a boot takes
pytestmark = [
    pytest.mark.needs("kill", "flash"),
    pytest.mark.timeout(180 + 30 * KILLS),
    pytest.mark.bench(
        speed=4, plant={**GRID_GOOD, "battery.soc_permille": 320, "solar.power_w": 0, "load.power_w": 1_500}
    ),
]


def test_a_board_killed_at_random_instants_goes_on_as_its_site_needs_it(
    bench: Bench, bench_site: Site, hil_seed: int
) -> None:
    print(f"seed {hil_seed}, {KILLS} kills")
    dice = random.Random(hil_seed)
    world = bench.chain.world
    assert isinstance(world, World)
    config = bench_site.board_config(mqtt={})
    hits: Counter[str] = Counter()
    bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
    boot = bench.boot()
    dead = False
    while hits.total() < KILLS:
        dead = dice.random() < (0.4 if dead else 0.8)
        truths = GRID_DEAD if dead else GRID_GOOD
        bench.plant({**truths, "battery.soc_permille": dice.choice((270, 285, 600))})
        bench.elapse(dice.uniform(0.0, LONGEST_S))
        hits[f"ac {bench.word('source.ac')}, genset {bench.word('genset.state')}"] += 1
        bench.kill()
        if dice.random() < 0.5:
            wait_for_write(world.flash)
            time.sleep(dice.uniform(0.0, WRITE_MS) / 1_000)
            hits["booting"] += 1
            bench.kill()
        before, boot = boot, next_boot(bench, boot)
        assert before < boot <= len(world.board.resets), "boots count up, none twice"
        assert not difference(config, bench.link.call("config.get"))
        assert bench.point("controller.safe_mode") == 0
        nothing_is_wrong(world, bench, hits.total())
    bench.plant({**GRID_GOOD, "battery.soc_permille": 900})
    bench.until("grid in use in the end", lambda: bench.word("source.ac") == "grid", 240)
    bench.until("genset off in the end", lambda: bench.word("genset.state") == "off", 240)
    nothing_is_wrong(world, bench, hits.total())
    assert bench.boot() == boot, "no boot that nobody asked for"
    print("killed with", dict(hits))


def next_boot(bench: Bench, boot: int) -> int:
    """Number of the boot after `boot`, as soon as the board tells it."""
    bench.until(f"a boot after {boot}", lambda: bench.boot() != boot)
    return bench.boot()


def nothing_is_wrong(world: World, bench: Bench, kills: int) -> None:
    """No board closed both AC contactors, and the load was never dark.

    When a board dies on the genset, both contactors fall into their idle positions at once, one of them
    milliseconds before the other: that is the cabinet's doing, not the board's.
    """

    def look() -> tuple[float, float]:
        return world.plant.violations["both_ac_closed_s"], world.plant.unpowered_s

    overlap_s, unpowered_s = bench.chain.do(look)
    assert not bench.violations()
    assert overlap_s <= TRAVEL_S * kills
    assert unpowered_s == 0


def wait_for_write(flash: Path) -> None:
    """Until the file changes: the board counts its boot. Returns within a moment of it."""
    written_ns = flash.stat().st_mtime_ns
    end = time.monotonic() + 20
    while flash.stat().st_mtime_ns == written_ns:
        assert time.monotonic() < end, "the board does not write"
        time.sleep(0.0002)
