"""What limits charging: current, temperature, the highest cell, and the battery's own word.

Rules
- The charge current is the least of what BMS, user and cable allow; the loads' measured current is added and
  the sun's taken off, and the rectifier's rating bounds the sum. A limit whose source falls silent stays in
  force: unknown never means unlimited.
- No charging below or above the battery's temperature limits, nor while the BMS allows none. Such a block
  acts at once; it goes two degrees inside the limit, or when the BMS has allowed current for a minute.
- A cell at its limit, or a current above the limit, takes the voltage down by a step every ten seconds, the
  first at once, and gives it back slowly. It stays down while nobody sees the cells, and does not go further
  where the rectifier delivers nothing: then it is the sun that charges.
"""

from greenmast_protocol import points, reasons

_BMS_MA = points.index("battery.charge_limit_ma")
_CELL_MAX = points.index("battery.cell_max_mv")
_LOAD_W = points.index("load.power_w")
_SOLAR_W = points.index("solar.power_w")
_OUTPUT_MA = points.index("rectifier.output_ma")

COLD = reasons.code("charge_cold")
HOT = reasons.code("charge_hot")
NOT_ALLOWED = reasons.code("charge_refused")

IDLE_MA = 1_000  # less than this is no output
_MOST_MA = 1_000_000  # that a rectifier can be told
_BUS_DEAD_MV = 10_000  # no current follows from power below
_OVER_MA = 2_000  # with a tenth of the limit: what the rectifier's limit lets through between two writes
_NEVER_DC = -1_000
_RELEASE_DC = 20
_ALLOWED_MS = 60_000
_STEP_MV = 100
_TRIM_MAX_MV = 5_000
_DOWN_MS = 10_000
_UP_MS = 60_000
_RELEASE_CELL_MV = 50
_SATURATED_MS = 0x3FFFFFFF


class Limits:
    """`blocked`: reason code for which the battery must not be charged, or 0. `hot`, `cold`: of the battery.

    `limit_ma`: for the rectifier, None: leave as it is. `trim_mv`: how far the charging voltage is held down.
    `silent_ms`: since the BMS last gave its current limit. `cell_mv`, `temperature_dc`: as last known.
    """

    def __init__(self, params: "dict[str, int]", freezes: bool) -> None:
        self._freezes = freezes
        self.blocked = 0
        self.hot = False
        self.cold = False
        self.limit_ma: "int | None" = None
        self.trim_mv = 0
        self.silent_ms = 0
        self.cell_mv = 0
        self.temperature_dc = 0
        self._bms_ma = -1  # -1: has never given one
        self._refused = False
        self._allowed_ms = 0
        self._net_ma: "int | None" = None
        self._trim_ms = _SATURATED_MS
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self.cold_dc = params["battery.cold_dc"] if self._freezes else _NEVER_DC
        self.hot_dc = params["battery.hot_dc"]
        self.cell_high_mv = params["battery.cell_high_mv"]
        own = params["battery.charge_limit_ma"]
        cable = params["battery.cable_limit_ma"]
        self._own_ma = cable if cable and (not own or cable < own) else own  # 0: none
        self._rated_ma = params["rectifier.limit_ma"]

    def battery_ma(self) -> int:
        """What the battery may be charged with; 0: no limit is known."""
        bms = self._bms_ma
        own = self._own_ma
        return bms if bms > 0 and (not own or bms < own) else own

    def step(
        self,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        temperature_dc: "int | None",
        current_ma: "int | None",
        bus_mv: "int | None",
    ) -> None:
        """One scan, with the battery's temperature and current."""
        if temperature_dc is not None:
            self.temperature_dc = temperature_dc
            if temperature_dc < self.cold_dc or temperature_dc >= self.cold_dc + _RELEASE_DC:
                self.cold = temperature_dc < self.cold_dc
            if temperature_dc > self.hot_dc or temperature_dc <= self.hot_dc - _RELEASE_DC:
                self.hot = temperature_dc > self.hot_dc
        bms = v[_BMS_MA]
        if bms is not None:
            self._bms_ma = bms
            self.silent_ms = 0
            if bms == 0:
                self._refused = True
                self._allowed_ms = 0
            elif self._refused:
                self._allowed_ms += dt_ms
                self._refused = self._allowed_ms < _ALLOWED_MS
        elif self.silent_ms < _SATURATED_MS - dt_ms:
            self.silent_ms += dt_ms
        self.blocked = COLD if self.cold else HOT if self.hot else NOT_ALLOWED if self._refused else 0
        limit = self.battery_ma()
        self._trim(v, dt_ms, current_ma, limit)
        if not limit:
            self.limit_ma = self._rated_ma or None
        elif bus_mv is not None:
            self._add_loads(v, bus_mv, limit)

    def _add_loads(self, v: "tuple[int | None, ...]", bus_mv: int, limit: int) -> None:
        """The rectifier carries the loads besides charging, as far as the sun does not."""
        load = v[_LOAD_W]
        fifties = bus_mv // 50  # keeps the products below within a small integer
        if load is not None and bus_mv >= _BUS_DEAD_MV:
            # A sun that nobody measures can only overcharge as far as the trim allows.
            self._net_ma = load * 20_000 // fifties - (v[_SOLAR_W] or 0) * 20_000 // fifties
        if self._net_ma is not None:
            limit += self._net_ma
            self.limit_ma = 0 if limit < 0 else min(limit, self._rated_ma or _MOST_MA)

    def _trim(self, v: "tuple[int | None, ...]", dt_ms: int, current_ma: "int | None", limit: int) -> None:
        cell = v[_CELL_MAX]
        if cell is not None:
            self.cell_mv = cell
        if self._trim_ms < _SATURATED_MS - dt_ms:
            self._trim_ms += dt_ms
        over = limit and current_ma is not None and current_ma > limit + limit // 10 + _OVER_MA
        if over or (cell is not None and cell >= self.cell_high_mv):
            output = v[_OUTPUT_MA]
            if (
                self._trim_ms >= _DOWN_MS
                and self.trim_mv < _TRIM_MAX_MV
                and (output is None or output >= IDLE_MA)
            ):
                self.trim_mv += _STEP_MV
                self._trim_ms = 0
        elif self.trim_mv and (
            self.cell_mv == 0 if cell is None else cell < self.cell_high_mv - _RELEASE_CELL_MV
        ):
            if self._trim_ms >= (_DOWN_MS if current_ma is not None and current_ma < 0 else _UP_MS):
                self.trim_mv -= _STEP_MV
                self._trim_ms = 0
