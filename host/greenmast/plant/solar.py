"""PV array and MPPT charger: what the sun offers and what the bus takes of it.

Owns array power, array voltage and the charger's account. Must not know weather models or bus algebra.
"""

from __future__ import annotations

from math import log, sqrt

from greenmast.plant.config import SolarConfig

CELL_HEATING = 0.031  # K per W/m2: nominal operating cell temperature 45 degC
POWER_PER_K = -0.004
VOLTAGE_PER_K = -0.0033
MPP_V, OPEN_V = 108.0, 132.0  # three 60-cell modules in series at 25 degC
LIMIT_A_PER_KWP = 25.0
WAKE_BUS_V = 36.0  # the charger is powered from the bus


class Solar:
    """`available_w` is what the charger could put on the bus, `power_w` what it does put.

    `setpoint_mv` is the absorption voltage above which it curtails; `override_w`, when not None, replaces
    the available power.
    """

    __slots__ = (
        "_cfg", "_kwp", "_limit_a", "_mppt_permille", "ambient_c", "available_w", "energy_wh", "offered_wh",
        "output_a", "override_w", "poa_w_m2", "power_w", "setpoint_mv",
    )  # fmt: skip

    def __init__(self, cfg: SolarConfig, setpoint_mv: float) -> None:
        self._cfg = cfg
        self._kwp = float(cfg.kwp)
        self._mppt_permille = float(cfg.mppt_permille)
        self._limit_a = cfg.mppt_limit_ma / 1_000.0 or LIMIT_A_PER_KWP * cfg.kwp
        self.setpoint_mv = float(cfg.setpoint_mv) or setpoint_mv
        self.override_w: float | None = None
        self.poa_w_m2 = 0.0
        self.ambient_c = 25.0
        self.available_w = self.power_w = self.output_a = 0.0
        self.energy_wh = 0.0
        self.offered_wh = 0.0  # what it could have given

    def potential_w(self, poa_w_m2: float, ambient_c: float) -> float:
        """Power at the charger's output for an irradiance in the plane of the array, before any limit."""
        cfg = self._cfg
        heating_k = ambient_c + CELL_HEATING * poa_w_m2 - 25.0
        array_w = cfg.kwp * poa_w_m2 * (1.0 + POWER_PER_K * heating_k) * (1_000 - cfg.loss_permille) / 1_000.0
        return max(0.0, array_w) * cfg.mppt_permille / 1_000.0

    def limit_w(self, bus_v: float) -> float:
        """Available power clipped by the charger's current rating."""
        return min(self.available_w, self._limit_a * bus_v)

    def deliver(self, output_a: float, bus_v: float, dt_s: float) -> None:
        """Account for the operating point of an interval."""
        self.output_a = output_a
        self.power_w = output_a * bus_v
        self.energy_wh += self.power_w * dt_s / 3_600.0
        self.offered_wh += self.available_w * dt_s / 3_600.0

    @property
    def array_w(self) -> float:
        """Power drawn from the array, charger loss included."""
        return self.power_w * 1_000.0 / self._mppt_permille

    @property
    def array_v(self) -> float:
        """Array voltage: near the maximum-power point, towards open circuit when curtailed or off."""
        sun = self.poa_w_m2
        if self.override_w is not None and self._kwp > 0.0:
            sun = self.override_w / self._kwp  # W per kWp is about W/m2
        if sun < 0.1 or self._kwp <= 0.0:
            return 0.0
        heating_k = self.ambient_c + CELL_HEATING * sun - 25.0
        shape = max(0.0, 1.0 + 0.035 * log(sun / 1_000.0)) * (1.0 + VOLTAGE_PER_K * heating_k)
        unused = 1.0 - min(1.0, self.power_w / self.available_w) if self.available_w > 0.0 else 1.0
        return shape * (MPP_V + (OPEN_V - MPP_V) * sqrt(unused))

    @property
    def array_a(self) -> float:
        array_v = self.array_v
        return self.array_w / array_v if array_v > 0.0 else 0.0
