"""The smallest heap at which the firmware does its job, by bisection, and the bytes that are deployed.

Each try is a virtual board of the reference site with broker and hub, and an outage in it: it passes when the
board has not reset, has run out of memory nowhere, has lost no report and has answered the largest requests.
Both ways of deployment are tried: code run in place from a ROM partition, and code loaded from LittleFS, for
boards with external RAM. Heap sizes are in units of MicroPython's `wK` (words/4, K).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from greenmast import site as sites
from greenmast.chain import Chain, HubProcess
from greenmast.demo import PACE, Story
from greenmast.emulator.board import HEAP_B, HEAP_LOADED_B, WK_B
from greenmast.emulator.world import World
from greenmast.errors import UserError
from greenmast.flash import build
from greenmast.hub.broker import EmbeddedBroker
from greenmast.link import reading
from greenmast.link.serial import SerialLink

# The gate of each deployment; the search begins this far below, where nothing runs, and ends at the gate.
_GATES_B = {"romfs": HEAP_B, "littlefs": HEAP_LOADED_B}
_BELOW_WK = 48
_RESOLUTION_WK = 2
_TRY_S = 40.0
_SITE = "india-rural"


def run() -> dict[str, Any]:
    """{"mpy_bytes", "romfs": {...}, "littlefs": {...}} with "gate_wk", "smallest_wk", "scan_gap_max_ms" and
    "scan_late_mean_ms" of each deployment. Takes ten minutes.
    """
    files = build.firmware(sites.load(_SITE))
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
    statistics = _try(high, romfs)
    if statistics is None:
        raise UserError(f"the firmware does not run with {gate_wk}wK ({deployment})")
    while high - low > _RESOLUTION_WK:
        middle = (low + high) // 2
        seen = _try(middle, romfs)
        if seen is None:
            low = middle
        else:
            high, statistics = middle, seen
    return {
        "gate_wk": gate_wk,
        "smallest_wk": high,
        "scan_gap_max_ms": statistics["scan_gap_max_ms"],
        "scan_late_mean_ms": round(statistics["scan_late_ms"] / statistics["scans"], 2),
    }


def _try(heap_wk: int, romfs: bool) -> dict[str, Any] | None:
    """The board's statistics after an outage with this heap; None when it did not do its job."""
    site = sites.load(_SITE, PACE)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="greenmast-")))
        broker = EmbeddedBroker()
        broker.start()
        stack.callback(broker.stop)
        hub = HubProcess(broker.url, folder)
        stack.callback(hub.stop)

        def make_world(log: Callable[[str], None]) -> World:
            return World(
                site,
                folder,
                mqtt={"host": "127.0.0.1", "port": broker.port},
                start=datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone),
                heap_b=heap_wk * WK_B,
                romfs=romfs,
                on_log=log,
            )

        chain = Chain(make_world, folder / "board.log")
        Story(chain.world, aloud=False)
        stack.enter_context(chain)
        end = time.monotonic() + _TRY_S
        while time.monotonic() < end:
            time.sleep(0.5)
            if len(chain.world.board.resets) > 1:
                return None
        try:
            with SerialLink(chain.world.board.console) as link:
                values = reading.get(link).values
                statistics: dict[str, Any] = link.call("hello", {"statistics": True})["statistics"]
                link.call("explain")
        except UserError:
            return None
        did_its_job = values["genset.starts"] and statistics["mqtt"]["acknowledged"]
        has_memory = "MemoryError" not in chain.log.read_text()
        return statistics if did_its_job and has_memory and not statistics["telemetry"]["dropped"] else None
