"""What is known of the battery and the DC bus, from whatever still measures them.

Rules
- The bus voltage is taken from its meter, else from the battery where it is connected, else from a rectifier
  that has AC.
- State of charge is the battery's own while that is good; when it is not, it is missing, never 0.
- Time to disconnection is capacity in use above the knee, over a smoothed discharge current.
"""

from greenmast_fw.core.site import Site
from greenmast_protocol import points

_BUS = points.index("dc.bus_mv")
_VOLTAGE = points.index("battery.voltage_mv")
_CURRENT = points.index("battery.current_ma")
_SOC = points.index("battery.soc_permille")
_SOH = points.index("battery.soh_permille")
_RECTIFIER = points.index("rectifier.output_mv")
_AC_PRESENT = points.index("rectifier.ac_present")

_PERIOD_MS = 10_000  # between estimates of the time to disconnection
_EMPTY_PERMILLE = {"lfp": 50, "vrla": 200}  # charge left at the low-voltage disconnection
_LOST_MAX_MS = 0x3FFFFFFF


class Battery:
    """`bus_mv`, `voltage_mv`, `current_ma`, `soc`: None when unknown.

    `lost_ms`: since a battery with data last gave its state of charge.
    """

    def __init__(self, site: Site) -> None:
        self._capacity_mah = site.capacity_mah
        self._empty = _EMPTY_PERMILLE[site.chemistry]
        self._expected = "battery" in site.roles
        self._current_ma: "int | None" = None
        self._elapsed_ms = 0
        self.bus_mv: "int | None" = None
        self.voltage_mv: "int | None" = None
        self.soc: "int | None" = None
        self.current_ma: "int | None" = None
        self.charging = False
        self.lost_ms = 0
        self.to_lvd_s: "int | None" = None

    def step(self, v: "tuple[int | None, ...]", dt_ms: int, connected: "int | None") -> None:
        """`connected`: proven position of the battery's contactor."""
        self.voltage_mv = voltage = v[_VOLTAGE]
        bus = v[_BUS]
        if bus is None:
            if voltage is not None and connected:
                bus = voltage
            elif v[_AC_PRESENT]:
                bus = v[_RECTIFIER]
        self.bus_mv = bus
        self.soc = soc = v[_SOC]
        if soc is not None or not self._expected:
            self.lost_ms = 0
        elif self.lost_ms < _LOST_MAX_MS - dt_ms:
            self.lost_ms += dt_ms
        self.current_ma = current = v[_CURRENT]
        self.charging = current is not None and current > 0
        self._elapsed_ms += dt_ms
        if self._elapsed_ms >= _PERIOD_MS:
            self._elapsed_ms = 0
            self._estimate(current, soc, v[_SOH])

    def _estimate(self, current: "int | None", soc: "int | None", soh: "int | None") -> None:
        if current is None or soc is None:
            self._current_ma = None
            self.to_lvd_s = None
            return
        smooth = self._current_ma
        self._current_ma = smooth = current if smooth is None else smooth + (current - smooth) // 4
        if smooth > -100:
            self.to_lvd_s = None
            return
        left = soc - self._empty if soc > self._empty else 0
        left_mah = self._capacity_mah // 1000 * left
        if soh is not None:
            left_mah = left_mah // 1000 * soh
        self.to_lvd_s = left_mah * 36 // (-smooth // 100)
