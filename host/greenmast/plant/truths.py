"""Names of the plant's points: how each is read, and how the settable ones are set.

Owns names and units, nothing else. A controller's view of these points has age and quality; these are true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenmast.plant.plant import Plant

READERS: dict[str, Callable[[Plant], float]] = {
    "grid.voltage_mv": lambda p: p.grid.voltage_mv,
    "grid.current_ma": lambda p: p.grid.current_ma,
    "grid.power_w": lambda p: p.grid.power_w,
    "grid.frequency_chz": lambda p: p.grid.frequency_chz(p.sampled_s),
    "grid.energy_wh": lambda p: p.grid.energy_wh,
    "genset.running": lambda p: float(p.genset.running),
    "genset.voltage_mv": lambda p: p.genset.voltage_mv,
    "genset.current_ma": lambda p: p.genset.current_ma,
    "genset.frequency_chz": lambda p: p.genset.frequency_chz,
    "genset.rpm": lambda p: p.genset.rpm,
    "genset.power_w": lambda p: p.genset.power_w,
    "genset.fuel_permille": lambda p: p.genset.fuel_permille,
    "genset.oil_kpa": lambda p: p.genset.oil_kpa,
    "genset.coolant_dc": lambda p: p.genset.coolant_c * 10.0,
    "genset.run_s": lambda p: p.genset.run_s,
    "genset.starts": lambda p: float(p.genset.starts),
    "genset.energy_wh": lambda p: p.genset.energy_wh,
    "rectifier.output_mv": lambda p: p.bus_v * 1_000.0,
    "rectifier.output_ma": lambda p: p.rectifier.output_a * 1_000.0,
    "rectifier.output_w": lambda p: p.rectifier.output_w,
    "rectifier.setpoint_mv": lambda p: float(p.rectifier.setpoint_mv),
    "rectifier.limit_ma": lambda p: float(p.rectifier.limit_ma),
    "rectifier.ac_present": lambda p: float(p.rectifier.ac_present),
    "rectifier.energy_wh": lambda p: p.rectifier.energy_wh,
    "rectifier.temperature_dc": lambda p: (p.environment.cabinet_c + p.rectifier.rise_k) * 10.0,
    "rectifier.input_mv": lambda p: p.rectifier.input_mv,
    "dc.bus_mv": lambda p: p.bus_v * 1_000.0,
    "solar.voltage_mv": lambda p: p.solar.array_v * 1_000.0,
    "solar.current_ma": lambda p: p.solar.array_a * 1_000.0,
    "solar.array_w": lambda p: p.solar.array_w,
    "solar.power_w": lambda p: p.solar.power_w,
    "solar.output_ma": lambda p: p.solar.output_a * 1_000.0,
    "solar.available_w": lambda p: p.solar.available_w,
    "solar.energy_wh": lambda p: p.solar.energy_wh,
    "battery.voltage_mv": lambda p: p.battery.terminal_v * 1_000.0,
    "battery.current_ma": lambda p: p.battery.current_a * 1_000.0,
    "battery.soc_permille": lambda p: p.battery.soc_permille,
    "battery.soh_permille": lambda p: p.battery.soh_permille,
    "battery.temperature_dc": lambda p: p.battery.temperature_c * 10.0,
    "battery.cell_min_mv": lambda p: p.battery.cell_min_v * 1_000.0,
    "battery.cell_max_mv": lambda p: p.battery.cell_max_v * 1_000.0,
    "battery.remaining_mah": lambda p: p.battery.remaining_mah,
    "battery.charge_blocked": lambda p: float(p.battery.charge_blocked),
    "battery.discharge_blocked": lambda p: float(p.battery.discharge_blocked),
    "load.power_w": lambda p: p.loads.power_w,
    "load.tier1_w": lambda p: p.loads.tier_w[0],
    "load.tier2_w": lambda p: p.loads.tier_w[1],
    "load.tier3_w": lambda p: p.loads.tier_w[2],
    "load.energy_wh": lambda p: p.loads.total_wh,
    "load.tier1_wh": lambda p: p.loads.tier_wh[0],
    "load.tier2_wh": lambda p: p.loads.tier_wh[1],
    "load.tier3_wh": lambda p: p.loads.tier_wh[2],
    "site.door_open": lambda p: p.environment.door_open,
    "site.smoke": lambda p: p.environment.smoke,
    "site.temperature_dc": lambda p: p.environment.cabinet_c * 10.0,
}


def _set_grid_voltage(plant: Plant, value: float | None) -> None:
    plant.grid.voltage_override_mv = value
    plant.grid.sample(plant.sampled_s)


def _set_grid_frequency(plant: Plant, value: float | None) -> None:
    plant.grid.frequency_override_chz = value


def _set_solar(plant: Plant, value: float | None) -> None:
    plant.solar.override_w = value
    if value is not None:
        plant.solar.available_w = value


def _set_load(plant: Plant, value: float | None) -> None:
    plant.loads.override_w = value


def _set_soc(plant: Plant, value: float | None) -> None:
    if value is not None:
        plant.battery.soc_permille = value


def _set_battery_temperature(plant: Plant, value: float | None) -> None:
    plant.battery.temperature_override_c = None if value is None else value / 10.0
    plant.battery.warm(plant.environment.cabinet_c)


def _set_fuel(plant: Plant, value: float | None) -> None:
    if value is not None:
        plant.genset.fuel_permille = value


def _set_door(plant: Plant, value: float | None) -> None:
    plant.environment.door_open = value or 0.0


def _set_smoke(plant: Plant, value: float | None) -> None:
    plant.environment.smoke = value or 0.0


def _set_site_temperature(plant: Plant, value: float | None) -> None:
    plant.environment.cabinet_override_c = None if value is None else value / 10.0


# None gives the truth back to the model. Power names set what is offered or asked, not what flows.
WRITERS: dict[str, Callable[[Plant, float | None], None]] = {
    "grid.voltage_mv": _set_grid_voltage,
    "grid.frequency_chz": _set_grid_frequency,
    "solar.power_w": _set_solar,
    "load.power_w": _set_load,
    "battery.soc_permille": _set_soc,
    "battery.temperature_dc": _set_battery_temperature,
    "genset.fuel_permille": _set_fuel,
    "site.door_open": _set_door,
    "site.smoke": _set_smoke,
    "site.temperature_dc": _set_site_temperature,
}


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Message for an unknown name with the near ones, or with all when none is near."""
    names = list(known)
    near = get_close_matches(name, names, n=3) or names
    return f"no {kind} {name!r}; did you mean {', '.join(near)}?"


def read(plant: Plant, name: str) -> float:
    reader = READERS.get(name)
    if reader is None:
        raise KeyError(unknown("truth", name, READERS))
    return reader(plant)


def read_all(plant: Plant) -> dict[str, float]:
    return {name: reader(plant) for name, reader in READERS.items()}


def write(plant: Plant, name: str, value: float | None) -> None:
    writer = WRITERS.get(name)
    if writer is None:
        raise KeyError(unknown("settable truth", name, WRITERS))
    if value is not None:
        value = float(value)
        if not isfinite(value):
            raise ValueError(f"{name}: {value} is not a finite number")
    writer(plant, value)
