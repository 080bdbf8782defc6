"""The emulated products answer as real ones did: same function, same length, same refusals."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymodbus.framer import FramerRTU

from greenmast.emulator.devices import PROFILES, create, pdu

FOLDER = Path(__file__).parent / "frames"
MBAP_LENGTH = 6


@dataclass(frozen=True)
class Frame:
    """`request` and `reply` are function code and data."""

    profile: str
    source: str
    unit: int
    request: bytes
    reply: bytes
    exact: bool
    meaning: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.profile}-{self.request.hex()}"


def recorded_profiles() -> list[str]:
    """Profiles with recorded frames."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def document(profile: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{profile}.toml").read_text())


def frames(profile: str) -> list[Frame]:
    """Every frame of a profile. Raises ValueError for one with a wrong checksum or length."""
    found = []
    for row in document(profile).get("frame", []):
        framing = row.get("framing", "rtu")
        request, reply = (unframed(row[name], framing) for name in ("request", "reply"))
        if request[0] != reply[0]:
            raise ValueError(f"{profile}: units {request[0]} and {reply[0]}")
        found.append(
            Frame(
                profile,
                row["source"],
                request[0],
                request[1:],
                reply[1:],
                row.get("exact", False),
                row.get("meaning", {}),
            )
        )
    return found


def unframed(text: str, framing: str) -> bytes:
    """Unit, function and data."""
    raw = bytes.fromhex(text)
    if framing == "tcp":
        if raw[2:4] != b"\0\0" or int.from_bytes(raw[4:6], "big") != len(raw) - MBAP_LENGTH:
            raise ValueError(f"no Modbus TCP frame: {text}")
        return raw[MBAP_LENGTH:]
    if FramerRTU.compute_CRC(raw[:-2]) != int.from_bytes(raw[-2:], "big"):
        raise ValueError(f"checksum: {text}")
    return raw[:-2]


FRAMES = [frame for profile in recorded_profiles() for frame in frames(profile)]
# What a real product does and the emulated one refuses: frame -> why
REFUSED = {
    "eastron-sdm230-03000b0001": "a single register is half a float, says the document",
    "jk-pb-10162000010200" + "00": "what follows is no Modbus",
}


def device_for(frame: Frame, plant: Any) -> Any:
    meaning = {name: value for name, value in frame.meaning.items() if name in plant.truths}
    plant.truths.update(meaning)
    if "grid.l1_voltage_mv" in frame.meaning:
        plant.truths["grid.voltage_mv"] = frame.meaning["grid.l1_voltage_mv"]
    battery = {"cells": int(frame.meaning.get("cells", 16)), "capacity_ah": 280}
    device = create(frame.profile, {"battery": battery})
    device.refresh(plant)
    return device


def test_every_product_with_recorded_frames_is_emulated() -> None:
    assert set(recorded_profiles()) <= set(PROFILES)
    assert len(FRAMES) >= 40


@pytest.mark.parametrize("profile", recorded_profiles())
def test_every_frame_names_its_source(profile: str) -> None:
    rows = [row for kind in document(profile).values() for row in kind]
    assert rows
    assert all(row["source"] for row in rows)


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_the_answer_has_the_recorded_shape(plant: Any, frame: Frame) -> None:
    reply = pdu.execute(device_for(frame, plant), frame.request)
    if str(frame) in REFUSED:
        assert reply[0] == frame.request[0] | 0x80
    else:
        assert (reply[0], len(reply)) == (frame.reply[0], len(frame.reply))


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if frame.exact], ids=str)
def test_the_answer_is_the_recorded_one(plant: Any, frame: Frame) -> None:
    assert pdu.execute(device_for(frame, plant), frame.request).hex() == frame.reply.hex()


@pytest.mark.parametrize(
    ("text", "framing"),
    [("0104000000027100", "rtu"), ("000100000005010400000002", "tcp"), ("000100010006010400000002", "tcp")],
)
def test_a_frame_with_a_slip_of_the_pen_is_noticed(text: str, framing: str) -> None:
    with pytest.raises(ValueError, match=r"checksum|TCP"):
        unframed(text, framing)
