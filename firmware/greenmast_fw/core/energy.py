"""Energy of the loads, for billing: in all and per tier.

Rules
- A tier's power is measured, or follows from the total: nothing flows behind open contacts, and the one tier
  that is not known takes what the others leave. The critical load is on where it has no contactor.
- Energy is counted from power, with its remainder, and never runs backwards. Time for which it was not known
  is counted beside it.
- Where a device counts, its reading is taken over first, and then what it goes on by. One that starts again
  has been reset and counted since; one that leaps farther than any load could have driven it has not counted
  that. What was counted from power while it was silent is taken off what it then goes on by.
- The count survives resets as far as the memory has been kept; a device's counter makes up for the rest.
"""

from greenmast_fw.core.site import LOAD1, LOAD2, LOAD3, Site
from greenmast_protocol import points

# Places in the lists below: 0 in all, 1 to 3 the tiers; so are the points.
COUNT = 4
_TIERS = (LOAD1, LOAD2, LOAD3)
POWER = points.index("load.power_w")
ENERGY = points.index("load.energy_wh")

_MS_PER_H = 3_600_000
_MS_PER_WH = 18  # at 200 kW, the most that a load can take
_GRAIN_WH = 1_000  # of the coarsest device
_SATURATED = 0x3FFFFFFF


class Energy:
    """`w`: power now, None where it does not follow. `wh`: energy, None before any was known.

    `unknown_s`: time for which it was neither.
    """

    def __init__(self, site: Site) -> None:
        # Tiers 2 and 3 are there where they have a contactor.
        self._exists = (1, 1, site.exists[LOAD2], site.exists[LOAD3])
        self._switched = site.exists[LOAD1]
        self.w: "list[int | None]" = [None] * COUNT
        self.wh: "list[int | None]" = [None] * COUNT
        self.unknown_s = [0] * COUNT
        self._rest = [0] * COUNT  # W ms that are no Wh yet
        self._read = [-1] * COUNT  # the device's counter when it last went on; -1: none
        self._since_ms = [0] * COUNT  # that
        self._bridged = [0] * COUNT  # Wh counted from power beside a device's counter
        self._unknown_ms = [0] * COUNT

    def step(self, v: "tuple[int | None, ...]", dt_ms: int, closed: "list[int | None]") -> None:
        """`closed`: proven positions by output."""
        self._split(v, closed)
        read = self._read
        rest = self._rest
        for i in range(COUNT):
            reading = v[ENERGY + i]
            if read[i] >= 0 and self._since_ms[i] < _SATURATED - dt_ms:
                self._since_ms[i] += dt_ms
            if reading is not None:
                if reading != read[i]:
                    self._device(i, reading)
                continue
            power = self.w[i]
            if power is not None:
                if power > 0:
                    rest[i] += power * dt_ms
                if rest[i] >= _MS_PER_H or self.wh[i] is None:
                    self._count(i)
            elif self._exists[i]:
                self._unknown_ms[i] += dt_ms
                if self._unknown_ms[i] >= 1000:
                    self.unknown_s[i] = min(self.unknown_s[i] + self._unknown_ms[i] // 1000, _SATURATED)
                    self._unknown_ms[i] %= 1000

    def _split(self, v: "tuple[int | None, ...]", closed: "list[int | None]") -> None:
        """The power of each tier, and the total where only the tiers are measured."""
        w = self.w
        total = v[POWER]
        known = 0
        missing = 0  # the tier whose power is not known, -1 for several
        for tier in range(1, COUNT):
            power = v[POWER + tier]
            if power is None and closed[_TIERS[tier - 1]] == 0 and (tier > 1 or self._switched):
                power = 0
            w[tier] = power if self._exists[tier] else None
            if power is not None:
                known += power
            elif self._exists[tier]:
                missing = -1 if missing else tier
        if total is None and not missing:
            total = known
        elif total is not None and missing > 0:
            w[missing] = total - known if total > known else 0
        w[0] = total

    def _count(self, i: int) -> None:
        """Turn what has been added up into Wh."""
        more = self._rest[i] // _MS_PER_H
        self._rest[i] %= _MS_PER_H
        self.wh[i] = (self.wh[i] or 0) + more
        if self._read[i] >= 0:
            self._bridged[i] += more

    def _device(self, i: int, reading: int) -> None:
        """A device's counter stands where it did not before."""
        last = self._read[i]
        now = self.wh[i] or 0
        if last < 0:
            now = max(now, reading)
        else:
            more = reading - last if reading > last else reading
            if more <= self._since_ms[i] // _MS_PER_WH + _GRAIN_WH:
                bridged = self._bridged[i]
                if more > bridged:
                    now += more - bridged
                self._bridged[i] = bridged - more if more < bridged and reading > last else 0
        self.wh[i] = now
        self._read[i] = reading
        self._since_ms[i] = 0

    def memory(self) -> "list[int]":
        """What must survive a reset: counts, remainders, unknown times and the devices' counters."""
        kept: "list[int]" = []
        for i in range(COUNT):
            wh = self.wh[i]
            kept += [0 if wh is None else wh + 1, self._rest[i], self.unknown_s[i]]
            kept += [self._read[i] + 1, self._bridged[i]]
        return kept

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; devices may have counted for an hour of the greatest load meanwhile."""
        for i in range(COUNT):
            wh, self._rest[i], self.unknown_s[i], reading, self._bridged[i] = kept[5 * i : 5 * i + 5]
            self.wh[i] = wh - 1 if wh else None
            self._read[i] = reading - 1
            self._since_ms[i] = _MS_PER_H
