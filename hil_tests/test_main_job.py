"""The main job on the whole chain in real time:

outage, and the death of board and broker in the middle of things.
"""

from __future__ import annotations

import signal
import time

import pytest
from hil_tests.bench import GRID_DEAD, GRID_GOOD, House

from greenmast.emulator.board import WATCHDOG_RESET
from greenmast_protocol import points

pytestmark = pytest.mark.needs("broker", "kill")

NONE, GRID, GENSET = (points.AC_SOURCES.index(name) for name in ("none", "grid", "genset"))
OFF, ON_LOAD = (points.GENSET_STATES.index(name) for name in ("off", "on_load"))


def test_the_grid_fails_the_battery_carries_the_genset_starts_the_grid_returns(house: House) -> None:
    bench = house.bench
    bench.plant({**GRID_DEAD, "battery.soc_permille": 295})
    bench.until("grid left", lambda: bench.point("source.ac") == NONE)
    assert bench.truth("battery.current_ma") < 0, "the battery carries"
    assert bench.point("load.power_w")
    bench.until("genset on load", lambda: bench.point("genset.state") == ON_LOAD)
    bench.until("genset feeds the bus", lambda: bench.truth("genset.power_w") > 500)
    assert bench.point("source.ac") == GENSET
    bench.plant(GRID_GOOD)
    bench.until("grid in use again", lambda: bench.point("source.ac") == GRID)
    bench.until("genset off", lambda: bench.point("genset.state") == OFF, 90)
    bench.until("engine stopped", lambda: bench.truth("genset.rpm") == 0)
    bench.nothing_went_dark_or_parallel()
    statistics = bench.statistics()
    assert statistics["modbus"]["errors"] == 0
    house.no_acknowledged_record_is_lost()


def test_the_board_killed_on_genset_resumes_and_no_acknowledged_record_is_lost(house: House) -> None:
    bench = house.bench
    bench.plant({**GRID_DEAD, "battery.soc_permille": 295})
    bench.until("genset on load", lambda: bench.point("genset.state") == ON_LOAD)
    boot = bench.boot()
    bench.kill()
    bench.until("next boot", lambda: bench.boot() == boot + 1)
    bench.until("a source in use again", lambda: bench.point("source.ac") == GENSET, 120)
    bench.until("telemetry of the new boot acknowledged", lambda: boot + 1 in house.acked)
    bench.nothing_went_dark_or_parallel()
    house.no_acknowledged_record_is_lost()


def test_broker_and_board_killed_cost_no_record(house: House) -> None:
    bench = house.bench
    boot = bench.boot()
    house.broker.stop(signal.SIGKILL)
    before = bench.statistics()["telemetry"]["seq"]
    bench.plant(GRID_DEAD)  # the site goes on meanwhile, and there is something to tell
    bench.until("grid left", lambda: bench.point("source.ac") == NONE)
    time.sleep(5)
    told = bench.statistics()["telemetry"]["seq"]
    assert told > before, "reports were made while the broker was down"
    bench.kill()
    bench.until("next boot", lambda: bench.boot() == boot + 1)
    numbers = [record["n"] for record in bench.log() if record["boot"] == boot]
    assert numbers == list(range(1, len(numbers) + 1)), "every event is in the log"
    assert len(numbers) > 3
    house.broker.start()
    bench.until("everything acknowledged", lambda: house.acked.get(boot, 0) >= told, 120)
    assert house.stored()[boot][:told] == list(range(1, told + 1)), "no gap, nothing twice"
    bench.until("the new boot's too", lambda: house.acked.get(boot + 1, 0) > 1, 60)
    assert bench.statistics()["telemetry"]["dropped"] == 0
    house.no_acknowledged_record_is_lost()


def test_the_hub_killed_and_restarted_costs_no_record(house: House) -> None:
    bench = house.bench
    boot = bench.boot()
    house.hub.kill()
    bench.plant(GRID_DEAD)
    bench.until("grid left", lambda: bench.point("source.ac") == NONE)
    told = bench.statistics()["telemetry"]["seq"]
    house.restart_hub()
    bench.until("everything acknowledged", lambda: house.acked.get(boot, 0) >= told, 120)
    assert house.stored()[boot][:told] == list(range(1, told + 1)), "no gap, nothing twice"
    house.no_acknowledged_record_is_lost()


def test_a_hub_that_has_lost_its_store_soon_knows_all_values_again(house: House) -> None:
    bench = house.bench
    boot = bench.boot()
    bench.until("all values on the page", lambda: len(house.shown()) > 80)
    before = house.shown()
    known = house.acked[boot]
    house.hub.kill()
    house.forget()
    house.restart_hub()
    bench.until("all values on the page", lambda: house.shown() >= before, 20)
    bench.until("acknowledged again", lambda: house.acked.get(boot, 0) > known, 20)
    missing = [gap for gap in house.gaps() if not gap["awaited"]]
    assert [(gap["boot"], gap["first"]) for gap in missing] == [(boot, 1)], "what the old store had"
    assert min(house.stored()[boot]) == missing[0]["last"] + 1


def test_a_board_that_hangs_is_reset_by_its_watchdog_and_resumes(house: House) -> None:
    bench = house.bench
    boot = bench.boot()
    board = bench.chain.world.board
    bench.fault("controller", "hang")  # no scan completes any more, so nobody feeds
    bench.until("watchdog reset", lambda: board.resets[-1] == WATCHDOG_RESET)
    bench.until("next boot", lambda: bench.boot() == boot + 1)
    bench.until("grid in use again", lambda: bench.point("source.ac") == GRID)
    bench.nothing_went_dark_or_parallel()
