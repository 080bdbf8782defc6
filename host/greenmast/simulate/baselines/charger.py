"""The rectifier's own controller: charge voltage, float voltage, and a limit of the battery's current.

Owns what is written to the rectifier. The voltages are those of the site's battery: lead-acid with the usual
compensation per degree and cell, and a charging current of 15 % of the capacity; lithium takes what the
rectifier gives. Must not know tariffs, gensets or reserves: the rule says CHARGE, HOLD or CARRY.

- CHARGE: to full, then float.
- HOLD: the rectifier gives what the loads need beyond the sun; the battery's current is regulated to nothing.
- CARRY: the voltage is so low that sun and battery carry, and the rectifier catches the bus if they cannot.
"""

from __future__ import annotations

from greenmast_fw.core.site import Site
from greenmast_protocol import points

CHARGE, HOLD, CARRY = 0, 1, 2

_BUS = points.index("dc.bus_mv")
_OUTPUT_MA = points.index("rectifier.output_ma")
_AC_PRESENT = points.index("rectifier.ac_present")
_CURRENT = points.index("battery.current_ma")
_SOC = points.index("battery.soc_permille")
_TEMPERATURE = points.index("battery.temperature_dc")

_LEAD_PERMILLE = 150  # of the capacity: the charging current of lead-acid
_RATED_BUS_MV = 48_000
_NEAR_MV = 200  # below the set voltage counts as being there
_TAIL_MS = 600_000
_RECHARGE_PERMILLE = 900
_STANDARD_DC = 250
_STEP_MV = 30  # changes below these are not written
_STEP_MA = 500
_REFRESH_MS = 600_000


class Charger:
    """`charged`: the battery has been filled by AC and not been used much since."""

    def __init__(self, params: dict[str, int], site: Site, rating_w: int) -> None:
        self.charged = False
        lead = site.chemistry == "vrla"
        self._charge_mv = params["battery.charge_mv"]
        self._float_mv = params["battery.float_mv"]
        self._carry_mv = params["genset.bus_start_mv"]
        self._uv_per_k = params["battery.compensation_uv"] * site.cells if lead else 0
        self._rating_ma = rating_w * 1_000_000 // _RATED_BUS_MV
        self._current_ma = site.capacity_mah * _LEAD_PERMILLE // 1_000 if lead else 0  # 0: not limited
        self._tail_ma = site.capacity_mah * params["battery.tail_permille"] // 1_000
        self._absorption_ms = params["battery.absorption_s"] * 1_000
        self._at_voltage_ms = self._tail_ms = 0
        self._mv = self._ma = 0  # as last written
        self._since_ms = _REFRESH_MS

    def step(self, v: tuple[int | None, ...], mode: int, dt_ms: int) -> dict[str, int] | None:
        """Setpoints for the rectifier, None when there is nothing new to write."""
        compensation_mv = 0
        temperature_dc = v[_TEMPERATURE]
        if self._uv_per_k and temperature_dc is not None:
            compensation_mv = (temperature_dc - _STANDARD_DC) * self._uv_per_k // 10_000
        self._judge(v, self._charge_mv - compensation_mv, dt_ms)
        mv = self._carry_mv
        if mode != CARRY:
            mv = (self._float_mv if self.charged else self._charge_mv) - compensation_mv
        ma = self._rating_ma
        if mode == HOLD:
            ma = self._toward(v, 0)
        elif mode == CHARGE and self._current_ma:
            ma = self._toward(v, self._current_ma)
        self._since_ms += dt_ms
        if abs(mv - self._mv) < _STEP_MV and abs(ma - self._ma) < _STEP_MA and self._since_ms < _REFRESH_MS:
            return None
        self._mv, self._ma = mv, ma
        self._since_ms = 0
        return {"rectifier.setpoint_mv": mv, "rectifier.limit_ma": ma}

    def _toward(self, v: tuple[int | None, ...], battery_ma: int) -> int:
        """The rectifier's limit with which the battery's current becomes `battery_ma`."""
        output_ma, current_ma = v[_OUTPUT_MA], v[_CURRENT]
        if output_ma is None or current_ma is None:
            return self._rating_ma
        return min(max(output_ma + battery_ma - current_ma, 0), self._rating_ma)

    def _judge(self, v: tuple[int | None, ...], charge_mv: int, dt_ms: int) -> None:
        """Full at the charge voltage: by the tail of the current, or after the time of absorption."""
        if self.charged:
            soc = v[_SOC]
            if soc is not None and soc < _RECHARGE_PERMILLE:
                self.charged = False
                self._at_voltage_ms = self._tail_ms = 0
            return
        bus_mv, current_ma = v[_BUS], v[_CURRENT]
        if v[_AC_PRESENT] != 1 or bus_mv is None or bus_mv < charge_mv - _NEAR_MV:
            self._tail_ms = 0
            return
        self._at_voltage_ms += dt_ms
        if current_ma is not None and current_ma <= self._tail_ma:
            self._tail_ms += dt_ms
        else:
            self._tail_ms = 0
        self.charged = self._tail_ms >= _TAIL_MS or self._at_voltage_ms >= self._absorption_ms
