"""What surrounds the equipment: weather minute by minute, demand, cabinet temperature, door and smoke.

Owns the slow signals: they are computed at whole minutes of the day, with straight lines between. Must not
know the electrical state beyond the heat it leaves in the cabinet.
"""

from __future__ import annotations

from datetime import datetime

from greenmast.plant.loads import Loads
from greenmast.plant.solar import Solar
from greenmast.plant.weather import Weather

MINUTE_S = 60.0
CABINET_LAG_S = 1_800.0
CABINET_RISE_K = 4.0
CABINET_K_PER_W = 0.02
COOLED = 0.4  # the fan leaves this share of the cabinet's rise


class Environment:
    """`cabinet_c` follows the outside and the heat inside, unless `cabinet_override_c` is not None."""

    __slots__ = (
        "_day_s", "_demand_slope_w", "_demand_w", "_modelled_c", "_potential_slope_w", "_potential_w",
        "_weather", "ambient_c", "cabinet_override_c", "door_open", "minute_end_s", "smoke",
    )  # fmt: skip

    def __init__(self, weather: Weather, start: datetime) -> None:
        self._weather = weather
        self._day_s = start.hour * 3_600.0 + start.minute * 60.0 + start.second + start.microsecond / 1e6
        self.ambient_c = weather.ambient_c(0.0)
        self._modelled_c = self.ambient_c + CABINET_RISE_K
        self.cabinet_override_c: float | None = None
        self.door_open = self.smoke = 0.0
        self.minute_end_s = float("-inf")
        self._demand_w = self._demand_slope_w = self._potential_w = self._potential_slope_w = 0.0

    @property
    def cabinet_c(self) -> float:
        return self._modelled_c if self.cabinet_override_c is None else self.cabinet_override_c

    def new_minute(self, time_s: float, loads: Loads, solar: Solar, heat_w: float, cooling: bool) -> None:
        """Lines for the minute of the day that contains `time_s`; due once `minute_end_s` is past."""
        end_day_s = ((time_s + self._day_s) // MINUTE_S + 1.0) * MINUTE_S
        end_s = end_day_s - self._day_s
        weather = self._weather
        if end_s - MINUTE_S == self.minute_end_s:  # it begins with what the minute before ended with
            begin_w_m2, begin_demand_w = solar.poa_w_m2, self._demand_w
        else:
            begin_w_m2 = weather.poa_w_m2(end_s - MINUTE_S)
            begin_demand_w = loads.model_w(end_day_s - MINUTE_S)
        self.minute_end_s = end_s
        ambient_c = self.ambient_c = solar.ambient_c = weather.ambient_c(end_s)
        solar.poa_w_m2 = weather.poa_w_m2(end_s)
        self._potential_w = solar.potential_w(solar.poa_w_m2, ambient_c)
        self._demand_w = loads.model_w(end_day_s)
        begin_w = solar.potential_w(begin_w_m2, ambient_c)
        self._potential_slope_w = (self._potential_w - begin_w) / MINUTE_S
        self._demand_slope_w = (self._demand_w - begin_demand_w) / MINUTE_S
        rise_k = (CABINET_RISE_K + CABINET_K_PER_W * heat_w) * (COOLED if cooling else 1.0)
        self._modelled_c += (ambient_c + rise_k - self._modelled_c) * (MINUTE_S / CABINET_LAG_S)

    def offer(self, time_s: float, loads: Loads, solar: Solar) -> None:
        """Demand and available sun at `time_s`, within the present minute."""
        left_s = self.minute_end_s - time_s
        loads.demand_w = (
            self._demand_w - self._demand_slope_w * left_s if loads.override_w is None else loads.override_w
        )
        solar.available_w = (
            self._potential_w - self._potential_slope_w * left_s
            if solar.override_w is None
            else solar.override_w
        )
