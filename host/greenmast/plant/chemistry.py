"""What distinguishes battery chemistries: open-circuit curve, resistance, efficiency, limits.

Curves are per cell, state of charge -> volts at 25 degC and rest. They continue steeply beyond empty and
full, so that a charger at its set voltage tapers to nothing and a flat cell collapses.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

CURVE_LOW, CURVE_HIGH = -0.05, 1.05
CURVE_STEPS = 880


@dataclass(frozen=True, slots=True)
class Bms:
    """Limits of a battery management system as (trip, release) pairs; voltages per cell, degC."""

    charge_c_rate: float
    over_v: tuple[float, float]  # charging
    under_v: tuple[float, float]  # discharging
    cold_c: tuple[float, float]  # charging
    hot_c: tuple[float, float]  # both


@dataclass(frozen=True, slots=True)
class Chemistry:
    """Parameters of one chemistry; voltages per cell."""

    knots: tuple[tuple[float, float], ...]
    r_milliohm_ah: float  # resistance of a cell times its capacity
    r_wiring_milliohm: float
    r_per_k: float  # relative growth of the resistance per K below 25
    charge_taper: float  # growth of the charge resistance near full (acceptance)
    coulombic: float
    self_discharge_per_day: float
    heat_j_per_k_ah: float  # heat capacity of a 48 V string per Ah
    thermal_lag_h: float  # time constant towards the temperature around it
    charge_v: float  # default set voltage of the rectifier
    solar_v: float  # default set voltage of the MPPT charger: slightly above, so that the sun goes first
    bms: Bms | None

    def curve(self) -> list[float]:
        """The open-circuit curve resampled at CURVE_STEPS + 1 equal steps from CURVE_LOW to CURVE_HIGH."""
        socs = [soc for soc, _ in self.knots]
        step = (CURVE_HIGH - CURVE_LOW) / CURVE_STEPS
        volts = []
        for index in range(CURVE_STEPS + 1):
            soc = CURVE_LOW + index * step
            upper = min(max(bisect_right(socs, soc), 1), len(socs) - 1)
            (soc_a, volt_a), (soc_b, volt_b) = self.knots[upper - 1], self.knots[upper]
            volts.append(volt_a + (volt_b - volt_a) * (soc - soc_a) / (soc_b - soc_a))
        return volts


LFP = Chemistry(
    knots=(
        (-0.05, 0.80), (-0.02, 2.00), (0.00, 2.75), (0.02, 2.98), (0.05, 3.10), (0.10, 3.200),
        (0.15, 3.230), (0.20, 3.252), (0.30, 3.283), (0.40, 3.291), (0.50, 3.296), (0.60, 3.306),
        (0.65, 3.318), (0.70, 3.328), (0.80, 3.332), (0.90, 3.336), (0.95, 3.342), (0.975, 3.360),
        (0.99, 3.400), (1.00, 3.450), (1.02, 3.700), (1.05, 4.200),
    ),
    r_milliohm_ah=180.0, r_wiring_milliohm=4.0, r_per_k=0.02, charge_taper=0.0, coulombic=0.997,
    self_discharge_per_day=0.001, heat_j_per_k_ah=450.0, thermal_lag_h=4.0, charge_v=3.45, solar_v=3.47,
    bms=Bms(
        charge_c_rate=0.5, over_v=(3.65, 3.40), under_v=(2.50, 2.90), cold_c=(0.0, 4.0), hot_c=(60.0, 52.0),
    ),
)  # fmt: skip

VRLA = Chemistry(
    knots=(
        (-0.05, 0.80), (-0.02, 1.60), (0.00, 1.945), (0.05, 1.965), (0.10, 1.980), (0.20, 2.005),
        (0.30, 2.026), (0.40, 2.044), (0.50, 2.060), (0.60, 2.075), (0.70, 2.090), (0.80, 2.104),
        (0.90, 2.118), (0.97, 2.130), (0.99, 2.160), (1.00, 2.230), (1.02, 2.420), (1.05, 2.750),
    ),
    r_milliohm_ah=200.0, r_wiring_milliohm=4.0, r_per_k=0.015, charge_taper=0.22, coulombic=0.93,
    self_discharge_per_day=0.001, heat_j_per_k_ah=1_500.0, thermal_lag_h=8.0, charge_v=2.27, solar_v=2.29,
    bms=None,
)  # fmt: skip

CHEMISTRIES = {"lfp": LFP, "vrla": VRLA}
