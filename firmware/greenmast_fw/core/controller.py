"""The controller: one step from what is known to what shall be.

Owns the order in which the parts are asked, and nothing else: each rule lives in its part. Protection comes
last and can only open. Knows no clock, device or pin.
"""

from greenmast_fw.core import conditions, decision, report
from greenmast_fw.core.alarms import Alarms
from greenmast_fw.core.battery import Battery
from greenmast_fw.core.charge import Charge
from greenmast_fw.core.contactor import WELDED, Contactors
from greenmast_fw.core.decision import Decision
from greenmast_fw.core.demand import MANUAL, Demand, first_reason
from greenmast_fw.core.energy import Energy
from greenmast_fw.core.engine import RUNS
from greenmast_fw.core.exercise import Exercise
from greenmast_fw.core.genset import LOCKED_OUT, OFF, REST, Genset
from greenmast_fw.core.grid import Grid
from greenmast_fw.core.knowing import Knowing
from greenmast_fw.core.loads import STAGGER, Loads
from greenmast_fw.core.policy import Policy
from greenmast_fw.core.protection import Protection
from greenmast_fw.core.resets import Resets
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD2, LOAD3, MAJOR, MINOR, PV, START, Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_fw.core.source import Source
from greenmast_protocol import alarms as alarm_table
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.aggregate import Aggregate
    from greenmast_fw.core.cooling import Cooling
    from greenmast_fw.core.decision import Event
    from greenmast_fw.core.explain import Row
    from greenmast_fw.core.outage import Outage

_AC_PRESENT = points.index("rectifier.ac_present")
_SITE_DC = points.index("site.temperature_dc")
_SOLAR_W = points.index("solar.power_w")
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
_SETPOINT = "rectifier.setpoint_mv"
_LIMIT = "rectifier.limit_ma"

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
        self.resets = Resets(site.idle)
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
        self._last_out = bytearray(site.idle)
        self._was = [0] * 6 + [self.policy.code, self.policy.keeper.code]
        self.source.reason = report.BOOT
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
        if self.adopted or self._adopt():
            self._ac(v, snap.minute, dt_ms, blind, out)
        else:
            self.policy.pass_time(dt_ms)
            if self.outage:
                self.outage.pass_time(dt_ms)
        self._loads(v, dt_ms, blind, out)
        if self.resets.left_ms:
            self._wait(out)
        if not contacts.known:
            self._hold_unread(out)
        if self.protection.check(out, v, dt_ms, blind):
            self._overruled(out)
        contacts.write(out)
        self._charge(v, dt_ms)
        conditions.update(self, v)
        alarms = self.alarms
        changed = alarms.step(dt_ms)
        if self.site.exists[MAJOR]:
            out[MAJOR] = alarms.major
        if self.site.exists[MINOR]:
            out[MINOR] = alarms.minor
        report.state_points(self, v)
        self._note(changed)
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
        served = source.actual != 0 and snap.v[_AC_PRESENT] != 0
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

    def _ac(
        self, v: "tuple[int | None, ...]", minute: "int | None", dt_ms: int, blind: int, out: bytearray
    ) -> None:
        """Everything about AC: is the grid fit, is the genset demanded, which source feeds the rectifier."""
        contacts = self.contacts
        closed = contacts.closed
        source = self.source
        grid = self.grid
        genset = self.genset
        # The rectifier's word tells about a source only while that source's contactor alone is proven closed.
        on_grid = on_genset = None
        if closed[GRID] == 1:
            if closed[GENSET] == 0:
                on_grid = v[_AC_PRESENT]
        elif closed[GRID] == 0 and closed[GENSET] == 1:
            on_genset = v[_AC_PRESENT]
        leave = 0
        if grid.exists:
            grid.step(v, dt_ms, on_grid, blind)
            if self.outage:
                leave = self._planned(self.outage, dt_ms)
        source.judge(grid, contacts)
        if genset.exists:
            self._demands(v, minute, dt_ms, blind)
            want = self.wanted()
            loaded = 1 if closed[GENSET] == 1 and contacts.fault[GENSET] != WELDED else 0
            genset.step(v, dt_ms, want, loaded, on_genset, blind)
            out[START] = genset.line
        default = -1
        if blind == 2:
            default = 1 if self.site.idle[GRID] else 0
        source.step(grid, genset, contacts, default, leave or self.policy.carry)
        out[GRID] = 1 if source.ac == GRID + 1 else 0
        out[GENSET] = 1 if source.ac == GENSET + 1 else 0

    def _demands(self, v: "tuple[int | None, ...]", minute: "int | None", dt_ms: int, blind: int) -> None:
        """Why the genset should run."""
        policy = self.policy
        serves = self.source.grid_serves
        battery = self.battery
        demand = self.demand
        genset = self.genset
        exercise = self.exercise
        exercise.step(
            dt_ms, minute, policy.quiet or policy.ration > 0, serves, genset.run_ms, genset.forbidden()
        )
        demand.see(battery.soc, battery.bus_mv, self.energy.w[0], battery.temperature_dc, battery.to_lvd_s)
        absent = bool(self.grid.exists) and not serves
        demand.step(
            dt_ms,
            battery.lost_ms,
            serves,
            absent,
            blind,
            policy.quiet,
            policy.window,
            policy.ration > 0,
            self.charge.tapered,
            exercise.active,
            self.loads.shedding.dark,
        )

    def _planned(self, outage: "Outage", dt_ms: int) -> int:
        """An outage has been announced. Returns the reason code for leaving the grid now, or 0."""
        battery = self.battery
        bus_mv = battery.bus_mv
        carries = (
            (not self.site.exists[BATTERY] or self.contacts.closed[BATTERY] != 0)
            and (battery.soc is None or battery.soc > self.policy.reserve)
            and bus_mv is not None
            and bus_mv >= self.demand.bus.start
        )
        outage.step(dt_ms, self.grid.ok, self.grid.proven, carries)
        self.grid.expect(outage.return_ms)
        if outage.over:
            self.outage = None
        return outage.leave

    def announce(self, in_ms: int, for_ms: int) -> None:
        """An outage of the grid begins in `in_ms` and lasts for `for_ms`."""
        self.expect_outage().announce(in_ms, for_ms)

    def expect_outage(self) -> "Outage":
        """Make room for an announced outage."""
        from greenmast_fw.core.outage import Outage  # loaded when first needed: heap is scarce

        self.outage = Outage(self._params)
        return self.outage

    def _loads(self, v: "tuple[int | None, ...]", dt_ms: int, blind: int, out: bytearray) -> None:
        """Which loads are connected, what they have used, and whether the cabinet is cooled."""
        battery = self.battery
        loads = self.loads
        ac = self.source.actual > 0 and v[_AC_PRESENT] != 0
        loads.step(
            dt_ms,
            battery.bus_mv,
            battery.voltage_mv,
            battery.current_ma,
            battery.soc,
            ac or battery.charging,
            ac or self.policy.carry > 0,
            self.policy.shed,
            self.charge.restarting,
            out,
            blind,
        )
        self.energy.step(v, dt_ms, self.contacts.closed)
        cooling = self.cooling
        if cooling is not None:
            cooling.step(
                dt_ms,
                v[_SITE_DC],
                battery.temperature_dc,
                battery.soc,
                self.policy.reserve,
                ac,
                loads.shedding.low or loads.shedding.low_ms > 0,
                v[_SOLAR_W],
                self.energy.w[0],
                battery.charging or battery.full,
                blind,
            )
            out[COOLING] = cooling.on

    def _charge(self, v: "tuple[int | None, ...]", dt_ms: int) -> None:
        """What the rectifier shall hold, with the good source at its input."""
        charge = self.charge
        policy = self.policy
        grid_ok = self.grid.ok
        ac = self.source.actual
        if ac and not (grid_ok if ac == GRID + 1 else self.genset.ok):
            ac = 0
        charge.step(
            v, dt_ms, self.battery, ac, grid_ok, policy.charge_to, policy.charge_first, self.alarms.major
        )
        if self.has_rectifier:
            setpoints = self.decision.setpoints
            if charge.setpoint_mv is not None:
                setpoints[_SETPOINT] = charge.setpoint_mv
            if charge.limit_ma is not None:
                setpoints[_LIMIT] = charge.limit_ma

    def wanted(self) -> int:
        """Mask of the demands that count now: none while inhibited or if the genset could not take load."""
        demand = self.demand
        active = demand.active
        if not active or demand.inhibit_ms or self.blind == 2 or self.source.genset_blocked(self.contacts):
            return 0
        if self.resets.left_ms and self.genset.state in (OFF, REST):
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

    def _adopt(self) -> bool:
        """Once the AC contactors have been read: go on with what is closed. Returns whether that is so."""
        closed = self.contacts.closed
        if closed[GRID] is None or closed[GENSET] is None:
            return False
        self.adopted = True
        if closed[GRID] == 1 and self.decision.outputs[GRID]:
            self.source.adopt_grid()
            self.grid.adopt()
        return True

    def _wait(self, out: bytearray) -> None:
        """After resets in a row: what stands open stays open, tiers that were off too; no starter turns."""
        last = self._last_out
        was = self.resets.was
        reason = self.loads.reason
        for i in range(COOLING + 1):
            if not out[i]:
                if reason[i] == STAGGER:  # behind a tier that waits
                    self.loads.hold(i, report.RESET_HOLD)
            elif last[i] and (was[i] or not LOAD2 <= i <= LOAD3):
                pass
            elif i == START:
                out[i] = 1 if self.genset.engine.evidence == RUNS else 0
            else:
                out[i] = 0
                if i == GRID or i == GENSET:
                    self.source.forced_open(report.RESET_HOLD)
                else:
                    self.loads.hold(i, report.RESET_HOLD)

    def _hold_unread(self, out: bytearray) -> None:
        """An output whose position has never been read stays as the hardware left it."""
        proven = self.contacts.proven
        idle = self.site.idle
        for i in range(PV, LOAD3 + 1):
            if not proven[i]:
                out[i] = idle[i]

    def _overruled(self, out: bytearray) -> None:
        """Tell the parts what protection has opened."""
        reason = self.protection.reason
        for i in (GRID, GENSET, BATTERY):
            if reason[i]:
                self.decision.events.append((decision.PROTECTION, i, 0, reason[i], 0, 0))
        if reason[GRID] or reason[GENSET]:
            self.source.forced_open(reason[GRID] or reason[GENSET])
        if reason[BATTERY]:
            self.loads.all_off()

    def _note(self, alarms: "tuple[int, ...]") -> None:
        """Events for what has changed since the step before."""
        result = self.decision
        grid = self.grid
        events = result.events
        was = self._was
        source = self.source
        genset = self.genset
        if was[0] != grid.ok:
            was[0] = grid.ok
            events.append((decision.GRID, 0, 1 if grid.ok else 0, grid.reason, grid.value, grid.limit))
        if was[1] != source.actual:
            was[1] = source.actual
            events.append((decision.SOURCE, 0, source.actual, source.reason, 0, 0))
        if was[2] != self.demand.active:
            was[2] = self.demand.active
            events.append((decision.DEMAND, 0, was[2], first_reason(was[2]), self.battery.soc or 0, 0))
        if was[3] != genset.state:
            was[3] = genset.state
            events.append((decision.GENSET, 0, genset.state, genset.reason, genset.tries, 0))
        shedding = self.loads.shedding
        if was[4] != shedding.level:
            was[4] = shedding.level
            why = shedding.why(was[4] - 1) if was[4] else 0
            events.append((decision.SHED, 0, was[4], why, self.battery.bus_mv or 0, 0))
        if was[5] != self.blind:
            was[5] = self.blind
            events.append((decision.BLIND, 0, was[5], 0, 0, 0))
        policy = self.policy
        if was[6] != policy.code:
            was[6] = policy.code
            events.append((decision.POLICY, 0, policy.charge_to, policy.code, 0, 0))
        if was[7] != policy.keeper.code:
            was[7] = policy.keeper.code
            events.append((decision.POLICY, 1, policy.keeper.target, policy.keeper.code, 0, 0))
        if self.contacts.changed:
            report.contactor_events(self)
        for i in alarms:
            events.append((decision.ALARM, i, self.alarms.state[i], 0, 0, 0))
        if alarms:
            result.alarms = self.alarms.active
        if result.outputs != self._last_out:
            report.output_events(self, self._last_out)
            self._last_out[:] = result.outputs

    def report_alarm(self, name: str, so: bool) -> None:
        """A condition that the core cannot see (such as device_silent) holds, or no longer."""
        self.alarms.condition[alarm_table.index(name)] = 1 if so else 0

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

        return record.gather(self)

    def restore(self, memory: "dict[str, object]") -> bool:
        """Resume from `memory` before the first step.

        One of another version or shape is left alone: returns False.
        """
        from greenmast_fw.core import record  # loaded when first needed: heap is scarce

        if not record.resume(self, memory):
            return False
        self.decision.alarms = self.alarms.active
        if self.resets.left_ms:
            self.queue.append((decision.RESET, 0, self.resets.boots, 0, self.resets.left_ms // 1000, 0))
        return True
