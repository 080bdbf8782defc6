"""What an hour does to a site that follows one hour of a plan, for many charges at once.

Owns a coarse account of the plant and of the shipped rules, good enough to choose by. Must not know forecasts
or what is chosen. Energies are in kWh, powers in kW; charges are shares of the capacity, arrays of any shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greenmast.plant import PlantConfig
from greenmast.plant.battery import Battery
from greenmast.plant.chemistry import CHEMISTRIES
from greenmast.plant.rectifier import Rectifier
from greenmast.simulate.best_case import Storage

STEPS = 4  # of an hour
START_L = 0.1  # of diesel: what a start is held to be worth in wear
UNSERVED = 100.0  # times the price of genset power
_USUAL_C = 30.0
_NOMINAL_V = 50.0

# Of a plan: `charge` and `genset`, see `greenmast_protocol.commands`.
HOLD, FULL, CARRY = 0, 1, 2
NO_OPINION, RUN, SPARE = 0, 1, 2


class HourModel:
    """One site. `grid_hour` and `dark_hour` advance an hour with and without a grid that delivers."""

    def __init__(self, plant: PlantConfig, params: Mapping[str, int], diesel_per_l: float) -> None:
        battery = plant.battery
        storage = Storage(battery)
        self.capacity_kwh = storage.stored(1_000.0, best=False) - storage.stored(0.0, best=True)
        self.has_genset = plant.genset.present
        self._rating_kw = plant.rectifier.rating_w / 1_000.0
        usual = Battery(battery, 1, _USUAL_C)
        usual_a = max(plant.loads.mean_w / _NOMINAL_V, 1.0)
        lost = usual.r_ohm * usual_a / _NOMINAL_V
        self._charging = CHEMISTRIES[battery.chemistry].coulombic * (1.0 - lost)
        self._discharging = 1.0 - lost
        self._charge_kw = min(usual.charge_limit_a * _NOMINAL_V / 1_000.0, 1e3)
        self._fit_rectifier(plant)
        self._start = params["genset.soc_start_permille"] / 1_000.0
        self._stop = params["genset.soc_stop_permille"] / 1_000.0
        self._usual, self._usual_a = usual, usual_a
        self._spared_start = min(self._charge_at(params["genset.bus_start_mv"]), self._start)
        self._critical_kw = plant.loads.mean_w * plant.loads.tiers_permille[0] / 1e6
        genset = plant.genset
        self._idle: float = diesel_per_l * genset.fuel_l_per_h_idle
        self._per_kwh = diesel_per_l * genset.fuel_l_per_kwh
        self.genset_kwh: float = self._per_kwh * self._input(1.0) + self._idle / max(self._rating_kw, 1.0)
        self._start_cost = START_L * diesel_per_l

    def _fit_rectifier(self, plant: PlantConfig) -> None:
        """Its input is a parabola of its output: constant, linear and square term."""
        rectifier = Rectifier(plant.rectifier, 0.0)
        rectifier.feed(0.0, 230_000.0)
        inputs = []
        for output_w in (0.0, 1_000.0, 2_000.0):
            rectifier.deliver(output_w, 1.0, 0.0)
            inputs.append(rectifier.input_w / 1_000.0)
        none, one, two = inputs
        self._square = 0.5 * (two - 2.0 * one + none)
        self._linear = one - none - self._square
        self._constant = none

    def _input(self, output_kw: Any) -> Any:
        return self._constant + (self._linear + self._square * output_kw) * output_kw

    def grid_hour(
        self, soc: Any, sun_kw: float, load_kw: float, price: float, charge_to: Any, carry: Any
    ) -> tuple[Any, Any]:
        """(charge after, cost) where AC charges up to `charge_to`; with `carry` the battery carries above."""
        import numpy as np

        cost = 0.0
        for _ in range(STEPS):
            alone = carry & (soc > charge_to)
            short = np.maximum(charge_to - soc, 0.0) * self.capacity_kwh * STEPS / self._charging
            wanted = load_kw - sun_kw + np.minimum(short, self._charge_kw)
            output = np.where(alone, 0.0, np.clip(wanted, 0.0, self._rating_kw))
            soc, unserved = self._store(soc, output + sun_kw - load_kw)
            bought = np.where(alone, 0.0, self._input(output))
            cost = cost + (price * bought + self._unserved_price(price) * unserved) / STEPS
        return soc, cost

    def dark_hour(
        self, soc: Any, running: Any, sun_kw: float, load_kw: float, price: float, genset: int
    ) -> tuple[Any, Any, Any, Any]:
        """(charge after, cost, whether the genset runs on, share of the hour that it ran) without the grid.

        `running`: for its own threshold; `genset`: what the plan says.
        """
        import numpy as np

        cost, ran = np.zeros_like(soc), np.zeros_like(soc)
        start = self._spared_start if genset == SPARE else self._start
        on = running
        for _ in range(STEPS):
            before = on
            if self.has_genset:
                running = (running & (soc < self._stop)) | (soc <= start)
                on = running | (genset == RUN)
            else:
                on = np.zeros_like(soc, dtype=bool)
            room = np.maximum(1.0 - soc, 0.0) * self.capacity_kwh * STEPS / self._charging
            wanted = load_kw - sun_kw + np.minimum(room, self._charge_kw)
            output = np.where(on, np.clip(wanted, 0.0, self._rating_kw), 0.0)
            soc, unserved = self._store(soc, output + sun_kw - load_kw)
            burnt = np.where(on, self._idle + self._per_kwh * self._input(output), 0.0)
            cost = cost + (burnt + self._unserved_price(price) * unserved) / STEPS
            cost = cost + self._start_cost * (on & ~before)
            ran = ran + on / STEPS
        return soc, cost, running, ran

    def _unserved_price(self, price: float) -> float:
        return UNSERVED * max(self.genset_kwh, price, 1.0)

    def _store(self, soc: Any, into_kw: Any) -> tuple[Any, Any]:
        """(charge after a step at `into_kw` at the terminals, kW that the battery could not give)."""
        import numpy as np

        per_step = 1.0 / (STEPS * self.capacity_kwh)
        gained = np.minimum(into_kw, self._charge_kw) * self._charging * per_step
        lost = into_kw / self._discharging * per_step
        after = soc + np.where(into_kw > 0.0, gained, lost)
        unserved = np.maximum(-after, 0.0) * self._discharging / per_step
        return np.clip(after, 0.0, 1.0), unserved

    def lasts_h(self, off_mv: int) -> float:
        """Hours that the critical load lasts from where bus voltage starts a spared genset to `off_mv`."""
        share = self._spared_start - self._charge_at(off_mv)
        return share * self.capacity_kwh / max(self._critical_kw, 1e-9)

    def _charge_at(self, bus_mv: int) -> float:
        """Charge at which the bus falls to a voltage under the usual load."""
        battery = self._usual
        for percent in range(101):
            battery.soc = percent / 100.0
            battery.prepare(0.0, charging=False)
            if battery.emf_v - battery.r_ohm * self._usual_a >= bus_mv / 1_000.0:
                return percent / 100.0
        return 1.0
