"""Why everything is as it is: rows for people, built only when somebody asks.

A row is (subject, state, reason code, values, blocked, next). `values` are the integers that decided and
their limits, as the reason's text takes them. `blocked` lists what stands in the way of a change, each
(reason code, value..). `next` is (what happens next, seconds until then), or () when nothing is under way.
`greenmast_protocol.show` makes a sentence of a row.
"""

from greenmast_fw.core import genset as sequence
from greenmast_fw.core import report, shed
from greenmast_fw.core.autonomy import ENDLESS_S
from greenmast_fw.core.demand import BUS, ROWS, SOC
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD1
from greenmast_fw.core.source import DEAD_TIME
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
_SOC_LOW = reasons.code("soc_low")
_SOC_ABOVE = reasons.code("soc_above")
_BUS_LOW = reasons.code("bus_low")
_BUS_ABOVE = reasons.code("bus_above")
_RECOVERING = reasons.code("bus_recovering")
_COUNTDOWN = reasons.code("shed_countdown")
_STAGGER = reasons.code("stagger")
_SOC_BMS = reasons.code("soc_bms")
_SOC_COUNTED = reasons.code("soc_counted")
_SOC_UNSURE = reasons.code("soc_unsure")
_MANUAL = reasons.code("manual")
_RESTS = reasons.code("compressor_rest")
_DATA_LOST = reasons.code("data_lost")
# By quality code, from RATE on.
_DISTRUST = tuple(
    [reasons.code(name) for name in ("reading_jumps", "reading_frozen", "reading_contradicted")]
)


def _s(ms: "int | None") -> int:
    """Whole seconds, rounded up, so that nothing is said to be over before it is."""
    return (ms + 999) // 1000 if ms else 0


def rows(c: "Controller") -> "list[Row]":
    """One row each for AC source, grid, genset, state of charge, battery, load tiers and cooling.

    And one for every reading that is not believed.
    """
    out = [_ac(c)]
    if c.site.exists[GRID]:
        out.append(_grid(c))
    if c.site.exists[GENSET]:
        out.append(_genset(c))
    out.append(_soc(c))
    for i in range(BATTERY, LOAD1 + 3):
        if c.site.exists[i]:
            out.append(_load(c, i))
    if c.cooling is not None:
        out.append(_cooling(c, c.cooling))
    codes = c.decision.codes
    for i in range(len(codes)):
        if codes[i]:
            out.append((points.name(i), "distrusted", _DISTRUST[codes[i] - quality.RATE], (), (), ()))
    return out


def values_of(c: "Controller", code: int) -> "tuple[int, ...]":
    """The values that belong to reason `code` now; none where one of them is unknown."""
    genset = c.genset
    engine = genset.engine
    demand = c.demand
    battery = c.battery
    if code in (_GRID_LOST, _GRID_FREQUENCY):
        return (c.grid.value, c.grid.limit)
    if code == _RETURN_DELAY:
        return (_s(c.grid.left_ms()),)
    if code == DEAD_TIME:
        return (_s(c.source.dead_left_ms(c.contacts)),)
    if code == sequence.FUEL_LOW and engine.fuel is not None:
        return (engine.fuel, engine.fuel_resume)
    if code in (sequence.MIN_OFF, sequence.MIN_RUN, sequence.WARMING, sequence.COOLING):
        return (_s(genset.left_ms(code)),)
    if code == sequence.PER_HOUR:
        return (genset.starts.count(), genset.starts.limit)
    if code == sequence.CRANKING:
        return (genset.tries, genset.tries_max)
    if code == sequence.START_FAILED:
        return (genset.tries_max,)
    if code == sequence.IS_STOPPING:
        return (genset.ms // 1000,)
    if code in (_SOC_LOW, _SOC_ABOVE) and battery.soc is not None:
        return (battery.soc, demand.soc_stop if demand.active & SOC else demand.soc_start)
    if code in (_BUS_LOW, _BUS_ABOVE) and battery.bus_mv is not None:
        return (battery.bus_mv, demand.bus_stop if demand.active & BUS else demand.bus_start)
    if code == _SOC_UNSURE and battery.soc_error is not None:
        return (battery.soc_error,)
    if code == report.HOLDING:
        return (_s(c.hold_left_ms()),)
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
    state = "qualified" if grid.qualified else "held" if grid.ok else "lost"
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
    elif state == sequence.WARM_UP:
        upcoming = ("ready", _s(genset.left_ms(sequence.WARMING)))
    elif state == sequence.COOL_DOWN:
        upcoming = ("stops", _s(genset.left_ms(sequence.COOLING)))
    elif state in (sequence.READY, sequence.ON_LOAD):
        wanted = c.wanted()
        for bit, reason in ROWS:
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
    if c.battery.soc is not None:
        out.append(_reason(c, _SOC_ABOVE if c.battery.soc >= c.demand.soc_start else _SOC_LOW))
    else:
        out.append(_reason(c, _SOC_UNSURE if c.battery.unsure else _DATA_LOST))
    if c.battery.bus_mv is not None:
        out.append(_reason(c, _BUS_ABOVE if c.battery.bus_mv >= c.demand.bus_start else _BUS_LOW))
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
