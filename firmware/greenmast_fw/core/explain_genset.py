"""Why the genset runs or does not, what it would need, and what comes next: a row as in `explain`."""

from greenmast_fw.core import genset as sequence
from greenmast_fw.core import report
from greenmast_fw.core.demand import GRID_ABSENT, MANUAL, ORDER
from greenmast_fw.core.explain_values import (
    FUEL_ENOUGH,
    SOC_UNSURE,
    STARTS_LEFT,
    charged_in_s,
    reason,
    seconds,
    values_of,
)
from greenmast_fw.core.grid import AVAILABLE
from greenmast_fw.core.thresholds import SOC
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.explain import Reason, Row

_DATA_LOST = reasons.code("data_lost")
_QUIET = reasons.code("quiet_hours")


def row(c: "Controller") -> "Row":
    """The row of the genset."""
    genset = c.genset
    state = genset.state
    code = report.genset_reason(c)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if state == sequence.OFF and code == sequence.NO_DEMAND:
        code = _asking(c)
    if state == sequence.OFF or state == sequence.LOCKED_OUT:
        upcoming = _not_running(c, code, blocked)
    elif state == sequence.GLOW:
        upcoming = ("cranks", seconds(genset.left_ms(sequence.GLOWING)))
    elif state == sequence.WARM_UP:
        upcoming = ("ready", seconds(genset.left_ms(sequence.WARMING)))
    elif state == sequence.COOL_DOWN:
        upcoming = ("stops", seconds(genset.left_ms(sequence.COOLING)))
    elif state in (sequence.READY, sequence.ON_LOAD):
        upcoming = _running(c, code, blocked)
    return ("genset", points.GENSET_STATES[state], code, values_of(c, code), tuple(blocked), upcoming)


def _asking(c: "Controller") -> int:
    """Reason code of the first value beyond its start threshold; else, or if the grid serves, no demand."""
    if not c.source.grid_serves:
        for row_of in c.demand.rows:
            if not row_of.calm():
                return row_of.reason
    return sequence.NO_DEMAND


def _demanded_ms(c: "Controller") -> "int | None":
    """Until the first of the delays that run is over."""
    left = [ms for ms in [row_of.left_ms() for row_of in c.demand.rows] if ms is not None]
    return min(left) if left else None


def _not_running(c: "Controller", code: int, blocked: "list[Reason]") -> "tuple[str, int] | tuple[()]":
    """Everything that a start would need, whether it is there or not; and when it is expected."""
    genset = c.genset
    demand = c.demand
    left_ms = max(genset.left_ms(sequence.MIN_OFF), c.resets.left_ms, demand.inhibit_ms)
    if not demand.active and code == sequence.NO_DEMAND:
        blocked += _no_demand(c)
    per_hour = genset.starts.count() >= genset.starts.limit
    for code_of, holds in (
        (report.INHIBITED, demand.inhibit_ms),
        (report.RESET_HOLD, c.resets.left_ms),
        (c.source.genset_blocked(c.contacts), True),
        (sequence.LOCKED, genset.state == sequence.LOCKED_OUT),
        (sequence.FUEL_LOW, genset.engine.fuel_low),
        (c.policy.ration, True),
        (_QUIET, c.policy.quiet),
        (sequence.ENGINE_FAULT, genset.engine.fault),
        (sequence.MIN_OFF, genset.left_ms(sequence.MIN_OFF)),
        (sequence.PER_HOUR, per_hour),
        (FUEL_ENOUGH, not genset.engine.fuel_low and genset.engine.fuel is not None),
        (STARTS_LEFT, not per_hour),
    ):
        if holds and code_of and code_of != code:
            blocked.append(reason(c, code_of))
    if left_ms:
        return ("may start", seconds(left_ms))
    demanded_ms = _demanded_ms(c)
    if demanded_ms is not None:
        return ("demanded", seconds(demanded_ms))
    idle = demand.active or c.source.grid_serves or genset.forbidden()
    expected = None if idle else charged_in_s(c, demand.soc.start)
    return () if expected is None else ("start expected", expected)


def _no_demand(c: "Controller") -> "list[Reason]":
    """Why there is no demand: the grid, and the values that would have to pass their thresholds."""
    out: "list[Reason]" = []
    demand = c.demand
    if c.source.grid_serves:
        out.append(reason(c, AVAILABLE))
    if demand.soc.value is None:
        out.append(reason(c, SOC_UNSURE if c.battery.unsure else _DATA_LOST))
    for row_of in demand.rows:
        if row_of.start and row_of.value is not None and row_of.calm():
            out.append(reason(c, row_of.not_reason))
    if demand.absent_limit_ms:
        out.append(reason(c, GRID_ABSENT))
    return out


def _running(c: "Controller", code: int, blocked: "list[Reason]") -> "tuple[str, int] | tuple[()]":
    """What keeps it running, and until when."""
    demand = c.demand
    wanted = c.wanted()
    for bit, code_of in ORDER:
        if wanted & bit and code_of != code:
            blocked.append(reason(c, code_of))
    left = c.genset.left_ms(sequence.MIN_RUN)
    if left and code != sequence.MIN_RUN:
        blocked.append(reason(c, sequence.MIN_RUN))
    if not wanted:
        return ("cools down", seconds(left)) if left else ()
    if wanted == MANUAL:
        return ("command ends", seconds(demand.manual_ms))
    expected = charged_in_s(c, demand.soc.stop) if wanted & SOC else None
    return () if expected is None else ("charged", expected)
