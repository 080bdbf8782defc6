"""What a bench offers, on a virtual board or a real one: with these a flashed controller is tried."""

from __future__ import annotations

import pytest
from hil_tests.bench import GRID_DEAD, GRID_GOOD

from greenmast.hil.bench import Bench
from greenmast.link.base import RefusedError

# A real board takes its time.
pytestmark = pytest.mark.bench(
    speed=3, plant={**GRID_GOOD, "battery.soc_permille": 320, "solar.power_w": 0, "load.power_w": 2_000}
)

# One of each device.
MEASURED = ("grid.voltage_mv", "battery.current_ma", "solar.power_w", "load.power_w", "genset.oil_kpa")


def test_an_outage_is_carried_by_the_battery_and_ended_by_the_grid(bench: Bench) -> None:
    bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
    assert bench.outputs()["grid"]
    # A real board was there before its devices were.
    bench.until("every device answers", lambda: None not in bench.points(*MEASURED).values())
    before = bench.statistics()["modbus"]
    bench.plant(GRID_DEAD)
    bench.until("grid left", lambda: bench.word("source.ac") == "none")
    bench.until("grid contactor open", lambda: not bench.outputs()["grid"])
    assert bench.truth("battery.current_ma") < 0, "the battery carries"
    assert any("grid lost" in line for line in bench.explain())
    bench.plant(GRID_GOOD)
    bench.until("grid in use again", lambda: bench.word("source.ac") == "grid")
    bench.nothing_went_dark_or_parallel()
    assert not bench.alarms() & {"grid_welded", "grid_fail_to_close", "feedback_mismatch"}
    after = bench.statistics()["modbus"]
    assert after["requests"] > before["requests"]
    assert after["errors"] == before["errors"]


def test_a_device_that_falls_silent_is_not_believed_and_later_forgiven(bench: Bench) -> None:
    bench.until("current known", lambda: bench.point("battery.current_ma") is not None)
    bench.fault("battery", "silent")
    bench.until("current unknown", lambda: bench.point("battery.current_ma") is None)
    bench.heal("battery", "silent")
    bench.until("current known again", lambda: bench.point("battery.current_ma") is not None)


def test_a_reset_counts_and_the_board_takes_over_again(bench: Bench) -> None:
    boot = bench.boot()
    bench.reset()
    bench.until("next boot", lambda: bench.boot() == boot + 1)
    bench.until("grid in use again", lambda: bench.word("source.ac") == "grid")
    bench.nothing_went_dark_or_parallel()


def test_a_command_is_applied_or_refused_with_its_code(bench: Bench) -> None:
    bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
    assert bench.command("load.shed", tier=3, for_s=4) == {"tier": 3, "for_s": 4}
    bench.until("tier 3 off", lambda: not bench.outputs()["load3"])
    with pytest.raises(RefusedError) as refused:
        bench.command("load.shed", tier=9, for_s=4)
    assert refused.value.code == "invalid_value"


@pytest.mark.needs("pins")
def test_what_the_board_tells_of_its_outputs_is_what_is_on_its_pins(bench: Bench) -> None:
    bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
    told = bench.points("output.*")
    assert bench.outputs() == {
        name: bool(told[f"output.{name}"]) for name in (output.name for output in bench.site.outputs)
    }
    assert bench.inputs()["grid"]
    assert not bench.inputs()["genset"]


@pytest.mark.needs("contacts")
def test_a_contactor_that_does_not_open_is_told(bench: Bench) -> None:
    bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
    bench.fault("grid", "welded")
    bench.plant(GRID_DEAD)
    bench.until("alarm", lambda: "grid_welded" in bench.alarms())


def test_names_that_no_table_has_are_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="nothing called batery can fail; did you mean: battery"):
        bench.fault("batery", "silent")
    with pytest.raises(ValueError, match="battery has no fault stalls"):
        bench.fault("battery", "stalls")
