"""Emulated devices on a line of their own, in a thread, for commands that block."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from greenmast.emulator.devices import Device, create
from greenmast.emulator.server import BusServer
from greenmast.emulator.wire import Wire
from greenmast.modbus import rtu
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.site import load

sys.path.append(str(Path(__file__).parent.parent / "modbus"))

_LIMIT_S = 20.0
_SPEED = 30.0  # of the wire

# Unlike each other and unlike 0, so that one register taken for another is seen.
TRUTHS = {
    "grid.voltage_mv": 231_400.0,
    "grid.current_ma": 8_210.0,
    "grid.power_w": 1_880.0,
    "grid.frequency_chz": 4_987.0,
    "grid.energy_wh": 1_234_000.0,
    "genset.running": 1.0,
    "genset.voltage_mv": 228_300.0,
    "genset.current_ma": 17_300.0,
    "genset.frequency_chz": 5_030.0,
    "genset.rpm": 1_509.0,
    "genset.power_w": 4_000.0,
    "genset.fuel_permille": 710.0,
    "genset.oil_kpa": 410.0,
    "genset.coolant_dc": 780.0,
    "genset.run_s": 3_600.0 * 1_234,
    "genset.starts": 321.0,
    "genset.energy_wh": 4_321_000.0,
    "rectifier.output_mv": 53_210.0,
    "rectifier.output_ma": 33_300.0,
    "rectifier.ac_present": 1.0,
    "dc.bus_mv": 53_190.0,
    "solar.voltage_mv": 104_500.0,
    "solar.current_ma": 21_370.0,
    "solar.power_w": 2_180.0,
    "solar.energy_wh": 987_000.0,
    "battery.voltage_mv": 53_180.0,
    "battery.current_ma": -21_400.0,
    "battery.soc_permille": 640.0,
    "battery.soh_permille": 980.0,
    "battery.temperature_dc": 270.0,
    "battery.cell_min_mv": 3_541.0,
    "battery.cell_max_mv": 3_549.0,
    "battery.remaining_mah": 192_000.0,
    "load.power_w": 2_034.0,
    "load.energy_wh": 7_654_000.0,
    "site.temperature_dc": 330.0,
}


class FixedPlant:
    """A site's plant whose truths above are fixed; whatever else a device asks for is the plant's."""

    def __init__(self) -> None:
        self.site = load("india-rural")
        self._plant: Any = Plant(
            PlantConfig.from_site(self.site.plant),
            start=datetime(2025, 3, 21, 12, tzinfo=self.site.timezone),
            weather=Weather.constant(600.0, 30.0),
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plant, name)

    def truth(self, name: str) -> float:
        return TRUTHS[name] if name in TRUTHS else self._plant.truth(name)

    def device(self, profile: str) -> Device:
        device = create(profile, self.site.plant)
        for _ in range(2):  # what a device counts up to needs a second look
            device.refresh(self)  # type: ignore[arg-type]
        return device


class Line:
    """A bus of emulated devices behind `tcp` and, when asked for, behind the serial port `serial`."""

    def __init__(self, devices: Mapping[int, Device], wire: Wire | None) -> None:
        self.server = BusServer(devices)
        self.tcp = ""
        self.serial = f"serial://{wire.master_path}" if wire else ""
        self._wire = wire
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def open(self) -> None:
        self._thread.start()
        host, port = self._run(self.server.serve_tcp())
        self.tcp = f"tcp://{host}:{port}"
        if self._wire:
            self._run(self.server.serve_serial(self._wire.slave_path, 9600))

    def close(self) -> None:
        self._run(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LIMIT_S)
        assert not self._thread.is_alive()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LIMIT_S)


@pytest.fixture(scope="session")
def plant() -> FixedPlant:
    return FixedPlant()


@pytest.fixture
def line(plant: FixedPlant) -> Iterator[Callable[..., Line]]:
    """Builds a line: `line({address: profile}, wire=True)`."""
    with contextlib.ExitStack() as stack:

        def build(profiles: Mapping[int, str], *, wire: bool = False) -> Line:
            paced = stack.enter_context(Wire(9600, speed=_SPEED)) if wire else None
            built = Line({unit: plant.device(profile) for unit, profile in profiles.items()}, paced)
            built.open()
            stack.callback(built.close)
            return built

        yield build


@pytest.fixture(autouse=True)
def _short_turnaround(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtu, "TURNAROUND_S", 0.05)
