"""Alarm conditions that the core can see, read from the parts' states.

A condition on a value comes at its limit and goes only at a distance from it: `below` and `above`. Decides
nothing else: delays and suppression are the business of `alarms`, the rules that of the parts.
"""

from greenmast_fw.core.contactor import CHATTER, FAIL_TO_CLOSE, WELDED
from greenmast_fw.core.engine import RUNS
from greenmast_fw.core.genset import ENGINE_FAULT, LOCKED_OUT, OFF, ON_LOAD, READY, START_FAILED
from greenmast_fw.core.site import BATTERY, GENSET, LOAD1, LOAD2, LOAD3
from greenmast_protocol import alarms as table
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

_AC_PRESENT = points.index("rectifier.ac_present")
_DOOR = points.index("site.door_open")
_SMOKE = points.index("site.smoke")
_SITE_DC = points.index("site.temperature_dc")

_GRID_LOST = table.index("grid_lost")
_WELDED = (table.index("grid_welded"), table.index("genset_welded"))
_WONT_CLOSE = (table.index("grid_fail_to_close"), table.index("genset_fail_to_close"))
_MISMATCH = table.index("feedback_mismatch")
_START_FAILED = table.index("genset_start_failed")
_FAIL_TO_STOP = table.index("genset_fail_to_stop")
_UNEXPECTED = table.index("genset_unexpected_run")
_STALLED = table.index("genset_stalled")
_MAX_RUN = table.index("genset_max_run")
_BAND = table.index("genset_out_of_band")
_FLAPPING = table.index("grid_flapping")
_GENSET_FAULT = table.index("genset_fault")
_EXERCISE = table.index("exercise_failed")
_THEFT = table.index("fuel_theft")
_FUEL_LOST = table.index("fuel_sensor_lost")
_FUEL_LOW = table.index("fuel_low")
_BATTERY_LOW = table.index("battery_low")
_BATTERY_LOST = table.index("battery_data_lost")
_UNCERTAIN = table.index("soc_uncertain")
_AGED = table.index("battery_aged")
_AUTONOMY = table.index("autonomy_short")
_BUS_LOST = table.index("dc_bus_data_lost")
_BATTERY_HOT = table.index("battery_hot")
_BATTERY_COLD = table.index("battery_cold")
_RECTIFIER_FAILED = table.index("rectifier_failed")
_DISCONNECTED = (
    (LOAD1, table.index("load1_disconnected")),
    (LOAD2, table.index("load2_disconnected")),
    (LOAD3, table.index("load3_disconnected")),
    (BATTERY, table.index("battery_disconnected")),
)
_STRING_LOST = table.index("string_lost")
_FROZEN = table.index("measurement_frozen")
_IMPLAUSIBLE = table.index("measurement_implausible")
_UNBALANCED = table.index("energy_balance")
_PLAN_STALE = table.index("plan_stale")
_FUEL_MARGIN = 20  # permille
_SOC_MARGIN = 30
_DOOR_OPEN = table.index("door_open")
_SHORT_S = 7_200  # without AC, at worst so near to disconnection
_SMOKE_ALARM = table.index("smoke")
_SITE_HOT = table.index("site_hot")
_COOLING_FAILED = table.index("cooling_failed")

_HOT_BAND_DC = 20


def update(c: "Controller", v: "tuple[int | None, ...]") -> None:
    """Write the conditions of this scan into the controller's alarms."""
    condition = c.alarms.condition
    if c.grid.exists:
        condition[_GRID_LOST] = 0 if c.grid.ok or not c.adopted else 1
        condition[_FLAPPING] = 1 if c.grid.factor > 1 else 0
    _contactors(c, condition)
    if c.genset.exists:
        _genset(c, condition)
    battery = c.battery
    if battery.soc is not None:
        below(c, _BATTERY_LOW, battery.soc, c.demand.soc.start, _SOC_MARGIN)
    elif c.loads.shedding.low:
        condition[_BATTERY_LOW] = 1
    condition[_BATTERY_LOST] = 1 if battery.lost_ms else 0
    strings = c.aggregate
    if strings and strings.strings > 1:
        # A string that is silent while the battery is connected: stolen, disconnected, or its BMS is dead.
        condition[_STRING_LOST] = 1 if strings.good < strings.strings and c.contacts.closed[BATTERY] else 0
    condition[_UNCERTAIN] = 1 if battery.unsure else 0
    condition[_AGED] = 1 if battery.aged else 0
    left_s = battery.to_lvd_min_s
    condition[_AUTONOMY] = 0
    if left_s is not None and left_s < _SHORT_S and not (c.source.actual and v[_AC_PRESENT] != 0):
        condition[_AUTONOMY] = 1
    condition[_BUS_LOST] = 1 if battery.bus_mv is None else 0
    knowing = c.knowing
    condition[_FROZEN] = 1 if knowing.frozen else 0
    condition[_IMPLAUSIBLE] = 1 if knowing.implausible else 0
    condition[_UNBALANCED] = 1 if knowing.unbalanced else 0
    condition[_PLAN_STALE] = c.policy.stale
    limits = c.charge.limits
    condition[_BATTERY_HOT] = 1 if limits.hot else 0
    condition[_BATTERY_COLD] = 1 if limits.cold else 0
    condition[_RECTIFIER_FAILED] = 1 if c.charge.rectifier.standing else 0
    if v[_DOOR] is not None:
        condition[_DOOR_OPEN] = 1 if v[_DOOR] else 0
    if v[_SMOKE] is not None:
        condition[_SMOKE_ALARM] = 1 if v[_SMOKE] else 0
    cabinet_dc = v[_SITE_DC]
    if cabinet_dc is not None:
        condition[_SITE_HOT] = 1 if cabinet_dc > c.hot_dc - condition[_SITE_HOT] * _HOT_BAND_DC else 0
    if c.cooling is not None:
        condition[_COOLING_FAILED] = 1 if c.cooling.failing else 0


def below(c: "Controller", alarm: int, value: int, limit: int, margin: int) -> None:
    """`alarm`'s condition holds below `limit`, until `value` has risen by `margin` above it."""
    alarms = c.alarms
    if alarms.condition[alarm] or alarms.on[alarm]:
        limit += margin
    alarms.condition[alarm] = 1 if value < limit else 0


def above(c: "Controller", alarm: int, value: int, limit: int, margin: int) -> None:
    """`alarm`'s condition holds above `limit`, until `value` has fallen by `margin` below it."""
    below(c, alarm, -value, -limit, margin)


def _contactors(c: "Controller", condition: bytearray) -> None:
    fault = c.contacts.fault
    given_up = c.source.given_up_ms
    for i in range(2):  # both AC contactors; a tuple here would be built anew in every scan
        condition[_WELDED[i]] = 1 if fault[i] == WELDED else 0
        condition[_WONT_CLOSE[i]] = 1 if given_up[i] or c.source.tries[i] or fault[i] == FAIL_TO_CLOSE else 0
    condition[_MISMATCH] = 0
    if c.contacts.faulty:
        for i in range(len(fault)):
            if fault[i] == CHATTER or (fault[i] and i > GENSET):
                condition[_MISMATCH] = 1
    if c.decision.outputs != c.last_out:
        disconnected(c)


def disconnected(c: "Controller") -> None:
    """The conditions that hang on outputs alone: when those have changed, and at the very beginning."""
    condition = c.alarms.condition
    out = c.decision.outputs
    exists = c.site.exists
    for i, alarm in _DISCONNECTED:
        condition[alarm] = 1 if exists[i] and not out[i] else 0


def _genset(c: "Controller", condition: bytearray) -> None:
    genset = c.genset
    engine = genset.engine
    state = genset.state
    condition[_START_FAILED] = 1 if genset.lock == START_FAILED else 0
    condition[_FAIL_TO_STOP] = 1 if genset.overdue else 0
    condition[_UNEXPECTED] = 1 if engine.evidence == RUNS and (state == OFF or state == LOCKED_OUT) else 0
    condition[_STALLED] = 1 if genset.stalled else 0
    running = state == READY or state == ON_LOAD
    condition[_MAX_RUN] = 1 if running and genset.run_ms >= genset.max_run_ms else 0
    condition[_BAND] = 1 if running and engine.in_band == 0 else 0
    condition[_GENSET_FAULT] = 1 if engine.fault or genset.lock == ENGINE_FAULT else 0
    condition[_EXERCISE] = 1 if c.exercise.failed else 0
    condition[_THEFT] = 1 if engine.account.theft else 0
    condition[_FUEL_LOST] = 1 if engine.account.lost else 0
    fuel = engine.fuel
    if engine.fuel_low:
        condition[_FUEL_LOW] = 1
    elif fuel is not None:
        below(c, _FUEL_LOW, fuel, engine.fuel_resume, _FUEL_MARGIN)
