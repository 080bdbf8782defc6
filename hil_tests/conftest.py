"""The demo chain as a fixture:

a site, its board under real MicroPython, a real Mosquitto, a hub with SQLite.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest
from hil_tests.bench import GRID_GOOD, PARAMETERS, SITE, Bench

from greenmast import site as sites
from greenmast.chain import Chain, HubProcess
from greenmast.emulator.world import World
from greenmast.testing import Mosquitto


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A site whose grid is good and whose board has taken over."""
    site = sites.load(SITE, PARAMETERS)
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path)
        broker.start()
        stack.callback(lambda: broker.stop(signal.SIGKILL))
        hub = HubProcess(broker.url, tmp_path)

        def make_world(log: Callable[[str], None]) -> World:
            return World(
                site,
                tmp_path,
                mqtt={"host": "127.0.0.1", "port": broker.port},
                seed=1,
                start=datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone),
                on_log=log,
            )

        chain = Chain(make_world, tmp_path / "board.log")
        for name, value in {**GRID_GOOD, "battery.soc_permille": 320, "solar.power_w": 300}.items():
            chain.world.plant.set_truth(name, value)
        stack.enter_context(chain)
        bench = Bench(chain, broker, hub, tmp_path)
        stack.callback(lambda: bench.hub.stop())
        stack.callback(bench.close)
        bench.until("grid in use", lambda: bench.point("source.ac") == 1)
        bench.until("telemetry acknowledged", lambda: bench.acked)
        yield bench
