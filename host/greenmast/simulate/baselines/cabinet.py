"""What every incumbent's cabinet has, whatever its rules: transfer switch, panel, disconnect, rectifier.

Owns the order in which those are asked. A rule is a subclass that answers three questions: shall the genset
run, how shall the battery be charged, how many tiers are spared. Without a subclass it is a site on the grid
with the battery as backup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenmast.simulate.baselines.charger import CHARGE, Charger
from greenmast.simulate.baselines.lvd import Lvd
from greenmast.simulate.baselines.panel import Panel
from greenmast.simulate.baselines.transfer import ON_GENSET, ON_GRID, PhaseRelay, Transfer
from greenmast_fw.core import site as site_facts
from greenmast_fw.core.snapshot import Snapshot
from greenmast_protocol import points

if TYPE_CHECKING:
    from greenmast.site import Site

_TEMPERATURE = points.index("site.temperature_dc")
_RATING_W = 6_000


class Told:
    """What a step decides, in the shape of the core's own `Decision`: `points` has values nowhere."""

    def __init__(self, idle: bytes) -> None:
        self.outputs = bytearray(idle)
        self.setpoints: dict[str, int] | None = None
        self.events: list[Any] = []
        self.points: list[int | None] = [None] * points.COUNT


class Cabinet:
    """`grid`, `charger`: what the rules go by beside the snapshot."""

    def __init__(self, site: Site, params: dict[str, int], *, staged: bool = False) -> None:
        """`params`: every parameter by name. `staged`: the disconnect has a voltage for each tier."""
        facts = site_facts.from_config(site.board_config())
        self.grid = PhaseRelay(params, bool(facts.exists[site_facts.GRID]))
        self.transfer = Transfer(params, facts)
        self.panel = Panel(params)
        self.lvd = Lvd(params, staged=staged)
        self.charger = Charger(params, facts, int(site.plant.get("rectifier", {}).get("rating_w", _RATING_W)))
        self.told = Told(facts.idle)
        self._has_genset = bool(facts.exists[site_facts.GENSET])
        self._cools = bool(facts.exists[site_facts.COOLING])
        self._cool_dc = (params["cooling.start_dc"], params["cooling.stop_dc"])

    def wants_genset(self, v: tuple[int | None, ...], dt_ms: int) -> bool:
        """Whether the genset shall run; asked in every step."""
        return False

    def charging(self, v: tuple[int | None, ...], minute: int | None) -> int:
        """CHARGE, HOLD or CARRY."""
        return CHARGE

    def spared(self, v: tuple[int | None, ...]) -> int:
        """How many tiers, the least important first, are off for other reasons than the bus voltage."""
        return 0

    def step(self, snapshot: Snapshot, dt_ms: int) -> Told:
        """One scan, `dt_ms` since the one before. Returns the same object every time, filled anew."""
        v = snapshot.v
        told = self.told
        out = told.outputs
        self.grid.step(v, dt_ms)
        if self._has_genset:
            self.panel.step(v, self.wants_genset(v, dt_ms), dt_ms)
        self.transfer.step(v, self.grid.usable, self.panel.ready, dt_ms)
        position = self.transfer.position
        out[site_facts.GRID] = position == ON_GRID
        out[site_facts.GENSET] = position == ON_GENSET
        out[site_facts.START] = self.panel.line
        self.lvd.step(v, dt_ms)
        connected = self.lvd.connected
        spared = self.spared(v)
        out[site_facts.LOAD1] = connected[0]
        out[site_facts.LOAD2] = connected[1] and spared < 2
        out[site_facts.LOAD3] = connected[2] and spared < 1
        told.setpoints = self.charger.step(v, self.charging(v, snapshot.minute), dt_ms)
        temperature_dc = v[_TEMPERATURE]
        if self._cools and temperature_dc is not None:
            if temperature_dc >= self._cool_dc[0]:
                out[site_facts.COOLING] = 1
            elif temperature_dc <= self._cool_dc[1]:
                out[site_facts.COOLING] = 0
        return told
