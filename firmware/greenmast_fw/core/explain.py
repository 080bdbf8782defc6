"""Why everything is as it is: rows for people, built only when somebody asks.

A row is (subject, state, reason code, values, blocked, next). `values` are the integers that decided and
their limits, as the reason's text takes them. `blocked` lists what stands in the way of a change, and what
does not and is worth saying (`greenmast_protocol.show` tells them apart), each (reason code, value..). `next`
is (what happens next, seconds until then), or () when nothing is under way. `greenmast_protocol.show` makes a
sentence of a row.
"""

from greenmast_fw.core import explain_genset, explain_policy, report
from greenmast_fw.core import grid as grids
from greenmast_fw.core.explain_values import PLANNED, reason, seconds, values_of
from greenmast_fw.core.genset import COOL_DOWN, READY
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD1, LOAD3
from greenmast_fw.core.source import FAIL_TO_CLOSE
from greenmast_protocol import points, quality, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

    Reason = tuple[int, ...]
    Row = tuple[str, str, int, tuple[int, ...], tuple[Reason, ...], tuple[str, int] | tuple[()]]

_GRID_MV = points.index("grid.voltage_mv")
_GRID_MARGIN = reasons.code("grid_margin")

# By quality code, from RATE on.
_DISTRUST = tuple(
    [reasons.code(name) for name in ("reading_jumps", "reading_frozen", "reading_contradicted")]
)


def rows(c: "Controller") -> "list[Row]":
    """Rows for AC source, grid, genset, charge, every output of the site, and what energy is kept.

    And one for every reading that is not believed.
    """
    # Loaded beside this one, for as long.
    from greenmast_fw.core import explain_loads, explain_outputs

    out = [_ac(c)]
    if c.site.exists[GRID]:
        out.append(_grid(c))
    if c.outage:
        values = values_of(c, PLANNED)
        out.append(("outage", "announced", PLANNED, values, (), ("due", values[0]) if values[0] else ()))
    if c.site.exists[GENSET]:
        out.append(explain_genset.row(c))
    out.append(explain_loads.charge_known(c))
    if c.has_rectifier:
        out.append(explain_loads.charging(c))
    for i in range(len(points.OUTPUTS)):
        if not c.site.exists[i]:
            continue
        if i == BATTERY or LOAD1 <= i <= LOAD3:
            out.append(explain_loads.load(c, i))
        elif i == COOLING and c.cooling is not None:
            out.append(explain_loads.cooled(c, c.cooling))
        else:
            out.append(explain_outputs.row(c, i))
    codes = c.decision.codes
    for i in range(len(codes)):
        if codes[i]:
            out.append((points.name(i), "distrusted", _DISTRUST[codes[i] - quality.RATE], (), (), ()))
    return out + explain_policy.rows(c)


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
