"""What is known of the charge, how it is charged, and why loads and cooling are as they are: rows as in
`explain`.
"""

from greenmast_fw.core import lvd, report, shed
from greenmast_fw.core.autonomy import ENDLESS_S
from greenmast_fw.core.charge import RESTART, TEST
from greenmast_fw.core.cooling import BAND_PERMILLE
from greenmast_fw.core.explain_values import SOC_UNSURE, seconds, values_of
from greenmast_fw.core.site import BATTERY, COOLING, LOAD1
from greenmast_fw.core.stages import ABSORPTION, CODES, EQUALISE, STAGES
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.cooling import Cooling
    from greenmast_fw.core.explain import Reason, Row

_DATA_LOST = reasons.code("data_lost")
_SOC_BMS = reasons.code("soc_bms")
_SOC_COUNTED = reasons.code("soc_counted")
_RESTS = reasons.code("compressor_rest")
_BUS_LOW = reasons.code("bus_low")
_RECOVERING = reasons.code("bus_recovering")
_COUNTDOWN = reasons.code("shed_countdown")
_STAGGER = reasons.code("stagger")
_BY_COMMAND = reasons.code("manual")
_NO_SOURCE = reasons.code("no_source")
_AC_PRESENT = points.index("rectifier.ac_present")
_SETPOINT = reasons.code("setpoint")
_BUS_ABOVE = reasons.code("bus_above")
_RESERVE_FIRST = reasons.code("reserve_first")
_SOC_LOW = reasons.code("soc_low")
_BUS_MARGIN = reasons.code("bus_margin")


def charge_known(c: "Controller") -> "Row":
    """What is known of the charge, from whom, and when it is gone."""
    battery = c.battery
    soc, error = battery.soc, battery.soc_error
    if soc is None or error is None:
        code = SOC_UNSURE if battery.unsure else _DATA_LOST
        return ("soc", "unknown", code, values_of(c, code), (), ())
    upcoming: "tuple[str, int] | tuple[()]" = ()
    left = battery.to_lvd_s
    if left is not None and left < ENDLESS_S:
        upcoming = ("disconnection without AC", left)
    if battery.counted:
        since_s = battery.charge.since_ms // 1000
        return ("soc", "counted", _SOC_COUNTED, (soc, error, since_s), (), upcoming)
    return ("soc", "measured", _SOC_BMS, (soc, error), (), upcoming)


def charging(c: "Controller") -> "Row":
    """What the rectifier holds, and what comes after that."""
    charge = c.charge
    stages = charge.stages
    stage = stages.stage
    code = charge.code
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if code == TEST and charge.test:
        upcoming = ("test ends", seconds(charge.test.left_ms()))
    elif code == RESTART:
        upcoming = ("restart given up", seconds(charge.rectifier.left_ms()))
    elif not c.source.actual and c.decision.accepted[_AC_PRESENT] != 1:
        blocked.append((_NO_SOURCE,))
    elif stage in (ABSORPTION, EQUALISE) and code == CODES[stage]:
        upcoming = ("float", seconds(stages.left_ms()))
    if charge.setpoint_mv is not None:
        blocked.append((_SETPOINT, charge.setpoint_mv))
    return ("charge", STAGES[stage], code, values_of(c, code), tuple(blocked), upcoming)


def load(c: "Controller", i: int) -> "Row":
    """The battery's contactor or a load tier."""
    loads = c.loads
    shedding = loads.shedding
    code = report.output_reason(c, i)
    values = values_of(c, code)
    blocked: "list[Reason]" = []
    upcoming: "tuple[str, int] | tuple[()]" = ()
    on = c.decision.outputs[i]
    bus_mv = c.battery.bus_mv
    stages = shedding.thresholds
    if code == _COUNTDOWN and shedding.level < len(stages.outputs):  # else protection was quicker, this scan
        code, values = _going(c)
        upcoming = ("disconnected", seconds(shedding.countdown_ms()))
    elif code == _RECOVERING:
        left = seconds(loads.recover_ms())
        values = (left,)
        if shedding.by[0] >= shedding.level and bus_mv is not None:
            code, values = _BUS_ABOVE, (bus_mv, shedding.reconnect_mv)
        first = i == shedding.thresholds.outputs[shedding.level - 1]
        upcoming = ("connected" if first else "next stage connected", left)
    elif code == _STAGGER:
        values = (loads.since_connect_ms // 1000,)
    elif code == _BY_COMMAND:
        upcoming = ("connected", seconds(loads.manual_ms[i - LOAD1]))
    elif code == report.RESET_HOLD:
        upcoming = ("connected", seconds(c.resets.left_ms))
    elif not on:
        values = _gone(c, i, code, blocked)
    elif not c.source.actual:
        left_ms = loads.expires_ms(i)
        if left_ms is not None:
            upcoming = ("disconnected for time", seconds(left_ms))
        elif i == BATTERY and not c.battery.charging and c.battery.to_lvd_s is not None:
            upcoming = ("empty", c.battery.to_lvd_s)
    if on and bus_mv is not None and shedding.level < len(stages.outputs):
        limit = stages.limits[shedding.level]
        if i == stages.outputs[shedding.level] and bus_mv >= limit:
            blocked.append((_BUS_MARGIN, bus_mv, limit))
    return (points.OUTPUTS[i], "connected" if on else "disconnected", code, values, tuple(blocked), upcoming)


def _going(c: "Controller") -> "tuple[int, tuple[int, ...]]":
    """Why a countdown runs: reason code and values."""
    shedding = c.loads.shedding
    thresholds = shedding.thresholds
    stage = shedding.level
    soc = c.battery.soc
    absent_ms = shedding.absent_ms
    mask = thresholds.causes(stage, soc, absent_ms, c.policy.shed)
    if mask & lvd.SOC and soc is not None:
        return shed.SOC_SHED, (soc, thresholds.permille[stage])
    if mask & lvd.TIME:
        return shed.TIME_SHED, (seconds(absent_ms), thresholds.after_ms[stage] // 1000)
    if mask & lvd.POLICY:
        return shed.DISASTER_SHED, ()
    if c.battery.bus_mv is not None:
        return _BUS_LOW, (c.battery.bus_mv, thresholds.limits[stage])
    return _COUNTDOWN, (seconds(shedding.countdown_ms()),)


def _gone(c: "Controller", i: int, code: int, blocked: "list[Reason]") -> "tuple[int, ...]":
    """The values for which a rule keeps output `i` disconnected."""
    shedding = c.loads.shedding
    battery = c.battery
    if code == _BUS_LOW and battery.bus_mv is not None:
        if not c.source.actual and not battery.charging:
            blocked.append((_NO_SOURCE,))
        return (battery.bus_mv, shedding.reconnect_mv)
    if code == shed.SOC_SHED and battery.soc is not None:
        return (battery.soc, shedding.reconnect_permille)
    if code == shed.TIME_SHED:
        after_ms = shedding.thresholds.after_ms[c.loads.stage(i)]
        return (seconds(shedding.absent_ms), after_ms // 1000)
    return ()


def _short(c: "Controller") -> "tuple[Reason, ...]":
    """What would have to be enough for cooling without AC."""
    shedding = c.loads.shedding
    bus_mv = c.battery.bus_mv
    soc = c.battery.soc
    if bus_mv is not None and (shedding.low or shedding.low_ms):
        enough_mv = shedding.reconnect_mv if shedding.low else shedding.thresholds.limits[shedding.level]
        return ((_BUS_LOW, bus_mv, enough_mv),) if bus_mv < enough_mv else ()
    enough = min(c.policy.reserve + BAND_PERMILLE, 1_000)
    return ((_SOC_LOW, soc, enough),) if soc is not None and soc <= enough else ()


def cooled(c: "Controller", cooling: "Cooling") -> "Row":
    """The cooling output."""
    code = cooling.reason
    upcoming: "tuple[str, int] | tuple[()]" = ("on", seconds(cooling.rest_ms())) if code == _RESTS else ()
    blocked: "tuple[Reason, ...]" = ()
    if code == _RESERVE_FIRST:
        blocked = _short(c)
    state = "on" if c.decision.outputs[COOLING] else "off"
    return ("cooling", state, code, cooling.values(code), blocked, upcoming)
