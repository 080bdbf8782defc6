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
from greenmast_fw.core.engine import RUNS
from greenmast_fw.core.genset import OFF, REST, Genset
from greenmast_fw.core.grid import Grid
from greenmast_fw.core.loads import STAGGER, Loads
from greenmast_fw.core.protection import Protection
from greenmast_fw.core.resets import Resets
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD2, LOAD3, MAJOR, MINOR, PV, START, Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_fw.core.source import Source
from greenmast_protocol import alarms as alarm_table
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.decision import Event
    from greenmast_fw.core.explain import Row

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
_SETPOINT = "rectifier.setpoint_mv"

AUTO = points.MODES.index("auto")
MANUAL_MODE = points.MODES.index("manual")


class Controller:
    """`params`: every parameter by name. `site`: what there is.

    Outputs stand at idle until feedback has been read.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.site = site
        self.decision = Decision(site.idle)
        self.contacts = Contactors(params, site)
        self.grid = Grid(params, site.exists[GRID])
        self.battery = Battery(site)
        self.demand = Demand(params)
        self.genset = Genset(params, site.exists[GENSET])
        self.source = Source(params)
        self.loads = Loads(params, site)
        self.charge = Charge(params)
        self.protection = Protection(params, site)
        self.alarms = Alarms(params)
        self.resets = Resets(site.idle)
        self.queue: "list[Event]" = []  # from commands since the step before
        self.mode = AUTO
        self.mode_ms = 0  # time left of a mode set by command
        self.adopted = False  # the positions of the AC contactors have been read
        self.blind = 0  # 1 no device answers, 2 for so long that the default state applies
        self.blind_ms = 0
        self._hold_ms = params["scan.hold_s"] * 1000
        self._has_rectifier = "rectifier" in site.roles
        self._last_out = bytearray(site.idle)
        self._was = [0] * 6
        self.source.reason = report.BOOT
        report.output_points(self)
        report.state_points(self, (None,) * points.COUNT)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters without disturbing what runs."""
        self._hold_ms = params["scan.hold_s"] * 1000
        for part in (
            self.contacts,
            self.grid,
            self.demand,
            self.genset,
            self.source,
            self.loads,
            self.charge,
            self.protection,
            self.alarms,
        ):
            part.configure(params)

    def step(self, snap: Snapshot, dt_ms: int) -> Decision:
        """One scan: `dt_ms` (1..60000) since the one before.

        Returns the same object every time, filled anew.
        """
        v = snap.v
        result = self.decision
        events = result.events
        events.clear()
        if self.queue:
            events.extend(self.queue)
            self.queue.clear()
        contacts = self.contacts
        contacts.read(v, dt_ms)
        blind = self._look(v, dt_ms)
        battery = self.battery
        battery.step(v, dt_ms, contacts.closed[BATTERY])
        if self.mode_ms:
            self.mode_ms = self.mode_ms - dt_ms if self.mode_ms > dt_ms else 0
            if self.mode_ms == 0:
                self.mode = AUTO
        out = result.outputs
        if self.adopted or self._adopt():
            self._ac(v, dt_ms, blind, out)
        source = self.source.actual and v[_AC_PRESENT] != 0
        self.loads.step(
            dt_ms, battery.bus_mv, battery.voltage_mv, bool(source) or battery.charging, out, blind
        )
        if self.resets.left_ms:
            self._wait(out)
        if not contacts.known:
            self._hold_unread(out)
        if self.protection.check(out, v, dt_ms, blind):
            self._overruled(out)
        contacts.write(out)
        charge = self.charge
        charge.step(dt_ms, battery.lost_ms)
        if charge.setpoint_mv is not None and self._has_rectifier:
            result.setpoints[_SETPOINT] = charge.setpoint_mv
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

    def _ac(self, v: "tuple[int | None, ...]", dt_ms: int, blind: int, out: bytearray) -> None:
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
        if grid.exists:
            grid.step(v, dt_ms, on_grid, blind)
        source.judge(dt_ms, grid, contacts)
        if genset.exists:
            battery = self.battery
            self.demand.step(dt_ms, battery.soc, battery.bus_mv, battery.lost_ms, source.grid_serves, blind)
            want = self.wanted()
            loaded = 1 if closed[GENSET] == 1 and contacts.fault[GENSET] != WELDED else 0
            genset.step(v, dt_ms, want, loaded, on_genset, blind)
            out[START] = genset.line
        default = -1
        if blind == 2:
            default = 1 if self.site.idle[GRID] else 0
        source.step(grid, genset, contacts, default)
        out[GRID] = 1 if source.ac == GRID + 1 else 0
        out[GENSET] = 1 if source.ac == GENSET + 1 else 0

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
        if was[4] != self.loads.level:
            was[4] = self.loads.level
            events.append((decision.SHED, 0, was[4], 0, self.battery.bus_mv or 0, 0))
        if was[5] != self.blind:
            was[5] = self.blind
            events.append((decision.BLIND, 0, was[5], 0, 0, 0))
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
