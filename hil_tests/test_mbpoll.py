"""An independent master, mbpoll, reads every emulated device: what it reads is what is true of the plant.

Needs /usr/bin/mbpoll (Debian package mbpoll); no board and no firmware.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from greenmast.emulator.devices import create
from greenmast.emulator.emulate import EmulatedSite
from greenmast.emulator.server import BusServer
from greenmast.emulator.wire import Wire
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.site import load

MBPOLL = shutil.which("mbpoll") or "mbpoll"  # `make system` installs it; without it the tests fail
WAIT_S = 20.0
SEPLOS_UNIT = 2

FLOAT = ("-t", "3:float", "-B")  # how mbpoll is told the kind of register
INPUT = ("-t", "3")
HOLDING = ("-t", "4")
INPUT_INT_LOW_FIRST = ("-t", "3:int")
HOLDING_INT_HIGH_FIRST = ("-t", "4:int", "-B")


@dataclass(frozen=True)
class Reading:
    """What mbpoll reads at `address` is `truth` x `scale` + `offset`, within `resolution` register units."""

    profile: str
    kind: tuple[str, ...]
    address: int
    truth: str
    scale: float
    offset: float = 0.0
    resolution: float = 0.5


def _float(address: int, truth: str, scale: float) -> Reading:
    return Reading("eastron-sdm230", FLOAT, address, truth, scale, resolution=0.02)


READINGS = (
    _float(0x0000, "grid.voltage_mv", 1e-3),
    _float(0x0006, "grid.current_ma", 1e-3),
    _float(0x000C, "grid.power_w", 1.0),
    _float(0x0046, "grid.frequency_chz", 1e-2),
    _float(0x0048, "grid.energy_wh", 1e-3),
    _float(0x0156, "grid.energy_wh", 1e-3),
    Reading("dse-7320", HOLDING, 0x0400, "genset.oil_kpa", 1.0),
    Reading("dse-7320", HOLDING, 0x0401, "genset.coolant_dc", 0.1),
    Reading("dse-7320", HOLDING, 0x0403, "genset.fuel_permille", 0.1),
    Reading("dse-7320", HOLDING, 0x0406, "genset.rpm", 1.0),
    Reading("dse-7320", HOLDING, 0x0407, "genset.frequency_chz", 0.1),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0408, "genset.voltage_mv", 1e-2),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0414, "genset.current_ma", 1e-2),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x041C, "genset.power_w", 1.0),
    Reading("dse-7320", HOLDING, 0x0423, "grid.frequency_chz", 0.1),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0424, "grid.voltage_mv", 1e-2),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0600, "genset.power_w", 1.0),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0706, "genset.run_s", 1.0),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0708, "genset.energy_wh", 1e-2),
    Reading("dse-7320", HOLDING_INT_HIGH_FIRST, 0x0710, "genset.starts", 1.0),
    Reading("daly-bms", HOLDING, 0x0020, "battery.temperature_dc", 0.1, 40.0),
    Reading("daly-bms", HOLDING, 0x0028, "battery.voltage_mv", 1e-2),
    Reading("daly-bms", HOLDING, 0x0029, "battery.current_ma", 1e-2, 30_000.0),
    Reading("daly-bms", HOLDING, 0x002A, "battery.soc_permille", 1.0),
    Reading("daly-bms", HOLDING, 0x002B, "battery.cell_max_mv", 1.0),
    Reading("daly-bms", HOLDING, 0x002C, "battery.cell_min_mv", 1.0),
    Reading("daly-bms", HOLDING, 0x0030, "battery.remaining_mah", 1e-2),
    Reading("pzem-017", INPUT, 0, "dc.bus_mv", 0.1),
    Reading("pzem-017", INPUT_INT_LOW_FIRST, 2, "load.power_w", 10.0),
    Reading("pzem-017", INPUT_INT_LOW_FIRST, 4, "load.energy_wh", 1.0),
    Reading("epever-tracer-an", INPUT, 0x3100, "solar.voltage_mv", 0.1),
    Reading("epever-tracer-an", INPUT, 0x3101, "solar.current_ma", 0.1),
    Reading("epever-tracer-an", INPUT, 0x3104, "dc.bus_mv", 0.1),
    Reading("epever-tracer-an", INPUT_INT_LOW_FIRST, 0x3106, "solar.power_w", 100.0),
    Reading("epever-tracer-an", INPUT, 0x3110, "battery.temperature_dc", 10.0),
    Reading("epever-tracer-an", INPUT, 0x311A, "battery.soc_permille", 0.1),
    Reading("epever-tracer-an", INPUT_INT_LOW_FIRST, 0x3312, "solar.energy_wh", 0.1),
    Reading("meanwell-drs", INPUT, 0x0050, "rectifier.input_mv", 1e-2),
    Reading("meanwell-drs", INPUT, 0x0060, "rectifier.output_mv", 0.1),
    Reading("meanwell-drs", INPUT, 0x0061, "rectifier.output_ma", 0.1),
    Reading("meanwell-drs", INPUT, 0x0062, "rectifier.temperature_dc", 1.0),
    Reading("meanwell-drs", INPUT, 0x00D3, "battery.voltage_mv", 0.1),
    Reading("meanwell-drs", INPUT, 0x00D4, "battery.current_ma", 0.1),
    Reading("meanwell-drs", HOLDING, 0x0020, "rectifier.setpoint_mv", 0.1),
    Reading("meanwell-drs", HOLDING, 0x0030, "rectifier.limit_ma", 0.1),
    Reading("seplos-v3", INPUT, 0x1000, "battery.voltage_mv", 0.1),
    Reading("seplos-v3", INPUT, 0x1001, "battery.current_ma", 0.1),
    Reading("seplos-v3", INPUT, 0x1002, "battery.remaining_mah", 0.1),
    Reading("seplos-v3", INPUT, 0x1005, "battery.soc_permille", 1.0),
    Reading("seplos-v3", INPUT, 0x1006, "battery.soh_permille", 1.0),
    Reading("seplos-v3", INPUT, 0x1009, "battery.temperature_dc", 1.0, 2_731.0),
    Reading("seplos-v3", INPUT, 0x100A, "battery.cell_max_mv", 1.0),
    Reading("seplos-v3", INPUT, 0x100B, "battery.cell_min_mv", 1.0),
    Reading("seplos-v3", INPUT_INT_LOW_FIRST, 0x2000, "battery.voltage_mv", 0.1),
)


@pytest.fixture
async def rig() -> AsyncIterator[tuple[Plant, EmulatedSite, BusServer]]:
    """A site two minutes old with sun, grid and an idling engine, held still; a Seplos beside its Daly."""
    site = load("india-rural")
    start = datetime(2025, 3, 21, 12, tzinfo=site.timezone)
    plant = Plant(PlantConfig.from_site(site.plant), start=start, weather=Weather.constant(650.0, 31.0))
    plant.set_truth("grid.voltage_mv", 231_000)
    plant.set_truth("grid.frequency_chz", 4_993)
    plant.set_truth("battery.soc_permille", 420)
    plant.coil("genset_start", True)
    plant.step(120.0)
    emulated = EmulatedSite(site, plant)
    seplos = BusServer({SEPLOS_UNIT: create("seplos-v3", site.plant)})
    seplos.refresh(plant)
    yield plant, emulated, seplos
    await emulated.stop()
    await seplos.stop()


async def mbpoll(*arguments: str) -> tuple[int, dict[int, float], str]:
    """Exit code, what was read by address, and everything that was said."""
    process = await asyncio.create_subprocess_exec(
        MBPOLL, "-0", "-1", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), WAIT_S)
    said = output.decode()
    values = {
        int(at): float(value) for at, value in re.findall(r"^\[(\d+)\]:\s+(-?[\d.e+]+)", said, re.MULTILINE)
    }
    return process.returncode or 0, values, said


def signed(reading: Reading, raw: float) -> float:
    """mbpoll prints 16-bit registers unsigned."""
    return raw - 0x10000 if reading.kind in (INPUT, HOLDING) and raw >= 0x8000 else raw


async def test_over_tcp_mbpoll_reads_the_truth_of_every_point(rig: Any) -> None:
    plant, emulated, seplos = rig
    ports = {name: (await server.serve_tcp())[1] for name, server in emulated.buses.items()}
    where = {device.profile: (ports[device.bus], device.address) for device in emulated.site.devices}
    where["seplos-v3"] = ((await seplos.serve_tcp())[1], SEPLOS_UNIT)
    assert {reading.profile for reading in READINGS} == set(where)
    await compare(plant, where)
    plant.coil("grid", True)  # normally closed: opens
    plant.step(1.0)
    plant.coil("genset", True)
    plant.step(60.0)
    emulated.refresh()
    seplos.refresh(plant)
    assert plant.truth("genset.power_w") > 500.0
    await compare(plant, where)


async def compare(plant: Plant, where: dict[str, tuple[int, int]]) -> None:
    wrong = []
    for reading in READINGS:
        port, unit = where[reading.profile]
        code, values, said = await mbpoll(
            *(
                "-m",
                "tcp",
                "-p",
                str(port),
                "-a",
                str(unit),
                "-r",
                str(reading.address),
                *reading.kind,
                "127.0.0.1",
            )
        )
        assert code == 0, said
        expected = plant.truth(reading.truth) * reading.scale + reading.offset
        if abs(signed(reading, values[reading.address]) - expected) > reading.resolution + 1e-6:
            wrong.append((reading, values[reading.address], expected))
    assert not wrong


async def test_over_rtu_mbpoll_reads_a_meter_through_a_paced_wire(rig: Any) -> None:
    plant, emulated, _ = rig
    meters = emulated.buses["meters"]
    with Wire(9600, bits=10) as wire:
        await meters.serve_serial(wire.slave_path, 9600, "N")
        line = ("-m", "rtu", "-b", "9600", "-P", "none")
        code, values, said = await mbpoll(*line, "-a", "1", "-r", "0", "-c", "40", *FLOAT, wire.master_path)
        assert code == 0, said
        assert values[0x0000] == pytest.approx(plant.truth("grid.voltage_mv") / 1e3, abs=0.01)
        assert values[0x000C] == pytest.approx(plant.truth("grid.power_w"), abs=0.1)
        assert values[0x0046] == pytest.approx(plant.truth("grid.frequency_chz") / 1e2, abs=0.001)
        _, values, said = await mbpoll(*line, "-a", "77", "-r", "0", *FLOAT, wire.master_path)
        assert not values
        assert "timed out" in said
        await meters.stop()


async def test_mbpoll_sets_the_rectifier_and_the_plant_follows(rig: Any) -> None:
    plant, emulated, _ = rig
    _, port = await emulated.buses["power"].serve_tcp()
    code, _, said = await mbpoll(
        *("-m", "tcp", "-p", str(port), "-a", str(0x83), "-r", str(0x0020), *HOLDING, "127.0.0.1", "5015")
    )
    assert code == 0, said
    emulated.refresh()
    assert plant.rectifier.setpoint_mv == 50_150.0


async def test_mbpoll_starts_the_engine_by_control_key(rig: Any) -> None:
    plant, emulated, _ = rig
    plant.coil("genset_start", False)
    plant.step(30.0)
    assert plant.truth("genset.rpm") == 0.0
    _, port = await emulated.buses["meters"].serve_tcp()
    base = ("-m", "tcp", "-p", str(port), "-a", "10", "-r", str(0x1008), *HOLDING, "127.0.0.1")
    code, _, _ = await mbpoll(*base, "35732", "35732")
    assert code != 0
    code, _, said = await mbpoll(*base, "35732", str(35732 ^ 0xFFFF))
    assert code == 0, said
    for _ in range(600):  # a minute: three attempts may be needed
        emulated.refresh()
        plant.step(0.1)
    assert plant.truth("genset.running") == 1.0
