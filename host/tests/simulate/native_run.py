"""A few hours of a site, told line by line: run plain or compiled (argument "compiled") by `test_native`."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

SITE, SEED, HOURS = "india-rural", 3, 4
OUTAGE_H, RETURN_H = 1, 3


def main() -> None:
    if "compiled" in sys.argv:
        from greenmast.simulate import native

        if not native.use(lambda line: print(line, file=sys.stderr)):
            sys.exit(3)
    # Only now, so that the compiled modules are found.
    from greenmast import site as sites
    from greenmast.plant import Plant, PlantConfig
    from greenmast.simulate.loop import Loop
    from greenmast_fw.core import site as facts
    from greenmast_fw.core.controller import Controller
    from greenmast_protocol import params

    site = sites.load(SITE)
    complete = params.complete(dict(site.params))
    start = datetime(2025, 1, 1, tzinfo=site.timezone)
    plant = Plant(PlantConfig.from_site(site.plant), SEED, start=start, sun=False)
    controller = Controller(complete, facts.from_config(site.board_config()))

    def on_event(time_s: int, event: Any) -> None:
        print("event", time_s, event)

    def on_violation(what: str, saw: str) -> None:
        print("violation", what, saw)

    loop = Loop(site, plant, controller, complete, SEED, start, on_event, on_violation)
    plant.set_truth("grid.voltage_mv", 230_000)
    plant.set_truth("battery.soc_permille", 280)
    for minute in range(HOURS * 60):
        if minute == OUTAGE_H * 60:
            plant.set_truth("grid.voltage_mv", 0)
        elif minute == RETURN_H * 60:
            plant.release_truth("grid.voltage_mv")
        loop.advance(60)
        decision = controller.decision
        print("truths", sorted(plant.truths().items()))
        print("decided", bytes(decision.outputs), decision.points, decision.setpoints)
    print("memory", controller.memory())
    print("loop", loop.time_s, loop.live_s, plant.violations)
    print("file", sys.modules["greenmast.simulate.loop"].__file__)


if __name__ == "__main__":
    main()
