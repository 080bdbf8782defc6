"""Why everything is as it is: rows for people, built only when somebody asks.

A row is (subject, state, reason code, values, blocked, next). `values` are the integers that decided and
their limits, as the reason's text takes them. `blocked` lists what stands in the way of a change, each
(reason code, value..), and what was looked at and does not (`show.FINE`). `next` is (what happens next,
seconds until then), or () when nothing is under way; from charge and current it is an estimate.
`greenmast_protocol.show` makes a sentence of a row.

The subjects are `ac`, `grid` and `genset`, then every output of the site by its name; the contactors of the
two sources are `output.grid` and `output.genset`.
"""

from greenmast_fw.core import genset as sequence
from greenmast_fw.core import report
from greenmast_fw.core.demand import BUS, MANUAL, ROWS, SOC
from greenmast_fw.core.site import BATTERY, GENSET, GRID, LOAD1, LOAD2, LOAD3
from greenmast_fw.core.source import DEAD_TIME, FAIL_TO_CLOSE
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

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
_BY_COMMAND = reasons.code("manual")
_DATA_LOST = reasons.code("data_lost")
_NO_SOURCE = reasons.code("no_source")
_FUEL_ENOUGH = reasons.code("fuel_enough")
_STARTS_LEFT = reasons.code("starts_left")
_BUS_MARGIN = reasons.code("bus_margin")

_BY_STAGE = (LOAD3, LOAD2, LOAD1, BATTERY)  # in the order of disconnection


def seconds(ms: "int | None") -> int:
    """Whole seconds, rounded up, so that nothing is said to be over before it is."""
    return (ms + 999) // 1000 if ms else 0


def rows(c: "Controller") -> "list[Row]":
    """One row each for the AC source, the grid, the genset, and every output of the site."""
    from greenmast_fw.core import explain_outputs  # loaded beside this one, for as long

    out = [_ac(c)]
    if c.site.exists[GRID]:
        out.append(_grid(c))
    if c.site.exists[GENSET]:
        out.append(_genset(c))
    for i in range(len(points.OUTPUTS)):
        if c.site.exists[i]:
            out.append(_load(c, i) if i in _BY_STAGE else explain_outputs.row(c, i))
    return out


def values_of(c: "Controller", code: int) -> "tuple[int, ...]":
    """The values that belong to reason `code` now; none where one of them is unknown."""
    return _source_values(c, code) or _genset_values(c, code) or _demand_values(c, code)


def _source_values(c: "Controller", code: int) -> "tuple[int, ...]":
    if code in (_GRID_LOST, _GRID_FREQUENCY):
        return (c.grid.value, c.grid.limit)
    if code == _RETURN_DELAY:
        return (seconds(c.grid.left_ms()),)
    if code == DEAD_TIME:
        return (seconds(c.source.dead_left_ms(c.contacts)),)
    if code == report.HOLDING:
        return (seconds(c.hold_left_ms()),)
    if code == report.RESET_HOLD:
        return (seconds(c.resets.left_ms),)
    return ()


def _genset_values(c: "Controller", code: int) -> "tuple[int, ...]":
    genset = c.genset
    fuel = genset.engine.fuel
    if code == sequence.FUEL_LOW and fuel is not None:
        return (fuel, genset.engine.fuel_resume)
    if code == _FUEL_ENOUGH and fuel is not None:
        return (fuel, genset.engine.fuel_stop)
    if code in (sequence.MIN_OFF, sequence.MIN_RUN, sequence.WARMING, sequence.COOLING):
        return (seconds(genset.left_ms(code)),)
    if code in (sequence.PER_HOUR, _STARTS_LEFT):
        return (genset.starts.count(), genset.starts.limit)
    if code == sequence.CRANKING:
        return (genset.tries, genset.tries_max)
    if code == sequence.START_FAILED:
        return (genset.tries_max,)
    if code == sequence.IS_STOPPING:
        return (genset.ms // 1000,)
    return ()


def _demand_values(c: "Controller", code: int) -> "tuple[int, ...]":
    """The value of a demand, and the threshold at which it would change."""
    battery = c.battery
    demand = c.demand
    if code in (_SOC_LOW, _SOC_ABOVE) and battery.soc is not None:
        return (battery.soc, demand.soc_stop if demand.active & SOC else demand.soc_start)
    if code in (_BUS_LOW, _BUS_ABOVE) and battery.bus_mv is not None:
        return (battery.bus_mv, demand.bus_stop if demand.active & BUS else demand.bus_start)
    return ()


def reason(c: "Controller", code: int) -> "Reason":
    """The entry of `code` in a row's `blocked`."""
    return (code,) + values_of(c, code)


def _charge_in_s(c: "Controller", soc: int) -> "int | None":
    """Seconds until the battery reaches `soc` with the current of this moment; None when it does not."""
    now = c.battery.soc
    current_ma = c.battery.current_ma
    if now is None or not current_ma or soc == now or (soc > now) != (current_ma > 0):
        return None
    return abs(soc - now) * c.site.capacity_mah * 18 // (5 * abs(current_ma))  # permille x mAh x 3.6 s / mA


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
    if c.genset.exists and source.actual == 0 and not c.genset.ready:
        blocked.append(reason(c, report.genset_reason(c)))
    if source.select_ms:
        upcoming = ("command ends", seconds(source.select_ms))
    elif code == FAIL_TO_CLOSE and source.given_up_ms[GRID]:
        upcoming = ("grid tried again", seconds(source.given_up_ms[GRID]))
    state = points.AC_SOURCES[source.actual]
    return ("ac", state, code, values_of(c, code), tuple(blocked), upcoming)


def _grid(c: "Controller") -> "Row":
    grid = c.grid
    left = grid.left_ms()
    state = "qualified" if grid.qualified else "held" if grid.ok else "lost"
    upcoming: "tuple[str, int] | tuple[()]" = () if left is None else ("grid qualifies", seconds(left))
    return ("grid", state, grid.reason, values_of(c, grid.reason), (), upcoming)


def _genset(c: "Controller") -> "Row":
    genset = c.genset
    state = genset.state
    code = report.genset_reason(c)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if state == sequence.OFF or state == sequence.LOCKED_OUT:
        upcoming = _not_running(c, code, blocked)
    elif state == sequence.WARM_UP:
        upcoming = ("ready", seconds(genset.left_ms(sequence.WARMING)))
    elif state == sequence.COOL_DOWN:
        upcoming = ("stops", seconds(genset.left_ms(sequence.COOLING)))
    elif state in (sequence.READY, sequence.ON_LOAD):
        upcoming = _running(c, code, blocked)
    return ("genset", points.GENSET_STATES[state], code, values_of(c, code), tuple(blocked), upcoming)


def _not_running(c: "Controller", code: int, blocked: "list[Reason]") -> "tuple[str, int] | tuple[()]":
    """Everything that a start would need, whether it is there or not; and when it is expected."""
    genset = c.genset
    demand = c.demand
    left_ms = max(genset.left_ms(sequence.MIN_OFF), c.resets.left_ms, demand.inhibit_ms)
    if not demand.active:
        blocked += _no_demand(c)
    per_hour = genset.starts.count() >= genset.starts.limit
    for code_of, holds in (
        (report.INHIBITED, demand.inhibit_ms),
        (report.RESET_HOLD, c.resets.left_ms),
        (c.source.genset_blocked(c.contacts), True),
        (sequence.LOCKED, genset.state == sequence.LOCKED_OUT),
        (sequence.FUEL_LOW, genset.engine.fuel_low),
        (sequence.ENGINE_FAULT, genset.engine.fault),
        (sequence.MIN_OFF, genset.left_ms(sequence.MIN_OFF)),
        (sequence.PER_HOUR, per_hour),
        (_FUEL_ENOUGH, not genset.engine.fuel_low and genset.engine.fuel is not None),
        (_STARTS_LEFT, not per_hour),
    ):
        if holds and code_of and code_of != code:
            blocked.append(reason(c, code_of))
    if left_ms:
        return ("may start", seconds(left_ms))
    expected = None if demand.active or c.source.grid_serves else _charge_in_s(c, demand.soc_start)
    return () if expected is None else ("start expected", expected)


def _no_demand(c: "Controller") -> "list[Reason]":
    """Why there is no demand: the values that would have to fall."""
    out: "list[Reason]" = []
    if c.battery.soc is not None:
        out.append(reason(c, _SOC_ABOVE if c.battery.soc >= c.demand.soc_start else _SOC_LOW))
    else:
        out.append((_DATA_LOST,))
    if c.battery.bus_mv is not None:
        out.append(reason(c, _BUS_ABOVE if c.battery.bus_mv >= c.demand.bus_start else _BUS_LOW))
    return out


def _running(c: "Controller", code: int, blocked: "list[Reason]") -> "tuple[str, int] | tuple[()]":
    """What keeps it running, and until when."""
    demand = c.demand
    wanted = c.wanted()
    for bit, code_of in ROWS:
        if wanted & bit and code_of != code:
            blocked.append(reason(c, code_of))
    left = c.genset.left_ms(sequence.MIN_RUN)
    if left and code != sequence.MIN_RUN:
        blocked.append(reason(c, sequence.MIN_RUN))
    if not wanted:
        return ("cools down", seconds(left)) if left else ()
    if wanted == MANUAL:
        return ("command ends", seconds(demand.manual_ms))
    expected = _charge_in_s(c, demand.soc_stop) if wanted & SOC else None
    return () if expected is None else ("charged", expected)


def _load(c: "Controller", i: int) -> "Row":
    loads = c.loads
    code = report.output_reason(c, i)
    values = values_of(c, code)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    on = c.decision.outputs[i]
    bus_mv = c.battery.bus_mv
    if code == _COUNTDOWN:
        left = seconds(loads.countdown_ms())
        values = (left,)
        upcoming = ("disconnected", left)
    elif code == _RECOVERING:
        left = seconds(loads.recover_ms())
        values = (left,)
        upcoming = ("next stage connected", left)
    elif code == _BUS_LOW and bus_mv is not None:
        values = (bus_mv, loads.reconnect_mv)
        if not c.source.actual and not c.battery.charging:
            blocked.append((_NO_SOURCE,))
    elif code == _STAGGER:
        values = (loads.since_connect_ms // 1000,)
    elif code == _BY_COMMAND:
        upcoming = ("connected", seconds(loads.manual_ms[i - LOAD1]))
    elif code == report.RESET_HOLD:
        upcoming = ("connected", seconds(c.resets.left_ms))
    limit = loads.limit_mv()
    if on and bus_mv is not None and limit is not None and i == _next_stage(c) and bus_mv >= limit:
        blocked.append((_BUS_MARGIN, bus_mv, limit))
    if on and not upcoming and i == BATTERY and c.battery.to_lvd_s is not None and not c.battery.charging:
        upcoming = ("empty", c.battery.to_lvd_s)
    return (points.OUTPUTS[i], "connected" if on else "disconnected", code, values, tuple(blocked), upcoming)


def _next_stage(c: "Controller") -> int:
    """The output that goes next on voltage; -1 when all have gone."""
    for i in _BY_STAGE:
        if c.site.exists[i] and not c.loads.shed_on_voltage(i):
            return i
    return -1
