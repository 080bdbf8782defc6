"""SunSpec layouts and what real inverters and meters said: the same numbers by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from greenmast.emulator.devices.sunspec import Layout, layout
from greenmast.emulator.devices.sunspec_inverter import INVERTER, MPPT_HEAD
from greenmast.emulator.devices.sunspec_meter import METER

LAYOUTS = {103: INVERTER, 160: layout(MPPT_HEAD), 203: METER}
HEAD = 9  # bytes of a Modbus TCP reply before its registers
RECORDED = [
    (path.stem, row)
    for path in sorted((Path(__file__).parent / "frames").glob("sunspec-*.toml"))
    for row in tomllib.loads(path.read_text())["model"]
]


def number(points: Layout, registers: dict[int, int], name: str) -> float | None:
    """A point with its scale factor; None: not implemented."""
    point = points.points[name]
    raw = 0
    for word in range(point.kind.words):
        raw = raw << 16 | registers[point.offset + word]
    if raw == point.kind.absent and raw:
        return None
    if point.kind.low < 0 and raw >> (16 * point.kind.words - 1):
        raw -= 1 << 16 * point.kind.words
    exponent = number(points, registers, f"{point.scale}_SF") if point.scale else 0
    return None if exponent is None else raw * 10.0**exponent


def registers_of(row: dict[str, Any]) -> dict[int, int]:
    """Offset from the model's number -> register."""
    reply = bytes.fromhex(row["reply"])
    count = int(row["request"][-4:], 16)
    assert len(reply) == HEAD + 2 * count
    return {row["first"] + at: int.from_bytes(reply[HEAD + 2 * at :][:2], "big") for at in range(count)}


@pytest.mark.parametrize(("profile", "row"), RECORDED, ids=lambda value: str(value)[:24])
def test_a_layout_reads_what_a_real_device_said(profile: str, row: dict[str, Any]) -> None:
    assert row["source"]
    points = LAYOUTS[row["model"]]
    registers = registers_of(row)
    read = {name: number(points, registers, name) for name in row["meaning"]}
    assert read == pytest.approx(row["meaning"])


def test_what_a_real_device_has_not_is_seen_as_absent() -> None:
    rows = {row["source"]: row for _, row in RECORDED}
    solaredge = next(row for source, row in rows.items() if "12708" in source)
    kostal = next(row for source, row in rows.items() if "18358" in source)
    assert number(INVERTER, registers_of(solaredge), "TmpCab") is None
    assert number(METER, registers_of(kostal), "A") is None
    assert number(METER, registers_of(kostal), "TotVArhImpQ1") is None  # its scale factor is 0x8000
