"""Everything about AC in one step: is the grid fit, is the genset demanded, which source feeds the rectifier.

Rules
- The rectifier's word tells about a source only while that source's contactor alone is proven closed.
- An announced outage is left for early only if the battery can carry: connected, above the reserve and above
  the bus voltage at which the genset would start.
- After a reset nothing is decided until both AC contactors have been read; a closed K_GRID is adopted.

Wires `grid`, `outage`, `demand`, `exercise`, `genset` and `source` together; the rules on each are theirs.
"""

from greenmast_fw.core.contactor import WELDED
from greenmast_fw.core.site import BATTERY, GENSET, GRID, START
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.outage import Outage

_AC_PRESENT = points.index("rectifier.ac_present")


def step(
    c: "Controller", v: "tuple[int | None, ...]", minute: "int | None", dt_ms: int, blind: int, out: bytearray
) -> None:
    """`out`: the outputs, of which it writes those of both AC contactors and the start line."""
    contacts = c.contacts
    closed = contacts.closed
    source = c.source
    grid = c.grid
    genset = c.genset
    on_grid = on_genset = None
    if closed[GRID] == 1:
        if closed[GENSET] == 0:
            on_grid = v[_AC_PRESENT]
    elif closed[GRID] == 0 and closed[GENSET] == 1:
        on_genset = v[_AC_PRESENT]
    leave = 0
    if grid.exists:
        grid.step(v, dt_ms, on_grid, blind)
        if c.outage:
            leave = _planned(c, c.outage, dt_ms)
    source.judge(grid, contacts)
    if genset.exists:
        _demands(c, v, minute, dt_ms, blind)
        want = c.wanted()
        if c.resets.left_ms:
            genset.wait()
        loaded = 1 if closed[GENSET] == 1 and contacts.fault[GENSET] != WELDED else 0
        genset.step(v, dt_ms, want, loaded, on_genset, blind)
        out[START] = genset.line
    default = -1
    if blind == 2:
        default = 1 if c.site.idle[GRID] else 0
    source.step(grid, genset, contacts, default, leave or c.policy.carry)
    out[GRID] = 1 if source.ac == GRID + 1 else 0
    out[GENSET] = 1 if source.ac == GENSET + 1 else 0


def _demands(
    c: "Controller", v: "tuple[int | None, ...]", minute: "int | None", dt_ms: int, blind: int
) -> None:
    """Why the genset should run."""
    policy = c.policy
    serves = c.source.grid_serves
    battery = c.battery
    demand = c.demand
    genset = c.genset
    exercise = c.exercise
    exercise.step(dt_ms, minute, policy.quiet or policy.ration > 0, serves, genset.run_ms, genset.forbidden())
    demand.see(battery.soc, battery.bus_mv, c.energy.w[0], battery.temperature_dc, battery.to_lvd_s)
    absent = bool(c.grid.exists) and not serves
    demand.step(
        dt_ms,
        battery.lost_ms,
        serves,
        absent,
        blind,
        policy.quiet,
        policy.window,
        policy.ration > 0,
        c.charge.tapered,
        exercise.active,
        c.loads.shedding.dark,
    )


def _planned(c: "Controller", outage: "Outage", dt_ms: int) -> int:
    """An outage has been announced. Returns the reason code for leaving the grid now, or 0."""
    battery = c.battery
    bus_mv = battery.bus_mv
    carries = (
        (not c.site.exists[BATTERY] or c.contacts.closed[BATTERY] != 0)
        and (battery.soc is None or battery.soc > c.policy.reserve)
        and bus_mv is not None
        and bus_mv >= c.demand.bus.start
    )
    outage.step(dt_ms, c.grid.ok, c.grid.proven, carries)
    c.grid.expect(outage.return_ms)
    if outage.over:
        c.outage = None
    return outage.leave


def adopt(c: "Controller") -> bool:
    """Once the AC contactors have been read: go on with what is closed. Returns whether that is so."""
    closed = c.contacts.closed
    if closed[GRID] is None or closed[GENSET] is None:
        return False
    c.adopted = True
    if closed[GRID] == 1 and c.decision.outputs[GRID]:
        c.source.adopt_grid()
        c.grid.adopt()
    return True
