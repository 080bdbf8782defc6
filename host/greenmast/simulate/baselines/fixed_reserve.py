"""A fixed reserve with a night tariff: of the battery, so much is kept for outages, the rest is cycled daily.

By night the grid charges to full; by day sun and battery carry down to the reserve and the grid gives the
rest. NTT DOCOMO's green base stations ran so, with 80 % kept (press release of 2016-03, about 24 h of
backup), before the reserve followed the weather forecast. The cheap hours are the site's parameters; without
a clock the grid charges. The other reserves are those published for 72 h outages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenmast.simulate.baselines.cabinet import Cabinet
from greenmast.simulate.baselines.charger import CARRY, CHARGE, HOLD
from greenmast_fw.core.daytime import within
from greenmast_protocol import points

if TYPE_CHECKING:
    from greenmast.site import Site

_SOC = points.index("battery.soc_permille")
_ABOVE = 20  # permille above the reserve from which the battery begins to carry
_HALF_PERMILLE = 500
_RESTORED_PERMILLE = 600


class FixedReserve(Cabinet):
    """As `Cabinet`, single disconnect."""

    reserve_permille = 800

    def __init__(self, site: Site, params: dict[str, int]) -> None:
        super().__init__(site, params)
        self._cheap = (params["policy.cheap_start_min"], params["policy.cheap_end_min"])
        self._mode = CHARGE

    def charging(self, v: tuple[int | None, ...], minute: int | None) -> int:
        """Full by night, no further than the reserve by day."""
        soc = v[_SOC]
        reserve = self.reserve_permille
        if (
            minute is None
            or soc is None
            or soc < reserve
            or not self.grid.usable
            or within(minute, self._cheap)
        ):
            self._mode = CHARGE
        elif soc >= reserve + _ABOVE:
            self._mode = CARRY
        elif self._mode == CHARGE or soc == reserve:
            self._mode = HOLD
        return self._mode


class FixedReserve40(FixedReserve):
    """40 % kept."""

    reserve_permille = 400


class FixedReserve100(FixedReserve):
    """All kept: the battery is for outages only."""

    reserve_permille = 1_000


class FixedReserve100Shed(FixedReserve100):
    """All kept, and below half of it tiers 2 and 3 are shed: of the reference site's load 55 % remain."""

    _shed = False

    def spared(self, v: tuple[int | None, ...]) -> int:
        """Two tiers from below half until the grid or the charge is back."""
        soc = v[_SOC]
        if self.grid.usable or (soc is not None and soc >= _RESTORED_PERMILLE):
            self._shed = False
        elif soc is not None and soc < _HALF_PERMILLE:
            self._shed = True
        return 2 if self._shed else 0
