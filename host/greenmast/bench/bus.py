"""The Modbus master beside others, in one run: rates, silence, refusals, a dead device, and mbpoll's reading.

Owns the order and the words; what is measured, and how, is in `bus_rates`, `bus_refusals`, `bus_cycle` and
`mbpoll`. Ours is the firmware's, compiled, under real MicroPython. Takes about three minutes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from greenmast.bench import bus_cycle, bus_masters, bus_rates, bus_refusals, mbpoll
from greenmast.bench.board_master import compile_master


def run() -> dict[str, Any]:
    """{"registers", "rates": see `bus_rates.measure`, "refusals": see `bus_refusals.count`, "cycle": see
    `bus_cycle.measure`, "mbpoll": see `mbpoll.sweep`}.

    Raises UserError when MicroPython, libmodbus or mbpoll is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="greenmast-") as folder:
        board = Path(folder)
        makers = bus_masters.makers(compile_master(board))
        return {
            "registers": bus_rates.REGISTERS,
            "rates": bus_rates.measure(board, makers),
            "refusals": bus_refusals.count(makers),
            "cycle": bus_cycle.measure(board),
            "mbpoll": mbpoll.sweep(),
        }


def text(result: dict[str, Any]) -> str:
    """The result for people."""
    return "\n".join(
        [
            f"  {result['registers']}-register reads a second: rate, percent of the limit, t3.5 violations",
            *_rates(result["rates"]),
            "",
            *_refusals(result["refusals"]),
            "",
            *_cycle(result["cycle"]),
            "",
            *_mbpoll(result["mbpoll"]),
        ]
    )


def _rates(rates: list[dict[str, Any]]) -> list[str]:
    names = list(rates[0]["masters"])
    lines = [f"  {'baud':>8}{'limit':>8}" + "".join(f"{name:>26}" for name in names)]
    for row in rates:
        cells = ""
        for name in names:
            seen = row["masters"][name]
            broken = f"{seen['gap_violations']}/{seen['gaps']}"
            cells += f"{seen['per_s']:>9}{seen['percent']:>6.0f} %{broken:>9}"
        lines.append(f"  {row['baud']:>8}{row['limit_per_s']:>8}{cells}")
    return lines


def _refusals(refusals: dict[str, Any]) -> list[str]:
    lines = [f"  malformed replies accepted, of {refusals['cases']} (wrong values; good replies lost after)"]
    for name, seen in refusals["masters"].items():
        numbers = f"{len(seen['accepted']):>4} ({len(seen['wrong_values'])}; {seen['next_lost']})"
        lines.append(f"  {name:<16}{numbers:<14}{', '.join(seen['accepted'])}".rstrip())
    return lines


def _cycle(cycle: dict[str, Any]) -> list[str]:
    lines = [f"  poll cycle of {cycle['devices']} devices at {cycle['baud']} baud"]
    for key, words in (("alive", "all alive"), ("one_dead", "one dead")):
        seen = cycle[key]
        lines.append(
            f"  {words:<12}mean {seen['cycle_mean_ms']} ms, worst {seen['cycle_worst_ms']} ms, "
            f"{seen['reads_per_minute']} reads a minute of the live device read least"
        )
    lines.append(
        f"  beside a dead one, every live device keeps {cycle['rate_kept_percent']} % of its rate or more"
    )
    return lines


def _mbpoll(sweep: dict[str, Any]) -> list[str]:
    wrong = sweep["wrong"]
    head = f"  mbpoll: {sweep['devices']} emulated devices, {sweep['readings']} readings, {len(wrong)} wrong"
    return [head, *(f"    {line}" for line in wrong)]
