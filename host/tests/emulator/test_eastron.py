"""SDM120 and SDM630: what differs from the SDM230, and what the three lines add up to."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from greenmast.emulator.devices import encoding, pdu


def value(meter: Any, address: int) -> float:
    return encoding.f32_value(*meter.read_registers(4, address, 2))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (0x0000, 230.45), (0x0006, 8.21), (0x000C, 1_880.0), (0x0012, 230.45 * 8.21), (0x0024, 0.0),
        (0x0046, 49.87), (0x0048, 1_234.56), (0x004A, 0.0), (0x0054, 1_880.0), (0x0156, 1_234.56),
    ],
)  # fmt: skip
def test_sdm120_has_the_map_of_the_sdm230(device: Any, address: int, expected: float) -> None:
    assert value(device("eastron-sdm120"), address) == pytest.approx(expected, rel=1e-6)


def test_sdm120_names_itself_by_its_meter_code(device: Any) -> None:
    meter = device("eastron-sdm120")
    assert meter.read_registers(3, 0xFC02, 1) == [0x0020]
    high, low, code, version = meter.read_registers(3, 0xFC00, 4)
    assert (high << 16 | low, code, version) == (12_000_001, 0x0020, 0x0205)
    assert meter.read_registers(3, 0xF920, 1) == [2]


def test_sdm120_is_delivered_at_2400_baud(device: Any) -> None:
    meter = device("eastron-sdm120")
    assert meter.read_registers(3, 0x1C, 2) == [0, 0]
    assert encoding.f32_value(*device("eastron-sdm230").read_registers(3, 0x1C, 2)) == 2.0


def test_sdm120_settings_within_their_limits(device: Any) -> None:
    meter = device("eastron-sdm120")
    assert pdu.execute(meter, bytes.fromhex("10001400020442700000")).hex() == "1000140002"  # address 60
    assert encoding.f32_value(*meter.read_registers(3, 0x14, 2)) == 60.0
    assert pdu.execute(meter, bytes.fromhex("10001400020443780000")).hex() == "9003"  # 248
    assert pdu.execute(meter, bytes.fromhex("10001000020400000000")).hex() == "9002"  # no such setting
    assert pdu.execute(meter, bytes.fromhex("10fc000002040000000 1".replace(" ", ""))).hex() == "9002"


@pytest.mark.parametrize("profile", ["eastron-sdm120", "eastron-sdm630"])
@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [("0400010002", 2), ("0400000003", 2), ("0400000052", 3), ("0402000002", 2), ("0600140001", 1)],
)
def test_both_refuse(device: Any, profile: str, request_hex: str, exception: int) -> None:
    reply = pdu.execute(device(profile), bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (0x0000, 230.45),
        (0x0006, 8.21 / 3),
        (0x000C, 1_880.0 / 3),
        (0x0012, 230.45 * 8.21 / 3),
        (0x001E, 1_880.0 / (230.45 * 8.21)),
        (0x00C8, 230.45 * sqrt(3)),
        (0x0102, 8.21 / 3),
        (0x015A, 1_234.56 / 3),
        (0x0160, 0.0),
        (0x0166, 1_234.56 / 3),
    ],
)
def test_sdm630_shows_the_same_on_each_line(device: Any, first: int, expected: float) -> None:
    meter = device("eastron-sdm630")
    for line in range(3):
        assert value(meter, first + 2 * line) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (0x002A, 230.45), (0x002E, 8.21 / 3), (0x0030, 8.21), (0x0034, 1_880.0), (0x0038, 230.45 * 8.21),
        (0x0046, 49.87), (0x0048, 1_234.56), (0x004A, 0.0), (0x0054, 1_880.0), (0x00CE, 230.45 * sqrt(3)),
        (0x00E0, 0.0), (0x0156, 1_234.56),
    ],
)  # fmt: skip
def test_sdm630_totals_are_those_of_the_plant(device: Any, address: int, expected: float) -> None:
    assert value(device("eastron-sdm630"), address) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("total", "lines"), [(0x0030, 0x0006), (0x0034, 0x000C), (0x0038, 0x0012), (0x003C, 0x0018)]
)
def test_sdm630_lines_add_up_to_the_total(device: Any, total: int, lines: int) -> None:
    meter = device("eastron-sdm630")
    assert value(meter, total) == pytest.approx(sum(value(meter, lines + 2 * n) for n in range(3)), rel=1e-6)


def test_sdm630_remembers_the_highest_demand(plant: Any, device: Any) -> None:
    meter = device("eastron-sdm630")
    plant.truths.update({"grid.power_w": 100.0, "grid.current_ma": 500.0})
    meter.refresh(plant)
    assert value(meter, 0x0054) == pytest.approx(100.0)
    assert value(meter, 0x0056) == pytest.approx(1_880.0)
    assert value(meter, 0x0108) == pytest.approx(8.21 / 3)


def test_sdm630_answers_what_is_not_there_as_captured(device: Any) -> None:
    meter = device("eastron-sdm630")
    assert meter.read_registers(3, 0x4A38, 2) == [0, 0]
    assert meter.read_registers(3, 0x0023, 1) == [0]
    assert meter.read_registers(4, 0x0000, 1) == [0]
    assert encoding.f32_value(*meter.read_registers(3, 0x0000, 2)) == 60.0


def test_sdm630_knows_its_nominal_values(device: Any) -> None:
    meter = device("eastron-sdm630")
    settings = [encoding.f32_value(*meter.read_registers(3, at, 2)) for at in (0x0006, 0x0008)]
    assert settings == [230.0, 10.0]  # as mbmd read 220 and 10 of a real one


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (0x0180, 1_234.56), (0x130C, 1_234.56), (0x130E, 0.0), (0x1314, 1_234.56), (0x131C, 0.0),
        (0x1324, 0.0), (0x13D2, 1.88), (0x1560, 1_880.0), (0x1566, 8.21), (0x156E, 0.0), (0x1574, 0.0),
    ],
)  # fmt: skip
def test_sdm230_has_tariffs_and_the_sdm120_has_not(device: Any, address: int, expected: float) -> None:
    assert value(device("eastron-sdm230"), address) == pytest.approx(expected, rel=1e-6)
    refused = pdu.execute(device("eastron-sdm120"), bytes((4, *address.to_bytes(2, "big"), 0, 2)))
    assert refused.hex() == "8402"


def test_sdm630_keeps_what_its_password_protects(device: Any) -> None:
    meter = device("eastron-sdm630")
    assert encoding.f32_value(*meter.read_registers(3, 0x000A, 2)) == 3.0
    for address, written in ((0x000A, 1.0), (0x000C, 60.0), (0x0018, 1000.0)):
        frame = bytes((16, *address.to_bytes(2, "big"), 0, 2, 4))
        words = encoding.f32_high_first(written)
        assert pdu.execute(meter, frame + b"".join(w.to_bytes(2, "big") for w in words)) == b"\x90\x02"
