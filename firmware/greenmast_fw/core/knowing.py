"""What is measured but cannot be: a reading that jumps, stands still or is contradicted counts as missing.

Rules
- A reading that jumps further than its quantity can move between two scans is distrusted (RATE) until later
  readings have stayed near the new level for the row's hold time; no hold time: until the next scan. A real
  step so passes late, a spike never.
- Directions in which a wait would delay protection are not limited: a genset's voltage or frequency may
  collapse, a tank run empty, within one scan. Nor is a rise from nothing limited there, as engines start. A
  second jump of the genset's output within a minute is taken at its word: a spike comes alone.
- The limits of the genset's output are what no engine can do, far beyond its band: what leaves the band by
  less acts at once. The grid has none, as its loss and return delays filter both ways.
- A charge that jumps leaves the decisions to voltage meanwhile, for less than the minute after which battery
  data count as lost.
- What stands still is the business of `frozen`, what others contradict of `contradicted` and `balance`. Their
  evidence is slow, and so is their rhythm.
- The first code stays: a point is distrusted for one reason at a time.

Judges readings as they came and hands on a picture in which the distrusted ones are None. Knows no device,
and nothing of what is decided.
"""

from greenmast_fw.core.balance import Balance
from greenmast_fw.core.contradicted import Contradicted
from greenmast_fw.core.distrust import distrust, trust
from greenmast_fw.core.frozen import Frozen
from greenmast_fw.core.site import Site
from greenmast_protocol import points, quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ANY = 0x3FFFFFFF
# (point, most upwards per scan, most downwards, time near a new level until that is believed). The first six
# are those of `frozen`, in its order.
_ROWS = (
    ("dc.bus_mv", 8_000, 8_000, 2_000),
    ("battery.voltage_mv", 8_000, 8_000, 2_000),
    ("battery.current_ma", _ANY, _ANY, 0),
    ("battery.soc_permille", 100, 100, 20_000),
    ("grid.power_w", _ANY, _ANY, 0),
    ("genset.power_w", _ANY, _ANY, 0),
    ("battery.temperature_dc", 60, 60, 2_000),
    ("site.temperature_dc", 60, 60, 2_000),
    ("genset.fuel_permille", 100, _ANY, 2_000),
    ("genset.voltage_mv", 80_000, _ANY, 0),
    ("genset.frequency_chz", 1_000, _ANY, 0),
)
_POINTS = tuple([points.index(row[0]) for row in _ROWS])
_UP = tuple([row[1] for row in _ROWS])
_DOWN = tuple([row[2] for row in _ROWS])
_HOLD_MS = tuple([row[3] for row in _ROWS])
# Distrusted by the slow rules, beside the rows above.
_OTHERS = (
    "grid.voltage_mv",
    "grid.frequency_chz",
    "grid.current_ma",
    "genset.rpm",
    "genset.running",
)
_JUDGED = _POINTS + tuple([points.index(name) for name in _OTHERS])

_SLOW_MS = 10_000  # between looks of the slow rules
_CALM_MS = 60_000  # between two spikes that may both be filtered


class Knowing:
    """`codes[i]`, written in place: quality code for which point `i` is distrusted, 0 where it is not.

    `frozen`, `implausible`: whether any point is distrusted for standing still, or otherwise. `unbalanced`:
    the powers do not add up.
    """

    def __init__(self, params: "dict[str, int]", site: Site, codes: bytearray) -> None:
        self.codes = codes
        self.frozen = False
        self.implausible = False
        self.unbalanced = False
        count = len(_ROWS)
        self._last: "list[int | None]" = [None] * count  # the last reading that was believed
        self._new: "list[int | None]" = [None] * count  # a level that is not believed yet
        self._new_ms = [0] * count
        self._calm_ms = [_CALM_MS] * count  # since such a level came
        self._still_ms = [0] * count  # since the reading moved; 0: since the last slow look
        self._pending = 0  # rows with a level that is not believed yet
        self._slow_ms = 0
        self._frozen = Frozen(site)
        self._balance = Balance(params, site)
        self._contradicted = Contradicted(params, site)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; what is distrusted stays so."""
        self._balance.configure(params)
        self._contradicted.configure(params)

    def step(
        self, v: "tuple[int | None, ...]", dt_ms: int, closed: "list[int | None]"
    ) -> "tuple[int | None, ...]":
        """The picture `v` without what is distrusted: `v` itself while that is nothing, or if a list.

        `closed`: proven positions of the contactors in the scan before.
        """
        last = self._last
        if self._pending:
            self._forget_spikes(v)
        n = 0
        for i in _POINTS:
            if v[i] != last[n]:
                self._moved(n, i, v[i], dt_ms)
            n += 1
        self._slow_ms += dt_ms
        if self._slow_ms >= _SLOW_MS:
            self._look(v, self._slow_ms, closed)
            self._slow_ms = 0
        if not (self.implausible or self.frozen):
            return v
        # The board's picture is a list that is filled anew for every scan: a copy would want a kilobyte.
        known: "Any" = v if isinstance(v, list) else list(v)
        codes = self.codes
        for i in _JUDGED:
            if codes[i]:
                known[i] = None
        return v if known is v else tuple(known)

    def _forget_spikes(self, v: "tuple[int | None, ...]") -> None:
        """A reading is what it was before: the level that was not believed has been a spike."""
        for n in range(len(_POINTS)):
            if self._new[n] is not None and v[_POINTS[n]] == self._last[n]:
                self._settle(n)

    def _moved(self, n: int, i: int, value: "int | None", dt_ms: int) -> None:
        self._still_ms[n] = 0
        was = self._last[n]
        if was is not None and value is not None:
            far = value - was > _UP[n] if value > was else was - value > _DOWN[n]
            if far and (was or _HOLD_MS[n]) and not self._believed(n, value, dt_ms):
                distrust(self.codes, (i,), quality.RATE)
                self._weigh()
                return
        self._last[n] = value
        if self._new[n] is not None:
            self._settle(n)

    def _believed(self, n: int, value: int, dt_ms: int) -> bool:
        """Whether a jump to `value` has been confirmed, or is the second within a minute."""
        new = self._new[n]
        if new is None:
            if not _HOLD_MS[n] and self._calm_ms[n] < _CALM_MS:
                return True
            self._pending += 1
        elif -_UP[n] <= value - new <= _UP[n]:
            self._new_ms[n] += dt_ms
            if self._new_ms[n] >= _HOLD_MS[n]:
                return True
            self._new[n] = value
            return False
        self._new[n] = value
        self._new_ms[n] = self._calm_ms[n] = 0
        return False

    def _settle(self, n: int) -> None:
        self._new[n] = None
        self._pending -= 1
        trust(self.codes, (_POINTS[n],), quality.RATE)
        self._weigh()

    def _look(self, v: "tuple[int | None, ...]", dt_ms: int, closed: "list[int | None]") -> None:
        """The slow rules, `dt_ms` after their last look."""
        codes = self.codes
        balance = self._balance
        balance.step(v, dt_ms, codes)
        self.unbalanced = balance.off
        self._contradicted.step(v, dt_ms, closed, codes)
        self._frozen.step(v, dt_ms, closed, balance, self._still_ms, codes)
        calm = self._calm_ms
        for n in range(len(calm)):
            if calm[n] < _CALM_MS:
                calm[n] += dt_ms
        self._weigh()

    def _weigh(self) -> None:
        """What kinds of distrust there are."""
        codes = self.codes
        self.frozen = self.implausible = False
        for i in _JUDGED:
            if codes[i] == quality.FROZEN:
                self.frozen = True
            elif codes[i]:
                self.implausible = True
