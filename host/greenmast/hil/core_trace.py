"""The trace of a scenario that failed at level core: it is played again, which gives the same, and noted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from greenmast.hil.record import Recorder
from greenmast.scenario import faults
from greenmast.scenario.core_level import CoreRun
from greenmast.scenario.document import Act, Fault, Scenario
from greenmast.scenario.judge import Failure


def save(scenario: Scenario, folder: Path, failures: Sequence[Failure]) -> Path:
    """Into `folder`, which is made anew."""
    run = _Noted(scenario)
    run.run()
    about = [
        f"scenario file: {scenario.path} at level core, seed {scenario.seed}",
        f"again: {scenario.command('core')}",
        *(line for failure in failures for line in failure.lines()),
    ]
    failed_s = [failure.at_s for failure in failures]
    return run.recorder.save(folder, scenario.title, about, failed_s=failed_s, copies=[scenario.path])


class _Noted(CoreRun):
    """As it goes, noted scan by scan."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.recorder = Recorder(scenario.site, self.plant)
        self._names = list(dict.fromkeys(part.point for c in scenario.checks for part in c.that.parts))

    def _scan(self) -> None:
        super()._scan()
        self.recorder.sample()
        self.recorder.told({name: self._view.value(name) for name in self._names})

    def _act(self, act: Act) -> None:
        if act.plant:
            self.recorder.mark(", ".join(f"{name} = {value:g}" for name, value in act.plant.items()))
        if act.command:
            self.recorder.mark(f"command {act.command.name}")
        if act.fault:
            self._note(act.fault)
        super()._act(act)

    def _note(self, fault: Fault) -> None:
        text = f"{fault.on} {fault.kind}"
        if fault.kind in faults.INSTANT:
            self.recorder.mark(text)
            return
        span = self.recorder.begin(text)
        if fault.for_ms is not None:
            span.to_s = self.recorder.time_s + fault.for_ms / 1_000
