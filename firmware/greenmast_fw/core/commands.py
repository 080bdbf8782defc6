"""Commands as inputs to the rules: each is accepted with what was applied, or refused with a reason code.

Shape and authority have been checked before (`greenmast_protocol.commands`, authentication). A command never
touches an output: it sets a wish with an expiry, which the parts weigh below fuel, engine, interlock and
battery protection.
"""

from greenmast_fw.core import decision
from greenmast_fw.core.alarms import COUNT as ALARMS
from greenmast_fw.core.genset import MIN_RUN, READY
from greenmast_fw.core.genset import ON_LOAD as GENSET_ON_LOAD
from greenmast_fw.core.site import GENSET, GRID, LOAD1
from greenmast_fw.core.source import INTERLOCK, WELDED
from greenmast_protocol import commands, points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

_UNKNOWN = reasons.code("unknown")
_INVALID = reasons.code("invalid_value")
_NO_DEVICE = reasons.code("no_device")
_BUSY = reasons.code("busy")
_NOT_QUALIFIED = reasons.code("not_qualified")
_INHIBITED = reasons.code("inhibited")
_BATTERY_PROTECT = reasons.code("battery_protect")

_TEST_LEAST_PERMILLE = 100  # a shorter discharge shows nothing


def apply(c: "Controller", name: str, args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    """(0, applied values), or (refusal code, {}).

    Raises KeyError for arguments that the command table would refuse.
    """
    handler = _HANDLERS.get(name)
    code, applied = handler(c, args) if handler else (_UNKNOWN, {})
    c.queue.append((decision.COMMAND, commands.number(name), 0 if code else 1, code, 0, 0))
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
        return INTERLOCK if refused == WELDED else refused, {}
    c.demand.command_start(_ms(args))
    return 0, {"for_s": args["for_s"]}


def _genset_stop(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    if not c.site.exists[GENSET]:
        return _NO_DEVICE, {}
    state = c.genset.state
    if (state == READY or state == GENSET_ON_LOAD) and c.genset.left_ms(MIN_RUN):
        return MIN_RUN, {}
    c.demand.release()
    c.exercise.stop()
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
    c.exercise.failed = False
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


def _alarm_ack(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    i = int(args["id"])  # type: ignore[call-overload]
    if i >= ALARMS:
        return _UNKNOWN, {}
    return (0, {"id": i}) if c.alarms.acknowledge(i) else (_INVALID, {})


def _alarm_shelve(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    i = int(args["id"])  # type: ignore[call-overload]
    if i >= ALARMS:
        return _UNKNOWN, {}
    c.alarms.shelve(i, _ms(args))
    return 0, {"id": i, "for_s": args["for_s"]}


def _mode_set(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    c.mode = points.MODES.index(args["mode"])
    c.mode_ms = _ms(args) if c.mode else 0
    return 0, {"mode": args["mode"], "for_s": args["for_s"]}


def _reserve_set(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    c.policy.command_reserve(args["permille"], _ms(args))  # type: ignore[arg-type]
    return 0, {"permille": args["permille"], "for_s": args["for_s"]}


def _plan_set(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    from greenmast_fw.core import plan  # loaded when first needed: heap is scarce

    kept = plan.from_command(args)
    c.policy.take_plan(kept)
    return 0, {"expires_s": args["expires_s"], "hours": len(kept) - 3}


def _controller_reset(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    c.reset_wanted = True
    return 0, {}


def _battery_test(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    """Only on a grid that has not failed of late, and never with a battery that is needed or in doubt."""
    charge = c.charge
    if not args["on"]:
        charge.test = None
        return 0, {"on": 0}
    if not c.has_rectifier:
        return _NO_DEVICE, {}
    if charge.test:
        return _BUSY, {}
    if c.source.actual != GRID + 1 or not c.source.grid_serves or charge.since_loss_s < charge.lockout_s:
        return _NOT_QUALIFIED, {}
    battery = c.battery
    soc = battery.soc
    if (
        soc is None
        or battery.current_ma is None
        or soc < charge.test_stop + _TEST_LEAST_PERMILLE
        or battery.lost_ms
        or charge.limits.blocked
        or c.alarms.major
    ):
        return _BATTERY_PROTECT, {}
    charge.start_test(soc)
    return 0, {"on": 1}


def _outage_announce(c: "Controller", args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
    if not c.site.exists[GRID]:
        return _NO_DEVICE, {}
    c.announce(int(args["in_s"]) * 1000, _ms(args))  # type: ignore[call-overload]
    return 0, {"in_s": args["in_s"], "for_s": args["for_s"]}


_HANDLERS = {
    "genset.start": _genset_start,
    "genset.stop": _genset_stop,
    "genset.inhibit": _genset_inhibit,
    "genset.reset": _genset_reset,
    "source.select": _source_select,
    "load.shed": _load_shed,
    "load.restore": _load_restore,
    "mode.set": _mode_set,
    "reserve.set": _reserve_set,
    "plan.set": _plan_set,
    "controller.reset": _controller_reset,
    "battery.test": _battery_test,
    "outage.announce": _outage_announce,
    "alarm.ack": _alarm_ack,
    "alarm.shelve": _alarm_shelve,
}
