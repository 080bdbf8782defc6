"""The poll cycle of a ten-device site at 9600 baud, all alive and with one device dead.

The firmware's own poller, profiles and master under MicroPython, against emulated devices behind a paced
wire. Cycles follow each other without a pause: their length is the bus's, not the site's period.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from greenmast import site as sites
from greenmast.emulator import runtime
from greenmast.emulator.emulate import EmulatedSite, plant_of
from greenmast.emulator.server import SILENT
from greenmast.emulator.wire import Wire
from greenmast.errors import UserError
from greenmast.flash import build
from greenmast.site import Bus, Device, Site

BAUD = 9600
DEAD = 6  # unit of the device that dies
_SECONDS = 25
_SITE = "india-rural"
_BUS = "bench"
_PRODUCTS = (
    ("grid", "eastron-sdm230"),
    ("grid", "eastron-sdm230"),
    ("grid", "eastron-sdm230"),
    ("genset", "dse-7320"),
    ("battery", "daly-bms"),
    ("battery", "daly-bms"),
    ("load", "pzem-017"),
    ("solar", "epever-tracer-an"),
    ("solar", "epever-tracer-an"),
    ("rectifier", "meanwell-drs"),
)
_HEAP = "160wK"  # the modules are loaded into it
_START_S = 20.0

_PROGRAM = """
import asyncio, json, sys, termios
from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding
from greenmast_fw.drivers import clock, modbus_master
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.services.poll import BusPoller
from greenmast_protocol import instances

async def main():
    asked = json.loads(sys.stdin.readline())
    uart = open(asked["path"], "r+b")
    termios.setraw(uart.fileno())
    attributes = termios.tcgetattr(uart.fileno())
    attributes[6][5] = attributes[6][6] = 0
    termios.tcsetattr(uart.fileno(), termios.TCSANOW, attributes)
    wanted = [tuple(row) for row in asked["devices"]]
    image = Image(instances.Instances(instances.count([row[0] for row in wanted])))
    master = modbus_master.RtuMaster(Line(uart, asked["baud"]))
    poller = BusPoller(master, binding.bind(wanted), image, 1000, 3)
    cycles_ms = []
    start = begun = clock.ticks_ms()
    while clock.diff(begun, start) < 1000 * asked["seconds"]:
        await poller.scan()
        now = clock.ticks_ms()
        cycles_ms.append(clock.diff(now, begun))
        begun = now
    answered = {}
    for role, profile, unit in wanted:
        seen = master.unit(unit)
        failed = seen[modbus_master.ERRORS] + seen[modbus_master.TIMEOUTS]
        answered[str(unit)] = seen[modbus_master.REQUESTS] - failed
    print(json.dumps({"cycles_ms": cycles_ms, "answered": answered, "ms": clock.diff(begun, start)}))

asyncio.run(main())
"""


def measure(folder: Path) -> dict[str, Any]:
    """{"devices", "baud", "alive": {...}, "one_dead": {...}, "rate_kept_percent"}, with in each
    {"cycles", "cycle_mean_ms", "cycle_worst_ms", "reads_per_minute"}: the worst is of all cycles, reads are
    those of the slowest-read live device; what it keeps of its rate when another one is dead.
    """
    _compile(folder)
    alive, dead = asyncio.run(_both(folder))
    kept = min(dead["answered"][unit] / alive["answered"][unit] for unit in dead["answered"])
    return {
        "devices": len(_PRODUCTS),
        "baud": BAUD,
        "alive": _summary(alive),
        "one_dead": _summary(dead),
        "rate_kept_percent": round(100 * kept, 1),
    }


def _summary(run: dict[str, Any]) -> dict[str, Any]:
    cycles = run["cycles_ms"]
    return {
        "cycles": len(cycles),
        "cycle_mean_ms": round(sum(cycles) / len(cycles)),
        "cycle_worst_ms": max(cycles),
        "reads_per_minute": round(min(run["answered"].values())),
    }


def _compile(folder: Path) -> None:
    for path, content in build.modules("greenmast_fw/", "greenmast_protocol/").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "cycle.py").write_text(_PROGRAM, encoding="utf-8")


async def _both(folder: Path) -> list[dict[str, Any]]:
    site = replace(
        sites.load(_SITE),
        buses=(Bus(_BUS, BAUD, "N"),),
        devices=tuple(Device(role, profile, _BUS, i) for i, (role, profile) in enumerate(_PRODUCTS, 1)),
    )
    return [await _run(folder, site, ()), await _run(folder, site, (DEAD,))]


async def _run(folder: Path, site: Site, dead: tuple[int, ...]) -> dict[str, Any]:
    emulated = EmulatedSite(site, plant_of(site))
    server = emulated.buses[_BUS]
    for unit in dead:
        server.fault(unit, SILENT)
    with Wire(BAUD) as wire:
        await server.serve_serial(wire.slave_path, BAUD)
        process = await asyncio.create_subprocess_exec(
            *(runtime.find(), "-X", f"heapsize={_HEAP}", str(folder / "cycle.py")),
            env={**os.environ, "MICROPYPATH": f"{folder}:.frozen"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        asked = {
            "path": wire.master_path,
            "baud": BAUD,
            "seconds": _SECONDS,
            "devices": [(device.role, device.profile, device.address) for device in site.devices],
        }
        said, _ = await asyncio.wait_for(
            process.communicate(json.dumps(asked).encode() + b"\n"), _SECONDS + _START_S
        )
        await emulated.stop()
    try:
        measured: dict[str, Any] = json.loads(said)
    except ValueError:
        raise UserError(f"the poller failed under MicroPython: {said.decode()}") from None
    minutes = measured["ms"] / 60_000
    measured["answered"] = {
        unit: reads / minutes for unit, reads in measured["answered"].items() if int(unit) not in dead
    }
    return measured
