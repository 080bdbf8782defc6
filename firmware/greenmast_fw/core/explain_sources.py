"""Why AC source, grid and genset are as they are, and what is announced: rows as `explain` describes."""

from greenmast_fw.core import explain_genset, explain_policy, report
from greenmast_fw.core import grid as grids
from greenmast_fw.core.explain_values import PLANNED, reason, seconds, values_of
from greenmast_fw.core.genset import COOL_DOWN, READY
from greenmast_fw.core.site import GENSET, GRID
from greenmast_fw.core.source import FAIL_TO_CLOSE
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.explain import Reason, Row

_GRID_MV = points.index("grid.voltage_mv")
_GRID_MARGIN = reasons.code("grid_margin")


def rows(c: "Controller") -> "list[Row]":
    """Those that the site has."""
    out = [_ac(c)]
    if c.site.exists[GRID]:
        out.append(_grid(c))
    if c.outage:
        values = values_of(c, PLANNED)
        out.append(("outage", "announced", PLANNED, values, (), ("due", values[0]) if values[0] else ()))
    if c.site.exists[GENSET]:
        out.append(explain_genset.row(c))
    return out


def _ac(c: "Controller") -> "Row":
    code = report.ac_reason(c)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    grid = c.grid
    source = c.source
    if grid.exists and source.actual != GRID + 1:
        left = grid.left_ms()
        if left is not None:
            upcoming = ("grid qualifies", seconds(left))
        if grid.reason != code and not grid.qualified:
            blocked.append(reason(c, grid.reason))
    if c.policy.carry and code == c.policy.carry:
        upcoming = explain_policy.rows(c)[0][5]
    elif c.genset.exists and source.actual == 0 and not c.genset.ready:
        genset = explain_genset.row(c)
        blocked.append(reason(c, report.genset_reason(c)))
        if genset[5] and not upcoming and c.genset.state not in (READY, COOL_DOWN):
            upcoming = ("genset " + genset[5][0], genset[5][1])
    if c.resets.left_ms and source.actual == 0 and code != report.RESET_HOLD:
        blocked.append(reason(c, report.RESET_HOLD))
    if source.select_ms:
        upcoming = ("command ends", seconds(source.select_ms))
    elif code == FAIL_TO_CLOSE and source.given_up_ms[GRID]:
        upcoming = ("grid tried again", seconds(source.given_up_ms[GRID]))
    state = points.AC_SOURCES[source.actual]
    return ("ac", state, code, values_of(c, code), tuple(blocked), upcoming)


def _grid(c: "Controller") -> "Row":
    grid = c.grid
    blocked: "tuple[Reason, ...]" = ()
    mv = c.decision.accepted[_GRID_MV]
    if grid.ok and grid.measured and mv is not None:
        blocked = ((_GRID_MARGIN, mv, grid.mv_min, grid.mv_max),)
    left = grid.left_ms()
    upcoming: "tuple[str, int] | tuple[()]" = () if left is None else ("grid qualifies", seconds(left))
    return ("grid", grids.STATES[grid.state()], grid.reason, values_of(c, grid.reason), blocked, upcoming)
