"""The scan: once a period, read the process image, let the core decide, apply what it decided.

Owns the rhythm and nothing else. The core gets the time that really passed, so a late scan loses no time. The
watchdog is fed here and only here, after a scan that went through. Two things must not be undone by a reset:
what moves an output is in the log before it moves, and a count of energy is told when it is on flash.
"""

import gc

from greenmast_fw.core import decision as events
from greenmast_fw.core import energy
from greenmast_fw.drivers import clock
from greenmast_protocol import alarms, points, quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.decision import Decision
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.drivers.pins import Inputs, Outputs
    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.services.health import Health
    from greenmast_fw.services.journal import Journal
    from greenmast_fw.services.outbox import Outbox
    from greenmast_fw.services.poll import BusPoller

    class Watchdog(Protocol):
        def feed(self) -> None: ...


_DT_MAX_MS = 60_000
_DEVICE_SILENT = alarms.index("device_silent")
_BUS_FAULT = alarms.index("bus_fault")
_IO_FAULT = alarms.index("io_fault")
_UPTIME = points.index("controller.uptime_s")
_BOOT = points.index("controller.boot")
_HEAP_FREE = points.index("controller.heap_free_b")
_SCAN_MS = points.index("controller.scan_ms")
_TRUSTED = points.index("controller.time_trusted")
_SAFE = points.index("controller.safe_mode")


class Scan:
    """`values[i]`, `codes[i]`: value and quality of point `i` after the last scan, measured or decided."""

    def __init__(
        self,
        image: "Image",
        controller: "Controller",
        outputs: "Outputs",
        inputs: "list[Inputs]",
        pollers: "list[BusPoller]",
        health: "Health",
        watchdog: "Watchdog",
        journal: "Journal",
        period_ms: int,
        boot: int,
        wall: "Wall",
    ) -> None:
        self.image = image
        self.controller = controller
        self.outputs = outputs
        self._inputs = inputs
        self._pollers = pollers
        self._health = health
        self._watchdog = watchdog
        self._journal = journal
        self._period_ms = period_ms
        self.boot = boot
        self._wall = wall
        self.uptime_ms = 0
        self.values: "list[int | None]" = [None] * image.count
        self.codes = bytearray([quality.STALE] * image.count)
        self.alarms: "tuple[tuple[int, int], ...]" = ()  # (number, state)
        self.scans = 0
        self.took_ms = 0
        self.gap_max_ms = 0  # longest time between two scans
        self.late_ms = 0  # sum of how late scans were
        self.switches = 0  # changes of any output since boot
        self.outbox: "Outbox | None" = None  # where events are kept
        self.worth_storing = False  # the controller's record, since it was last stored
        self.stored_wh = list(controller.energy.wh)  # as far as a reset cannot take it back

    async def run(self) -> None:
        """Scan for ever. Raises what a driver or the core raises; the outputs then stay as they are.

        A reset by command ends the whole program (SystemExit), a scan after it was accepted, so that the
        answer has gone out.
        """
        last_ms = due_ms = clock.ticks_ms()
        while True:
            now_ms = clock.ticks_ms()
            dt_ms = clock.diff(now_ms, last_ms)
            last_ms = now_ms
            if self.scans:
                self.late_ms += clock.diff(now_ms, due_ms)
                if dt_ms > self.gap_max_ms:
                    self.gap_max_ms = dt_ms
            reset_wanted = self.controller.reset_wanted
            self.step(dt_ms if dt_ms > 0 else 1)
            self._watchdog.feed()
            # Collect between scans, at a time of our choosing, rather than inside the next Modbus exchange.
            gc.collect()
            self.took_ms = clock.diff(clock.ticks_ms(), now_ms)
            due_ms = clock.add(due_ms, self._period_ms)
            wait_ms = clock.diff(due_ms, clock.ticks_ms())
            if wait_ms < 0:  # too late for the next one: do not run after lost periods
                due_ms = clock.ticks_ms()
                wait_ms = 0
            await clock.sleep_ms(wait_ms)
            if reset_wanted:
                raise SystemExit("reset by command")

    def step(self, dt_ms: int) -> None:
        """One scan; `dt_ms` have passed since the last."""
        dt_ms = dt_ms if dt_ms < _DT_MAX_MS else _DT_MAX_MS
        self.uptime_ms += dt_ms
        self._journal.uptime_s = self.uptime_ms // 1000
        self.image.advance(dt_ms)
        failed = self.outputs.failed
        for inputs in self._inputs:
            inputs.read_into()
            failed = failed or inputs.failed
        self.controller.report_alarm(_IO_FAULT, failed)
        self._health.step()
        snapshot = self.image.snapshot(self._wall.minute())
        silent = faulty = False
        for poller in self._pollers:
            silent = silent or poller.is_silent()
            faulty = faulty or poller.is_faulty()
        self.controller.report_alarm(_DEVICE_SILENT, silent)
        self.controller.report_alarm(_BUS_FAULT, faulty)
        decision = self.controller.step(snapshot, dt_ms)
        if self.outbox:  # first: nothing moves of which the log would not tell
            self.outbox.uptime_s = self.uptime_ms // 1000
            self.outbox.add_events(decision.events)
        self.outputs.apply(decision.outputs)
        self.worth_storing = self.worth_storing or decision.worth_storing
        for name in decision.setpoints:
            for poller in self._pollers:
                poller.hold(name, decision.setpoints[name])
        self.scans += 1
        self._publish(snapshot.v, snapshot.q, decision)
        for event in decision.events:
            self.switches += event[0] == events.OUTPUT
            self._journal.write("core", event)

    def _publish(self, measured: "tuple[int | None, ...]", codes: bytes, decision: "Decision") -> None:
        values, out = self.values, self.codes
        accepted = decision.accepted
        for i in range(points.COUNT):
            value = decision.points[i]
            if value is None:
                value = accepted[i]
            values[i] = value
            out[i] = quality.GOOD if value is not None else codes[i] or decision.codes[i] or quality.STALE
        for i in range(points.COUNT, len(values)):
            values[i] = measured[i]
            out[i] = codes[i]
        for i in range(energy.COUNT):
            wh = self.stored_wh[i]
            values[energy.ENERGY + i] = wh
            out[energy.ENERGY + i] = quality.STALE if wh is None else quality.GOOD
        self._own(_UPTIME, self.uptime_ms // 1000)
        self._own(_BOOT, self.boot)
        self._own(_HEAP_FREE, gc.mem_free())  # type: ignore[attr-defined]
        self._own(_SCAN_MS, self.took_ms)
        self._own(_TRUSTED, 1 if self._wall.trusted else 0)
        self._own(_SAFE, 0)
        self.alarms = self.controller.alarms.listed

    def _own(self, i: int, value: int) -> None:
        self.values[i] = value
        self.codes[i] = quality.GOOD
