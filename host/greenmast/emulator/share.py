"""What each of several devices of one role sees of the plant: its part of the currents, powers and stores.

The plant has one battery, one array, one shelf of rectifiers and one phase; a site may have several strings,
chargers, modules, or a meter for every phase. Voltages, states and temperatures are the same for all of
them; what flows is divided, and so is what is stored. The parts add up to the whole. One engine is not
divided: all that look at it see the same. Owns which truths are divided and how commands of several devices
become one. Must not know products or registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from greenmast.emulator.devices import Plant
from greenmast.plant.config import BatteryConfig
from greenmast.plant.noise import stream

# Truths of a role that are divided. Flows differ a little from device to device, stores do not: strings of
# the same make hold the same, and their states of charge stay as they are.
FLOWS = {
    "battery": ("current_ma",),
    "grid": ("current_ma", "power_w", "energy_wh"),
    "load": (
        "power_w", "energy_wh", "tier1_w", "tier2_w", "tier3_w", "tier1_wh", "tier2_wh", "tier3_wh",
    ),
    "rectifier": ("output_ma", "output_w", "energy_wh"),
    "solar": ("current_ma", "power_w", "array_w", "output_ma", "available_w", "energy_wh"),
}  # fmt: skip
STORES = {"battery": ("remaining_mah",)}


def sections_for(sections: Mapping[str, Any], role: str, devices: int) -> dict[str, Any]:
    """The sections of a site file as one of `devices` devices of `role` is built from them.

    A string knows its own capacity.
    """
    if role != "battery":
        return dict(sections)
    battery = sections.get("battery", {})
    capacity_ah = battery.get("capacity_ah", BatteryConfig().capacity_ah)
    return {**sections, "battery": {**battery, "capacity_ah": capacity_ah / devices}}


class Pool:
    """The devices of one role. `spread` is how much their flows differ from equal parts, 0.02 for +-2 %."""

    def __init__(self, plant: Plant, role: str, devices: int, *, spread: float = 0.0, seed: int = 1) -> None:
        random = Random(stream(seed, f"share.{role}"))
        weights = [1.0 + random.uniform(-spread, spread) for _ in range(devices)]
        self.plant = plant
        self.devices = devices
        self._joined = 0
        self._parts = [
            {
                **{f"{role}.{name}": weight / sum(weights) for name in FLOWS.get(role, ())},
                **{f"{role}.{name}": 1.0 / devices for name in STORES.get(role, ())},
            }
            for weight in weights
        ]
        self._limits_ma = [0.0] * devices
        self._started = [False] * devices

    def join(self) -> Share:
        """The view of the next device; as many as there are devices."""
        self._joined += 1
        return Share(self, self._joined - 1, self._parts[self._joined - 1])

    def limit_ma(self, number: int) -> float:
        """Current limit of module `number`; a limit that others have set on the plant is divided equally."""
        total_ma = self.plant.rectifier.limit_ma
        if sum(self._limits_ma) != total_ma:
            self._limits_ma = [total_ma / self.devices] * self.devices
        return self._limits_ma[number]

    def limit(self, number: int, limit_ma: float) -> None:
        """Set the limit of one module; the plant has the sum of all."""
        if self.limit_ma(number) != limit_ma:
            self._limits_ma[number] = limit_ma
            self.plant.rectifier.limit_ma = sum(self._limits_ma)

    def remote_start(self, number: int, on: bool) -> None:
        """The engine is asked for as long as one controller asks."""
        self._started[number] = on
        self.plant.genset.remote_start(any(self._started))


class Share:
    """The plant as one device of a `Pool` sees it and acts on it; `parts`: of the truths that are divided."""

    def __init__(self, pool: Pool, number: int, parts: Mapping[str, float]) -> None:
        self._pool = pool
        self._parts = parts
        self.rectifier = _Module(pool, number)
        self.genset = _Controller(pool, number)

    @property
    def time_s(self) -> float:
        return self._pool.plant.time_s

    def truth(self, name: str) -> float:
        """Present value of a point, divided where it is this role's to divide. Raises KeyError."""
        return self._pool.plant.truth(name) * self._parts.get(name, 1.0)


class _Module:
    """A rectifier among others: set voltage in common, a current limit of its own."""

    def __init__(self, pool: Pool, number: int) -> None:
        self._pool = pool
        self._number = number

    @property
    def setpoint_mv(self) -> float:
        return self._pool.plant.rectifier.setpoint_mv

    @setpoint_mv.setter
    def setpoint_mv(self, setpoint_mv: float) -> None:
        self._pool.plant.rectifier.setpoint_mv = setpoint_mv

    @property
    def limit_ma(self) -> float:
        return self._pool.limit_ma(self._number)

    @limit_ma.setter
    def limit_ma(self, limit_ma: float) -> None:
        self._pool.limit(self._number, limit_ma)


class _Controller:
    """A genset controller among others."""

    def __init__(self, pool: Pool, number: int) -> None:
        self._pool = pool
        self._number = number

    def remote_start(self, on: bool) -> None:
        self._pool.remote_start(self._number, on)
