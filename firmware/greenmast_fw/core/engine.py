"""What can be known of the genset: does it run, is its output good, is there fuel.

Rules
- Running is judged by majority of rpm, AC voltage, running flag and, where K_GEN alone is proven closed, the
  rectifier. A tie or no evidence is UNKNOWN, which is neither running nor stopped. Cranking speed counts for
  neither.
- The output is good when voltage and frequency are measured in their band; `stable_ms` counts that. Outside
  is bad at once. Unmeasured is held by the rectifier's word or a blind bus, else for three seconds (one lost
  reading is not a dead genset).
- Fuel below the stop level blocks until it is *measured* above the resume level. Without a sensor the level
  is what the account of `fuel` says.

Decides nothing: starting and stopping is the business of `genset`.
"""

from greenmast_fw.core.fuel import Fuel
from greenmast_protocol import points

_RUNNING = points.index("genset.running")
_MV = points.index("genset.voltage_mv")
_CHZ = points.index("genset.frequency_chz")
_RPM = points.index("genset.rpm")
_POWER = points.index("genset.power_w")
_FUEL = points.index("genset.fuel_permille")
_FAULT = points.index("genset.fault")

RUNS = 1
UNKNOWN = 0
STOPPED = -1

_RPM_RUNS = 600  # starters turn an engine at 150..300
_RPM_STOPPED = 100
_UNMEASURED_MS = 3_000
_FUEL_FILTER_MS = 3_000  # a sloshing tank or one false reading is not an empty one
_SATURATED_MS = 0x3FFFFFFF


class Engine:
    """`evidence`: RUNS, STOPPED or UNKNOWN. `in_band`: 1, 0, or None when unmeasured and held.

    `stable_ms`: measured in band. `fuel`: permille, measured or by account, or None. `fuel_low`: the latch,
    between `fuel_stop` and `fuel_resume`, `guessed`: set by account. `fault`: 0, or what the device says.
    """

    def __init__(self, params: "dict[str, int]") -> None:
        self.evidence = UNKNOWN
        self.in_band: "int | None" = 0
        self.stable_ms = -1  # -1: not in band
        self.account = Fuel(params)
        self.fuel: "int | None" = None
        self.fuel_low = False
        self.guessed = False
        self.fault = 0
        self._fuel_low_ms = -1
        self._unmeasured_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._mv_min = params["genset.voltage_min_mv"]
        self._mv_max = params["genset.voltage_max_mv"]
        self._chz_min = params["genset.frequency_min_chz"]
        self._chz_max = params["genset.frequency_max_chz"]
        self.account.configure(params)
        self.fuel_stop = params["genset.fuel_stop_permille"]
        self.fuel_resume = params["genset.fuel_resume_permille"]

    def step(self, v: "tuple[int | None, ...]", dt_ms: int, carries: "int | None", blind: int) -> None:
        """`carries`: whether the rectifier has AC, given that K_GEN alone is proven closed, else None."""
        mv = v[_MV]
        rpm = v[_RPM]
        running = v[_RUNNING]
        votes = 0
        if rpm is not None:
            if rpm >= _RPM_RUNS:
                votes = 1
            elif rpm <= _RPM_STOPPED:
                votes = -1
        if mv is not None:
            if mv >= self._mv_min >> 1:
                votes += 1
            elif mv < self._mv_min >> 2:
                votes -= 1
        if running is not None:
            votes += 1 if running else -1
        if carries is not None:
            votes += 1 if carries else -1
        self.evidence = RUNS if votes > 0 else STOPPED if votes < 0 else UNKNOWN
        if mv == 0:
            self.in_band = 0
            self.stable_ms = -1
        else:
            self._band(mv, v[_CHZ], dt_ms, carries == 1 or blind != 0)
        fault = v[_FAULT]
        if fault is not None:
            self.fault = fault
        self.account.step(dt_ms, v[_FUEL], self.evidence == RUNS, v[_POWER])
        self._fuel(self.account.level(), dt_ms)

    def _band(self, mv: "int | None", chz: "int | None", dt_ms: int, held: bool) -> None:
        if (mv is not None and not self._mv_min <= mv <= self._mv_max) or (
            chz is not None and not self._chz_min <= chz <= self._chz_max
        ):
            self.in_band = 0
            self.stable_ms = -1
            self._unmeasured_ms = 0
        elif mv is not None and chz is not None:
            self.in_band = 1
            self._unmeasured_ms = 0
            if self.stable_ms < 0:
                self.stable_ms = 0
            elif self.stable_ms < _SATURATED_MS - dt_ms:
                self.stable_ms += dt_ms
        elif self.in_band == 0:
            self.stable_ms = -1
        else:
            self._unmeasured_ms = 0 if held else self._unmeasured_ms + dt_ms
            self.in_band = None
            if self._unmeasured_ms > _UNMEASURED_MS:
                self.in_band = 0
                self.stable_ms = -1

    def _fuel(self, fuel: "int | None", dt_ms: int) -> None:
        self.fuel = fuel
        if fuel is None:
            return
        if fuel >= self.fuel_stop:
            self._fuel_low_ms = -1
            if self.fuel_low and fuel > self.fuel_resume and not self.account.lost:
                self.fuel_low = False
        elif not self.fuel_low:
            self._fuel_low_ms = 0 if self._fuel_low_ms < 0 else self._fuel_low_ms + dt_ms
            self.fuel_low = self._fuel_low_ms >= _FUEL_FILTER_MS
            self.guessed = self.account.lost

    def vouch(self) -> None:
        """By command: somebody has looked. Fuel is not missing, and an account alone forbids nothing."""
        self.account.theft = False
        if self.fuel_low and self.guessed:
            self.account.forget()
            self.fuel_low = False
            self._fuel_low_ms = -1
