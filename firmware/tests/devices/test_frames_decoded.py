"""Recorded replies of real products, decoded by the tables: what they say is what their source says."""

from __future__ import annotations

import tomllib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from greenmast_fw.devices import binding, profile
from greenmast_protocol import quality

FOLDER = Path(__file__).resolve().parents[3] / "host" / "tests" / "emulator" / "frames"
FORM = 0x70
# SunSpec's names of what the tables take -> point, its units in one of SunSpec's.
SUNSPEC = {
    "WH": ("solar.energy_wh", 1),
    "DCA": ("solar.current_ma", 1000),
    "DCV": ("solar.voltage_mv", 1000),
    "DCW": ("solar.power_w", 1),
    "Hz": ("grid.frequency_chz", 100),
    **{f"Aph{p}": (f"grid.l{i}_current_ma", 1000) for i, p in enumerate("ABC", 1)},
    **{f"PhVph{p}": (f"grid.l{i}_voltage_mv", 1000) for i, p in enumerate("ABC", 1)},
    **{f"Wph{p}": (f"grid.l{i}_power_w", 1) for i, p in enumerate("ABC", 1)},
    **{f"TotWhImpPh{p}": (f"grid.l{i}_energy_wh", 1) for i, p in enumerate("ABC", 1)},
}
# The table takes the hottest probe; what the recordings name is the first one, or their mean.
OTHERWISE = {("jk-pb", "battery.temperature_dc"), ("seplos-v3", "battery.temperature_dc")}


@dataclass(frozen=True)
class Reply:
    """Registers or bits from `address` on, and what they say."""

    product: str
    function: int
    address: int
    data: bytes
    meaning: dict[str, float]

    def __str__(self) -> str:
        return f"{self.product}-{self.function}-{self.address:#06x}-{self.data[:6].hex()}"


class Sink:
    """Takes the place of an `Image`."""

    value: int | str = "nothing"

    def put(self, i: int, value: int) -> None:
        self.value = value

    def invalid(self, i: int, why: int) -> None:
        self.value = quality.NAMES[why]


def body(text: str, framing: str) -> bytes:
    raw = bytes.fromhex(text)
    return raw[7:] if framing == "tcp" else raw[1:-2]


def replies(product: str, document: dict[str, Any]) -> Iterator[Reply]:
    for row in document.get("frame", []) + document.get("model", []):
        framing = row.get("framing", "tcp" if "model" in row else "rtu")
        request, reply = body(row["request"], framing), body(row["reply"], framing)
        if request[0] > 4 or reply[0] & 0x80:
            continue
        address = row.get("first", int.from_bytes(request[1:3], "big"))
        yield Reply(product, request[0], address, reply[2:], row.get("meaning", {}))
    for row in document.get("dump", []):
        yield Reply(product, 3, row["block"], bytes.fromhex(row["bytes"]), row["meaning"])


def decoded(reply: Reply) -> dict[str, int | str]:
    """Every point of the product whose registers are all in the reply."""
    product = binding.load(reply.product)
    out: dict[str, int | str] = {}
    for point, read, offset, kind, multiplier, divisor, add in product.ROWS:
        function, start, _, _ = product.READS[read]
        factor_at = start + divisor - reply.address if kind & profile.SUNSPEC else 0
        at, data = start + offset - reply.address, reply.data
        size = divisor if kind & FORM in (profile.HIGHEST, profile.LEAST) else 1 + bool(kind & profile.WIDE)
        if reply.product == "jk-pb":
            at, data = 0, jk_registers(reply, start + 2 * offset - reply.address, kind, size, divisor)
        inside = 0 <= at and 2 * (at + size) <= len(data) and 0 <= factor_at < len(data) // 2
        if function == reply.function and inside:
            sink = Sink()
            row = array("q", (0, 0, at, kind, multiplier, factor_at or divisor, add))
            profile.decode(row, 0, data, sink)  # type: ignore[arg-type]
            out[point] = sink.value
    return out


def jk_registers(reply: Reply, at: int, kind: int, size: int, divisor: int) -> bytes:
    """As function 3 would give them: addresses count bytes, and the memory has the low byte first."""
    data = reply.data[at : at + 2 * size]
    if kind & FORM == profile.MASKED or divisor == 256:
        return data  # two values of one byte
    width = 2 if kind & FORM else 2 * size
    return b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))


DOCUMENTS = {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}
REPLIES = [reply for product, document in DOCUMENTS.items() for reply in replies(product, document)]


def told(reply: Reply) -> dict[str, float]:
    """What the source says of points that the tables take from these registers."""
    meaning = dict(reply.meaning)
    for name, value in reply.meaning.items():
        if name in SUNSPEC:
            point, factor = SUNSPEC[name]
            meaning[point] = value * factor
    return {point: meaning[point] for point in decoded(reply) if point in meaning}


@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_a_recorded_reply_says_what_its_source_says(reply: Reply) -> None:
    values = decoded(reply)
    for point, meant in told(reply).items():
        if (reply.product, point) not in OTHERWISE:
            assert isinstance(values[point], int), (point, values[point])
            assert abs(int(values[point]) - meant) <= 0.5 + 1e-6 * abs(meant), point


def test_there_are_recordings_of_many_products_and_all_are_known() -> None:
    assert set(DOCUMENTS) <= set(binding.PROFILES)
    compared = [(reply.product, point) for reply in REPLIES for point in told(reply)]
    assert len({product for product, _ in compared}) >= 9, sorted({product for product, _ in compared})
    assert len(compared) >= 60
