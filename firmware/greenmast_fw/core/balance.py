"""The powers on the DC bus: what must flow into the battery, and whether it does.

Rules
- Solar and rectifier power less the load must be the battery's power, within a tolerance. Outside that for
  the delay is an alarm. Equipment that the site lacks counts as nothing; as long as anything that it has is
  unknown, nothing is said.
- Four meters and one equation do not tell which meter is wrong. The state of charge may: where it has
  followed the other three and not the battery's current, and these are a twentieth of the capacity apart, the
  current is contradicted until the powers add up again. Near full and empty a state of charge proves nothing.

Knows no voltage limits and no contactors.
"""

from greenmast_fw.core.distrust import distrust, trust
from greenmast_fw.core.site import Site
from greenmast_protocol import points, quality

_SOLAR = points.index("solar.power_w")
_RECTIFIER_MV = points.index("rectifier.output_mv")
_RECTIFIER_MA = points.index("rectifier.output_ma")
_AC_PRESENT = points.index("rectifier.ac_present")
_LOAD = points.index("load.power_w")
_BATTERY_MV = points.index("battery.voltage_mv")
_BATTERY_MA = points.index("battery.current_ma")
_SOC = points.index("battery.soc_permille")

_CURRENT = (_BATTERY_MA,)

_LIVE_MV = 10_000
NEARLY_FULL = 950  # permille; a battery that charges stays here for long
NEARLY_EMPTY = 50


class Balance:
    """`net_w`: solar and rectifier less load; `rectifier_w`; each None where unknown.

    `off`: it has not added up for the delay.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._roles = site.roles
        self._enough = site.capacity_mah * 5  # a twentieth, in hundredths of a mAh
        self._capacity_mah = site.capacity_mah
        self.net_w: "int | None" = None
        self.rectifier_w: "int | None" = None
        self.off = False
        self._off_ms = 0
        self._soc: "int | None" = None  # where counting began; None: not counting
        self._measured = 0  # charge since, by the battery's current
        self._implied = 0  # and by the other powers
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._tolerance_w = params["balance.tolerance_w"]
        self._delay_ms = params["balance.delay_s"] * 1000

    def step(self, v: "tuple[int | None, ...]", dt_ms: int, codes: bytearray) -> None:
        """`dt_ms` since the last step; distrust goes into `codes`."""
        self.rectifier_w = self._rectifier(v)
        self.net_w = net = self._net(v)
        mv = v[_BATTERY_MV]
        ma = v[_BATTERY_MA]
        if net is None or mv is None or mv < _LIVE_MV or ma is None:
            self.off = False
            self._off_ms = 0
            self._soc = None
            return
        error = net - watts(mv, ma)
        if -self._tolerance_w <= error <= self._tolerance_w:
            self.off = False
            self._off_ms = 0
            self._soc = None
            trust(codes, _CURRENT, quality.CONTRADICTED)
            return
        if self._off_ms < self._delay_ms:
            self._off_ms += dt_ms
        self.off = self._off_ms >= self._delay_ms
        soc = v[_SOC]
        if soc is None or codes[_SOC] or not NEARLY_EMPTY < soc < NEARLY_FULL:
            self._soc = None
        elif self._soc is None:
            self._soc = soc
            self._measured = self._implied = 0
        else:
            self._count(net * 10_000 // (mv // 100), ma, soc, dt_ms, codes)

    def _count(self, implied_ma: int, ma: int, soc: int, dt_ms: int, codes: bytearray) -> None:
        self._measured += charge(ma, dt_ms)
        self._implied += charge(implied_ma, dt_ms)
        if -self._enough < self._implied - self._measured < self._enough:
            return
        came = (soc - (self._soc or 0)) * (self._capacity_mah // 10)
        if self.off and 2 * abs(came - self._implied) < abs(came - self._measured):
            distrust(codes, _CURRENT, quality.CONTRADICTED)
        self._soc = soc
        self._measured = self._implied = 0

    def _rectifier(self, v: "tuple[int | None, ...]") -> "int | None":
        if "rectifier" not in self._roles:
            return 0
        mv = v[_RECTIFIER_MV]
        ma = v[_RECTIFIER_MA]
        if mv is not None and ma is not None:
            return watts(mv, ma)
        return 0 if v[_AC_PRESENT] == 0 else None

    def _net(self, v: "tuple[int | None, ...]") -> "int | None":
        load = v[_LOAD]
        solar = v[_SOLAR] if "solar" in self._roles else 0
        if load is None or solar is None or self.rectifier_w is None:
            return None
        return solar + self.rectifier_w - load


def watts(mv: int, ma: int) -> int:
    """Power; the factors are cut first, as a product of mV and mA leaves the small integers."""
    return mv // 100 * (ma // 100) // 100


def charge(ma: int, dt_ms: int) -> int:
    """Charge of `ma` for `dt_ms`, in hundredths of a mAh."""
    return ma // 10 * (dt_ms // 100) // 36
