"""Why everything is as it is: rows for people, built only when somebody asks.

A row is (subject, state, reason code, values, blocked, next). `values` are the integers that decided and
their limits, as the reason's text takes them. `blocked` lists what stands in the way of a change, each
(reason code, value..). `next` is (what happens next, seconds until then), or () when nothing is under way.
`greenmast_protocol.show` makes a sentence of a row.
"""

from greenmast_fw.core import genset as sequence
from greenmast_fw.core import grid as grids
from greenmast_fw.core import report, shed
from greenmast_fw.core.autonomy import ENDLESS_S
from greenmast_fw.core.charge import CELL, RESTART, TEST
from greenmast_fw.core.demand import GRID_ABSENT, ORDER
from greenmast_fw.core.limits import COLD, HOT
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD1
from greenmast_fw.core.source import DEAD_TIME
from greenmast_fw.core.stages import ABSORPTION, CODES, EQUALISE, STAGES
from greenmast_protocol import points, quality, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.cooling import Cooling

    Reason = tuple[int, ...]
    Row = tuple[str, str, int, tuple[int, ...], tuple[Reason, ...], tuple[str, int] | tuple[()]]

_GRID_LOST = reasons.code("grid_lost")
_GRID_FREQUENCY = reasons.code("grid_frequency")
_RETURN_DELAY = reasons.code("grid_return_delay")
_BUS_LOW = reasons.code("bus_low")
_RECOVERING = reasons.code("bus_recovering")
_COUNTDOWN = reasons.code("shed_countdown")
_STAGGER = reasons.code("stagger")
_SOC_BMS = reasons.code("soc_bms")
_SOC_COUNTED = reasons.code("soc_counted")
_SOC_UNSURE = reasons.code("soc_unsure")
_MANUAL = reasons.code("manual")
_RESTS = reasons.code("compressor_rest")
_ABSORPTION = reasons.code("absorption")
_EQUALISE = reasons.code("equalise")
_DATA_LOST = reasons.code("data_lost")
# By quality code, from RATE on.
_DISTRUST = tuple(
    [reasons.code(name) for name in ("reading_jumps", "reading_frozen", "reading_contradicted")]
)
_PLANNED = reasons.code("outage_planned")


def _s(ms: "int | None") -> int:
    """Whole seconds, rounded up, so that nothing is said to be over before it is."""
    return (ms + 999) // 1000 if ms else 0


def rows(c: "Controller") -> "list[Row]":
    """Rows for AC source, grid, genset, charge, battery, load tiers, cooling, and what energy is kept.

    And one for every reading that is not believed.
    """
    from greenmast_fw.core import explain_policy

    out = [_ac(c)]
    if c.site.exists[GRID]:
        out.append(_grid(c))
    if c.site.exists[GENSET]:
        out.append(_genset(c))
    out.append(_soc(c))
    if c.has_rectifier:
        out.append(_charge(c))
    if c.outage:
        values = values_of(c, _PLANNED)
        out.append(("outage", "announced", _PLANNED, values, (), ("due", values[0]) if values[0] else ()))
    for i in range(BATTERY, LOAD1 + 3):
        if c.site.exists[i]:
            out.append(_load(c, i))
    if c.cooling is not None:
        out.append(_cooling(c, c.cooling))
    codes = c.decision.codes
    for i in range(len(codes)):
        if codes[i]:
            out.append((points.name(i), "distrusted", _DISTRUST[codes[i] - quality.RATE], (), (), ()))
    return out + explain_policy.rows(c)


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
    if code == _SOC_UNSURE and c.battery.soc_error is not None:
        return (c.battery.soc_error,)
    return _threshold(c, code) or _charge_values(c, code)


def _threshold(c: "Controller", code: int) -> "tuple[int, ...]":
    """Of a demand that hangs on a value: that, and the threshold which it has to pass next."""
    demand = c.demand
    for row in demand.rows:
        if code in (row.reason, row.not_reason) and row.value is not None:
            return (row.value, row.stop if demand.active & row.bit else row.start)
    return ()


def _charge_values(c: "Controller", code: int) -> "tuple[int, ...]":
    limits = c.charge.limits
    if code in (_ABSORPTION, _EQUALISE):
        return (_s(c.charge.stages.left_ms()),)
    if code == COLD:
        return (limits.temperature_dc, limits.cold_dc)
    if code == HOT:
        return (limits.temperature_dc, limits.hot_dc)
    if code == CELL:
        return (limits.cell_mv, limits.cell_high_mv)
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
        out.append(_reason(c, _SOC_UNSURE if c.battery.unsure else _DATA_LOST))
    for row in demand.rows:
        if row.start and row.value is not None:
            out.append(_reason(c, row.not_reason if row.calm() else row.reason))
    if demand.absent_limit_ms:
        out.append(_reason(c, GRID_ABSENT))
    return out


def _soc(c: "Controller") -> "Row":
    """What is known of the charge, from whom, and when it is gone."""
    battery = c.battery
    soc, error = battery.soc, battery.soc_error
    if soc is None or error is None:
        code = _SOC_UNSURE if battery.unsure else _DATA_LOST
        return ("soc", "unknown", code, values_of(c, code), (), ())
    upcoming: "tuple[str, int] | tuple[()]" = ()
    left = battery.to_lvd_s
    if left is not None and left < ENDLESS_S:
        upcoming = ("disconnection without AC", left)
    if battery.counted:
        since_s = battery.charge.since_ms // 1000
        return ("soc", "counted", _SOC_COUNTED, (soc, error, since_s), (), upcoming)
    return ("soc", "measured", _SOC_BMS, (soc, error), (), upcoming)


def _charge(c: "Controller") -> "Row":
    charge = c.charge
    stages = charge.stages
    stage = stages.stage
    code = charge.code
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if code == TEST and charge.test:
        upcoming = ("test ends", _s(charge.test.left_ms()))
    elif code == RESTART:
        upcoming = ("restart given up", _s(charge.rectifier.left_ms()))
    elif stage in (ABSORPTION, EQUALISE):
        if code != CODES[stage]:
            blocked.append(_reason(c, CODES[stage]))
        upcoming = ("float", _s(stages.left_ms()))
    return ("charge", STAGES[stage], code, values_of(c, code), tuple(blocked), upcoming)


def _load(c: "Controller", i: int) -> "Row":
    loads = c.loads
    shedding = loads.shedding
    code = report.output_reason(c, i)
    values: "tuple[int, ...]" = ()
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if code == _COUNTDOWN:
        left = _s(shedding.countdown_ms())
        values = (left,)
        upcoming = ("disconnected", left)
    elif code == _RECOVERING:
        left = _s(loads.recover_ms())
        values = (left,)
        upcoming = ("next stage connected", left)
    elif code == _BUS_LOW and c.battery.bus_mv is not None:
        values = (c.battery.bus_mv, shedding.reconnect_mv)
    elif code == shed.SOC_SHED and c.battery.soc is not None:
        values = (c.battery.soc, shedding.reconnect_permille)
    elif code == shed.TIME_SHED:
        values = (_s(shedding.absent_ms), shedding.thresholds.after_ms[loads.stage(i)] // 1000)
    elif code == _STAGGER:
        values = (loads.since_connect_ms // 1000,)
    elif code == _MANUAL:
        upcoming = ("connected", _s(loads.manual_ms[i - LOAD1]))
    elif c.decision.outputs[i] and not c.source.actual:
        left_ms = loads.expires_ms(i)
        if left_ms is not None:
            upcoming = ("disconnected for time", _s(left_ms))
    state = "connected" if c.decision.outputs[i] else "disconnected"
    return (points.OUTPUTS[i], state, code, values, (), upcoming)


def _cooling(c: "Controller", cooling: "Cooling") -> "Row":
    code = cooling.reason
    upcoming: "tuple[str, int] | tuple[()]" = ("on", _s(cooling.rest_ms())) if code == _RESTS else ()
    state = "on" if c.decision.outputs[COOLING] else "off"
    return ("cooling", state, code, cooling.values(code), (), upcoming)
