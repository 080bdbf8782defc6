"""A busy site, and everything between its board and the operator's store fails at random instants.

Nothing that the hub has acknowledged may be lost, nothing stored twice, and what the board itself has dropped
is known to the record. A slice of it here; `make losses N=20 SEED=7` for as long as one likes. The seed
decides what is done and when.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hil_tests.bench import GRID_DEAD, GRID_GOOD, SITE_FILE, House
from hil_tests.ledger import HEADING, Ledger

from greenmast import site as sites
from greenmast.chain import HubProcess
from greenmast.flash import image
from greenmast.hil.bench import Bench
from greenmast.link.base import NoContactError, RefusedError
from greenmast.testing import Mosquitto, wait_for
from greenmast.testing_mqtt import Proxy

FAULTS = int(os.environ.get("GREENMAST_LOSSES", "1"))
SPEED = 4
BUSY = {"telemetry.period_s": 1, "telemetry.full_s": 10}
SECTORS = 5  # of an outbox that is soon full: the least that can be thinned
DRAIN_S = 120.0
STEP_S = 0.15
pytestmark = [pytest.mark.needs("broker", "kill", "flash"), pytest.mark.timeout(240 + 400 * FAULTS)]


class Link(Proxy):
    """The way from board to broker: can go dead (`block`), or break."""

    def cut(self) -> None:
        """Close all connections."""
        for connection in list(self._server._open):
            with suppress(OSError):
                connection.shutdown(2)


class Rig:
    """A house whose board is busy, the link that it talks over, and the ledger."""

    def __init__(self, house: House, link: Link, ledger: Ledger, folder: Path, dice: random.Random) -> None:
        self.house = house
        self.link = link
        self.ledger = ledger
        self.folder = folder
        self.dice = dice
        self.bench = house.bench
        self._grid = True

    def live(self, least_s: float, most_s: float) -> None:
        """Things happen at the site for so long, by the clock on the wall."""
        dice, bench = self.dice, self.bench
        end = time.monotonic() + dice.uniform(least_s, most_s)
        while time.monotonic() < end:
            truths = {"load.power_w": dice.uniform(400, 3_000), "solar.power_w": dice.uniform(0, 2_000)}
            truths |= {"genset.fuel_permille": dice.uniform(400, 900)}
            if self._grid:
                truths |= {"grid.voltage_mv": dice.uniform(215_000, 245_000)}
            if dice.random() < 0.03:
                self._grid = not self._grid
                truths |= GRID_GOOD if self._grid else GRID_DEAD
            bench.plant(truths)
            for _ in range(dice.randrange(3)):  # refused or not, it is an event
                with suppress(NoContactError, RefusedError):
                    bench.link.call("command", {"name": "load.restore", "args": {"tier": 3}})
            time.sleep(STEP_S)
            self.ledger.ask()

    def drain(self) -> None:
        wait_for(self.ledger.is_drained, "everything acknowledged", DRAIN_S, 0.3)


# ---- what fails -------------------------------------------------------------------------------------------


def link_drops(rig: Rig) -> None:
    rig.link.cut()


def link_goes_dead(rig: Rig) -> None:
    rig.link.block()
    rig.live(0.5, 6.0)
    rig.link.unblock()


def broker_is_killed(rig: Rig) -> None:
    rig.house.broker.stop(signal.SIGKILL)
    rig.live(0.0, 3.0)
    rig.house.broker.start()


def broker_is_killed_and_forgets(rig: Rig) -> None:
    rig.house.broker.stop(signal.SIGKILL)
    (rig.folder / "mosquitto.db").unlink(missing_ok=True)
    rig.live(0.0, 3.0)
    rig.house.broker.start()


def hub_is_killed(rig: Rig) -> None:
    rig.house.hub.kill()
    rig.live(0.0, 3.0)
    rig.house.restart_hub()


def board_is_killed(rig: Rig) -> None:
    rig.ledger.ask()
    rig.bench.kill()


def flash_takes_nothing(rig: Rig) -> None:
    """What happens meanwhile cannot be kept, which is told; what was kept before stays."""
    rig.bench.fault("controller", "flash_full")
    before = rig.ledger.dropped()
    wait_for(lambda: rig.live(0.1, 1.0) or rig.ledger.dropped() > before, "a record that is not stored")
    wait_for(lambda: "storage_fault" in rig.bench.alarms(), "the alarm storage_fault")
    rig.bench.heal("controller", "flash_full")


def outbox_is_full(rig: Rig) -> None:
    """Nobody listens for so long that the oldest reports make room for the newest."""
    rig.link.block()
    before = rig.ledger.dropped()
    wait_for(lambda: rig.live(0.1, 3.0) or rig.ledger.dropped() > before, "a full outbox", 240)
    rig.live(0.0, 5.0)
    rig.link.unblock()


Fault = Callable[[Rig], None]
NOTHING_DROPPED: tuple[Fault, ...] = (
    link_drops,
    link_goes_dead,
    broker_is_killed,
    broker_is_killed_and_forgets,
    hub_is_killed,
    board_is_killed,
)
SOME_DROPPED: tuple[Fault, ...] = (flash_takes_nothing, outbox_is_full)


@pytest.fixture
def rig(make_bench: Callable[..., Bench], tmp_path: Path, hil_seed: int) -> Iterator[Rig]:
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path)
        broker.start()
        stack.callback(lambda: broker.stop(signal.SIGKILL))
        link = Link(broker.port)
        stack.callback(link.close)
        hub = HubProcess(broker.url, tmp_path)
        bench = make_bench(
            sites.load(str(SITE_FILE), BUSY),
            plant={**GRID_GOOD, "battery.soc_permille": 800, "solar.power_w": 300},
            speed=SPEED,
            mqtt={"host": "127.0.0.1", "port": link.port},
        )
        house = House(bench, broker, hub, tmp_path)
        stack.callback(lambda: house.hub.stop())
        stack.callback(house.close)
        ledger = Ledger(house, tmp_path)
        stack.callback(ledger.close)
        rig = Rig(house, link, ledger, tmp_path, random.Random(hil_seed))
        bench.until("telemetry acknowledged", lambda: house.acked)
        yield rig


def run(rig: Rig, kinds: tuple[Fault, ...]) -> None:
    """Each kind FAULTS times, a row of the table for it."""
    print(f"\nseed {rig.bench.seed}, {FAULTS} faults of each kind\n{'':30}", " ".join(HEADING))
    ledger = rig.ledger
    for kind in kinds:
        before = ledger.count()
        lost, twice = [], []
        for _ in range(FAULTS):
            rig.live(0.2, 3.0)
            kind(rig)
            lost += ledger.lost()
            twice += ledger.stored_twice()
        rig.drain()
        lost += ledger.lost()
        twice += ledger.stored_twice()
        came = ledger.count() - before
        row = (FAULTS, came.made, came.acknowledged, came.stored, len(lost), len(twice), came.given_up)
        cells = " ".join(f"{value:>{len(head)}}" for head, value in zip(HEADING, row, strict=True))
        print(f"{kind.__name__.replace('_', ' '):30}", cells, flush=True)
        assert not lost
        assert not twice
        assert not ledger.ambiguous()
        assert not ledger.unlike(), "the store has every event as the board's log has it"
        assert came.stored > 0, "nothing happened: the count would be empty"
        assert not ledger.unlisted(), "the operator sees what is missing"
        assert ledger.count().given_up <= ledger.dropped(), "what is missing the board has counted"
    rig.bench.nothing_went_dark_or_parallel()
    assert "MemoryError" not in rig.bench.chain.log.read_text()


def test_no_acknowledged_record_is_lost_and_none_stored_twice(rig: Rig) -> None:
    run(rig, NOTHING_DROPPED)
    assert rig.ledger.dropped() == 0


@pytest.fixture
def small_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(image.RINGS, "outbox", SECTORS)


@pytest.mark.usefixtures("small_outbox")
def test_what_a_full_flash_could_not_keep_is_counted_on_both_sides_and_nothing_else_is_missing(
    request: pytest.FixtureRequest,
) -> None:
    rig: Rig = request.getfixturevalue("rig")
    run(rig, SOME_DROPPED)
    assert rig.ledger.dropped() > 0
