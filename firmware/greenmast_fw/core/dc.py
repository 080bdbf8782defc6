"""Everything about DC in one step: which loads are connected, is the cabinet cooled, how is it charged.

Rules
- AC counts as there for the loads while a source's contactor is proven closed and the rectifier does not
  deny it; for charging, while that source is fit, too.
- A battery that must not be charged is held at its own voltage, however low, while the rectifier carries the
  loads: that bus tells nothing against them.

Wires `loads`, `energy`, `cooling` and `charge` to what they hang on; the rules on each are theirs.
"""

from greenmast_fw.core.site import COOLING, GRID
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

_AC_PRESENT = points.index("rectifier.ac_present")
_SITE_DC = points.index("site.temperature_dc")
_SOLAR_W = points.index("solar.power_w")
_SETPOINT = "rectifier.setpoint_mv"
_LIMIT = "rectifier.limit_ma"


def distribute(c: "Controller", v: "tuple[int | None, ...]", dt_ms: int, blind: int, out: bytearray) -> None:
    """Which loads are connected, what they have used, and whether the cabinet is cooled."""
    battery = c.battery
    loads = c.loads
    ac = c.source.actual > 0 and v[_AC_PRESENT] != 0
    bus_mv = battery.bus_mv
    charge = c.charge
    if ac and bus_mv is not None and charge.limits.blocked and not charge.rectifier.standing:
        bus_mv = max(bus_mv, charge.full_mv)
    loads.step(
        dt_ms,
        bus_mv,
        battery.voltage_mv,
        battery.current_ma,
        battery.soc,
        ac or battery.charging,
        ac or c.policy.carry > 0,
        c.policy.shed,
        charge.restarting,
        out,
        blind,
    )
    c.energy.step(v, dt_ms, c.contacts.closed)
    cooling = c.cooling
    if cooling is not None:
        cooling.step(
            dt_ms,
            v[_SITE_DC],
            battery.temperature_dc,
            battery.soc,
            c.policy.reserve,
            ac,
            loads.shedding.low or loads.shedding.low_ms > 0,
            v[_SOLAR_W],
            c.energy.w[0],
            battery.charging or battery.full,
            blind,
        )
        out[COOLING] = cooling.on


def recharge(c: "Controller", v: "tuple[int | None, ...]", dt_ms: int) -> None:
    """What the rectifier shall hold, with the good source at its input."""
    charge = c.charge
    policy = c.policy
    grid_ok = c.grid.ok
    ac = c.source.actual
    if ac and not (grid_ok if ac == GRID + 1 else c.genset.ok):
        ac = 0
    charge.step(v, dt_ms, c.battery, ac, grid_ok, policy.charge_to, policy.charge_first, c.alarms.major)
    if c.has_rectifier:
        setpoints = c.decision.setpoints
        if charge.setpoint_mv is not None:
            setpoints[_SETPOINT] = charge.setpoint_mv
        if charge.limit_ma is not None:
            setpoints[_LIMIT] = charge.limit_ma // c.rectifiers  # each takes its part
