"""An independent master, mbpoll, reads every emulated device: is what it reads what is true of the plant?

Owns the rig (all products beside one plant, held still) and the running of mbpoll. Must not know registers.
`sweep()` is what the bench shows and what the tests demand.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Self

from greenmast.bench.mbpoll_readings import (
    BYTE_ADDRESSED,
    COILS,
    DISCRETE,
    HOLDING,
    INPUT,
    INPUTS_CLOSED,
    READINGS,
    RELAYS_ON,
    TWO_REGISTERS,
    Reading,
)
from greenmast.emulator.devices import PROFILES, Device, create
from greenmast.emulator.devices.device import READ_HOLDING, READ_INPUT, RefusedError
from greenmast.emulator.server import BusServer
from greenmast.errors import UserError
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.site import load

_SITE = "india-rural"
_WAIT_S = 20.0
_AT_ONCE = 2  # processes of mbpoll
_LONGEST = 60  # registers in one of its reads


class Rig:
    """Every emulated product as a unit of one TCP server (`units`, by profile) beside one plant."""

    def __init__(self) -> None:
        """Two minutes old, with sun, grid and an idling engine."""
        site = load(_SITE)
        start = datetime(2025, 3, 21, 12, tzinfo=site.timezone)
        self.plant = Plant(
            PlantConfig.from_site(site.plant), start=start, weather=Weather.constant(650.0, 31.0)
        )
        self.plant.set_truth("grid.voltage_mv", 231_000)
        self.plant.set_truth("grid.frequency_chz", 4_993)
        self.plant.set_truth("battery.soc_permille", 420)
        self.plant.coil("genset_start", True)
        self.plant.step(120.0)
        self.devices = {profile: create(profile, site.plant) for profile in PROFILES}
        self.units = {profile: unit for unit, profile in enumerate(PROFILES, 1)}
        relays = self.devices["waveshare-relay-8ch"]
        relays.coils.update(dict.fromkeys(RELAYS_ON, True))
        relays.discrete.update(dict.fromkeys(INPUTS_CLOSED, True))
        self.server = BusServer({self.units[profile]: device for profile, device in self.devices.items()})
        self.server.refresh(self.plant)
        self.port = 0

    async def __aenter__(self) -> Self:
        _, self.port = await self.server.serve_tcp()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.server.stop()

    def to_genset(self) -> None:
        """The site changes to its engine, for a minute on load."""
        self.plant.coil("grid", True)  # normally closed: opens
        self.plant.step(1.0)
        self.plant.coil("genset", True)
        self.plant.step(60.0)
        self.server.refresh(self.plant)

    async def wrong(self) -> list[str]:
        """Every reading that differs from the plant, in words."""
        gate = asyncio.Semaphore(_AT_ONCE)
        answers = await asyncio.gather(*(self._read(group, gate) for group in groups(self.devices, READINGS)))
        return [line for answer in answers for line in answer]

    async def _read(self, group: list[Reading], gate: asyncio.Semaphore) -> list[str]:
        first, last = group[0], group[-1]
        width = 2 if first.kind in TWO_REGISTERS else 1
        count = (last.address - first.address) // width + 1
        where = ("-m", "tcp", "-p", str(self.port), "-a", str(self.units[first.profile]))
        async with gate:
            code, values, said = await run(
                *where, "-r", str(first.address), "-c", str(count), *first.kind, "127.0.0.1"
            )
        if code:
            return [f"{first.profile} {first.address:#06x} x{count}: {said.strip()}"]
        return list(self._differences(group, values))

    def _differences(self, group: list[Reading], values: dict[int, float]) -> Iterator[str]:
        for reading in group:
            true = self.plant.truth(reading.truth) * reading.scale if reading.truth else 0.0
            expected = true + reading.offset
            read = values[reading.address]
            if reading.kind in (INPUT, HOLDING) and expected < 0.0 and read >= 0x8000:
                read -= 0x10000
            if abs(read - expected) > reading.resolution + 1e-6:
                name = reading.truth or "constant"
                yield f"{reading.profile} {reading.address:#06x} {name}: {read:g}, not {expected:g}"


def groups(devices: dict[str, Device], readings: Iterable[Reading]) -> list[list[Reading]]:
    """Readings of present devices in groups that one request covers, as the product lets itself be read."""
    out: list[list[Reading]] = []
    for reading in sorted(readings, key=lambda row: (row.profile, row.kind, row.address)):
        if reading.profile not in devices:
            continue
        if out and _joins(devices[reading.profile], out[-1][0], reading):
            out[-1].append(reading)
        else:
            out.append([reading])
    return out


def _joins(device: Device, first: Reading, reading: Reading) -> bool:
    if (first.profile, first.kind) != (reading.profile, reading.kind) or first.profile in BYTE_ADDRESSED:
        return False
    width = 2 if reading.kind in TWO_REGISTERS else 1
    span = reading.address - first.address
    if span % width or span + width > _LONGEST:
        return False
    if reading.kind in (COILS, DISCRETE):
        return True
    function = READ_INPUT if reading.kind[1].startswith("3") else READ_HOLDING
    try:
        device.read_registers(function, first.address, span + width)
    except RefusedError:
        return False
    return True


async def run(*arguments: str) -> tuple[int, dict[int, float], str]:
    """mbpoll once: its exit code, what was read by address (from 0), everything that it said."""
    program = shutil.which("mbpoll")
    if program is None:
        raise UserError("mbpoll is missing: make system")
    process = await asyncio.create_subprocess_exec(
        program, "-0", "-1", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), _WAIT_S)
    said = output.decode()
    found = re.findall(r"^\[(\d+)\]:\s+(-?[\d.e+-]+)", said, re.MULTILINE)
    return process.returncode or 0, {int(at): float(value) for at, value in found}, said


async def _sweep() -> dict[str, Any]:
    async with Rig() as rig:
        wrong = await rig.wrong()
        rig.to_genset()
        wrong += await rig.wrong()
        readings = [row for row in READINGS if row.profile in rig.devices]
        return {
            "devices": len({row.profile for row in readings}),
            "readings": 2 * len(readings),
            "wrong": wrong,
        }


def sweep() -> dict[str, Any]:
    """Read every device on grid and on genset: {"devices", "readings", "wrong": [in words]}.

    Raises UserError when mbpoll is not installed.
    """
    return asyncio.run(_sweep())
