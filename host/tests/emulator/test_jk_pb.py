"""JK PB: byte addresses, the map that recorded memory fixes, alarms that follow the settings."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from greenmast.emulator.devices import create, pdu
from greenmast.emulator.devices.device import RefusedError

DUMPS = tomllib.loads((Path(__file__).parent / "frames" / "jk-pb.toml").read_text())["dump"]
# What is shown from the plant: name in the dumps -> byte offset, bytes
PLACES = {
    "battery.voltage_mv": (0x90, 4),
    "battery.power_mw": (0x94, 4),
    "battery.current_ma": (0x98, 4),
    "battery.temperature_dc": (0x9C, 2),
    "battery.remaining_mah": (0xA8, 4),
    "full_mah": (0xAC, 4),
    "charge_switch": (0xC0, 1),
    "discharge_switch": (0xC1, 1),
}
CELLS_THERE, SOC, SOH, SENSORS, PACK_CENTIVOLTS = 0x40, 0xA7, 0xB8, 0xD0, 0xE4


def u32(jk: Any, address: int) -> int:
    high, low = jk.read_registers(3, address, 2)
    return int(high << 16 | low)


def s32(jk: Any, address: int) -> int:
    value = u32(jk, address)
    return value - (1 << 32) if value >> 31 else value


def write(jk: Any, address: int, value: int) -> None:
    value &= 0xFFFFFFFF
    jk.write_registers(16, address, (value >> 16, value & 0xFFFF))


@pytest.fixture
def jk(device: Any) -> Any:
    return device("jk-pb")


def test_the_data_block_shows_the_battery(plant: Any, jk: Any) -> None:
    assert u32(jk, 0x1290) == 53_180
    assert u32(jk, 0x1294) == 1_138_052  # mW, 53.18 V x 21.4 A
    assert s32(jk, 0x1298) == -21_400
    assert jk.read_registers(3, 0x129C, 2) == [274, 274]
    assert jk.read_registers(3, 0x128A, 1) == [274]
    assert jk.read_registers(3, 0x12A6, 1) == [64]
    assert u32(jk, 0x12A8) == 192_600
    assert u32(jk, 0x12AC) == 300_000
    assert jk.read_registers(3, 0x12B8, 1) == [98 << 8]
    assert jk.read_registers(3, 0x12E4, 1) == [5_318]
    assert jk.read_registers(3, 0x12F8, 3) == [274] * 3


def test_cells_are_there_and_counted(jk: Any) -> None:
    cells = jk.read_registers(3, 0x1200, 32)
    assert (min(cells[:15]), max(cells[:15]), cells[15:]) == (3_541, 3_549, [0] * 17)
    assert u32(jk, 0x1240) == 0x7FFF
    assert jk.read_registers(3, 0x1244, 2) == [3_545, 8]
    (numbers,) = jk.read_registers(3, 0x1248, 1)
    assert (cells[numbers >> 8], cells[numbers & 0xFF]) == (3_549, 3_541)


def test_temperatures_below_zero_are_signed(plant: Any, jk: Any) -> None:
    plant.truths["battery.temperature_dc"] = -35.0
    jk.refresh(plant)
    assert jk.read_registers(3, 0x129C, 1) == [0x10000 - 35]


@pytest.mark.parametrize("dump", [dump for dump in DUMPS if dump["block"] == 0x1200])
def test_recorded_memory_has_the_same_places(plant: Any, dump: dict[str, Any]) -> None:
    memory, meaning = bytes.fromhex(dump["bytes"]), dump["meaning"]
    plant.truths.update({name: value for name, value in meaning.items() if name in plant.truths})
    jk = create("jk-pb", {"battery": {"cells": 16, "capacity_ah": meaning["full_mah"] / 1e3}})
    jk.refresh(plant)
    shown = b"".join(word.to_bytes(2, "big") for word in jk.read_registers(3, 0x1200, 125))
    for name in PLACES.keys() & meaning.keys():
        at, width = PLACES[name]
        recorded = int.from_bytes(memory[at : at + width], "little", signed=True)
        assert recorded == meaning[name], name
        answered = int.from_bytes(shown[at : at + width], "big", signed=True)
        assert answered == pytest.approx(recorded, rel=0.05), name  # power: measured on its own
    assert shown[CELLS_THERE : CELLS_THERE + 4] == memory[CELLS_THERE : CELLS_THERE + 4][::-1]
    assert shown[SOC] == memory[SOC] == meaning["battery.soc_permille"] // 10
    assert shown[SOH] == memory[SOH] == meaning["battery.soh_permille"] // 10
    assert shown[SENSORS] == memory[SENSORS]
    pack = slice(PACK_CENTIVOLTS, PACK_CENTIVOLTS + 2)
    assert int.from_bytes(shown[pack], "big") == pytest.approx(int.from_bytes(memory[pack], "little"), abs=1)


def test_recorded_settings_have_the_same_places(jk: Any) -> None:
    (dump,) = (dump for dump in DUMPS if dump["block"] == 0x1000)
    memory, meaning = bytes.fromhex(dump["bytes"]), dump["meaning"]
    for name, at, shown in (
        ("cell_under_mv", 0x04, 2_500),
        ("cell_over_mv", 0x0C, 3_650),
        ("charge_over_ma", 0x2C, 165_000),
        ("discharge_over_ma", 0x38, 330_000),
        ("cells", 0x6C, 15),
        ("full_mah", 0x7C, 300_000),
    ):
        assert int.from_bytes(memory[at : at + 4], "little") == meaning[name]
        assert u32(jk, 0x1000 + at) == shown


def test_it_says_who_it_is_where_recorded_memory_does(plant: Any, jk: Any) -> None:
    (dump,) = (dump for dump in DUMPS if dump["block"] == 0x1400)
    recorded = bytes.fromhex(dump["bytes"])
    words = jk.read_registers(3, 0x1400, 20)
    shown = b"".join(word.to_bytes(2, "big") for word in words)
    for start, end in ((0, 16), (16, 24), (24, 32)):
        assert shown[start:end].replace(b"-", b"_") == recorded[start:end]
    plant.time_s = 100.0
    jk.refresh(plant)
    assert u32(jk, 0x1420) == 100


def test_an_answer_of_several_registers_is_consecutive(jk: Any) -> None:
    block = jk.read_registers(3, 0x1290, 6)
    assert block[:2] == jk.read_registers(3, 0x1290, 2)
    assert block[4:] == jk.read_registers(3, 0x1298, 2)
    assert jk.read_registers(3, 0x1292, 1) == [53_180]  # low word alone


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [
        ("0312010001", 2),  # odd
        ("0313000001", 2),  # outside
        ("0312fe0002", 2),  # over the end
        ("0314280001", 2),
        ("0316200001", 2),
        ("0412900002", 1),
        ("0612900000", 1),
        ("101620000102 0000", 2),  # trigger
        ("101070000204 00000000", 2),  # charge switch
        ("10107c000204 00000001", 2),  # capacity
        ("101004000102 0a8c", 2),  # half a setting
        ("101004000204 ffffffff", 3),
        ("101290000204 00000000", 2),
    ],
)
def test_it_refuses(jk: Any, request_hex: str, exception: int) -> None:
    reply = pdu.execute(jk, bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_unassigned_places_in_a_block_read_as_zero(jk: Any) -> None:
    assert jk.read_registers(3, 0x124A, 2) == [0, 0]
    assert jk.read_registers(3, 0x1200, 125)[0] in range(3_541, 3_550)


@pytest.mark.parametrize(
    ("truth", "value", "bit"),
    [
        ("battery.cell_max_mv", 3_651.0, 4),
        ("battery.cell_min_mv", 2_499.0, 11),
        ("battery.current_ma", 165_001.0, 6),
        ("battery.current_ma", -330_001.0, 13),
        ("battery.temperature_dc", -1.0, 9),
    ],
)
def test_alarms_follow_the_truth(plant: Any, jk: Any, truth: str, value: float, bit: int) -> None:
    assert u32(jk, 0x12A0) == 0
    plant.truths[truth] = value
    jk.refresh(plant)
    assert u32(jk, 0x12A0) == 1 << bit


def test_too_hot_is_several_alarms(plant: Any, jk: Any) -> None:
    plant.truths["battery.temperature_dc"] = 601.0
    jk.refresh(plant)
    assert u32(jk, 0x12A0) == 1 << 8 | 1 << 15


def test_alarms_follow_the_settings(plant: Any, jk: Any) -> None:
    write(jk, 0x100C, 3_500)
    write(jk, 0x105C, -100)
    assert (u32(jk, 0x100C), s32(jk, 0x105C)) == (3_500, -100)
    plant.truths["battery.temperature_dc"] = -50.0
    jk.refresh(plant)
    assert u32(jk, 0x12A0) == 1 << 4
    write(jk, 0x105C, 0)
    jk.refresh(plant)
    assert u32(jk, 0x12A0) == 1 << 4 | 1 << 9


def test_switches_are_those_of_the_plant(plant: Any, jk: Any) -> None:
    assert jk.read_registers(3, 0x12C0, 1) == [0x0101]
    plant.truths["battery.charge_blocked"] = 1.0
    jk.refresh(plant)
    assert jk.read_registers(3, 0x12C0, 1) == [0x0001]
    plant.truths.update({"battery.charge_blocked": 0.0, "battery.discharge_blocked": 1.0})
    jk.refresh(plant)
    assert jk.read_registers(3, 0x12C0, 1) == [0x0100]


def test_it_counts_what_was_discharged_in_cycles(plant: Any, jk: Any) -> None:
    plant.truths["battery.current_ma"] = -300_000.0
    plant.time_s = 3_600.0 * 1.5
    jk.refresh(plant)
    assert u32(jk, 0x12B4) == 450_000
    assert u32(jk, 0x12B0) == 1


def test_it_will_not_stand_for_a_string_it_cannot_manage() -> None:
    with pytest.raises(ValueError, match=r"1\.\.16"):
        create("jk-pb", {"battery": {"cells": 24}})


def test_a_refused_write_changes_nothing(jk: Any) -> None:
    with pytest.raises(RefusedError):
        write(jk, 0x1074, 0)
    assert u32(jk, 0x1074) == 1
