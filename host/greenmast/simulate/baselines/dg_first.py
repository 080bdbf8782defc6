"""DG first: the genset is the source whenever the grid is not; the battery bridges its start and no more.

The ordinary Indian site before hybrid controllers: an automatic mains-failure panel. Off the grid it runs
day and night, which is where the vendors' "24 hours before, 4 to 6 after" start from.

NEDO and NEC compare with "the conventional system with diesel generator and lead-acid battery" (press release
of 2017-10-06) and do not say by what rule it ran; their sites had from no outage to a few hours of it a day.
So both readings are here: this one, and the battery carrying first (`vrla_legacy`).
"""

from __future__ import annotations

from greenmast.simulate.baselines.cabinet import Cabinet

_START_MS = 10_000  # the panel's mains-failure delay
_SATURATED_MS = 0x3FFFFFFF


class DgFirst(Cabinet):
    """As `Cabinet`, single disconnect."""

    _absent_ms = 0

    def wants_genset(self, v: tuple[int | None, ...], dt_ms: int) -> bool:
        """When there is no grid."""
        if self.grid.usable:
            self._absent_ms = 0
        elif self._absent_ms < _SATURATED_MS:
            self._absent_ms += dt_ms
        return self._absent_ms >= _START_MS
