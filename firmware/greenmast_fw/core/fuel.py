"""The account of the fuel: what the tank should hold, from its level and from run-hours times burn rate.

Rules
- The account falls with what the engine burns (idle and per kWh, a quarter more for the model's errors; rated
  power where it is not measured) and never stands below the measured level, which is smoothed. So it notices
  refuelling, and what it cannot explain is missing: more than the threshold of that, running or at rest, is
  theft.
- Theft stands until the tank is refuelled by as much, or somebody vouches.
- Without a sensor the account goes on from the last level; it errs on the low side.
- A sensor that says exactly nothing, where the account says that there is plenty, is broken, not a tank
  empty: its word counts for nothing until it says something else.
- A tank of unknown size has no burn account: then only what disappears at rest is noticed, and a level of 0
  is believed.

Decides nothing: what low fuel forbids is the business of `engine` and `genset`.
"""

_PERIOD_MS = 10_000
_PLENTY = 50_000  # above the stop level, in the account's unit
_SCALE = 1_000  # the account counts thousandths of a permille


class Fuel:
    """`lost`: there is no level though there has been one. `theft`: fuel has disappeared."""

    def __init__(self, params: "dict[str, int]") -> None:
        self.lost = False
        self.theft = False
        self._measured: "int | None" = None  # permille, in this scan
        self._smooth = -1  # of what has been measured; -1: nothing yet
        self._book = -1  # what should be there
        self._low = 0  # level after a theft
        self._burnt = 0  # not yet booked
        self._ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the account stays."""
        self._tank_l = params["genset.tank_l"]
        self._rating_w = params["genset.rating_w"]
        self._idle_ml_h = params["genset.burn_idle_ml_h"]
        self._ml_kwh = params["genset.burn_ml_kwh"]
        self._theft = params["genset.theft_permille"] * _SCALE
        self._plenty = params["genset.fuel_stop_permille"] * _SCALE + _PLENTY

    def level(self) -> "int | None":
        """Permille, measured or by account; None when nobody knows."""
        if not self.lost:
            return self._measured
        return self._book // _SCALE if self._tank_l else None

    def forget(self) -> None:
        """Give the account up; it begins anew with the next level."""
        self._smooth = self._book = -1
        self.lost = False

    def step(self, dt_ms: int, permille: "int | None", running: bool, power_w: "int | None") -> None:
        """`permille`: what the sensor says. `running`: there is evidence of it."""
        if permille == 0 and self._tank_l and self._book >= self._plenty:
            permille = None
        self._measured = permille
        if permille is None:
            if not self.lost and self._book >= 0:
                self.lost = True
                self._book = self._smooth
        elif self.lost:
            self.lost = False
            self._smooth = permille * _SCALE
        self._ms += dt_ms
        if self._ms >= _PERIOD_MS:
            seconds = self._ms // 1000
            self._ms -= seconds * 1000
            self._enter(seconds, permille, running, power_w)

    def _enter(self, seconds: int, permille: "int | None", running: bool, power_w: "int | None") -> None:
        if running and self._tank_l and self._book >= 0:
            self._burn(seconds, power_w)
        if permille is None:
            return
        now = permille * _SCALE
        if self._smooth < 0:
            self._smooth = now
        self._smooth = smooth = self._smooth + (now - self._smooth) // 4
        if running and not self._tank_l:
            self._book = smooth
        elif self._book > smooth + self._theft:
            self.theft = True
            self._low = self._book = smooth
        elif self._book < smooth:
            self._book = smooth
            if smooth > self._low + self._theft:
                self.theft = False

    def _burn(self, seconds: int, power_w: "int | None") -> None:
        """Book what has been burnt."""
        watts = self._rating_w if power_w is None else max(power_w, 0)
        self._burnt += (self._idle_ml_h + self._ml_kwh * watts // 1000) * seconds * 25
        share = 72 * self._tank_l  # 3600 s/h x tank in ml x 4/5 / 1,000,000 account units, times 25
        self._book = max(self._book - self._burnt // share, 0)
        self._burnt %= share

    def memory(self) -> "list[int]":
        """What must survive a reset; the account is kept a place higher, since an unknown one is -1."""
        return [1 if self.theft else 0, self._smooth + 1, self._book + 1, self._low]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.theft = bool(kept[0])
        self._smooth = kept[1] - 1
        self._book = kept[2] - 1
        self._low = kept[3]
