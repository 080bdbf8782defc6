"""What the controller gets to see of a plant, and what faults of devices make of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from greenmast import site as sites
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.scenario.sensors import Sensors
from greenmast_fw.core.snapshot import Snapshot
from greenmast_protocol import instances, params, points, quality

TRUTHS = {
    "grid.voltage_mv": 231_234,
    "grid.frequency_chz": 5_000,
    "battery.soc_permille": 704,
    "load.power_w": 2_000,
    "solar.power_w": 0,
    "genset.fuel_permille": 650,
}


TWO_STRINGS = Path(__file__).parents[3] / "hil_tests/scenarios/sites/india-two-strings.toml"


class Eyes:
    """Sensors on a plant that hardly moves."""

    def __init__(self, name: str = "india-rural") -> None:
        site = sites.load(name)
        start = datetime(2026, 6, 15, 12, 0, tzinfo=site.timezone)
        self.plant = Plant(
            PlantConfig.from_site(site.plant), 1, start=start, weather=Weather.constant(0.0, 25.0)
        )
        for name, value in TRUTHS.items():
            self.plant.set_truth(name, value)
        self.sensors = Sensors(site, self.plant, params.complete(dict(site.params)), 1)
        self.now = Snapshot((), b"")
        several = instances.Instances(instances.count([device.role for device in site.devices]))
        self.number = {several.name(i): i for i in range(points.COUNT + several.count)}

    def scan(self, count: int = 1) -> Eyes:
        for _ in range(count):
            self.plant.step(1.0)
            self.now = self.sensors.scan(1_000, None)
        return self

    def fault(self, on: str, kind: str) -> Eyes:
        self.sensors.faults.setdefault(on, set()).add(kind)
        return self

    def value(self, name: str) -> int | None:
        return self.now.v[self.number[name]]

    def quality(self, name: str) -> str:
        return quality.NAMES[self.now.q[points.index(name)]]


@pytest.fixture
def eyes() -> Eyes:
    return Eyes().scan(3)


def test_points_are_the_truth_within_the_resolution_of_their_device(eyes: Eyes) -> None:
    assert eyes.value("battery.soc_permille") == pytest.approx(704, abs=1)
    assert eyes.value("genset.fuel_permille") == 650
    assert eyes.value("grid.voltage_mv") == pytest.approx(231_234, abs=200)
    assert eyes.value("grid.voltage_mv") % 100 == 0
    bus_mv = eyes.plant.truth("dc.bus_mv")
    assert eyes.value("dc.bus_mv") == pytest.approx(bus_mv, abs=20)
    assert eyes.value("battery.voltage_mv") % 100 == 0
    assert eyes.value("rectifier.ac_present") == 1
    assert eyes.value("feedback.grid") == 1
    assert eyes.value("site.door_open") == 0


def test_a_point_that_no_device_of_the_site_supplies_is_never_known(eyes: Eyes) -> None:
    for name in ("battery.charge_limit_ma", "battery.soh_permille", "load.tier1_w", "grid.mains_ok"):
        assert eyes.value(name) is None
        assert eyes.quality(name) == "stale"


def test_the_last_digit_of_a_measurement_moves_and_a_dead_line_does_not(eyes: Eyes) -> None:
    seen = {eyes.scan().value("grid.voltage_mv") for _ in range(20)}
    assert 2 <= len(seen) <= 3
    assert {eyes.scan().value("genset.voltage_mv") for _ in range(20)} == {0}


def test_the_same_seed_sees_the_same() -> None:
    one, two = Eyes().scan(30), Eyes().scan(30)
    assert one.now.v == two.now.v


@pytest.mark.parametrize("kind", ["silent", "late", "wrong_crc", "truncated", "wrong_address"])
def test_a_device_without_usable_replies_grows_stale_after_three_periods(eyes: Eyes, kind: str) -> None:
    eyes.fault("battery", kind).scan(3)
    assert eyes.quality("battery.soc_permille") == "good"
    assert not eyes.sensors.silent
    eyes.scan(1)
    assert eyes.quality("battery.soc_permille") == "stale"
    assert eyes.value("battery.soc_permille") is None
    assert eyes.value("grid.voltage_mv") is not None
    assert eyes.sensors.silent


def test_a_device_that_answers_again_is_heard_within_a_minute(eyes: Eyes) -> None:
    eyes.fault("battery", "silent").scan(600)
    eyes.sensors.faults.clear()
    scans = next(n for n in range(1, 100) if eyes.scan().value("battery.soc_permille") is not None)
    assert 1 < scans <= 60


def test_babble_silences_every_device_on_its_bus_and_no_other(eyes: Eyes) -> None:
    eyes.fault("grid", "babble").scan(5)
    assert eyes.value("battery.soc_permille") is None
    assert eyes.value("genset.rpm") is None
    assert eyes.value("rectifier.output_mv") is not None
    assert eyes.value("feedback.grid") == 1


def test_frozen_repeats_what_was_there_and_counts_as_fresh(eyes: Eyes) -> None:
    before = eyes.value("grid.voltage_mv")
    eyes.fault("grid", "frozen")
    eyes.plant.set_truth("grid.voltage_mv", 0)
    for _ in range(20):
        assert eyes.scan().value("grid.voltage_mv") == before
    assert eyes.value("battery.soc_permille") is not None


def test_nan_is_invalid_and_says_so(eyes: Eyes) -> None:
    eyes.fault("grid", "nan").fault("genset", "nan").scan()
    assert (eyes.value("grid.voltage_mv"), eyes.quality("grid.voltage_mv")) == (None, "not_a_number")
    assert (eyes.value("genset.rpm"), eyes.quality("genset.rpm")) == (None, "sentinel")


def test_spikes_hit_one_value_in_some_scans(eyes: Eyes) -> None:
    eyes.fault("battery", "spike")
    hit = 0
    for _ in range(300):
        before = eyes.plant.truth("battery.soc_permille")
        value = eyes.scan().value("battery.soc_permille")
        hit += value is None or abs(value - before) > 50
    assert 1 <= hit <= 30


def test_swapped_words_are_what_the_decoder_makes_of_them(eyes: Eyes) -> None:
    eyes.fault("grid", "word_swap").fault("load", "word_swap").scan()
    value = eyes.value("grid.voltage_mv")
    assert value is None or abs(value - 231_234) > 50_000
    assert eyes.value("load.power_w") is None
    assert eyes.quality("load.power_w") == "out_of_range"
    assert eyes.value("dc.bus_mv") is not None


def test_a_fuel_fault_concerns_the_level_alone_where_the_genset_reads_it(eyes: Eyes) -> None:
    eyes.fault("fuel", "silent").scan()
    assert eyes.value("genset.fuel_permille") is None
    assert eyes.value("genset.rpm") == 0


def test_after_a_restart_nothing_is_known_until_it_is_read(eyes: Eyes) -> None:
    eyes.fault("battery", "silent")
    eyes.sensors.restart()
    eyes.scan()
    assert eyes.value("battery.soc_permille") is None
    assert eyes.value("grid.voltage_mv") is not None


@pytest.mark.parametrize(
    ("given_mv", "taken_mv"), [(51_234, 51_230), (10_000, 42_000), (90_000, 57_600)], ids=str
)
def test_setpoints_reach_the_rectifier_within_its_limits(eyes: Eyes, given_mv: int, taken_mv: int) -> None:
    eyes.sensors.write({"rectifier.setpoint_mv": given_mv, "rectifier.limit_ma": 50_004})
    assert eyes.plant.rectifier.setpoint_mv == taken_mv
    assert eyes.plant.rectifier.limit_ma == 50_000


def test_a_silent_rectifier_takes_no_setpoint(eyes: Eyes) -> None:
    before = eyes.plant.rectifier.setpoint_mv
    eyes.fault("rectifier", "silent").scan()
    eyes.sensors.write({"rectifier.setpoint_mv": 50_000})
    assert eyes.plant.rectifier.setpoint_mv == before


def test_two_strings_share_the_current_and_have_faults_of_their_own() -> None:
    eyes = Eyes(str(TWO_STRINGS)).scan(3)
    half_ma = eyes.plant.truth("battery.current_ma") / 2
    for name in ("battery.1", "battery.2"):
        assert eyes.value(f"{name}.current_ma") == pytest.approx(half_ma, abs=200)
        assert eyes.value(f"{name}.soc_permille") == pytest.approx(704, abs=1)
    eyes.fault("battery.2", "silent").scan(5)
    assert eyes.value("battery.1.soc_permille") is not None
    assert eyes.value("battery.2.soc_permille") is None
    eyes.fault("battery", "silent").scan(5)
    assert eyes.value("battery.1.soc_permille") is None
