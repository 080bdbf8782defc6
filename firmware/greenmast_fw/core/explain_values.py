"""The values that belong to a reason now: what decided, and its limit, as the reason's text takes them."""

from greenmast_fw.core import genset as sequence
from greenmast_fw.core import report
from greenmast_fw.core.charge import CELL
from greenmast_fw.core.demand import GRID_ABSENT
from greenmast_fw.core.limits import COLD, HOT
from greenmast_fw.core.source import DEAD_TIME
from greenmast_protocol import reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.explain import Reason

PLANNED = reasons.code("outage_planned")
FUEL_ENOUGH = reasons.code("fuel_enough")
STARTS_LEFT = reasons.code("starts_left")
FUEL_RATION = reasons.code("fuel_ration")
SOC_UNSURE = reasons.code("soc_unsure")
_GRID_LOST = reasons.code("grid_lost")
_GRID_FREQUENCY = reasons.code("grid_frequency")
_RETURN_DELAY = reasons.code("grid_return_delay")
_ABSORPTION = reasons.code("absorption")
_EQUALISE = reasons.code("equalise")


def seconds(ms: "int | None") -> int:
    """Whole seconds, rounded up, so that nothing is said to be over before it is."""
    return (ms + 999) // 1000 if ms else 0


def values_of(c: "Controller", code: int) -> "tuple[int, ...]":
    """The values that belong to reason `code` now; none where one of them is unknown."""
    return _of_source(c, code) or _of_genset(c, code) or _of_demand(c, code) or _of_charge(c, code)


def reason(c: "Controller", code: int) -> "Reason":
    """The entry of `code` in a row's `blocked`."""
    return (code,) + values_of(c, code)


def charged_in_s(c: "Controller", soc: int) -> "int | None":
    """Seconds until the battery reaches `soc` with the current of this moment; None when it does not."""
    now = c.battery.soc
    current_ma = c.battery.current_ma
    if now is None or not current_ma or soc == now or (soc > now) != (current_ma > 0):
        return None
    return abs(soc - now) * c.site.capacity_mah * 18 // (5 * abs(current_ma))  # permille x mAh x 3.6 s / mA


def _of_source(c: "Controller", code: int) -> "tuple[int, ...]":
    if code in (_GRID_LOST, _GRID_FREQUENCY):
        return (c.grid.value, c.grid.limit)
    if code == _RETURN_DELAY:
        return (seconds(c.grid.left_ms()),)
    if code == DEAD_TIME:
        return (seconds(c.source.dead_left_ms(c.contacts)),)
    if code == PLANNED and c.outage:
        return (seconds(c.outage.in_ms),)
    if code == report.HOLDING:
        return (seconds(c.hold_left_ms()),)
    if code == report.RESET_HOLD:
        return (seconds(c.resets.left_ms),)
    return ()


def _of_genset(c: "Controller", code: int) -> "tuple[int, ...]":
    genset = c.genset
    fuel = genset.engine.fuel
    if code == sequence.FUEL_LOW and fuel is not None:
        return (fuel, genset.engine.fuel_resume)
    if code == FUEL_ENOUGH and fuel is not None:
        return (fuel, genset.engine.fuel_stop)
    case = c.policy.disaster
    if code == FUEL_RATION and fuel is not None and case:
        return (fuel, case.fuel_permille)
    if code in (sequence.MIN_OFF, sequence.MIN_RUN, sequence.GLOWING, sequence.WARMING, sequence.COOLING):
        return (seconds(genset.left_ms(code)),)
    if code in (sequence.PER_HOUR, STARTS_LEFT):
        return (genset.starts.count(), genset.starts.limit)
    if code == sequence.CRANKING:
        return (genset.tries, genset.tries_max)
    if code == sequence.START_FAILED:
        return (genset.tries_max,)
    if code == sequence.IS_STOPPING:
        return (genset.ms // 1000,)
    return ()


def _of_demand(c: "Controller", code: int) -> "tuple[int, ...]":
    """Of a demand: its value, and the threshold which that has to pass next."""
    demand = c.demand
    if code == GRID_ABSENT:
        return (demand.absent_ms // 1000, demand.absent_limit_ms // 1000)
    for row in demand.rows:
        if code in (row.reason, row.not_reason) and row.value is not None:
            return (row.value, row.stop if demand.active & row.bit else row.start)
    return ()


def _of_charge(c: "Controller", code: int) -> "tuple[int, ...]":
    limits = c.charge.limits
    if code == SOC_UNSURE and c.battery.soc_error is not None:
        return (c.battery.soc_error,)
    if code in (_ABSORPTION, _EQUALISE):
        return (seconds(c.charge.stages.left_ms()),)
    if code == COLD and limits.temperature_dc is not None:
        return (limits.temperature_dc, limits.cold_dc)
    if code == HOT and limits.temperature_dc is not None:
        return (limits.temperature_dc, limits.hot_dc)
    if code == CELL and limits.cell_mv is not None:
        return (limits.cell_mv, limits.cell_high_mv)
    return ()
