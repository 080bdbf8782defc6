"""Battery first, then the genset until it is charged: the cycling rule of DC power systems for lead-acid.

Without grid the battery carries down to half its capacity, or to the genset's start voltage if that comes
first; then the genset carries the site and charges until the rectifier's controller calls the battery full.
Vertiv's control unit has this as "capacity discharge" (depth 20 to 80 %, stop at the end of charge); half is
what lead-acid is usually allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenmast.simulate.baselines.cabinet import Cabinet
from greenmast.simulate.baselines.condition import Condition
from greenmast_protocol import points

if TYPE_CHECKING:
    from greenmast.site import Site

DEPTH_PERMILLE = 500

_BUS = points.index("dc.bus_mv")
_SOC = points.index("battery.soc_permille")
_DELAY_MS = 60_000
_NEVER_MV = 1_000_000
_NEVER_PERMILLE = 2_000


class VrlaLegacy(Cabinet):
    """As `Cabinet`, single disconnect."""

    def __init__(self, site: Site, params: dict[str, int]) -> None:
        super().__init__(site, params)
        self._deep = Condition(1_000 - DEPTH_PERMILLE, _NEVER_PERMILLE, _DELAY_MS, 0)
        self._low = Condition(params["genset.bus_start_mv"], _NEVER_MV, _DELAY_MS, 0)
        self._charging = False

    def wants_genset(self, v: tuple[int | None, ...], dt_ms: int) -> bool:
        """From deep or low until charged."""
        if self.grid.usable or (self._charging and self.charger.charged):
            self._charging = False
            self._deep.release()
            self._low.release()
            return False
        self._deep.step(v[_SOC], dt_ms)
        self._low.step(v[_BUS], dt_ms)
        if self._deep.active or self._low.active:
            self._charging = True
        return self._charging
