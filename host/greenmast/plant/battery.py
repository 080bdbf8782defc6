"""Battery string: charge, open-circuit voltage, resistance, temperature and the switch of its BMS.

Owns the state of the cells. Must not know the bus, sources or loads. Currents are positive when charging.
"""

from __future__ import annotations

from math import exp, sqrt
from random import Random

from greenmast.plant.chemistry import CHEMISTRIES, CURVE_HIGH, CURVE_LOW, CURVE_STEPS, Bms
from greenmast.plant.config import BatteryConfig
from greenmast.plant.noise import stream

PER_SOC = CURVE_STEPS / (CURVE_HIGH - CURVE_LOW)
# Charge acceptance: the resistance to charging grows as taper / (headroom to ABSORBED) ** 1.5.
ABSORBED, LEAST_HEADROOM = 1.02, 0.02


class Battery:
    """State of one string. `prepare` gives the model for an interval, `settle` applies its current.

    `emf_v` and `r_ohm` are of the whole string; `charge_blocked` and `discharge_blocked` are the BMS switch.
    `temperature_override_c`, when not None, replaces the thermal model.
    """

    __slots__ = (
        "_as_per_soc", "_bms", "_cells", "_chemistry", "_coulombic", "_curve", "_heat_j", "_heat_s",
        "_loss_r", "_ohmic_r",
        "_r25_ohm", "_r_spread", "_self_per_s", "_soc_spread", "_temperature_c", "capacity_ah",
        "charge_blocked",
        "charge_limit_a", "charge_taper", "charged_wh", "current_a", "discharge_blocked", "discharged_wh",
        "emf_v", "loss_wh", "r_ohm", "soc", "soh_permille", "temperature_override_c",
    )  # fmt: skip

    def __init__(self, cfg: BatteryConfig, seed: int, ambient_c: float) -> None:
        chemistry = self._chemistry = CHEMISTRIES[cfg.chemistry]
        random = Random(stream(seed, "battery.cells"))
        self._curve = [volt * cfg.cells for volt in chemistry.curve()]
        self._cells = float(cfg.cells)
        self._coulombic = chemistry.coulombic
        self.soh_permille = float(cfg.soh_permille)
        self.capacity_ah = cfg.capacity_ah * cfg.soh_permille / 1_000.0
        self._as_per_soc = self.capacity_ah * 3_600.0
        own_r = cfg.cells * chemistry.r_milliohm_ah / cfg.capacity_ah + chemistry.r_wiring_milliohm
        self._r25_ohm = (cfg.r_milliohm or own_r) / 1_000.0
        # Extreme cells: by how much their charge and resistance differ from the mean.
        self._soc_spread = (-random.uniform(0.002, 0.006), random.uniform(0.0005, 0.002))
        self._r_spread = random.uniform(0.03, 0.10)
        self._self_per_s = chemistry.self_discharge_per_day / 86_400.0
        self.charge_taper = chemistry.charge_taper
        self._bms = chemistry.bms
        self.charge_limit_a = self._bms.charge_c_rate * cfg.capacity_ah if self._bms else float("inf")
        self.soc = cfg.soc_permille / 1_000.0
        self.charge_blocked = self.discharge_blocked = False
        self.temperature_override_c: float | None = None
        self._temperature_c = ambient_c
        self._heat_j = self._heat_s = 0.0
        self.current_a = 0.0
        self.charged_wh = self.discharged_wh = self.loss_wh = 0.0
        self.emf_v = self.r_ohm = self._ohmic_r = self._loss_r = 0.0
        self.warm(ambient_c)
        self.prepare(0.0, charging=False)

    @property
    def temperature_c(self) -> float:
        return self._temperature_c if self.temperature_override_c is None else self.temperature_override_c

    def prepare(self, dt_s: float, charging: bool) -> None:
        """Set `emf_v` and `r_ohm` for the next `dt_s` in the direction expected.

        The resistance contains half the interval's change of the open-circuit voltage, so the operating point
        is that of the middle of the interval and long steps stay stable on the steep ends of the curve.
        """
        position = (self.soc - CURVE_LOW) * PER_SOC
        index = int(position)
        if index < 0:
            index = 0
        elif index >= CURVE_STEPS:
            index = CURVE_STEPS - 1
        slope_v = self._curve[index + 1] - self._curve[index]
        self.emf_v = self._curve[index] + slope_v * (position - index)
        r_ohm = self._ohmic_r
        if charging and self.charge_taper:
            headroom = max(ABSORBED - self.soc, LEAST_HEADROOM)
            r_ohm *= 1.0 + self.charge_taper / (headroom * sqrt(headroom))
        self._loss_r = r_ohm
        self.r_ohm = r_ohm + 0.5 * dt_s * slope_v * PER_SOC / self._as_per_soc

    def settle(self, current_a: float, dt_s: float) -> None:
        """Carry `current_a` for `dt_s`."""
        self.current_a = current_a
        charge_as = current_a * dt_s
        hours = dt_s / 3_600.0
        power_w = (self.emf_v + self.r_ohm * current_a) * current_a
        loss_w = self._loss_r * current_a * current_a
        if current_a > 0.0:
            charge_as *= self._coulombic
            loss_w += self.emf_v * current_a * (1.0 - self._coulombic)
            self.charged_wh += power_w * hours
        else:
            self.discharged_wh -= power_w * hours
        self.loss_wh += loss_w * hours
        self.soc += charge_as / self._as_per_soc
        if self.soc > 0.0:
            self.soc -= self._self_per_s * dt_s
        elif self.soc < CURVE_LOW:
            self.soc = CURVE_LOW
        self._heat_j += loss_w * dt_s
        self._heat_s += dt_s
        if self._bms is not None:
            self._protect(self._bms, self.terminal_v / self._cells)

    def warm(self, surrounding_c: float) -> None:
        """Thermal model, and what depends on temperature, for the time since the last call."""
        if self._heat_s > 0.0:
            decay = exp(-self._heat_s / (self._chemistry.thermal_lag_h * 3_600.0))
            self._temperature_c = surrounding_c + (self._temperature_c - surrounding_c) * decay
            self._temperature_c += self._heat_j / (self._chemistry.heat_j_per_k_ah * self.capacity_ah)
            self._heat_j = self._heat_s = 0.0
        chemistry = self._chemistry
        temperature_c = self.temperature_c
        self._ohmic_r = self._r25_ohm * exp(chemistry.r_per_k * min(max(25.0 - temperature_c, -20.0), 60.0))

    @property
    def terminal_v(self) -> float:
        """Sum of the cell voltages and the drop at the present current."""
        return self.emf_v + self.r_ohm * self.current_a

    @property
    def soc_permille(self) -> float:
        return min(max(self.soc, 0.0), 1.0) * 1_000.0

    @soc_permille.setter
    def soc_permille(self, permille: float) -> None:
        self.soc = min(max(permille, 0.0), 1_000.0) / 1_000.0
        self.charge_blocked = self.discharge_blocked = False
        self.prepare(0.0, charging=False)

    @property
    def remaining_mah(self) -> float:
        return self.soc_permille * self.capacity_ah

    @property
    def cell_min_v(self) -> float:
        return self._cell_v(self._soc_spread[0], -self._r_spread)

    @property
    def cell_max_v(self) -> float:
        return self._cell_v(self._soc_spread[1], self._r_spread)

    def _cell_v(self, soc_offset: float, r_offset: float) -> float:
        position = min(max((self.soc + soc_offset - CURVE_LOW) * PER_SOC, 0.0), CURVE_STEPS - 1e-9)
        index = int(position)
        volts = self._curve[index] + (self._curve[index + 1] - self._curve[index]) * (position - index)
        r_ohm = self.r_ohm * (1.0 + (r_offset if self.current_a > 0.0 else -r_offset))
        return (volts + r_ohm * self.current_a) / self._cells

    def _protect(self, bms: Bms, mean_cell_v: float) -> None:
        """The BMS's switch: opens one direction beyond a limit, closes it again with hysteresis."""
        temperature_c = self.temperature_c
        if self.charge_blocked:
            warm = bms.cold_c[1] <= temperature_c <= bms.hot_c[1]
            self.charge_blocked = not (warm and self.cell_max_v < bms.over_v[1])
        elif not bms.cold_c[0] <= temperature_c <= bms.hot_c[0]:
            self.charge_blocked = True
        elif mean_cell_v > bms.over_v[1]:
            self.charge_blocked = self.cell_max_v > bms.over_v[0]
        if self.discharge_blocked:
            self.discharge_blocked = temperature_c > bms.hot_c[1] or self.cell_min_v < bms.under_v[1]
        elif temperature_c > bms.hot_c[0]:
            self.discharge_blocked = True
        elif mean_cell_v < bms.under_v[1]:
            self.discharge_blocked = self.cell_min_v < bms.under_v[0]
