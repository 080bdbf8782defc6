"""The baselines by the names that users type, with the hardware that belongs to them.

Owns names, one line for people, and what must be changed about a site. A rule whose incumbents had other
hardware is there twice: as they had it, and as NAME@site on the site's own, so that every comparison can be
made on equal hardware.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenmast.errors import USAGE, UserError
from greenmast.simulate.baselines.cabinet import Cabinet
from greenmast.simulate.baselines.dg_first import DgFirst
from greenmast.simulate.baselines.fixed_reserve import (
    FixedReserve,
    FixedReserve40,
    FixedReserve100,
    FixedReserve100Shed,
)
from greenmast.simulate.baselines.fixed_thresholds import FixedThresholds
from greenmast.simulate.baselines.vrla_legacy import VrlaLegacy
from greenmast.site import near

if TYPE_CHECKING:
    from greenmast.site import Site

Overrides = tuple[tuple[str, str | int | float], ...]

_NO_SUN: Overrides = (("solar.kwp", 0),)
_LEAD: Overrides = (("battery.chemistry", "vrla"), ("battery.capacity_ah", 400), ("battery.cells", 24))


@dataclass(frozen=True)
class Baseline:
    """`controller(site, params)` for the loop; `site` with `overrides`, keys of its file, applied.

    `needs`, `lacks`: outputs that a site must have, or must not, for the rule to mean anything there.
    """

    name: str
    about: str
    controller: type[Cabinet]
    overrides: Overrides = ()
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def why_not(self, site: Site) -> str:
        """Why it says nothing about `site`, or ""."""
        outputs = {output.name for output in site.outputs}
        return "; ".join(
            [
                *(
                    f"{self.name} needs a {name}: {site.id} has none"
                    for name in self.needs
                    if name not in outputs
                ),
                *(f"{self.name} is for sites without a {name}" for name in self.lacks if name in outputs),
            ]
        )


_GENSET = ("genset",)
_GRID = ("grid",)

_ROWS = (
    Baseline(
        "dg-first",
        "genset whenever there is no grid; lead-acid, no sun",
        DgFirst,
        _LEAD + _NO_SUN,
        needs=_GENSET,
    ),
    Baseline("dg-first@site", "the rule of dg-first on the site's hardware", DgFirst, needs=_GENSET),
    Baseline(
        "vrla-legacy",
        "lead-acid down to half, then genset until charged; no sun",
        VrlaLegacy,
        _LEAD + _NO_SUN,
        needs=_GENSET,
    ),
    Baseline("vrla-solar", "as vrla-legacy, with the site's sun", VrlaLegacy, _LEAD, needs=_GENSET),
    Baseline("vrla-legacy@site", "the rule of vrla-legacy on the site's hardware", VrlaLegacy, needs=_GENSET),
    Baseline(
        "fixed-thresholds", "start and stop at charge or voltage with timers; any AC charges", FixedThresholds
    ),
    Baseline(
        "grid-only", "grid with the battery as backup; no sun, no genset", Cabinet, _NO_SUN, needs=_GRID
    ),
    Baseline(
        "fixed-reserve",
        "80 % kept for outages, the rest cycled by night tariff",
        FixedReserve,
        needs=_GRID,
        lacks=_GENSET,
    ),
    Baseline("fixed-reserve-40", "as fixed-reserve, 40 % kept", FixedReserve40, needs=_GRID, lacks=_GENSET),
    Baseline("fixed-reserve-100", "as fixed-reserve, all kept", FixedReserve100, needs=_GRID, lacks=_GENSET),
    Baseline(
        "fixed-reserve-100-shed",
        "all kept; tiers 2 and 3 shed below half",
        FixedReserve100Shed,
        needs=_GRID,
        lacks=_GENSET,
    ),
)

BASELINES: dict[str, Baseline] = {row.name: row for row in _ROWS}


def find(name: str) -> Baseline:
    """The baseline `name`. Raises UserError with the near names."""
    baseline = BASELINES.get(name)
    if baseline is None:
        raise UserError(f"unknown baseline: {name}{near(name, BASELINES)}", USAGE)
    return baseline


def for_site(site: Site) -> list[Baseline]:
    """Those that say something about `site`."""
    return [baseline for baseline in _ROWS if not baseline.why_not(site)]
