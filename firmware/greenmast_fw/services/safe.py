"""Safe mode: no usable configuration, so no output is driven and no bus is asked; the console says why.

Every relay rests at its de-energised state, which the site's wiring has to make the safe one.
"""

from greenmast_protocol import alarms, points

from greenmast_fw.drivers import clock, stdio
from greenmast_fw.services.console import Console
from greenmast_fw.services.rpc import Rpc
from greenmast_fw.services.supervisor import Supervisor
from greenmast_fw.services.journal import Journal
from greenmast_fw.services import version

_SAFE = points.MODES.index("safe")


class SafeMode:
    """A board (see `rpc.Board`) that knows only why it does nothing."""

    def __init__(self, problems: "list[tuple[str, str]]", boot: int) -> None:
        self._problems = problems
        self._boot = boot
        self._started_ms = clock.ticks_ms()
        self.console = Console(Rpc(self), stdio.Stdin(), stdio.writer(), clock.sleep_ms)
        self.journal = Journal(lambda: clock.diff(clock.ticks_ms(), self._started_ms) // 1000)
        self.journal.sink = self.console.log

    async def run(self) -> None:
        """Answer the console for ever."""
        for place, text in self._problems:
            self.journal.write(place, text)
        await Supervisor(self.journal).run([("console", self.console.run)])

    def hello(self) -> "dict[str, object]":
        """Who this is, as far as it knows."""
        return version.identity(self._boot)

    def values(self, names: "list[str] | None") -> "dict[str, int | None]":
        """The mode; nothing else is known."""
        known: "dict[str, int | None]" = {
            "controller.mode": _SAFE,
            "controller.safe_mode": 1,
            "controller.boot": self._boot,
            "controller.alarms_active": 1,
        }
        return {name: known.get(name) for name in (points.NAMES if names is None else names)}

    def qualities(self) -> "dict[str, str]":
        """Everything without a value is stale."""
        v = self.values(None)
        return {name: "stale" for name in v if v[name] is None}

    def ages(self, names: "list[str]") -> "dict[str, int]":
        """Nothing is measured."""
        return {}

    def explain(self) -> "list[object]":
        """Why."""
        return ["safe mode, outputs at rest: %s: %s" % problem for problem in self._problems]

    def alarms(self) -> "list[object]":
        """The one alarm."""
        return [{"id": alarms.index("config_invalid"), "name": "config_invalid", "ts": 0, "trusted": False}]

    def config(self) -> "dict[str, object]":
        """There is none."""
        return {}

    def statistics(self) -> "dict[str, object]":
        """Nothing is counted."""
        return {}
