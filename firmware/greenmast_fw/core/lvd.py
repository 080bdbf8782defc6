"""The thresholds of shedding: at which voltage, state of charge or time each stage goes, and returns.

Rules
- The voltage is the bus's plus the drop of the discharge current in the cables. That excuses no bus below the
  battery's own voltage, nor does it count for the battery, which is not disconnected while something charges
  it.
- What would take a more critical tier takes the lesser ones before it. The policy never takes the critical
  tier, and nothing but voltage takes the battery.
- Both reconnect thresholds rise with each episode of shedding within a day, as far as charging still reaches
  them.

Knows no state: `shed` keeps it.
"""

from greenmast_fw.core.site import BATTERY, LOAD1, LOAD2, LOAD3, Site

_STAGES = ((LOAD3, "lvd.tier3_"), (LOAD2, "lvd.tier2_"), (LOAD1, "lvd.tier1_"), (BATTERY, "lvd.battery_"))

# What a stage goes for: masks.
VOLTAGE = 1
SOC = 2
TIME = 4
POLICY = 8

_HEADROOM_MV = 300  # the reconnect voltage stays this far below the charging voltage
_FULL_PERMILLE = 950  # and the state of charge below this
_MARGIN_MV = 400  # above a stage's voltage when it returns to a bus without source: as reconnect_mv must be
_NEVER_MS = 0x3FFFFFFF  # timers end one short of it


class Thresholds:
    """`outputs`: the stages of the site in their order. By stage: `limits` (mV), `permille`,
    `after_ms` (without AC).

    `timed`: whether any stage goes for time.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._names = tuple([row[1] for row in _STAGES if site.exists[row[0]]])
        self.outputs = tuple([row[0] for row in _STAGES if site.exists[row[0]]])
        self._spare = site.exists[LOAD2] + site.exists[LOAD3]
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters."""
        self.limits = [params[name + "mv"] for name in self._names]
        self.permille = [0] * len(self._names)
        self.after_ms = [_NEVER_MS] * len(self._names)
        soc = 0
        ms = _NEVER_MS
        for i in range(len(self._names) - 1, -1, -1):
            soc = max(soc, params.get(self._names[i] + "permille", 0))
            seconds = params.get(self._names[i] + "after_s", 0)
            if seconds:
                ms = min(ms, seconds * 1000)
            self.permille[i] = soc
            self.after_ms[i] = ms
        self.timed = ms < _NEVER_MS
        self._battery_mv = params["lvd.battery_mv"]
        self._uohm = params["lvd.compensation_uohm"]
        self._reconnect_mv = params["lvd.reconnect_mv"]
        self._reconnect_max_mv = max(params["battery.charge_mv"] - _HEADROOM_MV, self._reconnect_mv)
        self._reconnect_permille = params["lvd.reconnect_permille"]
        self._raise_mv = params["lvd.raise_mv"]

    def reconnect_mv(self, episodes: int) -> int:
        """The reconnect voltage after so many `episodes` within a day."""
        return min(self._reconnect_mv + self._raised_mv(episodes), self._reconnect_max_mv)

    def reconnect_permille(self, episodes: int) -> int:
        """The reconnect state of charge, 0 for none: raised by 1 permille where the voltage is by 10 mV."""
        least = self._reconnect_permille
        return max(min(least + self._raised_mv(episodes) // 10, _FULL_PERMILLE), least) if least else 0

    def _raised_mv(self, episodes: int) -> int:
        return self._raise_mv * (episodes - 1) if episodes > 1 else 0

    def above_all(self, bus_mv: "int | None", soc: "int | None") -> bool:
        """Whether voltage and state of charge take no stage at all."""
        if not self.limits:
            return True
        return bus_mv is not None and bus_mv >= self.limits[0] and (soc is None or soc >= self.permille[0])

    def causes(self, stage: int, soc: "int | None", absent_ms: int, shed: int) -> int:
        """Mask of the causes, apart from voltage, for which `stage` should be gone now."""
        mask = SOC if soc is not None and soc < self.permille[stage] else 0
        if absent_ms >= self.after_ms[stage]:
            mask |= TIME
        if stage < shed and stage < self._spare:
            mask |= POLICY
        return mask

    def too_low(
        self, stage: int, bus_mv: int, battery_mv: "int | None", current_ma: "int | None", source: bool
    ) -> bool:
        """Whether `stage` should go for voltage."""
        limit = self.limits[stage]
        if self.outputs[stage] == BATTERY:
            return not source and (bus_mv if battery_mv is None else battery_mv) < limit
        if bus_mv >= limit:
            return False
        if current_ma is None or current_ma >= 0 or bus_mv < self._battery_mv:
            return True
        return bus_mv + (-current_ma // 100) * self._uohm // 10_000 < limit

    def carries(self, stage: int, bus_mv: "int | None", source: bool) -> bool:
        """Whether the bus, as far as it is known, would carry `stage` for a while."""
        return bus_mv is None or bus_mv >= self.limits[stage] + (0 if source else _MARGIN_MV)
