"""Names of the plant's points: how each is read, and how the settable ones are set.

Owns names and units, nothing else. A controller's view of these points has age and quality; these are true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING

from greenmast.plant import readings
from greenmast.plant.readings import NAMES

if TYPE_CHECKING:
    from greenmast.plant.plant import Plant

_NUMBERS = {name: number for number, name in enumerate(NAMES)}


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
    number = _NUMBERS.get(name)
    if number is None:
        raise KeyError(unknown("truth", name, NAMES))
    return readings.read(plant, number)


def read_all(plant: Plant) -> dict[str, float]:
    return {name: readings.read(plant, number) for name, number in _NUMBERS.items()}


def write(plant: Plant, name: str, value: float | None) -> None:
    writer = WRITERS.get(name)
    if writer is None:
        raise KeyError(unknown("settable truth", name, WRITERS))
    if value is not None:
        value = float(value)
        if not isfinite(value):
            raise ValueError(f"{name}: {value} is not a finite number")
    writer(plant, value)
