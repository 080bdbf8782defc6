"""Grid and load meter: encodings, holes, settings and what each refuses."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import encoding, pdu
from greenmast.emulator.devices.device import RefusedError


def floats(registers: list[int]) -> list[float]:
    return [encoding.f32_value(*registers[i : i + 2]) for i in range(0, len(registers), 2)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (0x0000, 230.45), (0x0006, 8.21), (0x000C, 1_880.0), (0x0012, 230.45 * 8.21), (0x0046, 49.87),
        (0x0048, 1_234.56), (0x004A, 0.0), (0x0156, 1_234.56),
    ],
)  # fmt: skip
def test_sdm230_gives_floats_high_word_first(device: Any, address: int, expected: float) -> None:
    assert floats(device("eastron-sdm230").read_registers(4, address, 2)) == [
        pytest.approx(expected, rel=1e-6)
    ]


def test_sdm230_power_triangle_closes(device: Any) -> None:
    watts, apparent, reactive, factor = (
        floats(device("eastron-sdm230").read_registers(4, at, 2))[0] for at in (0x0C, 0x12, 0x18, 0x1E)
    )
    assert watts**2 + reactive**2 == pytest.approx(apparent**2, rel=1e-5)
    assert factor == pytest.approx(watts / apparent, rel=1e-6)


def test_sdm230_of_a_dead_grid_reads_zero_and_unity(plant: Any, device: Any) -> None:
    plant.truths.update(
        {f"grid.{name}": 0.0 for name in ("voltage_mv", "current_ma", "power_w", "frequency_chz")}
    )
    meter = device("eastron-sdm230")
    assert floats(meter.read_registers(4, 0, 80)[:2]) == [0.0]
    assert floats(meter.read_registers(4, 0x1E, 2)) == [1.0]


def test_sdm230_reads_what_a_single_phase_has_not_as_zero(device: Any) -> None:
    block = floats(device("eastron-sdm230").read_registers(4, 0, 80))
    assert block[0] == pytest.approx(230.45)
    assert block[1:3] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [
        ("0400010002", 2),  # odd start
        ("0400000001", 2),  # odd count
        ("0400000052", 3),  # 82 registers
        ("0401590002", 2),
        ("04015a0002", 2),  # beyond the table
        ("0300000002", 2),  # no such setting
        ("0600140001", 1),
    ],
)
def test_sdm230_refuses(device: Any, request_hex: str, exception: int) -> None:
    reply = pdu.execute(device("eastron-sdm230"), bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_sdm230_settings_are_floats_within_limits(device: Any) -> None:
    meter = device("eastron-sdm230")
    assert floats(meter.read_registers(3, 0x1C, 2)) == [2.0]
    meter.write_registers(16, 0x14, encoding.f32_high_first(7.0))
    assert floats(meter.read_registers(3, 0x14, 2)) == [7.0]
    with pytest.raises(RefusedError):
        meter.write_registers(16, 0x14, encoding.f32_high_first(248.0))


def test_pzem017_gives_unsigned_current_and_low_word_first_energy(device: Any) -> None:
    volts, amperes, *rest = device("pzem-017").read_registers(4, 0, 8)
    assert (volts, amperes) == (5_319, 3_824)
    assert rest == [20_340, 0, 7_654_321 & 0xFFFF, 7_654_321 >> 16, 0, 0]


def test_pzem017_alarms_beyond_its_limits(plant: Any, device: Any) -> None:
    meter = device("pzem-017")
    meter.write_registers(6, 0, (5_000,))
    meter.refresh(plant)
    assert meter.read_registers(4, 6, 2) == [0xFFFF, 0]
    plant.truths["dc.bus_mv"] = 0.0
    meter.refresh(plant)
    assert meter.read_registers(4, 0, 8)[1] == 0
    assert meter.read_registers(4, 6, 2) == [0, 0xFFFF]


def test_pzem017_clears_its_energy_by_its_own_function(plant: Any, device: Any) -> None:
    meter = device("pzem-017")
    assert pdu.execute(meter, b"\x42") == b"\x42"
    assert meter.read_registers(4, 4, 2) == [0, 0]
    plant.truths["load.energy_wh"] += 123.0
    meter.refresh(plant)
    assert meter.read_registers(4, 4, 2) == [123, 0]


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [("0400000009", 2), ("0600020000", 3), ("0600030004", 3), ("0600040000", 2), ("1000000001020001", 1)],
)
def test_pzem017_refuses(device: Any, request_hex: str, exception: int) -> None:
    reply = pdu.execute(device("pzem-017"), bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))
