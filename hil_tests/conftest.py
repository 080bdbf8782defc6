"""The site of the benches, and the whole house as a fixture:

a bench (see `greenmast.hil.plugin`), a real Mosquitto, a hub with SQLite.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hil_tests.bench import GRID_GOOD, SITE_FILE, House

from greenmast import site as sites
from greenmast.chain import HubProcess
from greenmast.hil.bench import Bench
from greenmast.site import Site
from greenmast.testing import Mosquitto


@pytest.fixture
def bench_site(request: pytest.FixtureRequest) -> Site:
    return sites.load(request.config.getoption("--hil-site") or str(SITE_FILE))


@pytest.fixture
def house(bench_site: Site, make_bench: Callable[..., Bench], tmp_path: Path) -> Iterator[House]:
    """A site whose grid is good and whose board has taken over."""
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path)
        broker.start()
        stack.callback(lambda: broker.stop(signal.SIGKILL))
        hub = HubProcess(broker.url, tmp_path)
        bench = make_bench(
            bench_site,
            plant={**GRID_GOOD, "battery.soc_permille": 320, "solar.power_w": 300},
            speed=2,
            mqtt={"host": "127.0.0.1", "port": broker.port},
        )
        house = House(bench, broker, hub, tmp_path)
        stack.callback(lambda: house.hub.stop())
        stack.callback(house.close)
        bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
        bench.until("telemetry acknowledged", lambda: house.acked)
        yield house
