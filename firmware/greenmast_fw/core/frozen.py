"""Measurements that stand still while something else proves that they should move.

Rules
- That a reading does not change proves nothing: a quiet night, a full battery and a coarse sensor look
  alike. It is frozen when it has been identical for at least a minute, while an independent quantity, tied to
  it by physics, has moved by more than the coarsest device could hide.
- Battery current: the net power of solar, rectifier and load. About no current is not judged: a full battery
  takes none whatever else happens.
- Bus and battery voltage: each other, while K_BATT, if there is one, is proven closed.
- State of charge: a twentieth of the capacity, counted in current; not near full when charging or near empty
  when discharging, where it may well stay.
- Grid and genset meters: the rectifier's power, while their contactor alone is proven closed; the meter's
  power tells for all that it measures.
- A reading is believed again when it moves.

Knows no delays of protection: what is frozen is as good as lost, from the next scan on.
"""

from greenmast_fw.core.balance import NEARLY_EMPTY, NEARLY_FULL, Balance, charge
from greenmast_fw.core.distrust import distrust, trust
from greenmast_fw.core.site import BATTERY, GENSET, GRID, Site
from greenmast_protocol import points, quality

_BUS_MV = points.index("dc.bus_mv")
_BATTERY_MV = points.index("battery.voltage_mv")
_CURRENT = points.index("battery.current_ma")
_SOC = points.index("battery.soc_permille")

_GRID = tuple(
    [
        points.index(name)
        for name in ("grid.power_w", "grid.current_ma", "grid.voltage_mv", "grid.frequency_chz")
    ]
)
_GENSET = tuple(
    [
        points.index(name)
        for name in (
            "genset.power_w",
            "genset.voltage_mv",
            "genset.frequency_chz",
            "genset.rpm",
            "genset.running",
        )
    ]
)
_MOVED_MV = 500
_MOVED_W = 200
_SOC_ROW = 3
# In the order of the first rows of `knowing`: (by how much the witness must have moved, points that are then
# distrusted, first the one that is watched). The limit of the state of charge hangs on the capacity.
_ROWS = (
    (_MOVED_MV, (_BUS_MV,)),
    (_MOVED_MV, (_BATTERY_MV,)),
    (_MOVED_W, (_CURRENT,)),
    (0, (_SOC,)),
    (_MOVED_W, _GRID),
    (_MOVED_W, _GENSET),
)
_STILL_MS = 60_000
_NO_CURRENT_MA = 500
_SATURATED_MS = 0x3FFFFFFF


class Frozen:
    """Keeps, for every row, what its witness said when the reading moved last."""

    def __init__(self, site: Site) -> None:
        self._was: "list[int | None]" = [None] * len(_ROWS)
        self._witness: "list[int | None]" = [None] * len(_ROWS)
        self._wired = not site.exists[BATTERY]
        self._charge = 0  # since the state of charge moved, in hundredths of a mAh
        self._charge_limit = site.capacity_mah * 5

    def step(
        self,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        closed: "list[int | None]",
        balance: Balance,
        still_ms: "list[int]",
        codes: bytearray,
    ) -> None:
        """`still_ms[n]`: 0 if row `n` has moved since the last step, else for how long it has not."""
        self._ask(v, dt_ms, closed, balance, still_ms[_SOC_ROW])
        was = self._was
        witness = self._witness
        for n in range(len(_ROWS)):
            limit, distrusted = _ROWS[n]
            said = witness[n]
            if still_ms[n] == 0 or v[distrusted[0]] is None:
                was[n] = said
                trust(codes, distrusted, quality.FROZEN)
            elif said is None or was[n] is None:
                was[n] = said
            elif still_ms[n] >= _STILL_MS and abs(said - was[n]) > (limit or self._charge_limit):  # type: ignore[operator]
                distrust(codes, distrusted, quality.FROZEN)
        for n in range(len(still_ms)):
            if still_ms[n] < _SATURATED_MS - dt_ms:
                still_ms[n] += dt_ms

    def _ask(
        self,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        closed: "list[int | None]",
        balance: Balance,
        soc_still_ms: int,
    ) -> None:
        """What the witnesses say; None of one that cannot be asked, or that a reading need not follow."""
        witness = self._witness
        joined = self._wired or closed[BATTERY] == 1
        witness[0] = v[_BATTERY_MV] if joined else None
        witness[1] = v[_BUS_MV] if joined else None
        ma = v[_CURRENT]
        witness[2] = None if ma is None or -_NO_CURRENT_MA < ma < _NO_CURRENT_MA else balance.net_w
        soc = v[_SOC]
        if not soc_still_ms:
            self._charge = 0
        if soc is None or ma is None:
            witness[3] = None
        elif (soc >= NEARLY_FULL and ma > 0) or (soc <= NEARLY_EMPTY and ma < 0):
            witness[3] = None
        else:
            self._charge += charge(ma, dt_ms)
            witness[3] = self._charge
        power = balance.rectifier_w
        witness[4] = power if closed[GRID] == 1 and closed[GENSET] == 0 else None
        witness[5] = power if closed[GENSET] == 1 and closed[GRID] == 0 else None
