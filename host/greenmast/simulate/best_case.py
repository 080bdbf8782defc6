"""Parts of the plant at their best, in kWh and kW: what no run of theirs can surpass.

Owns the bounds on battery and rectifier, taken from the parts themselves. Must not know hours or a programme.
"""

from __future__ import annotations

from greenmast.plant.battery import Battery
from greenmast.plant.chemistry import CHEMISTRIES, CURVE_HIGH, CURVE_LOW
from greenmast.plant.config import BatteryConfig, RectifierConfig
from greenmast.plant.loads import UNDERVOLTAGE_V
from greenmast.plant.rectifier import SETPOINT_RANGE_MV, Rectifier

_BUS_MAX_V = SETPOINT_RANGE_MV[1] / 1_000.0  # no charger is set above it
# Beyond what a step of the plant may overshoot: below the loads' lock-out, above the BMS's limit per cell.
_BELOW_V, _ABOVE_V = 1.0, 0.05
_HOT_C = 200.0  # the plant limits what heat does to the resistance
_EXACT = 0.95  # of the ohmic loss: the rest is left for the finite steps of the plant
_RECTIFIER_AT = (0.45, 0.6, 0.8, 1.0)  # of the rating: where tangents touch; the best efficiency is at 0.465
_EMPTY, _FULL = 0.0, 1_000.0


class Storage:
    """Best-case account of a battery in kWh between `low` and `high`; `loss`, `charge_loss` are per kW.

    `stored(permille, best)`: energy at a reading of the charge; readings end at 0 and 1000 though the charge
    does not, so there it is the most or, without `best`, the least that it may stand for.
    """

    def __init__(self, cfg: BatteryConfig) -> None:
        import numpy as np

        chemistry = CHEMISTRIES[cfg.chemistry]
        battery = Battery(cfg, 1, _HOT_C)
        self._socs = np.arange(CURVE_LOW, CURVE_HIGH + 0.2, 0.000_625)
        volts = np.array([self._emf_v(battery, soc) for soc in self._socs])
        steps = 0.5 * (volts[1:] + volts[:-1]) * np.diff(self._socs)
        self._kwh = np.concatenate(([0.0], np.cumsum(steps))) * battery.capacity_ah / 1_000.0
        full_v = _BUS_MAX_V
        if chemistry.bms is not None:
            full_v = min(full_v, (chemistry.bms.over_v[0] + _ABOVE_V) * cfg.cells)
        self.coulombic = chemistry.coulombic
        self.charge_kw = battery.charge_limit_a * _BUS_MAX_V / 1_000.0
        empty_soc = float(np.interp(UNDERVOLTAGE_V - _BELOW_V, volts, self._socs))
        self.low = float(np.interp(empty_soc, self._socs, self._kwh))
        self.high = float(np.interp(full_v, volts, self._kwh))
        battery.soc = empty_soc
        self.loss, self.charge_loss = (
            _EXACT * 1_000.0 * self._r_ohm(battery, charging) / _BUS_MAX_V**2 for charging in (False, True)
        )

    @staticmethod
    def _emf_v(battery: Battery, soc: float) -> float:
        battery.soc = soc
        battery.prepare(0.0, charging=False)
        return battery.emf_v

    @staticmethod
    def _r_ohm(battery: Battery, charging: bool) -> float:
        battery.prepare(0.0, charging)
        return battery.r_ohm

    def stored(self, permille: float, best: bool) -> float:
        import numpy as np

        if permille >= _FULL and best:
            return self.high
        if permille <= _EMPTY and not best:
            return self.low
        return float(np.interp(permille / 1_000.0, self._socs, self._kwh))


def tangents(cfg: RectifierConfig) -> list[tuple[float, float]]:
    """(per kWh delivered, per hour with AC): the input is no less than any of these planes."""
    rectifier = Rectifier(cfg, 0.0)
    rectifier.feed(0.0, 230_000.0)

    def input_kw(output_kw: float) -> float:
        rectifier.deliver(output_kw * 1_000.0, 1.0, 0.0)
        return rectifier.input_w / 1_000.0

    planes = []
    for share in _RECTIFIER_AT:
        at_kw = share * cfg.rating_w / 1_000.0
        slope = 0.5 * (input_kw(at_kw + 1.0) - input_kw(at_kw - 1.0))  # exact: the input is a parabola
        planes.append((slope, input_kw(at_kw) - slope * at_kw))
    return planes
