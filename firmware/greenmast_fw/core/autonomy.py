"""How long the battery carries the site: expected, and at worst.

Rules
- Energy that counts lies above the knee of the battery's curve; the low-voltage disconnection is near there.
  Cold takes a part of it, and from VRLA so does a current beyond the ten-hour rate.
- Expected: at the net discharge smoothed over ten minutes. While AC is there that is load less solar: the
  time if AC failed now. Without AC it is what the battery gives, where that is known.
- At worst: the charge less its error, the highest load of the last hours, no sun.
- Sun that outweighs the load lasts for ever; sun that nobody measures does not shine.

Knows currents and charge; not where they come from.
"""

from greenmast_fw.core.site import Site
from greenmast_fw.core.soc import KNEE

ENDLESS_S = 0x7FFFFFFF
_SMOOTH = 60  # samples, one every ten seconds
_SCALE = 64  # so that rounding does not hold the mean back
_DECAY = 2_048  # samples: the highest load is forgotten over six hours
_LEAST_MA = 100
# Below so many deci-degC a part (permille a degree) of the capacity stays inside; nominal cell voltage.
_COLD = {"lfp": (150, 5, 3_250), "vrla": (250, 8, 2_000)}
_LEFT_LEAST = 500  # permille, however cold or hard


class Autonomy:
    """`to_lvd_s`, `to_lvd_min_s`: s to disconnection, expected and at worst; None when unknown.

    ENDLESS_S: no disconnection in sight.
    """

    def __init__(self, site: Site) -> None:
        self._knee = KNEE[site.chemistry]
        self._cold_dc, self._cold_permille, cell_mv = _COLD[site.chemistry]
        self._nominal = cell_mv * site.cells // 20
        self._peukert = site.chemistry == "vrla"
        self._net = 0  # mA times _SCALE
        self._samples = 0
        self._ac = False
        self._peak_ma = 0
        self._capacity_mah = site.capacity_mah
        self._worst_mah = -1  # -1: unknown
        self.to_lvd_s: "int | None" = None
        self.to_lvd_min_s: "int | None" = None

    def current_ma(self, power_w: int) -> int:
        """What `power_w` on the bus takes from the battery, at its nominal voltage."""
        return power_w * 50_000 // self._nominal

    def step(
        self,
        soc: "int | None",
        error: "int | None",
        capacity_mah: int,
        temperature_dc: "int | None",
        battery_ma: "int | None",
        load_ma: "int | None",
        solar_ma: int,
        ac: bool,
    ) -> None:
        """One estimate; due every ten seconds. `battery_ma` is positive when charging; `ac`: there is AC."""
        self._capacity_mah = capacity_mah
        net_ma = None
        if not ac and battery_ma is not None:
            net_ma = -battery_ma
        elif load_ma is not None:
            net_ma = load_ma - solar_ma
        if net_ma is None or ac != self._ac:
            self._samples = 0
            self._ac = ac
        if net_ma is not None:
            if self._samples < _SMOOTH:
                self._samples += 1
            self._net += (net_ma * _SCALE - self._net) // self._samples
        load_ma = net_ma if load_ma is None else load_ma
        if load_ma is not None:
            over = self._peak_ma - load_ma
            self._peak_ma = load_ma if over <= 0 else self._peak_ma - (over + _DECAY - 1) // _DECAY
        if soc is None or error is None:
            self.to_lvd_s = self.to_lvd_min_s = None
            self._worst_mah = -1
            return
        cold = 1000
        if temperature_dc is not None and temperature_dc < self._cold_dc:
            cold -= (self._cold_dc - temperature_dc) * self._cold_permille // 10
            cold = max(cold, _LEFT_LEAST)
        self._worst_mah = self._above_knee(soc - error) * cold // 1000
        self.to_lvd_s = None
        if net_ma is not None:
            self.to_lvd_s = self._lasts_s(self._above_knee(soc) * cold // 1000, self._net // _SCALE)
        self.to_lvd_min_s = None if load_ma is None else self._lasts_s(self._worst_mah, self._peak_ma)

    def with_load_s(self, load_w: int) -> "int | None":
        """At worst, s to disconnection if the load were `load_w`; None when the charge is unknown."""
        return None if self._worst_mah < 0 else self._lasts_s(self._worst_mah, self.current_ma(load_w))

    def _above_knee(self, soc: int) -> int:
        left = soc - self._knee
        return self._capacity_mah // 100 * left // 10 if left > 0 else 0

    def _lasts_s(self, mah: int, ma: int) -> int:
        if ma < _LEAST_MA:
            return ENDLESS_S
        if self._peukert:
            rate = ma * 1000 // self._capacity_mah  # permille of the capacity in an hour
            if rate > 100:
                mah = mah * max(1000 - (rate - 100) * 4 // 5, _LEFT_LEAST) // 1000
        return mah * 36 // (ma // 100)
