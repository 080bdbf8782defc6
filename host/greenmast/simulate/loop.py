"""One site in simulated time: plant, sensors and controller, scan by scan.

Owns the order of a scan and what is added up in it. Decides nothing about the site, and knows no weather
file, tariff or report: it is what gets compiled (see `native`), so it is plain and has few friends.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from greenmast.plant.plant import Plant
from greenmast.plant.rectifier import INPUT_MAX_MV, INPUT_MIN_MV
from greenmast.scenario.invariants import Invariants
from greenmast.scenario.sensors import Sensors
from greenmast_fw.core.site import START
from greenmast_protocol import points

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenmast.site import Site

_EPOCH = datetime(2000, 1, 1)
_NO_FAULTS: dict[str, set[str]] = {}


class Loop:
    """`controller` steps on what the sensors say; what it decides moves `plant`. Simulated time: `time_s`.

    `live_s`: seconds in which the grid's voltage was within what the rectifier takes. `told`: the
    controller's own points after the last step. `on_event(time_s, event)` is told every event of the
    controller, `on_violation(what, saw)` every kind of broken invariant once.
    """

    def __init__(
        self,
        site: Site,
        plant: Plant,
        controller: Any,
        params: dict[str, int],
        seed: int,
        start: datetime,
        on_event: Callable[[int, Any], None],
        on_violation: Callable[[str, str], None],
    ) -> None:
        """`start`: local time, as the board's clock shows it."""
        self.plant = plant
        self.controller = controller
        self.sensors = Sensors(site, plant, params, seed)
        self.time_s = 0
        self.live_s = 0
        self.told: list[int | None] = []
        self._live = False
        self._begins_s = int((start.replace(tzinfo=None) - _EPOCH).total_seconds())
        self._relays = [
            (points.OUTPUTS.index(output.name), output.name, output.idle == "closed")
            for output in site.outputs
            if output.device is None
        ]
        self._idle = bytes(
            [int(any(o.name == name and o.idle == "closed" for o in site.outputs)) for name in points.OUTPUTS]
        )
        self._remote_start = any(output.name == "genset" for output in site.outputs) and not any(
            output.name == "genset_start" and output.device is None for output in site.outputs
        )
        self._driven = b""
        self._on_event = on_event
        self._invariants = Invariants(site, plant, params, on_violation)
        self._invariants.booted(0, self._idle)

    def advance(self, seconds: int) -> None:
        """Scan once a second for `seconds`."""
        plant = self.plant
        sensors = self.sensors
        controller = self.controller
        invariants = self._invariants
        grid = plant.grid
        for _ in range(seconds):
            now_s = self.time_s
            snapshot = sensors.scan(1_000, (self._begins_s + now_s) // 60)
            decision = controller.step(snapshot, 1_000)
            outputs = decision.outputs
            if outputs != self._driven:
                self._drive(bytes(outputs))
            setpoints = decision.setpoints
            if setpoints:
                sensors.write(setpoints)
            invariants.decided(1_000, snapshot.v, outputs, decision.points, _NO_FAULTS)
            events = decision.events
            if events:
                for event in events:
                    self._on_event(now_s, event)
            self.told = decision.points
            plant.step(1.0)
            self.time_s = now_s + 1
            live = INPUT_MIN_MV <= grid.voltage_mv <= INPUT_MAX_MV
            if live or self._live:  # a second in which it comes or goes counts whole
                self.live_s += 1
            self._live = live
            invariants.truth((now_s + 1) * 1_000, 1_000, _NO_FAULTS, True)

    def _drive(self, outputs: bytes) -> None:
        """Energise the coils whose contacts must leave their idle position."""
        self._driven = outputs
        for i, name, idle_closed in self._relays:
            self.plant.coil(name, bool(outputs[i]) != idle_closed)
        if self._remote_start:
            self.plant.genset.remote_start(bool(outputs[START]))
