"""The plant's points by number: a sensor reads forty of them in every scan and has no time for names.

Owns what a name stands for in the parts of a plant. Must not know who reads, or how a point is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_extensions import i64

    from greenmast.plant.plant import Plant

# A point's number is its place here; `read` has them in the same order.
NAMES: tuple[str, ...] = (
    "grid.voltage_mv",
    "grid.current_ma",
    "grid.power_w",
    "grid.frequency_chz",
    "grid.energy_wh",
    "genset.running",
    "genset.voltage_mv",
    "genset.current_ma",
    "genset.frequency_chz",
    "genset.rpm",
    "genset.power_w",
    "genset.fuel_permille",
    "genset.oil_kpa",
    "genset.coolant_dc",
    "genset.run_s",
    "genset.starts",
    "genset.energy_wh",
    "rectifier.output_mv",
    "rectifier.output_ma",
    "rectifier.output_w",
    "rectifier.setpoint_mv",
    "rectifier.limit_ma",
    "rectifier.ac_present",
    "rectifier.energy_wh",
    "rectifier.temperature_dc",
    "rectifier.input_mv",
    "dc.bus_mv",
    "solar.voltage_mv",
    "solar.current_ma",
    "solar.array_w",
    "solar.power_w",
    "solar.output_ma",
    "solar.available_w",
    "solar.energy_wh",
    "battery.voltage_mv",
    "battery.current_ma",
    "battery.soc_permille",
    "battery.soh_permille",
    "battery.temperature_dc",
    "battery.cell_min_mv",
    "battery.cell_max_mv",
    "battery.remaining_mah",
    "battery.charge_blocked",
    "battery.discharge_blocked",
    "load.power_w",
    "load.tier1_w",
    "load.tier2_w",
    "load.tier3_w",
    "load.energy_wh",
    "load.tier1_wh",
    "load.tier2_wh",
    "load.tier3_wh",
    "site.door_open",
    "site.smoke",
    "site.temperature_dc",
)


def read(plant: Plant, number: i64) -> float:  # noqa: C901
    """Present value of the point with that number; compiled, the branches become a jump table."""
    if number == 0:  # grid.voltage_mv
        return plant.grid.voltage_mv
    if number == 1:  # grid.current_ma
        return plant.grid.current_ma
    if number == 2:  # grid.power_w
        return plant.grid.power_w
    if number == 3:  # grid.frequency_chz
        return plant.grid.frequency_chz(plant.sampled_s)
    if number == 4:  # grid.energy_wh
        return plant.grid.energy_wh
    if number == 5:  # genset.running
        return float(plant.genset.running)
    if number == 6:  # genset.voltage_mv
        return plant.genset.voltage_mv
    if number == 7:  # genset.current_ma
        return plant.genset.current_ma
    if number == 8:  # genset.frequency_chz
        return plant.genset.frequency_chz
    if number == 9:  # genset.rpm
        return plant.genset.rpm
    if number == 10:  # genset.power_w
        return plant.genset.power_w
    if number == 11:  # genset.fuel_permille
        return plant.genset.fuel_permille
    if number == 12:  # genset.oil_kpa
        return plant.genset.oil_kpa
    if number == 13:  # genset.coolant_dc
        return plant.genset.coolant_c * 10.0
    if number == 14:  # genset.run_s
        return plant.genset.run_s
    if number == 15:  # genset.starts
        return float(plant.genset.starts)
    if number == 16:  # genset.energy_wh
        return plant.genset.energy_wh
    if number == 17:  # rectifier.output_mv
        return plant.bus_v * 1_000.0
    if number == 18:  # rectifier.output_ma
        return plant.rectifier.output_a * 1_000.0
    if number == 19:  # rectifier.output_w
        return plant.rectifier.output_w
    if number == 20:  # rectifier.setpoint_mv
        return float(plant.rectifier.setpoint_mv)
    if number == 21:  # rectifier.limit_ma
        return float(plant.rectifier.limit_ma)
    if number == 22:  # rectifier.ac_present
        return float(plant.rectifier.ac_present)
    if number == 23:  # rectifier.energy_wh
        return plant.rectifier.energy_wh
    if number == 24:  # rectifier.temperature_dc
        return (plant.environment.cabinet_c + plant.rectifier.rise_k) * 10.0
    if number == 25:  # rectifier.input_mv
        return plant.rectifier.input_mv
    if number == 26:  # dc.bus_mv
        return plant.bus_v * 1_000.0
    if number == 27:  # solar.voltage_mv
        return plant.solar.array_v * 1_000.0
    if number == 28:  # solar.current_ma
        return plant.solar.array_a * 1_000.0
    if number == 29:  # solar.array_w
        return plant.solar.array_w
    if number == 30:  # solar.power_w
        return plant.solar.power_w
    if number == 31:  # solar.output_ma
        return plant.solar.output_a * 1_000.0
    if number == 32:  # solar.available_w
        return plant.solar.available_w
    if number == 33:  # solar.energy_wh
        return plant.solar.energy_wh
    if number == 34:  # battery.voltage_mv
        return plant.battery.terminal_v * 1_000.0
    if number == 35:  # battery.current_ma
        return plant.battery.current_a * 1_000.0
    if number == 36:  # battery.soc_permille
        return plant.battery.soc_permille
    if number == 37:  # battery.soh_permille
        return plant.battery.soh_permille
    if number == 38:  # battery.temperature_dc
        return plant.battery.temperature_c * 10.0
    if number == 39:  # battery.cell_min_mv
        return plant.battery.cell_min_v * 1_000.0
    if number == 40:  # battery.cell_max_mv
        return plant.battery.cell_max_v * 1_000.0
    if number == 41:  # battery.remaining_mah
        return plant.battery.remaining_mah
    if number == 42:  # battery.charge_blocked
        return float(plant.battery.charge_blocked)
    if number == 43:  # battery.discharge_blocked
        return float(plant.battery.discharge_blocked)
    if number == 44:  # load.power_w
        return plant.loads.power_w
    if number == 45:  # load.tier1_w
        return plant.loads.tier_1_w
    if number == 46:  # load.tier2_w
        return plant.loads.tier_2_w
    if number == 47:  # load.tier3_w
        return plant.loads.tier_3_w
    if number == 48:  # load.energy_wh
        return plant.loads.total_wh
    if number == 49:  # load.tier1_wh
        return plant.loads.tier_1_wh
    if number == 50:  # load.tier2_wh
        return plant.loads.tier_2_wh
    if number == 51:  # load.tier3_wh
        return plant.loads.tier_3_wh
    if number == 52:  # site.door_open
        return plant.environment.door_open
    if number == 53:  # site.smoke
        return plant.environment.smoke
    if number == 54:  # site.temperature_dc
        return plant.environment.cabinet_c * 10.0
    raise IndexError(f"there is no point {number}")
