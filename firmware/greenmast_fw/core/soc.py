"""How full the battery is, and how sure that is.

Rules
- The BMS is believed while its word is good. One that comes back is believed again when it agrees with the
  count, within both errors, or has said the same for 20 s.
- Without it the charge is counted: current by time with every remainder carried, the charging current less
  what the cells do not give back. The count begins at the BMS's last word or at an anchor; before, there is
  none.
- Anchors: the charging voltage with no more than the tail current, held for five minutes, is full; the safe
  voltage likewise is nearly full. A rest voltage that falls through the knee of the chemistry's curve for a
  minute is the charge at the knee.
- The error grows with a share of the charge moved and with the sensor's offset (self-discharge is less than
  that), faster while the current is inferred, and by a tenth of the capacity an hour while there is none. A
  reset adds what it may have missed.
- A count less certain than the limit is not told, until its error is three quarters of the limit again:
  voltage rules act meanwhile.

Must not know where the current comes from, nor sources or loads.
"""

from greenmast_fw.core.capacity import Capacity
from greenmast_fw.core.site import Site

# Charge at the knee of the curve, permille: where the low-voltage disconnection is near.
KNEE = {"lfp": 50, "vrla": 100}
# Charge given back (permille), resistance with its wiring (milliohm times Ah of one cell), knee at rest (mV
# of a cell), its error, the error at full (permille), and that of charge moved (permille of it).
_CELLS = {"lfp": (997, 240, 3_100, 20, 10, 10), "vrla": (930, 250, 1_980, 80, 30, 25)}

_BMS_ERROR = 30
_INFERRED_SHARE = 20  # permille of charge moved, beside that of the cells
_RESET_ERROR = 20
_FULL_BMS, _FULL_NO_MORE = 990, 950

_PERIOD_MS = 5_000  # of counting; 200 A in mA ms still fit a small integer of the board
_MAH = 3_600_000  # mA ms in a mAh
_FULL_MS = 300_000
_KNEE_MS = 60_000
_STAYED_MS = 20_000
_REARM_MV = 30  # of a cell: above the knee again
_BELOW_CHARGE_MV = 200
_BELOW_SAFE_MV = 100
_SATURATED = 0x3FFFFFFF


class StateOfCharge:
    """`soc`, `error`: permille, None when unknown; `error` is that of the count also while it is not told.

    `own`: the BMS is believed. `unsure`: there is a count, but it is too uncertain. `full`: since full, less
    than 5 % has been taken. `since_ms`: since the last anchor or word of the BMS.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.capacity = Capacity(site.capacity_mah)
        self.soc: "int | None" = None
        self.error: "int | None" = None
        self.own = False
        self.unsure = False
        self.full = False
        self.since_ms = 0
        self._cells = site.cells
        self._knee = KNEE[site.chemistry]
        row = _CELLS[site.chemistry]
        self._efficiency, self._milliohm_ah, self._knee_mv, self._knee_error, self._full_error = row[:5]
        self._share = row[5]
        self._compensated = site.chemistry == "vrla"
        self._charge_mah = -1  # -1: unknown
        self._error_mah = 0
        self._sum = 0  # mA ms not counted yet
        self._rest = 0  # mA ms short of a mAh
        self._doubt = 0  # likewise, of the error
        self._ms = 0
        self._blind_ms = 0  # of these, without any current
        self._inferred = False
        self._full_ms = 0
        self._low_ms = 0
        self._armed = True  # the rest voltage has been above the knee
        self._back = 0  # what a BMS that is not believed yet says
        self._back_ms = -1
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the count stays."""
        self._error_max = params["battery.soc_error_max_permille"]
        self._charge_mv = params["battery.charge_mv"] - _BELOW_CHARGE_MV
        self._safe_mv = params["battery.safe_mv"] - _BELOW_SAFE_MV
        self._tail = params["battery.tail_permille"]
        self._compensation_uv = params["battery.compensation_uv"] if self._compensated else 0

    def step(
        self,
        dt_ms: int,
        bms: "int | None",
        current_ma: "int | None",
        measured: bool,
        voltage_mv: "int | None",
        temperature_dc: "int | None",
    ) -> None:
        """`bms`: its state of charge, permille. `measured`: the current is, else it is inferred."""
        if current_ma is None:
            self._blind_ms += dt_ms
        else:
            self._sum += current_ma * dt_ms
        if not measured:
            self._inferred = True
        self._ms += dt_ms
        if self._ms >= _PERIOD_MS:
            self._count(bms if self.own else None)
            self._anchor(bms, current_ma, voltage_mv, temperature_dc)
            self._ms = 0
            self._inferred = False
            if not self.own:
                self._tell()
        if bms is not None and (self.own or self._plausible(bms, dt_ms)):
            self.own = True
            self.soc = bms
            self.error = _BMS_ERROR
        elif self.own:
            self.own = False
            self._back_ms = -1
            if self.soc is not None:
                self._set(self.soc, _BMS_ERROR)
            self._tell()
        elif bms is None:
            self._back_ms = -1

    def _plausible(self, bms: int, dt_ms: int) -> bool:
        soc, error = self.soc, self.error
        if soc is None or error is None or -error - _BMS_ERROR <= bms - soc <= error + _BMS_ERROR:
            self.unsure = False
            return True
        if self._back_ms < 0 or not -_BMS_ERROR <= bms - self._back <= _BMS_ERROR:
            self._back = bms
            self._back_ms = 0
            return False
        self._back_ms += dt_ms
        return self._back_ms >= _STAYED_MS

    def _count(self, bms: "int | None") -> None:
        """Take the charge and the doubt of a period into account."""
        mas = self._sum // 1000
        self._sum -= mas * 1000
        moved = mas * (self._efficiency if mas > 0 else 1000) + self._rest
        mah = moved // _MAH
        self._rest = moved - mah * _MAH
        capacity = self.capacity
        if self._inferred:
            capacity.void()
        elif mah:
            capacity.take(-mah, bms)
        blind_ms = self._blind_ms
        self._blind_ms = 0
        if bms is not None or self._charge_mah < 0:
            return
        charge = self._charge_mah + mah
        most = capacity.mah
        self._charge_mah = 0 if charge < 0 else charge if charge < most else most
        if self._inferred:
            share, offset_ma = self._share + _INFERRED_SHARE, most // 200
        else:
            share, offset_ma = self._share, most // 1000
        doubt = self._doubt + abs(mas) * share + offset_ma * self._ms + most // 10 * blind_ms
        mah = doubt // _MAH
        self._doubt = doubt - mah * _MAH
        self._error_mah = self._error_mah + mah if self._error_mah < most else most
        if self.since_ms < _SATURATED - self._ms:
            self.since_ms += self._ms

    def _anchor(
        self, bms: "int | None", current: "int | None", voltage: "int | None", temperature: "int | None"
    ) -> None:
        if self.own and bms is not None and bms >= _FULL_BMS and not self.full:
            self._is_full()
        elif self.soc is None or self.soc < _FULL_NO_MORE:
            self.full = False
        if voltage is None or current is None:
            self._full_ms = self._low_ms = 0
            return
        most = self.capacity.mah
        if -most // 200 <= current <= most // 1000 * self._tail:
            as_at_25 = voltage
            if temperature is not None and self._compensation_uv:
                as_at_25 += self._compensation_uv * (temperature - 250) // 10 * self._cells // 1000
            self._charged(as_at_25)
        else:
            self._full_ms = 0
        if -most // 4 <= current <= 0:
            self._discharged(voltage // self._cells - current * self._milliohm_ah // most)
        else:
            self._low_ms = 0

    def _charged(self, voltage: int) -> None:
        """Tail current at `voltage`, as at 25 degC."""
        if voltage < self._safe_mv:
            self._full_ms = 0
            return
        if self._full_ms < _FULL_MS:
            self._full_ms += self._ms
            if self._full_ms < _FULL_MS:
                return
        error = self._full_error
        if voltage >= self._charge_mv:
            self._set(1000, error)
            if not self.full:
                self._is_full()
            return
        error *= 2
        nearly = 1000 - error
        soc = self._permille(self._charge_mah)
        if soc < nearly or self._permille(self._error_mah) > error:
            self._set(soc if soc > nearly else nearly, error)

    def _is_full(self) -> None:
        self.full = True
        self.capacity.full()

    def _discharged(self, rest_mv: int) -> None:
        """A cell's voltage, had it been at rest."""
        if rest_mv >= self._knee_mv:
            self._low_ms = 0
            if rest_mv > self._knee_mv + _REARM_MV:
                self._armed = True
        elif self._armed:
            self._low_ms += self._ms
            if self._low_ms >= _KNEE_MS:
                self._low_ms = 0
                self._armed = False
                self.capacity.empty(self._knee)
                self._set(self._knee, self._knee_error)

    def _permille(self, mah: int) -> int:
        permille = mah * 1000 // self.capacity.mah
        return permille if permille < 1000 else 1000

    def _set(self, soc: int, error: int) -> None:
        """From here on the count goes."""
        most = self.capacity.mah
        self._charge_mah = most * soc // 1000
        self._error_mah = most * error // 1000
        self.since_ms = 0

    def _tell(self) -> None:
        """What the count says."""
        if self._charge_mah < 0:
            self.soc = self.error = None
            return
        self.error = error = self._permille(self._error_mah)
        limit = self._error_max
        self.unsure = error > (limit * 3 // 4 if self.unsure else limit)
        self.soc = None if self.unsure else self._permille(self._charge_mah)

    def memory(self) -> "list[int]":
        """What must survive a reset: the count, its error and age, and the capacity's memory."""
        if self.own and self.soc is not None:
            self._set(self.soc, _BMS_ERROR)
        return [self._charge_mah + 1, self._error_mah, self.since_ms] + self.capacity.memory()

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; what has moved meanwhile is unknown."""
        self.capacity.restore(kept[3:8])
        most = self.capacity.mah
        self._charge_mah = min(kept[0] - 1, most)
        self._error_mah = min(kept[1] + most // 1000 * _RESET_ERROR, most)
        self.since_ms = kept[2]
        self._tell()
