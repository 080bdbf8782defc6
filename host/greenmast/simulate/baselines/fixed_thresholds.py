"""Fixed thresholds with timers: the start/stop relay of today's hybrid products (Victron, Eaton, Vertiv).

Two conditions, charge and bus voltage, each with a start and a stop value held for a time. Either one starts
the genset; it stops when every condition that has begun has ended; a usable grid ends both at once (their
manuals: all conditions are evaluated, an unmet one keeps it running; not while mains is in use). Thresholds
and timers are the site's parameters, so that what differs from Greenmast is the rule. Sun first, charged
fully from any AC, no quiet hours; the loads disconnect in stages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenmast.simulate.baselines.cabinet import Cabinet
from greenmast.simulate.baselines.condition import Condition
from greenmast_protocol import points

if TYPE_CHECKING:
    from greenmast.site import Site

_BUS = points.index("dc.bus_mv")
_SOC = points.index("battery.soc_permille")


class FixedThresholds(Cabinet):
    """As `Cabinet`, staged disconnect."""

    def __init__(self, site: Site, params: dict[str, int]) -> None:
        super().__init__(site, params, staged=True)
        self._soc = Condition(
            params["genset.soc_start_permille"],
            params["genset.soc_stop_permille"],
            params["genset.soc_delay_s"] * 1_000,
            params["genset.soc_stop_delay_s"] * 1_000,
        )
        self._bus = Condition(
            params["genset.bus_start_mv"],
            params["genset.bus_stop_mv"],
            params["genset.bus_delay_s"] * 1_000,
            params["genset.bus_stop_delay_s"] * 1_000,
        )

    def wants_genset(self, v: tuple[int | None, ...], dt_ms: int) -> bool:
        """While any condition that has begun has not ended."""
        if self.grid.usable:
            self._soc.release()
            self._bus.release()
            return False
        self._soc.step(v[_SOC], dt_ms)
        self._bus.step(v[_BUS], dt_ms)
        return self._soc.active or self._bus.active
