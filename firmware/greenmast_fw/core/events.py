"""Events: what has changed since the step before, told once.

Decides nothing; what was so before is kept in the controller's `told`.
"""

from greenmast_fw.core import decision, report
from greenmast_fw.core.demand import first_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller


def note(c: "Controller", alarms: "tuple[int, ...]") -> None:
    """Events for what has changed since the step before."""
    result = c.decision
    grid = c.grid
    events = result.events
    was = c.told
    source = c.source
    genset = c.genset
    if was[0] != grid.ok:
        was[0] = grid.ok
        events.append((decision.GRID, 0, 1 if grid.ok else 0, grid.reason, grid.value, grid.limit))
    if was[1] != source.actual:
        was[1] = source.actual
        events.append((decision.SOURCE, 0, source.actual, source.reason, 0, 0))
    if was[2] != c.demand.active:
        was[2] = c.demand.active
        events.append((decision.DEMAND, 0, was[2], first_reason(was[2]), c.battery.soc or 0, 0))
    if was[3] != genset.state:
        was[3] = genset.state
        events.append((decision.GENSET, 0, genset.state, genset.reason, genset.tries, 0))
    shedding = c.loads.shedding
    if was[4] != shedding.level:
        was[4] = shedding.level
        why = shedding.why(was[4] - 1) if was[4] else 0
        events.append((decision.SHED, 0, was[4], why, c.battery.bus_mv or 0, 0))
    if was[5] != c.blind:
        was[5] = c.blind
        events.append((decision.BLIND, 0, was[5], 0, 0, 0))
    policy = c.policy
    if was[6] != policy.code:
        was[6] = policy.code
        events.append((decision.POLICY, 0, policy.charge_to, policy.code, 0, 0))
    if was[7] != policy.keeper.code:
        was[7] = policy.keeper.code
        events.append((decision.POLICY, 1, policy.keeper.target, policy.keeper.code, 0, 0))
    if c.contacts.changed:
        _contactors(c)
    for i in alarms:
        events.append((decision.ALARM, i, c.alarms.state[i], 0, 0, 0))
    if alarms:
        result.alarms = c.alarms.active
    if result.outputs != c.last_out:
        _outputs(c, c.last_out)
        c.last_out[:] = result.outputs


def _outputs(c: "Controller", last: bytearray) -> None:
    """An event for every output that is not as in `last`, and their points."""
    out = c.decision.outputs
    for i in range(len(out)):
        if out[i] != last[i]:
            c.decision.events.append((decision.OUTPUT, i, out[i], report.output_reason(c, i), 0, 0))
    report.output_points(c)


def _contactors(c: "Controller") -> None:
    """An event for every contactor whose fault came or went in this scan."""
    contacts = c.contacts
    for i in contacts.changed:
        c.decision.events.append((decision.CONTACTOR, i, contacts.fault[i], 0, 0, 0))
