"""The board as requests see it: what `rpc` may read, gathered from the services that own it."""

from greenmast_fw.services import overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.explain import Row
    from greenmast_fw.drivers.modbus_master import Master
    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.services.keeper import Keeper
    from greenmast_fw.services.outbox import Outbox
    from greenmast_fw.services.rpc import Pieces
    from greenmast_fw.services.scan import Scan
    from greenmast_fw.services.telemetry import Telemetry
    from greenmast_fw.services.trial import Trial
    from greenmast_fw.services.uplink import Uplink

_REST_MS = 10_000
EXPLAINED_PARTS = 3  # `core.explain.PARTS`: that module is not here


class View:
    """See `rpc.Board`. `uplink` is None on a board without MQTT; `identity` is what `hello` says."""

    def __init__(
        self,
        identity: "dict[str, object]",
        scan: "Scan",
        masters: "list[Master]",
        outbox: "Outbox",
        wall: "Wall",
        telemetry: "Telemetry",
    ) -> None:
        self.values = scan.values
        self.codes = scan.codes
        self.scan = scan
        self.masters = masters
        self.outbox = outbox
        self.uplink: "Uplink | None" = None
        self.keeper: "Keeper | None" = None
        self.revision: "Any" = identity["revision"]
        self._identity = identity
        self._wall = wall
        self._telemetry = telemetry
        self._raised: "dict[int, int]" = {}  # alarm -> wall time when it was raised

    @property
    def trial(self) -> "Trial | None":
        """What counts down a configuration on trial."""
        return self.keeper.trial if self.keeper else None

    def hello(self) -> "dict[str, object]":
        """Who this is."""
        return self._identity

    def name(self, i: int) -> str:
        """Name of point `i`."""
        return self.scan.image.name(i)

    def age_ms(self, i: int) -> int:
        """Age of point `i`; -1 when neither a device nor an input supplies it."""
        image = self.scan.image
        return image.age_ms(i) if image.has_source(i) else -1

    def explain(self) -> "Iterator[object]":
        """The core's reasons, part by part."""
        for n in range(EXPLAINED_PARTS):
            yield from overlay.run(_explained, self.scan.controller, n)

    def alarms(self) -> "list[object]":
        """The alarm list: {"id", "name", "state", "ts" (wall time of raising), "trusted"} each."""
        return overlay.run(_alarms, self.scan.alarms, self._raised, self._wall)

    def config(self) -> "Pieces":
        """The configuration: what is stored is what the board has booted with."""
        return overlay.run(_config, bool(self.trial and self.trial.left_s))

    def transactions(self) -> "dict[str, object]":
        """Where the last transaction stands (see `revisions.report`)."""
        return overlay.run(_transactions)

    def statistics(self) -> "dict[str, Any]":
        """Counters since boot."""
        return overlay.run(_statistics, self)

    def command(self, params: "dict[str, Any]") -> "tuple[str, str, dict[str, object]]":
        """Ask the core: ("", "", applied values), or (refusal code, text, {})."""
        told = overlay.run(_command, self.scan.controller, params)
        if not told[0] and self.keeper:
            self.keeper.commanded()
        return told

    def log(self, params: "dict[str, Any]") -> "list[bytes | bytearray] | str":
        """Events of the log (see `rpc.Board`)."""
        return overlay.run(_log, self.outbox, params)

    def report(self) -> "dict[str, object]":
        """See `Telemetry.tell_all`."""
        return self._telemetry.tell_all()

    def bus(self, params: "dict[str, Any]") -> "Coroutine[None, None, dict[str, object]] | str":
        """A read of one bus (see `rpc.Board`), between the board's own."""
        return overlay.run(_bus, self, params)

    def configure(
        self, method: str, params: "dict[str, Any]", by_hand: bool
    ) -> "Coroutine[None, None, tuple[str, str, dict[str, object]]]":
        """A step of a transaction (see `rpc.Board`).

        By hand, at the console, the broker waits meanwhile: a commit ends its connection anyway, and the heap
        may not hold both.
        """
        if by_hand and self.uplink and method == "config.stage":
            self.uplink.client.rest(_REST_MS)
        return overlay.run(_configure, self, method, params)

    def restart(self) -> None:
        """Reset with what is stored, after the scan in which everybody has been answered."""
        self.scan.worth_storing = True
        self.scan.controller.reset_wanted = True


def _explained(controller: "Controller", n: int) -> "list[Row]":
    from greenmast_fw.core import explain

    return explain.part(controller, n)


def _log(outbox: "Outbox", params: "dict[str, Any]") -> "list[bytes | bytearray] | str":
    from greenmast_fw.services import log_read

    return log_read.answer(outbox.events, outbox.boot, params)


def _alarms(listed: "tuple[tuple[int, int], ...]", raised: "dict[int, int]", wall: "Wall") -> "list[object]":
    from greenmast_protocol import alarms

    numbers = [row[0] for row in listed]
    for number in list(raised):
        if number not in numbers:
            del raised[number]
    out: "list[object]" = []
    for number, state in listed:
        row = {"id": number, "name": alarms.NAMES[number], "state": alarms.STATES[state]}
        row["ts"] = raised.setdefault(number, wall.now_s())
        row["trusted"] = wall.trusted
        out.append(row)
    return out


def _config(on_trial: bool) -> "Pieces":
    from greenmast_fw.storage import files

    stored = files.trial() if on_trial else files.pieces(files.CONFIG)
    return stored.slowly() if stored else (b"{}",)


def _transactions() -> "dict[str, object]":
    from greenmast_fw.storage import revisions

    return revisions.report()


def _statistics(view: View) -> "dict[str, Any]":
    from greenmast_fw.services import statistics

    return statistics.collect(view)


def _command(controller: "Controller", params: "dict[str, Any]") -> "tuple[str, str, dict[str, object]]":
    from greenmast_protocol import commands, refusals

    name, args = params.get("name"), params.get("args", {})
    code, text = commands.problem(name, args)
    if code or not isinstance(name, str):
        return code, text, {}
    number, applied = controller.command(name, args)
    code = refusals.name(number) if number else ""
    return code, code, applied


def _bus(view: View, params: "dict[str, Any]") -> "Coroutine[None, None, dict[str, object]] | str":
    from greenmast_fw.services import bus_read

    return bus_read.start(view.masters, params)


def _configure(
    view: View, method: str, params: "dict[str, Any]"
) -> "Coroutine[None, None, tuple[str, str, dict[str, object]]]":
    from greenmast_fw.services import transaction

    return transaction.run(view, method, params)
