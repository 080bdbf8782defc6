"""Why everything is as it is: rows for people, built only when somebody asks.

A row is (subject, state, reason code, values, blocked, next). `values` are the integers that decided and
their limits, as the reason's text takes them. `blocked` lists what stands in the way of a change, each
(reason code, value..). `next` is (what happens next, seconds until then), or () when nothing is under way.
`greenmast_protocol.show` makes a sentence of a row.
"""

from greenmast_fw.core import genset as sequence
from greenmast_fw.core import grid as grids
from greenmast_fw.core import report
from greenmast_fw.core.demand import GRID_ABSENT, ORDER
from greenmast_fw.core.site import BATTERY, GENSET, GRID, LOAD1
from greenmast_fw.core.source import DEAD_TIME
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

    Reason = tuple[int, ...]
    Row = tuple[str, str, int, tuple[int, ...], tuple[Reason, ...], tuple[str, int] | tuple[()]]

_GRID_LOST = reasons.code("grid_lost")
_GRID_FREQUENCY = reasons.code("grid_frequency")
_RETURN_DELAY = reasons.code("grid_return_delay")
_BUS_LOW = reasons.code("bus_low")
_RECOVERING = reasons.code("bus_recovering")
_COUNTDOWN = reasons.code("shed_countdown")
_STAGGER = reasons.code("stagger")
_MANUAL = reasons.code("manual")
_DATA_LOST = reasons.code("data_lost")
_PLANNED = reasons.code("outage_planned")


def _s(ms: "int | None") -> int:
    """Whole seconds, rounded up, so that nothing is said to be over before it is."""
    return (ms + 999) // 1000 if ms else 0


def rows(c: "Controller") -> "list[Row]":
    """One row each for the AC source, the grid, the genset, the battery and every load tier of the site."""
    out = [_ac(c)]
    if c.site.exists[GRID]:
        out.append(_grid(c))
    if c.site.exists[GENSET]:
        out.append(_genset(c))
    if c.outage:
        values = values_of(c, _PLANNED)
        out.append(("outage", "announced", _PLANNED, values, (), ("due", values[0]) if values[0] else ()))
    for i in range(BATTERY, LOAD1 + 3):
        if c.site.exists[i]:
            out.append(_load(c, i))
    return out


def values_of(c: "Controller", code: int) -> "tuple[int, ...]":
    """The values that belong to reason `code` now; none where one of them is unknown."""
    genset = c.genset
    engine = genset.engine
    demand = c.demand
    if code in (_GRID_LOST, _GRID_FREQUENCY):
        return (c.grid.value, c.grid.limit)
    if code == _RETURN_DELAY:
        return (_s(c.grid.left_ms()),)
    if code == DEAD_TIME:
        return (_s(c.source.dead_left_ms(c.contacts)),)
    if code == sequence.FUEL_LOW and engine.fuel is not None:
        return (engine.fuel, engine.fuel_resume)
    if code in (sequence.MIN_OFF, sequence.MIN_RUN, sequence.GLOWING, sequence.WARMING, sequence.COOLING):
        return (_s(genset.left_ms(code)),)
    if code == sequence.PER_HOUR:
        return (genset.starts.count(), genset.starts.limit)
    if code == sequence.CRANKING:
        return (genset.tries, genset.tries_max)
    if code == sequence.START_FAILED:
        return (genset.tries_max,)
    if code == sequence.IS_STOPPING:
        return (genset.ms // 1000,)
    if code == GRID_ABSENT:
        return (demand.absent_ms // 1000, demand.absent_limit_ms // 1000)
    if code == _PLANNED and c.outage:
        return (_s(c.outage.in_ms),)
    if code == report.HOLDING:
        return (_s(c.hold_left_ms()),)
    return _threshold(c, code)


def _threshold(c: "Controller", code: int) -> "tuple[int, ...]":
    """Of a demand that hangs on a value: that, and the threshold which it has to pass next."""
    demand = c.demand
    for row in demand.rows:
        if code in (row.reason, row.not_reason) and row.value is not None:
            return (row.value, row.stop if demand.active & row.bit else row.start)
    return ()


def _reason(c: "Controller", code: int) -> "Reason":
    return (code,) + values_of(c, code)


def _ac(c: "Controller") -> "Row":
    code = report.ac_reason(c)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    grid = c.grid
    if grid.exists and c.source.actual != GRID + 1:
        left = grid.left_ms()
        if left is not None:
            upcoming = ("grid qualifies", _s(left))
        if grid.reason != code:
            blocked.append(_reason(c, grid.reason))
    if c.genset.exists and c.source.actual == 0 and not c.genset.ready:
        blocked.append(_reason(c, report.genset_reason(c)))
    state = points.AC_SOURCES[c.source.actual]
    return ("ac", state, code, values_of(c, code), tuple(blocked), upcoming)


def _grid(c: "Controller") -> "Row":
    grid = c.grid
    left = grid.left_ms()
    state = grids.STATES[grid.state()]
    upcoming: "tuple[str, int] | tuple[()]" = () if left is None else ("grid qualifies", _s(left))
    return ("grid", state, grid.reason, values_of(c, grid.reason), (), upcoming)


def _genset(c: "Controller") -> "Row":
    genset = c.genset
    state = genset.state
    code = report.genset_reason(c)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if state == sequence.OFF:
        if not c.demand.active:
            blocked += _no_demand(c)
        refused = report.blocked(c)
        if refused and refused != code:
            blocked.append(_reason(c, refused))
        if refused == sequence.MIN_OFF:
            upcoming = ("may start", _s(genset.left_ms(refused)))
    elif state == sequence.GLOW:
        upcoming = ("cranks", _s(genset.left_ms(sequence.GLOWING)))
    elif state == sequence.WARM_UP:
        upcoming = ("ready", _s(genset.left_ms(sequence.WARMING)))
    elif state == sequence.COOL_DOWN:
        upcoming = ("stops", _s(genset.left_ms(sequence.COOLING)))
    elif state in (sequence.READY, sequence.ON_LOAD):
        wanted = c.wanted()
        for bit, reason in ORDER:
            if wanted & bit and reason != code:
                blocked.append(_reason(c, reason))
        left = genset.left_ms(sequence.MIN_RUN)
        if left:
            if code != sequence.MIN_RUN:
                blocked.append(_reason(c, sequence.MIN_RUN))
            if not wanted:
                upcoming = ("cools down", _s(left))
    return ("genset", points.GENSET_STATES[state], code, values_of(c, code), tuple(blocked), upcoming)


def _no_demand(c: "Controller") -> "list[Reason]":
    """Why there is no demand: the values that would have to fall."""
    out: "list[Reason]" = []
    demand = c.demand
    if demand.soc.value is None:
        out.append((_DATA_LOST,))
    for row in demand.rows:
        if row.start and row.value is not None:
            out.append(_reason(c, row.not_reason if row.calm() else row.reason))
    if demand.absent_limit_ms:
        out.append(_reason(c, GRID_ABSENT))
    return out


def _load(c: "Controller", i: int) -> "Row":
    loads = c.loads
    code = report.output_reason(c, i)
    values: "tuple[int, ...]" = ()
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if code == _COUNTDOWN:
        left = _s(loads.countdown_ms())
        values = (left,)
        upcoming = ("disconnected", left)
    elif code == _RECOVERING:
        left = _s(loads.recover_ms())
        values = (left,)
        upcoming = ("next stage connected", left)
    elif code == _BUS_LOW and c.battery.bus_mv is not None:
        values = (c.battery.bus_mv, loads.reconnect_mv)
    elif code == _STAGGER:
        values = (loads.since_connect_ms // 1000,)
    elif code == _MANUAL:
        upcoming = ("connected", _s(loads.manual_ms[i - LOAD1]))
    state = "connected" if c.decision.outputs[i] else "disconnected"
    return (points.OUTPUTS[i], state, code, values, (), upcoming)
