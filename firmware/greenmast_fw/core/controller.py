"""The controller: one step from what is known to what shall be.

Owns the order in which the parts are asked, and nothing else: each rule lives in its part. Protection comes
last and can only open. Knows no clock, device or pin.
"""

from greenmast_fw.core import ac, conditions, dc, decision, report, restraint
from greenmast_fw.core.alarms import Alarms
from greenmast_fw.core.battery import Battery
from greenmast_fw.core.charge import Charge
from greenmast_fw.core.contactor import Contactors
from greenmast_fw.core.decision import Decision
from greenmast_fw.core.demand import MANUAL, Demand
from greenmast_fw.core.energy import Energy
from greenmast_fw.core.events import note
from greenmast_fw.core.exercise import Exercise
from greenmast_fw.core.genset import LOCKED_OUT, OFF, Genset
from greenmast_fw.core.grid import Grid
from greenmast_fw.core.knowing import Knowing
from greenmast_fw.core.loads import Loads
from greenmast_fw.core.policy import Policy
from greenmast_fw.core.protection import Protection
from greenmast_fw.core.resets import Resets
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, MAJOR, MINOR, Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_fw.core.source import Source
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.aggregate import Aggregate
    from greenmast_fw.core.cooling import Cooling
    from greenmast_fw.core.decision import Event
    from greenmast_fw.core.explain import Row
    from greenmast_fw.core.outage import Outage

_AC_PRESENT = points.index("rectifier.ac_present")
# When none of these is known, no device answers.
_EYES = tuple(
    [
        points.index(name)
        for name in (
            "dc.bus_mv",
            "grid.voltage_mv",
            "battery.voltage_mv",
            "battery.soc_permille",
            "rectifier.ac_present",
            "rectifier.output_mv",
            "genset.voltage_mv",
            "genset.rpm",
        )
    ]
)
_BUS = _EYES[0]

AUTO = points.MODES.index("auto")
MANUAL_MODE = points.MODES.index("manual")


class Controller:
    """`params`: every parameter by name. `site`: what there is.

    Outputs stand at idle until feedback has been read.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.site = site
        self.decision = Decision(site.idle)
        self.knowing = Knowing(params, site, self.decision.codes)
        self.contacts = Contactors(params, site)
        self.grid = Grid(params, site.exists[GRID])
        self.battery = Battery(params, site)
        self.policy = Policy(params, site)
        self.demand = Demand(params)
        self.exercise = Exercise(params)
        self.outage: "Outage | None" = None  # an announced one
        self.genset = Genset(params, site.exists[GENSET])
        self.source = Source(params)
        self.loads = Loads(params, site)
        self.energy = Energy(site)
        self.cooling: "Cooling | None" = None
        if site.exists[COOLING]:
            from greenmast_fw.core.cooling import Cooling  # loaded where there is one: heap is scarce

            self.cooling = Cooling(params, site)
        self.charge = Charge(params, site)
        self.protection = Protection(params, site)
        self.alarms = Alarms(params)
        self.aggregate: "Aggregate | None" = None
        if site.instances:
            from greenmast_fw.core import aggregate  # few sites have several devices of one role

            self.aggregate = aggregate.Aggregate(params, site.instances)
        self.resets = Resets(params, site.idle)
        self.queue: "list[Event]" = []  # from commands since the step before
        self.mode = AUTO
        self.mode_ms = 0  # time left of a mode set by command
        self.reset_wanted = False  # by command: whoever runs the controller may reset the board
        self.adopted = False  # the positions of the AC contactors have been read
        self.blind = 0  # 1 no device answers, 2 for so long that the default state applies
        self.blind_ms = 0
        self.hot_dc = params["cooling.alarm_dc"]
        self._params = params
        self._hold_ms = params["scan.hold_s"] * 1000
        self.has_rectifier = "rectifier" in site.roles
        self.rectifiers = max(site.roles.count("rectifier"), 1)
        self.last_out = bytearray(site.idle)
        self.told = [0] * 6 + [self.policy.code, self.policy.keeper.code]
        self.source.reason = report.BOOT
        conditions.disconnected(self)
        report.output_points(self)
        report.state_points(self, (None,) * points.COUNT)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters without disturbing what runs."""
        self.hot_dc = params["cooling.alarm_dc"]
        self._hold_ms = params["scan.hold_s"] * 1000
        if self.cooling is not None:
            self.cooling.configure(params)
        self._params = params
        if self.outage:
            self.outage.configure(params)
        for part in (
            self.knowing,
            self.contacts,
            self.grid,
            self.battery,
            self.policy,
            self.demand,
            self.exercise,
            self.genset,
            self.source,
            self.loads,
            self.charge,
            self.protection,
            self.alarms,
            self.resets,
        ):
            part.configure(params)
        if self.aggregate:
            self.aggregate.configure(params)

    def step(self, snap: Snapshot, dt_ms: int) -> Decision:
        """One scan: `dt_ms` (1..60000) since the one before.

        Returns the same object every time, filled anew.
        """
        contacts = self.contacts
        told = self.aggregate.step(snap.v) if self.aggregate else snap.v
        v = self.knowing.step(told, dt_ms, contacts.closed)
        result = self.decision
        result.accepted = v
        events = result.events
        events.clear()
        if self.queue:
            events.extend(self.queue)
            self.queue.clear()
        contacts.read(v, dt_ms)
        blind = self._look(told, dt_ms)
        battery = self.battery
        closed = contacts.closed
        battery.step(v, dt_ms, closed[BATTERY], closed[GRID] == 0 == closed[GENSET])
        self.source.pass_time(dt_ms)
        self.demand.pass_time(dt_ms)
        if self.mode_ms:
            self.mode_ms = self.mode_ms - dt_ms if self.mode_ms > dt_ms else 0
            if self.mode_ms == 0:
                self.mode = AUTO
        if self.adopted:  # before, nobody knows whether the grid is there
            self._policy(snap, dt_ms)
        out = result.outputs
        if self.adopted or ac.adopt(self):
            ac.step(self, v, snap.minute, dt_ms, blind, out)
        else:
            self.policy.pass_time(dt_ms)
            if self.outage:
                self.outage.pass_time(dt_ms)
        dc.distribute(self, v, dt_ms, blind, out)
        if self.resets.left_ms:
            restraint.wait(self, out)
        if not contacts.known:
            restraint.hold_unread(self, out)
        if self.protection.check(out, v, dt_ms, blind):
            restraint.overruled(self, out)
        contacts.write(out)
        dc.recharge(self, v, dt_ms)
        conditions.update(self, v)
        alarms = self.alarms
        changed = alarms.step(dt_ms)
        if self.site.exists[MAJOR]:
            out[MAJOR] = alarms.major
        if self.site.exists[MINOR]:
            out[MINOR] = alarms.minor
        report.state_points(self, v)
        note(self, changed)
        result.worth_storing = self.resets.step(dt_ms, bool(events), contacts.known, out)
        return result

    def _policy(self, snap: Snapshot, dt_ms: int) -> None:
        """What energy is kept, bought and spared for, by what sources and loads were in the step before."""
        source = self.source
        genset = self.genset
        battery = self.battery
        loads = self.loads
        # A battery that is off, or too low for the loads whatever its charge is said to be, carries nothing.
        able = battery.bus_mv is not None and self.contacts.closed[BATTERY] != 0
        served = source.actual != 0 and self.decision.accepted[_AC_PRESENT] != 0
        self.policy.step(
            dt_ms,
            snap.minute,
            self.mode,
            battery.soc if able and not loads.shedding.level and not loads.shedding.low_ms else None,
            source.grid_usable if self.grid.exists else served,
            served,
            genset.engine.fuel if genset.exists and genset.state != LOCKED_OUT else None,
            battery.to_lvd_min_s,
            self.outage is not None and self.outage.charge_first,
        )

    def announce(self, in_ms: int, for_ms: int) -> None:
        """An outage of the grid begins in `in_ms` and lasts for `for_ms`."""
        self.expect_outage().announce(in_ms, for_ms)

    def expect_outage(self) -> "Outage":
        """Make room for an announced outage."""
        from greenmast_fw.core.outage import Outage  # loaded when first needed: heap is scarce

        self.outage = Outage(self._params)
        return self.outage

    def wanted(self) -> int:
        """Mask of the demands that count now: none while inhibited or if the genset could not take load."""
        demand = self.demand
        active = demand.active
        if not active or demand.inhibit_ms or self.blind == 2 or self.source.genset_blocked(self.contacts):
            return 0
        if self.resets.left_ms and self.genset.state == OFF:
            return 0
        return active & MANUAL if self.mode == MANUAL_MODE else active

    def hold_left_ms(self) -> int:
        """With no device answering: until the site's default state applies."""
        return self._hold_ms - self.blind_ms if self.blind_ms < self._hold_ms else 0

    def _look(self, v: "tuple[int | None, ...]", dt_ms: int) -> int:
        """Whether any device answers.

        A grid that the default state has connected is adopted when they do again.
        """
        if v[_BUS] is not None or any([v[i] is not None for i in _EYES]):
            if self.blind:
                if self.blind == 2 and self.source.ac == GRID + 1:
                    self.grid.adopt()
                self.blind = self.blind_ms = 0
            return 0
        if self.blind_ms < self._hold_ms:
            self.blind_ms += dt_ms
            self.blind = 1
        else:
            self.blind = 2
        return self.blind

    def report_alarm(self, i: int, so: bool) -> None:
        """A condition that the core cannot see (alarm `i`, such as device_silent) holds, or no longer."""
        self.alarms.condition[i] = 1 if so else 0

    def command(self, name: str, args: "dict[str, object]") -> "tuple[int, dict[str, object]]":
        """Carry out a command whose shape and authority have been checked.

        Returns (0, applied values) or (refusal code, {}).
        """
        from greenmast_fw.core import commands  # loaded when first needed: heap is scarce

        return commands.apply(self, name, args)

    def explain(self) -> "list[Row]":
        """Why everything is as it is: rows as `explain` describes them; built on demand."""
        from greenmast_fw.core import explain  # loaded when first needed: heap is scarce

        return explain.rows(self)

    def memory(self) -> "dict[str, object]":
        """What must survive a reset; JSON-able. `Decision.worth_storing` says when it should be stored."""
        from greenmast_fw.core import record  # loaded when first needed: heap is scarce

        return dict(record.parts(self))

    def restore(self, memory: "dict[str, object]") -> bool:
        """Resume from `memory` before the first step.

        One of another version or shape is left alone: returns False.
        """
        from greenmast_fw.core import resume  # loaded when first needed: heap is scarce

        parts = resume.fit(self, memory)
        if parts is None:
            return False
        for part, kept in parts:
            part.restore(kept)
        self.decision.alarms = self.alarms.active
        if self.resets.left_ms:
            self.queue.append((decision.RESET, 0, self.resets.boots, 0, self.resets.left_ms // 1000, 0))
        return True
