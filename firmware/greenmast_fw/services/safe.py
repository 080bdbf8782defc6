"""Safe mode: no usable configuration, so no output is driven and no bus is asked; the console says why.

Every relay rests at its de-energised state, which the site's wiring has to make the safe one. A configuration
can be staged and committed here as anywhere.
"""

from greenmast_fw.drivers import clock, stdio
from greenmast_fw.services import overlay, supervisor
from greenmast_fw.services.console import Console
from greenmast_fw.services.journal import Journal
from greenmast_fw.services.rpc import Rpc
from greenmast_protocol import alarms, points, quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from greenmast_fw.services.trial import Trial

_TICK_MS = 500
_KNOWN = (
    (points.index("controller.mode"), points.MODES.index("safe")),
    (points.index("controller.safe_mode"), 1),
    (points.index("controller.alarms_active"), 1),
)
_BOOT = points.index("controller.boot")
_ALARM = alarms.index("config_invalid")


class SafeMode:
    """A board (see `rpc.Board`) that knows only why it does nothing."""

    def __init__(self, problems: "list[tuple[str, str]]", boot: int) -> None:
        self._problems = problems
        self._boot = boot
        self.revision = 0
        self.trial: "Trial | None" = None
        self._restart_wanted = False
        self.values: "list[int | None]" = [None] * points.COUNT
        self.codes = bytearray([quality.STALE] * points.COUNT)
        for i, value in _KNOWN + ((_BOOT, boot),):
            self.values[i] = value
            self.codes[i] = quality.GOOD

    async def run(self) -> None:
        """Answer the console for ever."""
        console = Console(Rpc(self), stdio.Stdin(), stdio.writer(), clock.sleep_ms)
        journal = Journal()
        journal.sink = console.log
        for place, text in self._problems:
            journal.write(place, text)
        await supervisor.run(journal, [("console", console.run), ("restart", self._await_restart)])

    def hello(self) -> "dict[str, object]":
        """Who this is, as far as it knows."""
        return {"boot": self._boot}

    def name(self, i: int) -> str:
        """Name of point `i`."""
        return points.name(i)

    def age_ms(self, i: int) -> int:
        """Nothing is measured."""
        return -1

    def explain(self) -> "list[object]":
        """Why."""
        return ["safe mode, outputs at rest: %s: %s" % problem for problem in self._problems]

    def alarms(self) -> "list[object]":
        """The one alarm."""
        return [{"id": _ALARM, "name": "config_invalid", "ts": 0, "trusted": False}]

    def transactions(self) -> "dict[str, object]":
        """Where they stand."""
        return overlay.run(_transactions)

    def config(self) -> "list[bytes | bytearray]":
        """There is none."""
        return [b"{}"]

    def command(self, params: "dict[str, object]") -> "tuple[str, str, dict[str, object]]":
        """Nothing can be switched."""
        return "mode", "safe mode: nothing is driven", {}

    def log(self, params: "dict[str, object]") -> "list[bytes | bytearray] | str":
        """What happened before it came to this."""
        return overlay.run(_log, self._boot, params)

    def report(self) -> "dict[str, object]":
        """There is nothing to tell and nobody to send it."""
        return {"boot": self._boot, "seq": 0, "acked": [0, 0]}

    def bus(self, params: "dict[str, object]") -> str:
        """No bus is driven either."""
        return "safe mode: no bus is driven"

    def statistics(self) -> "dict[str, object]":
        """Nothing is counted."""
        return {}

    def configure(
        self, method: str, params: "dict[str, Any]", by_hand: bool
    ) -> "Coroutine[None, None, tuple[str, str, dict[str, object]]]":
        """A step of a transaction (see `rpc.Board`)."""
        return overlay.run(_configure, self, method, params)

    def restart(self) -> None:
        """Reset with what is stored, when the answer has gone out."""
        self._restart_wanted = True

    async def _await_restart(self) -> None:
        while not self._restart_wanted:
            await clock.sleep_ms(_TICK_MS)
        await clock.sleep_ms(_TICK_MS)
        raise SystemExit("reset with another configuration")


def _transactions() -> "dict[str, object]":
    from greenmast_fw.storage import revisions

    return revisions.report()


def _configure(
    board: SafeMode, method: str, params: "dict[str, Any]"
) -> "Coroutine[None, None, tuple[str, str, dict[str, object]]]":
    from greenmast_fw.services import transaction

    return transaction.run(board, method, params)


def _log(boot: int, params: "dict[str, object]") -> "list[bytes | bytearray] | str":
    from greenmast_fw.services import log_read, rings

    return log_read.answer(rings.events(), boot, params)
