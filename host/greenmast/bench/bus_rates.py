"""Ten-register reads a second on a paced RS-485 wire, and the silence that each master leaves on it.

The limit is what the line allows with the silent interval t3.5 before the request and before the reply:
1 / ((13 + 2 x 10) characters of 11 bits + 2 x t3.5). The slave keeps the one before its reply, as nearly as a
process can; what it is off by is not counted for or against a master. Whoever passes the limit has given up
the other; the wire counts that. Every master has a wire and a slave of its own, and
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
from greenmast.errors import UserError

BAUDS = (9600, 19200, 115200)
REGISTERS = len(bus_slave.VALUES)
_REQUEST = [bus_slave.UNIT, 3, 0, REGISTERS]
_REQUEST_CHARACTERS = 8
_ROUNDS = 8
_ROUND_S = 0.75
_WARM_UP_S = 0.3
_LEAD_ROUNDS = 5
_LEAD_ROUND_S = 0.4
_TIMEOUT_S = 1.0
_PR_SET_TIMERSLACK, _SLACK_NS = 29, 1_000
_NICE = -10


def limit_per_s(baud: int, registers: int = REGISTERS, slave_gap_s: float | None = None) -> float:
    """Reads of `registers` registers a second that the line allows with two silent intervals each.

    `slave_gap_s`: the one before the reply, where it is not t3.5.
    """
    silence_s = gap_s(baud) + (gap_s(baud) if slave_gap_s is None else slave_gap_s)
    return 1 / ((13 + 2 * registers) * 11 / baud + silence_s)


def measure(folder: Path, makers: dict[str, Maker]) -> list[dict[str, Any]]:
    """[{"baud", "limit_per_s", "slave_lead_us", "masters": {name: {"per_s", "percent", "slave_gap_us",
    "median_percent", "errors", "gaps", "gap_min_us", "gap_violations"}}}]: `percent` of the limit with the
    slave's silence as it was, `slave_gap_us`, both in the best round; `median_percent` of all rounds.
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
    rounds: dict[str, list[_Round]] = {name: [] for name in makers}
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
                times_s, errors = reader.rate(_ROUND_S, _REQUEST)
                if not times_s:
                    raise UserError(f"{name} has read nothing for a while at {baud} baud")
                slave_gap_us = _slave_gap_us(wires[name].trace()[-2 * len(times_s) :], baud)
                rounds[name].append(_Round(baud, times_s, errors, slave_gap_us))
        silences = {name: wire.counters() for name, wire in wires.items()}
    masters = {}
    for name in makers:
        best = max(rounds[name], key=lambda one: one.share)
        seen = {key: silences[name][key] for key in ("gaps", "gap_min_us", "gap_violations")}
        masters[name] = {
            "per_s": round(best.per_s, 1),
            "percent": round(100 * best.share, 1),
            "slave_gap_us": round(best.slave_gap_us),
            "median_percent": round(100 * median(one.share for one in rounds[name]), 1),
            "errors": sum(one.errors for one in rounds[name]),
            **seen,
        }
    limit = round(limit_per_s(baud), 1)
    return {"baud": baud, "limit_per_s": limit, "slave_lead_us": lead_us, "masters": masters}


class _Round:
    """`per_s` of the median read; `share` of what the line allowed, the slave's silence as it was."""

    def __init__(self, baud: int, times_s: list[float], errors: int, slave_gap_us: float) -> None:
        self.errors = errors
        self.slave_gap_us = slave_gap_us
        self.per_s = 1 / median(times_s)
        self.share = self.per_s / limit_per_s(baud, slave_gap_s=slave_gap_us / 1e6)


def _slave_lead_us(baud: int, folder: Path) -> int:
    """How much later than t3.5 a reply of the slave is on the line when it means to be in time."""
    with (
        Wire(baud) as wire,
        bus_slave.running(wire.slave_path, baud),
        BoardMaster(folder, wire.master_path, baud) as board,
    ):
        late_us = []
        for _ in range(_LEAD_ROUNDS):
            reads = len(board.rate(_LEAD_ROUND_S, _REQUEST)[0])
            late_us.append(_slave_gap_us(wire.trace()[-2 * reads :], baud) - 1e6 * gap_s(baud))
    return max(0, int(min(late_us)))


def _slave_gap_us(frames: list[dict[str, Any]], baud: int) -> float:
    """The silence between a request and its reply, in the median, of what a wire has seen."""
    request_us = 1e6 * _REQUEST_CHARACTERS * 11 / baud
    return float(
        median(
            reply["at_us"] - request["at_us"] - request_us
            for request, reply in pairwise(frames)
            if request["from"] == "master" and reply["from"] != "master"
        )
    )
