"""Why energy is kept, bought and spared as it is: the rows for policy and reserve, as `explain` has them."""

from greenmast_fw.core import policy
from greenmast_fw.core.daytime import until_s
from greenmast_fw.core.reserve import DISASTER, MANUAL, PLAN
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.explain import Reason, Row

    Upcoming = tuple[str, int] | tuple[()]

_SOC_LOW = reasons.code("soc_low")
_TO_LVD_SHORT = reasons.code("to_lvd_short")
_TO_LVD_ENOUGH = reasons.code("to_lvd_enough")
_WINDOW = reasons.code("window")
_QUIET = reasons.code("quiet_hours")
_HOUR_MS = 3_600_000


def rows(c: "Controller") -> "list[Row]":
    """What AC may charge and the genset may do; the reserve."""
    return [_policy(c), _reserve(c)]


def _policy(c: "Controller") -> "Row":
    p = c.policy
    code = p.code
    values: "tuple[int, ...]" = ()
    upcoming: "Upcoming" = ()
    blocked: "list[Reason]" = []
    if code == DISASTER:
        values, upcoming, blocked = _disaster(c)
    elif code == PLAN:
        upcoming = _hour(c)
    elif code == policy.CHEAP and p.minute is not None:
        values = (p.charge_to,)
        upcoming = ("grid power is expensive", until_s(p.minute, p.cheap[1]))
    elif code == policy.TARIFF and p.minute is not None:
        upcoming = ("grid power is cheap", until_s(p.minute, p.cheap[0]))
    elif code == policy.GRID_UNSTEADY:
        upcoming = ("tariff again", (policy.DAY_MS - p.steady_ms + 999) // 1000)
    elif code == policy.OUTAGE:
        from greenmast_fw.core.explain_values import values_of

        values = values_of(c, code)
    if p.quiet:
        blocked.append((_QUIET,))
    if p.window:
        blocked.append((_WINDOW,))
    soc = c.battery.soc
    wished = code == policy.TARIFF or (code == PLAN and p.plan is not None and p.plan.charge == policy.CARRY)
    if wished and not p.carry and soc is not None:
        above = p.reserve + policy.ABOVE
        if soc <= above:
            blocked.append((_SOC_LOW, soc, above))
        elif p.rest_ms:
            upcoming = ("the battery may carry", (p.rest_ms + 999) // 1000)
    return ("policy", points.POLICIES[p.preset], code, values, tuple(blocked), upcoming)


def _disaster(c: "Controller") -> "tuple[tuple[int, ...], Upcoming, list[Reason]]":
    case = c.policy.disaster
    if not case:
        return (), (), []
    blocked: "list[Reason]" = []
    needed = case.needed_s()
    left = c.battery.to_lvd_min_s
    if left is not None:
        blocked.append((_TO_LVD_SHORT if left < needed else _TO_LVD_ENOUGH, left, needed))
    fuel = c.genset.engine.fuel
    if case.scarce and fuel is not None:
        blocked.append((policy.FUEL_RATION, fuel, case.fuel_permille))
    upcoming: "Upcoming" = ()
    if case.back_ms:
        upcoming = ("back to normal", (_HOUR_MS - case.back_ms + 999) // 1000)
    return (needed,), upcoming, blocked


def _hour(c: "Controller") -> "Upcoming":
    plan = c.policy.plan
    return ("next hour of the plan", plan.left_s()) if plan else ()


def _reserve(c: "Controller") -> "Row":
    keeper = c.policy.keeper
    code = keeper.code
    values: "tuple[int, ...]" = ()
    upcoming: "Upcoming" = ()
    if code == DISASTER and c.policy.disaster:
        values = (c.policy.disaster.needed_s(),)
    if code == MANUAL:
        upcoming = ("the command ends", (keeper.command_ms + 999) // 1000)
    elif keeper.permille != keeper.target:
        upcoming = (_percent(keeper.target), keeper.left_s())
    elif code == PLAN:
        upcoming = _hour(c)
    return ("reserve", _percent(keeper.permille), code, values, (), upcoming)


def _percent(permille: int) -> str:
    return "%d.%d %%" % (permille // 10, permille % 10)
