"""The smallest heap at which the firmware does its job, by bisection, and the bytes that are deployed.

A try is the memory gate (`gate`) in short: TLS, commands, the log, a change of configuration, a killed broker
and a dead line, with a hub that counts. Both ways of deployment are tried: code run in place from a ROM
partition, and code loaded from LittleFS, for boards with external RAM. Heap sizes are in units of
MicroPython's `wK` (words/4, K).
"""

from __future__ import annotations

from typing import Any

from greenmast import site as sites
from greenmast.bench import gate
from greenmast.emulator.board import HEAP_B, HEAP_LOADED_B, WK_B
from greenmast.errors import UserError
from greenmast.flash import build

# The gate of each deployment; the search begins this far below, where nothing runs, and ends at the gate.
_GATES_B = {"romfs": HEAP_B, "littlefs": HEAP_LOADED_B}
_BELOW_WK = 48
_RESOLUTION_WK = 2


def run() -> dict[str, Any]:
    """{"mpy_bytes", "romfs": {...}, "littlefs": {...}} with "gate_wk", "smallest_wk", "scan_gap_max_ms" and
    "scan_late_mean_ms" of each deployment. Takes a quarter of an hour.
    """
    files = build.firmware(sites.load(gate.SITE))
    return {"mpy_bytes": build.mpy_bytes(files), **{name: _smallest(name) for name in _GATES_B}}


def text(result: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"  {result['mpy_bytes']} bytes of .mpy"]
    for name in _GATES_B:
        seen = result[name]
        lines.append(
            f"  {name:<9} smallest heap {seen['smallest_wk']}wK, gate {seen['gate_wk']}wK; "
            f"longest time between scans {seen['scan_gap_max_ms']} ms of 1000, "
            f"mean lateness {seen['scan_late_mean_ms']} ms"
        )
    return "\n".join(lines)


def _smallest(deployment: str) -> dict[str, Any]:
    romfs = deployment == "romfs"
    gate_wk = high = _GATES_B[deployment] // WK_B
    low = gate_wk - _BELOW_WK
    best = gate.run(gate.SHORTEST_S, high * WK_B, romfs=romfs)
    if not best["passed"]:
        raise UserError(f"the firmware does not run with {gate_wk}wK ({deployment}): {best['reasons'][0]}")
    while high - low > _RESOLUTION_WK:
        middle = (low + high) // 2
        seen = gate.run(gate.SHORTEST_S, middle * WK_B, romfs=romfs)
        if seen["passed"]:
            high, best = middle, seen
        else:
            low = middle
    return {
        "gate_wk": gate_wk,
        "smallest_wk": high,
        "scan_gap_max_ms": best["scan_gap_max_ms"],
        "scan_late_mean_ms": best["scan_late_mean_ms"],
    }
