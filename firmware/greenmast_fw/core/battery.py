"""What is known of the battery and the DC bus, from whatever still measures them.

Rules
- The bus voltage is taken from its meter, else from the battery where it is connected, else from a rectifier
  that has AC.
- The battery's current is the measured one, else the balance of the bus: rectifier and solar less load. A
  share of that balance that nobody measures makes it unknown, never 0; a rectifier without AC gives nothing.
- Charge and its error, capacity, and the time to disconnection follow in `soc`, `capacity` and `autonomy`.
"""

from greenmast_fw.core.autonomy import Autonomy
from greenmast_fw.core.site import Site
from greenmast_fw.core.soc import StateOfCharge
from greenmast_protocol import points

_BUS = points.index("dc.bus_mv")
_VOLTAGE = points.index("battery.voltage_mv")
_CURRENT = points.index("battery.current_ma")
_SOC = points.index("battery.soc_permille")
_SOH = points.index("battery.soh_permille")
_TEMPERATURE = points.index("battery.temperature_dc")
_RECTIFIER = points.index("rectifier.output_mv")
_RECTIFIER_MA = points.index("rectifier.output_ma")
_AC_PRESENT = points.index("rectifier.ac_present")
_SOLAR_W = points.index("solar.power_w")
_LOAD_W = points.index("load.power_w")

_PERIOD_MS = 10_000  # between estimates of the time to disconnection
_OF_POWER = 50_000  # W times this over mV / 20 is mA, in small integers up to 20 kW
_OF_SOLAR = 48_500  # likewise: 3 % of the panels' power is lost on its way to the bus
_BUS_DEAD_MV = 10_000  # no balance of powers below
_LOST_MAX_MS = 0x3FFFFFFF


class Battery:
    """`bus_mv`, `voltage_mv`, `current_ma` (positive when charging), `temperature_dc`: None when unknown.

    `soc`, `soc_error`: permille, the best estimate; `soc` is None when nobody knows or it is `unsure`.
    `counted`: it is not the BMS's word. `soh`: permille. `aged`: see `capacity`. `full`: see `soc`.
    `charging`: current flows in. `lost_ms`: since a battery with data last gave its state of charge, counted
    or not. `to_lvd_s`, `to_lvd_min_s`: see `autonomy`.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.charge = StateOfCharge(params, site)
        self._autonomy = Autonomy(site)
        self._expected = "battery" in site.roles
        self._has_solar = "solar" in site.roles
        self._trickle_ma = site.capacity_mah // 100  # within the error of an inferred current
        self._elapsed_ms = 0
        self.bus_mv: "int | None" = None
        self.voltage_mv: "int | None" = None
        self.current_ma: "int | None" = None
        self.temperature_dc: "int | None" = None
        self.soc: "int | None" = None
        self.soc_error: "int | None" = None
        self.soh: "int | None" = None
        self.counted = False
        self.unsure = False
        self.aged = False
        self.full = False
        self.charging = False
        self.lost_ms = 0
        self.to_lvd_s: "int | None" = None
        self.to_lvd_min_s: "int | None" = None

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the count stays."""
        self.charge.configure(params)

    def step(self, v: "tuple[int | None, ...]", dt_ms: int, connected: "int | None", no_ac: bool) -> None:
        """`connected`: proven position of the battery's contactor. `no_ac`: both of AC are proven open."""
        self.voltage_mv = voltage = v[_VOLTAGE]
        bus = v[_BUS]
        if bus is None:
            if voltage is not None and connected:
                bus = voltage
            elif v[_AC_PRESENT]:
                bus = v[_RECTIFIER]
        self.bus_mv = bus
        if voltage is None and connected:
            voltage = bus
        self.temperature_dc = temperature = v[_TEMPERATURE]
        current = v[_CURRENT]
        measured = current is not None
        if current is None:
            current = 0 if connected == 0 else self._balance_ma(v, no_ac)
            self.charging = current is not None and current > self._trickle_ma
        else:
            self.charging = current > 0
        self.current_ma = current
        soc = v[_SOC]
        if soc is not None or not self._expected:
            self.lost_ms = 0
        elif self.lost_ms < _LOST_MAX_MS - dt_ms:
            self.lost_ms += dt_ms
        charge = self.charge
        charge.step(dt_ms, soc, current, measured, voltage, temperature)
        self.soc = charge.soc
        self.soc_error = charge.error
        self._elapsed_ms += dt_ms
        if self._elapsed_ms >= _PERIOD_MS:
            self._elapsed_ms = 0
            charge.capacity.declare(v[_SOH])
            self._look_ahead(v, no_ac)
        self.counted = not charge.own
        self.unsure = charge.unsure
        self.full = charge.full

    def _balance_ma(self, v: "tuple[int | None, ...]", no_ac: bool) -> "int | None":
        load_w, given_ma = v[_LOAD_W], self._given_ma(v, no_ac)
        if load_w is None or given_ma is None or self.bus_mv is None:
            return None
        return given_ma - load_w * _OF_POWER // (self.bus_mv // 20)

    def _given_ma(self, v: "tuple[int | None, ...]", no_ac: bool) -> "int | None":
        """What rectifier and sun give to the bus."""
        bus, solar_w, ma = self.bus_mv, v[_SOLAR_W], v[_RECTIFIER_MA]
        if ma is None and (no_ac or v[_AC_PRESENT] == 0):
            ma = 0
        if ma is None or bus is None or bus < _BUS_DEAD_MV or (solar_w is None and self._has_solar):
            return None
        return ma + solar_w * _OF_SOLAR // (bus // 20) if solar_w else ma

    def _look_ahead(self, v: "tuple[int | None, ...]", no_ac: bool) -> None:
        autonomy = self._autonomy
        charge = self.charge
        capacity = charge.capacity
        load_w, solar_w, current = v[_LOAD_W], v[_SOLAR_W], self.current_ma
        load_ma = None
        if load_w is not None:
            load_ma = autonomy.current_ma(load_w)
        elif current is not None:
            given_ma = self._given_ma(v, no_ac)
            load_ma = None if given_ma is None else given_ma - current
        autonomy.step(
            self.soc,
            self.soc_error,
            capacity.mah,
            self.temperature_dc,
            current,
            load_ma,
            autonomy.current_ma(solar_w * _OF_SOLAR // _OF_POWER) if solar_w else 0,
            not no_ac and v[_AC_PRESENT] != 0,
        )
        self.to_lvd_s = autonomy.to_lvd_s
        self.to_lvd_min_s = autonomy.to_lvd_min_s
        self.soh = capacity.soh
        self.aged = capacity.aged

    def to_lvd_with_s(self, load_w: int) -> "int | None":
        """At worst, s to disconnection if the load were `load_w`; None when the charge is unknown."""
        return self._autonomy.with_load_s(load_w)

    def memory(self) -> "list[int]":
        """What must survive a reset: count, error, age of the anchor, learned capacity."""
        return self.charge.memory()

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.charge.restore(kept)
