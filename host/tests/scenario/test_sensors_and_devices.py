"""Level core shows what the emulated devices and the board's own decoder show at level hil."""

from __future__ import annotations

import struct
from array import array
from datetime import datetime

import pytest

from greenmast import site as sites
from greenmast.emulator import devices
from greenmast.emulator.devices import register_faults
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.scenario.sensors import Sensors
from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding, profile
from greenmast_protocol import params, points, units

# By unit: noise, and the resolution of what the two ways round differently.
TOLERANCE = {"mv": 200, "ma": 200, "w": 3, "chz": 12, "rpm": 2, "kpa": 2, "permille": 10, "dc": 10, "wh": 110}


@pytest.fixture
def plant() -> Plant:
    """A site on its genset, everything moving."""
    site = sites.load("india-rural")
    start = datetime(2026, 6, 15, 12, 0, tzinfo=site.timezone)
    plant = Plant(PlantConfig.from_site(site.plant), 1, start=start, weather=Weather.constant(600.0, 30.0))
    truths = {
        "grid.voltage_mv": 0,
        "load.power_w": 2_345,
        "battery.soc_permille": 432,
        "battery.temperature_dc": 250,
    }
    for name, value in truths.items():
        plant.set_truth(name, value)
    plant.coil("grid", True)
    plant.coil("genset_start", True)
    plant.step(60.0)
    plant.coil("genset", True)
    plant.step(600.0)
    return plant


def decoded(plant: Plant, fault: str = "") -> dict[str, int | None]:
    """Every point as the board would have it from the emulated devices, all with `fault`."""
    site = sites.load("india-rural")
    image = Image()
    bound = binding.bind([(d.role, d.profile, d.address) for d in site.devices])
    for device, (_, _, _, reads, rows, *_) in zip(site.devices, bound, strict=True):
        emulated = devices.create(device.profile, site.plant)
        emulated.refresh(plant)
        image_source = image.add_source(1_000, [rows[i] for i in range(0, len(rows), profile.ROW_SIZE)])
        image.refresh(image_source)
        emulated.faults.update([fault] if fault else [])
        for number in range(len(reads) // profile.READ_SIZE):
            function, address, count, _ = reads[4 * number : 4 * number + 4]
            words = register_faults.disturbed(emulated, emulated.read_registers(function, address, count))
            profile.decode(array("i", rows), number, memoryview(struct.pack(f">{count}H", *words)), image)
    return dict(zip(points.NAMES, image.snapshot().v, strict=True))


def test_both_ways_know_the_same_points_with_the_same_values(plant: Plant) -> None:
    site = sites.load("india-rural")
    sensors = Sensors(site, plant, params.complete(dict(site.params)), 1)
    seen = dict(zip(points.NAMES, sensors.scan(1_000, None).v, strict=True))
    inputs = [name for name in points.NAMES if name.startswith(("feedback.", "site."))]
    by_wire = decoded(plant)
    compared = 0
    for name, value in by_wire.items():
        if name in inputs:
            continue
        if value is None:
            assert seen[name] is None, name
        else:
            assert seen[name] == pytest.approx(value, abs=TOLERANCE.get(units.of(name), 0)), name
            compared += 1
    assert compared > 25


# What a product says of these when it has no value is a number that the board must believe.
BELIEVED = {
    "nan": {
        "load.energy_wh", "rectifier.limit_ma", "rectifier.output_ma", "solar.current_ma", "solar.energy_wh",
        "solar.voltage_mv",
    },
    "word_swap": set(),
}  # fmt: skip


@pytest.mark.parametrize("fault", BELIEVED)
def test_both_ways_lose_the_same_points_to_the_same_fault(plant: Plant, fault: str) -> None:
    site = sites.load("india-rural")
    sensors = Sensors(site, plant, params.complete(dict(site.params)), 1)
    sensors.faults.update({device.role: {fault} for device in site.devices})
    seen = dict(zip(points.NAMES, sensors.scan(1_000, None).v, strict=True))
    by_wire = decoded(plant, fault)
    told = {device.role for device in site.devices}
    mine = {
        name for name, value in decoded(plant).items() if name.split(".")[0] in told and value is not None
    }
    lost = {name for name in mine if seen[name] is None}
    assert {name for name in mine if by_wire[name] is None} == lost - BELIEVED[fault]
    assert len(lost) > 2
