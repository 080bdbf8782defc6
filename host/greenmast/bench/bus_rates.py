"""Ten-register reads a second on a paced RS-485 wire, and the silence that each master leaves on it.

The limit is what the line allows with the silent interval t3.5 before the request and before the reply:
1 / ((13 + 2 x 10) characters of 11 bits + 2 x t3.5). The slave keeps the one before its reply. Whoever passes
the limit has given up the other; the wire counts that. Every master has a wire and a slave of its own, and
all take turns, so that whatever else the machine does hits all alike. A rate is that of the median read in
the best of the rounds: what a busy machine takes away says nothing of a master.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from greenmast.bench import bus_slave
from greenmast.bench.board_master import BoardMaster
from greenmast.bench.bus_masters import Maker
from greenmast.bench.malformed import gap_s
from greenmast.emulator.wire import Wire

BAUDS = (9600, 19200, 115200)
REGISTERS = len(bus_slave.VALUES)
_REQUEST = [bus_slave.UNIT, 3, 0, REGISTERS]
_REQUEST_CHARACTERS = 8
_ROUNDS = 8
_ROUND_S = 0.75
_WARM_UP_S = 0.3
_TIMEOUT_S = 1.0
_PR_SET_TIMERSLACK, _SLACK_NS = 29, 1_000
_NICE = -10


def limit_per_s(baud: int, registers: int = REGISTERS) -> float:
    """Reads of `registers` registers a second that the line allows with two silent intervals each."""
    return 1 / ((13 + 2 * registers) * 11 / baud + 2 * gap_s(baud))


def measure(folder: Path, makers: dict[str, Maker]) -> list[dict[str, Any]]:
    """[{"baud", "limit_per_s", "slave_lead_us", "masters": {name: {"per_s", "percent", "all_per_s", "errors",
    "gaps", "gap_min_us", "gap_violations"}}}]: `percent` of the limit, `all_per_s` of all rounds.
    """
    with _punctual():
        return [_at(baud, folder, makers) for baud in BAUDS]


@contextmanager
def _punctual() -> Iterator[None]:
    """Processes started here wake up in time; where it is permitted, before others."""
    set_slack = ctypes.CDLL(None).prctl
    before = os.getpriority(os.PRIO_PROCESS, 0)
    set_slack(_PR_SET_TIMERSLACK, ctypes.c_ulong(_SLACK_NS))
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    try:
        yield
    finally:
        set_slack(_PR_SET_TIMERSLACK, ctypes.c_ulong(0))  # what it was
        os.setpriority(os.PRIO_PROCESS, 0, before)


def _at(baud: int, folder: Path, makers: dict[str, Maker]) -> dict[str, Any]:
    lead_us = _slave_lead_us(baud, folder)
    limit = limit_per_s(baud)
    rounds: dict[str, list[list[float]]] = {name: [] for name in makers}
    errors = dict.fromkeys(makers, 0)
    with ExitStack() as stack:
        wires = {name: stack.enter_context(Wire(baud)) for name in makers}
        readers = {}
        for name, maker in makers.items():
            wire = wires[name]
            stack.enter_context(bus_slave.running(wire.slave_path, baud, lead_us))
            readers[name] = stack.enter_context(maker(wire.master_path, baud, bus_slave.UNIT, _TIMEOUT_S))
            readers[name].rate(_WARM_UP_S, _REQUEST)
        for _ in range(_ROUNDS):
            for name, reader in readers.items():
                took_s, failed = reader.rate(_ROUND_S, _REQUEST)
                rounds[name].append(took_s)
                errors[name] += failed
        silences = {name: wire.counters() for name, wire in wires.items()}
    masters = {}
    for name in makers:
        per_s = 1 / min(median(times_s) for times_s in rounds[name] if times_s)
        seen = {key: silences[name][key] for key in ("gaps", "gap_min_us", "gap_violations")}
        masters[name] = {
            "per_s": round(per_s, 1),
            "percent": round(100 * per_s / limit, 1),
            "all_per_s": round(1 / median(time_s for times_s in rounds[name] for time_s in times_s), 1),
            "errors": errors[name],
            **seen,
        }
    return {"baud": baud, "limit_per_s": round(limit, 1), "slave_lead_us": lead_us, "masters": masters}


def _slave_lead_us(baud: int, folder: Path) -> int:
    """How much later than t3.5 a reply of the slave is on the line when it means to be in time, mostly."""
    late_us = []
    with (
        Wire(baud) as wire,
        bus_slave.running(wire.slave_path, baud),
        BoardMaster(folder, wire.master_path, baud) as board,
    ):
        board.rate(1.0, _REQUEST)
        frames = wire.trace()
    ideal_us = 1e6 * (_REQUEST_CHARACTERS * 11 / baud + gap_s(baud))
    for request, reply in pairwise(frames):
        if request["from"] == "master" and reply["from"] != "master":
            late_us.append(reply["at_us"] - request["at_us"] - ideal_us)
    return max(0, int(median(late_us)))
