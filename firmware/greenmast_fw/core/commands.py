"""Commands as inputs to the rules: each is accepted with what was applied, or refused with a reason code.

Shape and authority have been checked before (`greenmast_protocol.commands`, authentication). A command never
touches an output: it sets a wish with an expiry, which the parts weigh below fuel, engine, interlock and
battery protection.
"""

from greenmast_fw.core import decision
from greenmast_fw.core.genset import MIN_RUN, READY
from greenmast_fw.core.genset import ON_LOAD as GENSET_ON_LOAD
from greenmast_fw.core.site import GENSET, LOAD1
from greenmast_protocol import commands, points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

_UNKNOWN = reasons.code("unknown")
_NO_DEVICE = reasons.code("no_device")
_NOT_QUALIFIED = reasons.code("not_qualified")
_INHIBITED = reasons.code("inhibited")
_BATTERY_PROTECT = reasons.code("battery_protect")


def apply(c: "Controller", name: str, args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    """(0, applied values), or (refusal code, {}).

    Raises KeyError for arguments that the command table would refuse.
    """
    handler = _HANDLERS.get(name)
    code, applied = handler(c, args) if handler else (_UNKNOWN, {})
    number = commands.NAMES.index(name) if name in commands.NAMES else -1
    c.queue.append((decision.COMMAND, number, 0 if code else 1, code, 0, 0))
    return code, applied


def _ms(args: "dict[str, object]") -> int:
    return int(args["for_s"]) * 1000  # type: ignore[call-overload, no-any-return]


def _genset_start(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    if not c.site.exists[GENSET]:
        return _NO_DEVICE, {}
    if c.demand.inhibit_ms:
        return _INHIBITED, {}
    refused = c.source.genset_blocked(c.contacts)
    if not refused and not c.genset.line:
        refused = c.genset.refusal()
    if refused:
        return refused, {}
    c.demand.command_start(_ms(args))
    return 0, {"for_s": args["for_s"]}


def _genset_stop(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    if not c.site.exists[GENSET]:
        return _NO_DEVICE, {}
    state = c.genset.state
    if (state == READY or state == GENSET_ON_LOAD) and c.genset.left_ms(MIN_RUN):
        return MIN_RUN, {}
    c.demand.release()
    return 0, {}


def _genset_inhibit(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    if not c.site.exists[GENSET]:
        return _NO_DEVICE, {}
    c.demand.inhibit_ms = _ms(args)
    return 0, {"for_s": args["for_s"]}


def _genset_reset(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    if not c.site.exists[GENSET]:
        return _NO_DEVICE, {}
    c.genset.reset()
    return 0, {"state": points.GENSET_STATES[c.genset.state]}


def _source_select(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    ac = points.AC_SOURCES.index(args["ac"])
    if ac:
        if not c.site.exists[ac - 1]:
            return _NO_DEVICE, {}
        if not c.source.fit(ac, c.grid, c.genset):
            return _NOT_QUALIFIED, {}
        if ac - 1 == GENSET:
            c.demand.command_start(_ms(args))
    c.source.select = ac
    c.source.select_ms = _ms(args)
    return 0, {"ac": args["ac"], "for_s": args["for_s"]}


def _load_shed(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    tier = int(args["tier"])  # type: ignore[call-overload]
    if not c.site.exists[LOAD1 + tier - 1]:
        return _NO_DEVICE, {}
    c.loads.command(tier, _ms(args))
    return 0, {"tier": tier, "for_s": args["for_s"]}


def _load_restore(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    tier = int(args["tier"])  # type: ignore[call-overload]
    if not c.site.exists[LOAD1 + tier - 1]:
        return _NO_DEVICE, {}
    if c.loads.shed(LOAD1 + tier - 1):
        return _BATTERY_PROTECT, {}
    c.loads.command(tier, 0)
    return 0, {"tier": tier}


def _mode_set(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    c.mode = points.MODES.index(args["mode"])
    c.mode_ms = _ms(args) if c.mode else 0
    return 0, {"mode": args["mode"], "for_s": args["for_s"]}


_HANDLERS = {
    "genset.start": _genset_start,
    "genset.stop": _genset_stop,
    "genset.inhibit": _genset_inhibit,
    "genset.reset": _genset_reset,
    "source.select": _source_select,
    "load.shed": _load_shed,
    "load.restore": _load_restore,
    "mode.set": _mode_set,
}
