"""From the parts' states to what is told about them: points.

Decides nothing and keeps nothing: every function reads a controller and writes into its decision.
"""

from greenmast_fw.core.demand import first_reason
from greenmast_fw.core.energy import COUNT, ENERGY, POWER
from greenmast_fw.core.genset import OFF, ON_LOAD, READY
from greenmast_fw.core.grid import AVAILABLE
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD1, LOAD2, LOAD3, MAJOR, START
from greenmast_fw.core.source import FAIL_TO_CLOSE, NONE
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

_AC = points.index("source.ac")
_QUALIFIED = points.index("grid.qualified")
_STATE = points.index("genset.state")
_RESERVE = points.index("battery.reserve_permille")
_SOC = points.index("battery.soc_permille")
_SOC_ERROR = points.index("battery.soc_error_permille")
_SOH = points.index("battery.soh_permille")
_TO_LVD = points.index("battery.to_lvd_s")
_TO_LVD_MIN = points.index("battery.to_lvd_min_s")
_MODE = points.index("controller.mode")
_ACTIVE = points.index("controller.alarms_active")
_OUTPUT = points.index("output." + points.OUTPUTS[0])
_REASON_AC = points.index("reason.ac")
_REASON_GENSET = points.index("reason.genset")
_REASON_BATTERY = points.index("reason.battery")
_REASON_CHARGE = points.index("reason.charge")
_REASON_LOAD1 = points.index("reason.load1")
_REASON_LOAD2 = points.index("reason.load2")
_REASON_LOAD3 = points.index("reason.load3")
_REASON_COOLING = points.index("reason.cooling")

INHIBITED = reasons.code("inhibited")
BOOT = reasons.code("boot")
INTERLOCK = reasons.code("interlock")
ALARM_ON = reasons.code("alarm_on")
RESET_HOLD = reasons.code("reset_hold")
_CARRIES = reasons.code("battery_carries")
HOLDING = reasons.code("holding")
DEFAULT_STATE = reasons.code("default_state")


def output_points(c: "Controller") -> None:
    """Points of the outputs; they change seldom."""
    values = c.decision.points
    out = c.decision.outputs
    exists = c.site.exists
    for i in range(len(out)):
        if exists[i]:
            values[_OUTPUT + i] = out[i]


def state_points(c: "Controller", v: "tuple[int | None, ...]") -> None:
    """All other points that the controller determines."""
    values = c.decision.points
    actual = c.source.actual
    values[_AC] = actual
    values[_REASON_AC] = ac_reason(c)
    grid = c.grid
    if grid.exists:
        values[_QUALIFIED] = 1 if grid.ok and grid.measured else 0
    if c.genset.exists:
        values[_STATE] = c.genset.state
        values[_REASON_GENSET] = genset_reason(c)
    reason = c.loads.reason
    values[_REASON_LOAD1] = reason[LOAD1]
    values[_REASON_LOAD2] = reason[LOAD2]
    values[_REASON_LOAD3] = reason[LOAD3]
    values[_REASON_BATTERY] = reason[BATTERY] or (0 if actual or c.battery.charging else _CARRIES)
    battery = c.battery
    # A count follows from fresh currents; without a fresh value or a count the points have none.
    values[_SOC] = battery.soc
    values[_SOC_ERROR] = battery.soc_error
    values[_SOH] = battery.soh
    values[_TO_LVD] = battery.to_lvd_s
    values[_TO_LVD_MIN] = battery.to_lvd_min_s
    values[_RESERVE] = c.policy.reserve
    if c.has_rectifier:
        values[_REASON_CHARGE] = c.charge.code
    values[_MODE] = c.mode
    values[_ACTIVE] = len(c.alarms.active)
    energy = c.energy
    values[POWER : POWER + COUNT] = energy.w
    values[ENERGY : ENERGY + COUNT] = energy.wh
    if c.cooling is not None:
        values[_REASON_COOLING] = c.cooling.reason


def ac_reason(c: "Controller") -> int:
    """Why the rectifier is fed as it is."""
    if c.blind:
        return HOLDING if c.blind == 1 else DEFAULT_STATE
    source = c.source
    if source.ac == NONE and source.given_up_ms[GRID] and source.reason == AVAILABLE:
        return FAIL_TO_CLOSE
    return source.reason


def genset_reason(c: "Controller") -> int:
    """What keeps the genset running, or from running: first its demand, else its state's own reason."""
    genset = c.genset
    state = genset.state
    if state == ON_LOAD or state == READY:
        return first_reason(c.wanted()) or genset.reason
    if state == OFF and c.demand.active:
        return blocked(c) or genset.reason
    return genset.reason


def blocked(c: "Controller") -> int:
    """Reason code that keeps a demanded genset from starting, or 0."""
    if c.demand.inhibit_ms:
        return INHIBITED
    if c.resets.left_ms:
        return RESET_HOLD
    return c.source.genset_blocked(c.contacts) or c.genset.refusal()


def output_reason(c: "Controller", i: int) -> int:
    """Why output `i` is as it is."""
    if i < len(c.protection.reason) and c.protection.reason[i]:
        return c.protection.reason[i]
    if i == GRID or i == GENSET:
        return ac_reason(c)
    if i == START:
        return genset_reason(c)
    if i == COOLING and c.cooling is not None:
        return c.cooling.reason
    if i >= MAJOR:
        if c.alarms.major if i == MAJOR else c.alarms.minor:
            return ALARM_ON
        return BOOT if c.decision.outputs[i] else 0  # as the hardware left it
    return c.loads.reason[i]
