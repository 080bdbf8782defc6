"""Units behind a Victron GX: one service each, its errors, its zeros for what is not measured."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.emulator.devices import pdu


@pytest.fixture
def mppt(device: Any) -> Any:
    return device("victron-mppt")


@pytest.fixture
def shunt(device: Any) -> Any:
    return device("victron-shunt")


@pytest.mark.parametrize("function", [3, 4])
def test_charger_shows_bus_and_array(mppt: Any, function: int) -> None:
    volts, amperes, temperature, mode, state, pv_v, pv_a = mppt.read_registers(function, 771, 7)
    assert (volts, amperes) == (5_319, round(2_180 / 53.19 * 10))
    assert temperature == 0  # not measured
    assert (mode, state) == (1, 3)
    assert (pv_v, pv_a) == (10_450, 214)
    watts = 104.5 * 21.37
    assert mppt.read_registers(function, 789, 5) == [round(watts * 10), 9_876, 2, 0, round(watts)]
    assert mppt.read_registers(function, 3728, 2) == [0, 988]
    assert mppt.read_registers(function, 782, 2) == [0xFFFF, 0xFFFF]  # reserved


def test_charger_of_a_dark_array_is_off_and_of_a_full_battery_floats(plant: Any, mppt: Any) -> None:
    plant.truths.update({"solar.power_w": 0.0, "solar.current_ma": 0.0})
    mppt.refresh(plant)
    assert (mppt.holding[775], mppt.holding[791]) == (5, 1)
    plant.truths["solar.voltage_mv"] = 3_000.0
    mppt.refresh(plant)
    assert (mppt.holding[775], mppt.holding[791]) == (0, 0)


def test_charger_counts_yield_by_days(plant: Any, mppt: Any) -> None:
    assert mppt.holding[784] == 0
    plant.time_s, plant.truths["solar.energy_wh"] = 40_000.0, 987_650.0 + 4_300.0
    mppt.refresh(plant)
    assert mppt.read_registers(3, 784, 4) == [43, 2_233, 0, 0]
    plant.time_s, plant.truths["solar.power_w"] = 86_500.0, 0.0
    plant.truths["solar.current_ma"] = 0.0
    mppt.refresh(plant)
    assert mppt.read_registers(3, 784, 4) == [0, 0, 43, 2_233]


def test_shunt_shows_the_battery_with_charging_positive(plant: Any, shunt: Any) -> None:
    watts = round(-21.4 * 53.18)
    assert shunt.read_registers(3, 256, 4) == [0xFFFF, watts & 0xFFFF, watts & 0xFFFF, 5_318]
    assert shunt.read_registers(3, 261, 2) == [-214 & 0xFFFF, 274]
    assert shunt.read_registers(3, 265, 2) == [round(0.358 * 300 * 10), 642]
    assert shunt.read_registers(3, 309, 1) == [3_000]
    hours = 0.642 * 300 / 21.4
    assert shunt.read_registers(3, 303, 1) == [round(hours * 36)]
    plant.truths["battery.current_ma"] = 10_000.0
    shunt.refresh(plant)
    assert shunt.read_registers(3, 261, 1) == [100]
    assert shunt.read_registers(3, 303, 1) == [8_640]  # the longest that it says


def test_shunt_knows_no_health_no_limits_and_no_alarms(shunt: Any) -> None:
    assert shunt.read_registers(3, 304, 5) == [0] * 5
    assert shunt.read_registers(3, 267, 13) == [0] * 13


def test_shunt_keeps_a_history(plant: Any, shunt: Any) -> None:
    plant.time_s = 3_600.0
    plant.truths["battery.voltage_mv"] = 52_000.0
    shunt.refresh(plant)
    assert shunt.read_registers(3, 286, 3) == [214, 5_200, 5_318]
    assert shunt.read_registers(3, 301, 2) == [round(21.4 * 52.0 / 100), 0]


@pytest.mark.parametrize(
    ("profile", "request_hex", "exception"),
    [
        ("victron-mppt", f"03{771:04x}0018", 2),  # one beyond the block
        ("victron-mppt", f"03{800:04x}0001", 2),  # registered for nobody
        ("victron-mppt", f"03{259:04x}0001", 0x0A),  # a battery's
        ("victron-shunt", f"03{771:04x}0001", 0x0A),
        ("victron-mppt", f"03{3700:04x}007e", 3),
        ("victron-mppt", "0100000001", 1),
        ("victron-mppt", f"06{771:04x}0001", 2),  # read only
        ("victron-mppt", f"06{774:04x}0004", 0x0A),  # off: nothing carries it out
        ("victron-shunt", f"06{259:04x}0001", 2),
        ("victron-shunt", f"06{774:04x}0001", 0x0A),
    ],
)
def test_a_unit_refuses_as_the_gateway_does(
    device: Any, profile: str, request_hex: str, exception: int
) -> None:
    reply = pdu.execute(device(profile), bytes.fromhex(request_hex))
    assert reply == bytes((int(request_hex[:2], 16) | 0x80, exception))


def test_charger_may_be_told_to_be_on(mppt: Any) -> None:
    request = bytes.fromhex(f"06{774:04x}0001")
    assert pdu.execute(mppt, request) == request
