"""PACE: one register per value, flags that follow the parameters, what may be written."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import create, pdu

CHARGING, DISCHARGING, BOTH_CLOSED = 1 << 8, 1 << 9, 1 << 10 | 1 << 11


@pytest.fixture
def pace(device: Any) -> Any:
    return device("pace-bms")


def test_the_first_block_shows_the_battery(pace: Any) -> None:
    assert pace.read_registers(3, 0, 8) == [
        0x10000 - 2_140, 5_318, 64, 98, 19_260, 30_000, 30_000, 0,
    ]  # fmt: skip
    cells = pace.read_registers(3, 15, 16)
    assert (min(cells[:15]), max(cells[:15]), cells[15]) == (3_541, 3_549, 0)
    assert pace.read_registers(3, 31, 6) == [274, 274, 274, 274, 274, 335]


def test_temperatures_below_zero_are_signed(plant: Any, pace: Any) -> None:
    plant.truths.update({"battery.temperature_dc": -35.0, "site.temperature_dc": -120.0})
    pace.refresh(plant)
    assert pace.read_registers(3, 34, 3) == [0x10000 - 35, 0x10000 - 35, 0x10000 - 120]


def test_reserved_places_read_as_zero_so_that_one_request_gets_it_all(pace: Any) -> None:
    block = pace.read_registers(3, 0, 119)
    assert (block[8], block[13], block[14], block[37], block[59], block[118]) == (0,) * 6
    assert block[65] == 3_650


def test_texts_are_two_characters_a_register(pace: Any) -> None:
    def text(at: int) -> str:
        return b"".join(w.to_bytes(2, "big") for w in pace.read_registers(3, at, 10)).decode().rstrip()

    assert text(150) == "P16S100A-1B470-3.01"
    assert text(170).startswith("GM48300")


@pytest.mark.parametrize(
    ("current_ma", "status"),
    [(-21_400.0, DISCHARGING), (30_000.0, CHARGING), (0.0, 0), (40.0, 0)],
)
def test_status_follows_the_current(plant: Any, pace: Any, current_ma: float, status: int) -> None:
    plant.truths["battery.current_ma"] = current_ma
    pace.refresh(plant)
    assert pace.read_registers(3, 11, 1) == [status | BOTH_CLOSED]


def test_switches_are_those_of_the_plant(plant: Any, pace: Any) -> None:
    plant.truths.update({"battery.charge_blocked": 1.0, "battery.current_ma": 0.0})
    pace.refresh(plant)
    assert pace.read_registers(3, 11, 1) == [1 << 11]


@pytest.mark.parametrize(
    ("truths", "warnings", "protections"),
    [
        ({"battery.cell_max_mv": 3_601.0}, 1 << 0, 0),
        ({"battery.cell_max_mv": 3_651.0}, 1 << 0, 1 << 0),
        ({"battery.cell_min_mv": 2_790.0}, 1 << 1, 0),
        ({"battery.cell_min_mv": 2_499.0}, 1 << 1, 1 << 1),
        ({"battery.voltage_mv": 54_001.0}, 1 << 2, 0),
        ({"battery.voltage_mv": 37_499.0}, 1 << 3, 1 << 3),
        ({"battery.current_ma": 156_500.0}, 1 << 4, 0),
        ({"battery.current_ma": -331_000.0}, 1 << 5, 1 << 5),
        ({"battery.temperature_dc": 551.0}, 1 << 8 | 1 << 9, 0),
        ({"battery.temperature_dc": 601.0}, 1 << 8 | 1 << 9, 1 << 8 | 1 << 9),
        ({"battery.temperature_dc": 49.0}, 1 << 10, 0),
        ({"battery.temperature_dc": -1.0}, 1 << 10, 1 << 10),
        ({"site.temperature_dc": 651.0}, 1 << 12, 0),
        ({"site.temperature_dc": -201.0}, 1 << 13, 1 << 14),
        ({"battery.soc_permille": 49.0}, 1 << 15, 0),
    ],
)
def test_flags_follow_the_truth(
    plant: Any, pace: Any, truths: dict[str, float], warnings: int, protections: int
) -> None:
    assert pace.read_registers(3, 9, 2) == [0, 0]
    plant.truths.update(truths)
    pace.refresh(plant)
    assert pace.read_registers(3, 9, 2) == [warnings, protections]


def test_flags_follow_written_parameters(plant: Any, pace: Any) -> None:
    pace.write_registers(16, 64, (3_545,))
    pace.write_registers(16, 112, (70,))
    pace.refresh(plant)
    assert pace.read_registers(3, 9, 2) == [1 << 0 | 1 << 15, 0]
    pace.write_registers(16, 91, (0x10000 - 100,))  # -10.0 degC
    plant.truths["battery.temperature_dc"] = -50.0
    pace.refresh(plant)
    assert pace.read_registers(3, 10, 1) == [0]


def test_serial_numbers_can_be_written(pace: Any) -> None:
    pace.write_registers(16, 170, (0x4142, 0x4344))
    assert pace.read_registers(3, 170, 2) == [0x4142, 0x4344]


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [
        ("0300b40001", 2),  # 180
        ("0300b30002", 2),
        ("030000007e", 3),  # more than 125
        ("0400000001", 1),
        ("06004000ff", 1),
        ("10000000010200 01", 3),  # a measurement
        ("1000730001020001", 3),  # reserved
        ("1000960001024142", 3),  # version
        ("1000b4000102 0001", 2),
        ("10003f000102 0100", 3),  # a delay of 256
        ("100070000102 0065", 3),  # 101 %
    ],
)
def test_it_refuses(pace: Any, request_hex: str, exception: int) -> None:
    reply = pdu.execute(pace, bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_a_refused_write_changes_nothing(pace: Any) -> None:
    before = pace.read_registers(3, 112, 3)
    assert pdu.execute(pace, bytes.fromhex("100070000306 0065 0001 0002"))[0] == 0x90
    assert pace.read_registers(3, 112, 3) == before


def test_it_will_not_stand_for_a_string_it_cannot_manage() -> None:
    with pytest.raises(ValueError, match=r"1\.\.16"):
        create("pace-bms", {"battery": {"cells": 24}})
