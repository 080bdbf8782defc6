"""Level core: the firmware's own controller on the plant, scan by scan, in simulated time.

Owns the order of a scan, the board's resets and what it remembers across them, and how faults and commands
reach plant, sensors and board. Decides nothing about the site.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from random import Random

from greenmast.plant import Plant, PlantConfig
from greenmast.plant.noise import stream
from greenmast.scenario import faults
from greenmast.scenario.document import NO_CONTACT, Act, Command, Fault, Scenario
from greenmast.scenario.invariants import Invariants
from greenmast.scenario.judge import Failure, Judge
from greenmast.scenario.sensors import Sensors
from greenmast.scenario.terms import ALARM, clock
from greenmast_fw.core import site as site_facts
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.snapshot import Snapshot
from greenmast_protocol import alarms, commands, event_text, instances, params, points, reasons, show

_STORE_MS = 60_000  # without events, what must survive a reset is stored this often
_BOOT_MS = 2_000
_DT_MAX_MS = 60_000  # what the board tells its controller at most
_WATCHDOG_MS = 10_000
_DEVICE_SILENT = alarms.index("device_silent")
_BUS_FAULT = alarms.index("bus_fault")
_EPOCH = datetime(2000, 1, 1)
_EVENTS_KEPT = 8
_NEVER_MS = 1 << 62


class CoreRun:
    """One scenario, once."""

    controller: Controller

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        site = scenario.site
        self._params = params.complete(dict(site.params))
        self._period_ms = self._params["scan.period_ms"]
        self._facts = site_facts.from_config(site.board_config())
        self.plant = _plant(scenario)
        self._sensors = Sensors(site, self.plant, self._params, scenario.seed)
        self._random = Random(stream(scenario.seed, "board"))
        self.faults: dict[str, set[str]] = self._sensors.faults
        self._relays = [
            (points.OUTPUTS.index(o.name), o.name, o.idle == "closed")
            for o in site.outputs
            if o.device is None
        ]
        self._start_line = any(o.name == "genset_start" and o.device is None for o in site.outputs)
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._ticket = 0
        self.time_ms = 0
        self._until_ms: dict[tuple[str, str], int] = {}  # end of every fault
        self._clock_s = 0  # how far the clock has jumped
        self._records: deque[str] = deque(maxlen=2)  # what is in flash, newest last
        self._stored_ms = self._booted_ms = self._stepped_ms = 0
        self.boots = 0
        self._off_until_ms = -1  # without power or not started yet
        self._hung_until_ms = 0
        self._bitten = False  # by the watchdog, when the board has hung for long enough
        self._told: deque[str] = deque(maxlen=_EVENTS_KEPT)
        self._view = _View(self)
        self.judge = Judge(scenario, self._context)
        self._invariants = Invariants(
            site, self.plant, self._params, lambda what, saw: self.judge.fail(self.time_ms, what, saw)
        )
        self._boot()
        for act in scenario.acts:
            self._at(act.time_ms, lambda act=act: self._act(act))  # type: ignore[misc]

    def run(self) -> list[Failure]:
        """Play it to the end."""
        end_ms = self.scenario.end_ms
        self._due(0)
        while True:
            self._scan()
            if self.time_ms >= end_ms:
                break
            self._advance(self.time_ms + self._period_ms)
        self.judge.end(self.time_ms)
        return self.judge.failures

    # ---- time -------------------------------------------------------------------------------------------

    def _at(self, time_ms: int, action: Callable[[], None]) -> None:
        self._ticket += 1
        heappush(self._queue, (time_ms, self._ticket, action))

    def _due(self, time_ms: int) -> None:
        while self._queue and self._queue[0][0] <= time_ms:
            heappop(self._queue)[2]()

    def _advance(self, to_ms: int) -> None:
        """Let the plant run until `to_ms`, with everything that happens on the way."""
        while self._queue and self._queue[0][0] <= to_ms:
            self._drift(self._queue[0][0])
            self._due(self.time_ms)
        self._drift(to_ms)

    def _drift(self, to_ms: int) -> None:
        dt_ms = to_ms - self.time_ms
        if dt_ms > 0:
            self.plant.step(dt_ms / 1_000)
            self.time_ms = to_ms
            self._invariants.truth(to_ms, dt_ms, self.faults, self._off_until_ms < 0)

    # ---- the board --------------------------------------------------------------------------------------

    def _scan(self) -> None:
        now_ms = self.time_ms
        view = self._view
        if now_ms < self._hung_until_ms:
            view.blank()
        elif self._bitten:
            self._bitten = False
            self._reset(_BOOT_MS, watchdog=True)
            view.blank()
        elif now_ms < self._off_until_ms:
            view.blank()
        else:
            if self._off_until_ms >= 0:
                self._off_until_ms = -1
                self._boot()
            self._step()
        self.judge.look(now_ms, view)

    def _step(self) -> None:
        controller = self.controller
        dt_ms = min(self.time_ms - self._stepped_ms, _DT_MAX_MS) or self._period_ms
        self._stepped_ms = self.time_ms
        snapshot = self._sensors.scan(dt_ms, self._minute())
        controller.report_alarm(_DEVICE_SILENT, self._sensors.silent)
        controller.report_alarm(_BUS_FAULT, self._sensors.damaged)
        decision = controller.step(snapshot, dt_ms)
        outputs = decision.outputs
        if outputs != self._driven:
            self._drive(outputs)
        if decision.setpoints:
            self._sensors.write(decision.setpoints)
        self._invariants.decided(dt_ms, snapshot.v, outputs, decision.points, self.faults)
        if decision.events:
            self._told.extend(f"{clock(self.time_ms)} {event_text.text(event)}" for event in decision.events)
        if decision.events or self.time_ms - self._stored_ms >= _STORE_MS:
            self._store()
        self._view.show(snapshot, self.time_ms - self._booted_ms)

    def _drive(self, outputs: bytearray) -> None:
        """Energise the coils whose contacts must leave their idle position."""
        self._driven = bytes(outputs)
        for i, name, idle_closed in self._relays:
            self.plant.coil(name, bool(outputs[i]) != idle_closed)
        if not self._start_line and self._facts.exists[site_facts.START]:
            self.plant.genset.remote_start(bool(outputs[site_facts.START]))

    def _store(self) -> None:
        self._stored_ms = self.time_ms
        if "flash_full" not in self.faults.get("controller", ()):
            self._records.append(json.dumps(self.controller.memory()))

    def _boot(self) -> None:
        self.boots += 1
        self._driven = b""
        self._booted_ms = self._stepped_ms = self.time_ms
        self._sensors.restart()
        self.controller = Controller(self._params, self._facts)
        if self._records:
            self.controller.restore(json.loads(self._records[-1]))
        self._invariants.booted(self.time_ms, self._facts.idle)

    def _reset(self, dark_ms: int, *, watchdog: bool = False) -> None:
        """All coils without current; the controller is gone until the board has started again."""
        for _, name, _ in self._relays:
            self.plant.coil(name, False)
        self._off_until_ms = max(self._off_until_ms, self.time_ms + dark_ms)
        self._told.append(f"{clock(self.time_ms)} {'watchdog' if watchdog else 'board'} reset")

    def _minute(self) -> int | None:
        """The board's clock, minutes since 2000 local time."""
        if "lost" in self.faults.get("clock", ()):
            return None
        begins_s = int((self.scenario.begins - _EPOCH).total_seconds())
        return (begins_s + self.time_ms // 1_000 + self._clock_s) // 60

    # ---- what the scenario does -------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        for name, value in act.plant.items():
            self.plant.set_truth(name, value)
        if act.fault:
            self._fault(act.fault)
        if act.command:
            self._command(act, act.command)

    def _fault(self, fault: Fault) -> None:
        on, kind, for_ms = fault.on, fault.kind, fault.for_ms
        if for_ms is None:
            for_ms = faults.DEFAULT_MS.get(kind)
        if kind == "jump":
            self._clock_s += fault.by_s
            if for_ms is not None:
                self._at(self.time_ms + for_ms, lambda: self._jump_back(fault.by_s))
            return
        if on == "controller" and kind != "flash_full":
            self._upset(kind, for_ms)
            return
        key = (on, kind)
        until_ms = _NEVER_MS if for_ms is None else self.time_ms + for_ms
        self._until_ms[key] = max(until_ms, self._until_ms.get(key, 0))
        self._set(on, kind, True)
        self._at(until_ms, lambda: self._set(on, kind, self.time_ms < self._until_ms[key]))

    def _jump_back(self, by_s: int) -> None:
        self._clock_s -= by_s

    def _set(self, on: str, kind: str, so: bool) -> None:
        """Begin or end a fault that lasts."""
        kinds = self.faults.setdefault(on, set())
        (kinds.add if so else kinds.discard)(kind)
        if kind in faults.CONTACTOR:
            setattr(self.plant.contactors[on], kind, so)
        elif kind in faults.GENSET:
            setattr(self.plant.genset, kind, so)

    def _upset(self, kind: str, for_ms: int | None) -> None:
        if kind == "hang":
            self._bitten = for_ms is None or for_ms >= _WATCHDOG_MS
            self._hung_until_ms = self.time_ms + (_WATCHDOG_MS if self._bitten else for_ms or 0)
            return
        if len(self._records) > 1 and (
            kind == "bit_rot" or (kind == "power_cut" and self._random.random() < 0.5)
        ):
            self._records.pop()
        self._reset(_BOOT_MS + (for_ms or 0))

    def _command(self, act: Act, command: Command) -> None:
        answer = self._answer(command)
        if answer == command.refused:
            return
        self.judge.fail(self.time_ms, f"{act.place} {command.expected}", command.answered(answer))

    def _answer(self, command: Command) -> str:
        """The code of the refusal, or ""."""
        if self._off_until_ms >= 0 or self._hung_until_ms > self.time_ms or self.faults.get("link"):
            return NO_CONTACT
        code, _ = commands.problem(command.name, command.args)
        if code:
            return code
        number, _ = self.controller.command(command.name, dict(command.args))
        if number:
            return reasons.NAMES[number]
        self._invariants.command(self.time_ms, command.name, command.args)
        if command.name == "controller.reset":
            self._store()
            self._reset(_BOOT_MS)
        return ""

    # ---- for people -------------------------------------------------------------------------------------

    def _context(self) -> tuple[str, ...]:
        rows = [show.explanation(row) for row in self.controller.explain()] if self._off_until_ms < 0 else []
        return (*rows, *self._told)


class _View:
    """Values as the board tells them: what it decides before what it measures, nothing while it is away."""

    def __init__(self, run: CoreRun) -> None:
        self._run = run
        several = instances.Instances(instances.count(list(run.scenario.site.roles)))
        self._number = {several.name(i): i for i in range(points.COUNT + several.count)}
        self._measured: tuple[int | None, ...] = ()
        self._uptime_ms = 0

    def blank(self) -> None:
        self._measured = ()

    def show(self, snapshot: Snapshot, uptime_ms: int) -> None:
        self._measured = snapshot.v
        self._uptime_ms = uptime_ms

    def value(self, name: str) -> int | None:
        if not self._measured:
            return None
        decision = self._run.controller.decision
        if name.startswith(ALARM):
            return int(alarms.index(name.removeprefix(ALARM)) in decision.alarms)
        i = self._number[name]
        if i >= points.COUNT:
            return self._measured[i]
        decided = decision.points[i]
        if decided is not None:
            return decided
        own = _OWN.get(name)
        return own(self._run, self._uptime_ms) if own else decision.accepted[i]


# Points that the services of a board tell, not its core.
_OWN: dict[str, Callable[[CoreRun, int], int]] = {
    "controller.uptime_s": lambda run, uptime_ms: uptime_ms // 1_000,
    "controller.boot": lambda run, uptime_ms: run.boots,
    "controller.time_trusted": lambda run, uptime_ms: int("lost" not in run.faults.get("clock", ())),
    "controller.safe_mode": lambda run, uptime_ms: 0,
}


def _plant(scenario: Scenario) -> Plant:
    """The plant with the scenario's first truths. Its own sun needs the weather of the extra `sim`."""
    site = scenario.site
    plant = Plant(
        PlantConfig.from_site(site.plant),
        scenario.seed,
        start=scenario.begins.replace(tzinfo=site.timezone),
        sun="solar.power_w" not in scenario.start,
    )
    for name, value in scenario.start.items():
        plant.set_truth(name, value)
    return plant
