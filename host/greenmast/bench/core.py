"""What one step of the controller costs, on CPython and on MicroPython, with every rule at work; its size.

The site has everything that the rules know, and a day in which the grid comes and goes, the genset runs, and
measurements move in every scan. Only `Controller.step` is timed. The incumbent's figure, 9,550 ticks a second
on CPython, is that of a genset manager that does less; it was measured elsewhere, so only the ratio's order
of magnitude counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from greenmast import site as sites
from greenmast.emulator import runtime
from greenmast.errors import UserError
from greenmast.flash import build
from greenmast_protocol import params, points

INCUMBENT_TICKS_PER_S = 9_550
_SITE = "india-rural"
_CPYTHON_STEPS, _MICROPYTHON_STEPS = 200_000, 50_000
_WARM_UP = 2_000
_CYCLE = 7_200  # scans
_TIMEOUT_S = 300

# Every optional rule on.
_SETTINGS = {
    "genset.load_start_w": 6_000,
    "genset.load_stop_w": 4_000,
    "genset.hot_start_dc": 450,
    "genset.hot_stop_dc": 400,
    "genset.to_lvd_start_s": 3_600,
    "genset.to_lvd_stop_s": 14_400,
    "genset.grid_absent_s": 86_400,
    "genset.quiet_start_min": 1_320,
    "genset.quiet_end_min": 360,
    "genset.window_start_min": 1_080,
    "genset.window_end_min": 1_140,
    "lvd.compensation_uohm": 5_000,
    "lvd.tier3_permille": 180,
    "lvd.tier2_permille": 150,
    "lvd.tier1_permille": 50,
    "lvd.reconnect_permille": 400,
    "lvd.tier3_after_s": 36_000,
    "battery.charge_limit_ma": 100_000,
    "battery.cable_limit_ma": 120_000,
    "rectifier.limit_ma": 125_000,
}
_STILL = {
    "grid.mains_ok": 1,
    "genset.fault": 0,
    "genset.rpm": 0,
    "genset.running": 0,
    "genset.voltage_mv": 0,
    "genset.frequency_chz": 0,
    "rectifier.ac_present": 1,
    "battery.soh_permille": 980,
    "battery.charge_limit_ma": 150_000,
    "battery.discharge_limit_ma": 150_000,
    "site.door_open": 0,
    "site.smoke": 0,
}
# (point, from, low, high, change per scan)
_MOVING = (
    ("grid.voltage_mv", 230_000, 225_000, 235_000, 130),
    ("grid.frequency_chz", 5_000, 4_980, 5_020, 1),
    ("dc.bus_mv", 51_000, 49_000, 51_400, 3),
    ("battery.voltage_mv", 50_990, 49_000, 51_400, 3),
    ("battery.current_ma", 1_000, -40_000, 40_000, 37),
    ("battery.soc_permille", 600, 250, 900, 0),
    ("battery.temperature_dc", 290, 250, 360, 0),
    ("battery.cell_min_mv", 3_390, 3_200, 3_440, 1),
    ("battery.cell_max_mv", 3_410, 3_210, 3_450, 1),
    ("rectifier.output_mv", 51_000, 49_000, 51_400, 3),
    ("rectifier.output_ma", 41_000, 0, 80_000, 37),
    ("rectifier.setpoint_mv", 51_510, 51_000, 51_520, 0),
    ("solar.power_w", 900, 0, 3_500, 5),
    ("solar.voltage_mv", 90_000, 60_000, 110_000, 40),
    ("load.power_w", 2_000, 1_700, 2_300, 3),
    ("genset.fuel_permille", 640, 300, 900, 0),
    ("genset.power_w", 0, -1, 6_000, 0),
    ("site.temperature_dc", 300, 200, 400, 0),
)
_GENSET_RUNS = {"rpm": 1_500, "running": 1, "voltage_mv": 230_000, "frequency_chz": 5_000}


def run() -> dict[str, Any]:
    """{"cpython": {...}, "micropython": {...}, "micropython_linked": {...}, "mpy_bytes": {...}, "ratio"}."""
    site = sites.load(_SITE, _SETTINGS)
    files = build.firmware(site)
    plain = build.modules("greenmast_protocol/", "greenmast_fw/core/")
    core = {path: content for path, content in plain.items() if path.startswith("greenmast_fw/core/")}
    on_cpython = _run([sys.executable], _order(site, _CPYTHON_STEPS, linked=False), {})
    on_board = {
        linked: _on_micropython(_order(site, _MICROPYTHON_STEPS, linked=linked), files if linked else plain)
        for linked in (True, False)
    }
    return {
        "cpython": on_cpython,
        "micropython": on_board[False],
        "micropython_linked": on_board[True],
        "mpy_bytes": {"core": build.mpy_bytes(core), "firmware_linked": build.mpy_bytes(files)},
        "ratio": round(on_cpython["steps_per_s"] / INCUMBENT_TICKS_PER_S, 2),
    }


def text(result: dict[str, Any]) -> str:
    """The result for people."""
    lines = []
    for name in ("cpython", "micropython", "micropython_linked"):
        seen = result[name]
        line = f"  {name:<19} {seen['us_per_step']:6.1f} us a step, {seen['steps_per_s']:7d} steps/s"
        if seen["heap_code_b"]:
            line += f"; heap {seen['heap_code_b']} B of code, {seen['heap_objects_b']} B of objects"
        lines.append(line)
    sizes = result["mpy_bytes"]
    lines.append(
        f"  core {sizes['core']} B of .mpy as written; whole firmware linked {sizes['firmware_linked']} B"
    )
    lines.append(f"  {result['ratio']} times the incumbent's {INCUMBENT_TICKS_PER_S} ticks/s on CPython")
    return "\n".join(lines)


def _order(site: sites.Site, steps: int, *, linked: bool) -> dict[str, Any]:
    document = site.board_config()
    document["outputs"]["cooling"] = {"pin": 40, "feedback": None, "idle": "open"}
    values: list[int | None] = [None] * points.COUNT
    for name, value in _STILL.items():
        values[points.index(name)] = value
    movers = []
    for name, start, low, high, change in _MOVING:
        values[points.index(name)] = start
        if change:
            movers.append([points.index(name), low, high, change])

    def at(**named: int) -> list[list[int]]:
        return [[points.index(name.replace("__", ".")), value] for name, value in named.items()]

    running = {f"genset__{name}": value for name, value in _GENSET_RUNS.items()}
    standing = {f"genset__{name}": 0 for name in _GENSET_RUNS}
    events = {
        600: at(grid__mains_ok=0, rectifier__ac_present=0, battery__soc_permille=280),
        680: at(rectifier__ac_present=0, **running),
        760: at(rectifier__ac_present=1),
        3_600: at(battery__soc_permille=820),
        3_700: at(**standing, rectifier__ac_present=0),
        4_200: at(grid__mains_ok=1, rectifier__ac_present=1),
    }
    return {
        "linked": linked,
        "params": params.complete(dict(site.params)),
        "document": document,
        "values": values,
        "movers": movers,
        "feedback": [points.index(f"feedback.{name}") for name in points.FEEDBACKS],
        "events": events,
        "cycle": _CYCLE,
        "commands": [],
        "minute": 13_680_000,
        "warm_up": _WARM_UP,
        "steps": steps,
    }


def _on_micropython(order: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    with TemporaryDirectory(prefix="greenmast-") as name:
        folder = Path(name)
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        command = [str(runtime.find()), "-X", "heapsize=4m"]
        shim = resources.files("greenmast.emulator") / "shim"
        return _run(command, order, {"MICROPYPATH": f"{folder}:{shim}:.frozen", "GREENMAST_IO_FD": "2"})


def _run(command: list[str], order: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    program = str(resources.files("greenmast.bench") / "core_run.py")
    done = subprocess.run(
        [*command, program],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise UserError(f"{command[0]}: {done.stdout.strip()} {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
