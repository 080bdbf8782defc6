"""The battery: coulombs, curve, BMS limits, temperature."""

from __future__ import annotations

from itertools import pairwise

import pytest

from greenmast.plant.battery import Battery
from greenmast.plant.chemistry import CHEMISTRIES
from greenmast.plant.config import BatteryConfig

LFP = BatteryConfig(soc_permille=500)
VRLA = BatteryConfig(chemistry="vrla", capacity_ah=400.0, cells=24, soc_permille=500)


def carry(battery: Battery, current_a: float, seconds: float, dt_s: float = 10.0) -> None:
    for _ in range(round(seconds / dt_s)):
        battery.prepare(dt_s, charging=current_a > 0.0)
        battery.settle(current_a, dt_s)


@pytest.mark.parametrize("chemistry", ["lfp", "vrla"])
def test_open_circuit_voltage_rises_with_charge(chemistry: str) -> None:
    curve = CHEMISTRIES[chemistry].curve()
    assert all(low < high for low, high in pairwise(curve))


def test_discharge_counts_coulombs_and_charging_loses_some() -> None:
    battery = Battery(LFP, 1, 25.0)
    carry(battery, -30.0, 3_600.0)
    assert battery.soc == pytest.approx(0.4, abs=0.001)
    carry(battery, 30.0, 3_600.0)
    assert 0.499 <= battery.soc < 0.5


def test_cells_spread_around_the_mean_and_sag_under_discharge() -> None:
    battery = Battery(LFP, 1, 25.0)
    rest_v = battery.cell_min_v
    carry(battery, -100.0, 10.0)
    assert battery.cell_min_v < battery.terminal_v / 15 < battery.cell_max_v
    assert battery.cell_min_v < rest_v


def test_resistance_grows_in_the_cold() -> None:
    assert Battery(LFP, 1, -5.0).r_ohm > 1.5 * Battery(LFP, 1, 25.0).r_ohm


def test_bms_blocks_discharge_at_undervoltage_until_the_cells_are_charged_again() -> None:
    battery = Battery(BatteryConfig(soc_permille=10), 1, 25.0)
    carry(battery, -40.0, 1_800.0)
    assert battery.discharge_blocked
    carry(battery, 0.0, 600.0)
    assert battery.discharge_blocked
    carry(battery, 40.0, 1_800.0)
    assert not battery.discharge_blocked


def test_bms_blocks_charging_at_overvoltage_until_the_cells_have_relaxed() -> None:
    battery = Battery(BatteryConfig(soc_permille=990), 1, 25.0)
    while not battery.charge_blocked and battery.soc < 1.05:
        carry(battery, 60.0, 10.0)
    assert battery.charge_blocked
    carry(battery, 0.0, 600.0)
    assert battery.charge_blocked
    carry(battery, -40.0, 1_200.0)
    assert not battery.charge_blocked


def test_lfp_does_not_charge_below_freezing_and_vrla_does() -> None:
    for cfg, blocked in ((LFP, True), (VRLA, False)):
        battery = Battery(cfg, 1, 25.0)
        battery.temperature_override_c = -2.0
        carry(battery, 0.0, 10.0)
        assert battery.charge_blocked is blocked


def test_temperature_follows_the_cabinet_and_its_own_losses() -> None:
    battery = Battery(LFP, 1, 20.0)
    for _ in range(24 * 60):
        carry(battery, 0.0, 60.0)
        battery.warm(35.0)
    assert battery.temperature_c == pytest.approx(35.0, abs=0.2)
    for _ in range(60):
        carry(battery, -100.0, 60.0)
        battery.warm(35.0)
    assert battery.temperature_c > 35.5


def test_a_worn_battery_holds_less_and_reports_it() -> None:
    worn = Battery(BatteryConfig(soh_permille=800, soc_permille=500), 1, 25.0)
    assert worn.remaining_mah == pytest.approx(120_000.0)
    carry(worn, -24.0, 3_600.0)
    assert worn.soc == pytest.approx(0.4, abs=0.001)
