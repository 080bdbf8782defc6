"""Level hil: the firmware as deployed, under MicroPython, on an emulated site with a paced bus.

Owns how a scenario meets the running chain: what it does happens in the world's own loop at its time of the
plant, what must come of it is asked on the board's console. Of the invariants, only those that the plant
itself shows are checked. What this level cannot do yet is told before anything is played.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from greenmast.chain import Chain
from greenmast.emulator import runtime
from greenmast.emulator.board import HARD_RESET, WATCHDOG_RESET
from greenmast.emulator.world import World
from greenmast.errors import UserError
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.serial import SerialLink
from greenmast.scenario.document import Act, Fault, Scenario
from greenmast.scenario.hil_faults import HilFaults
from greenmast.scenario.invariants import Invariants
from greenmast.scenario.judge import Failure, Judge
from greenmast.scenario.terms import ALARM
from greenmast.site import Site
from greenmast_fw.core import site as site_facts
from greenmast_protocol import alarms, config, params, show

SPEED_MAX = 5
WALL_MAX_S = 600
_WALL_S = 120  # what a short story may take before it is sped up
_READY_S = 30.0
_LOOK_S = 0.2  # on the wall
_ANSWER_S = 0.5
_POINTS_A_REQUEST = 5  # a request must fit into a line
_LINES = 6  # of the console, shown with a failure
_UNWIRED = ("site.door_open", "site.smoke", "site.temperature_dc")
_NEEDS = {
    "flash_full": "a faulty flash",
    "bit_rot": "a faulty flash",
    "power_cut": "a board whose supply can be cut",
    "jump": "a clock that can be set",
    "lost": "a clock that can be set",
    "partition": "commands over the link",
    "broker_restart": "commands over the link",
}
_UNASKED = (
    "the board runs on",
    "reset by its watchdog unasked: a defect of the firmware, or a machine too busy for this speed",
)


def obstacle(scenario: Scenario) -> str:
    """Why this scenario cannot be played here, or ""."""
    lacking: dict[str, None] = {}
    wired = [config.INPUTS[row.name][0] for row in scenario.site.inputs]
    for act in scenario.acts:
        for name in act.plant:
            if name in _UNWIRED and name not in wired:
                lacking[f"{name} (no such input is wired)"] = None
        if act.fault and (need := _need(act.fault, scenario.site)):
            lacking[f"{act.fault.on} {act.fault.kind} (needs {need})"] = None
        if act.command and act.command.refused != "not_authorised":
            lacking[f"command {act.command.name} (needs commands over the link)"] = None
    if lacking:
        return f"not at this level: {', '.join(lacking)}"
    wall_s = scenario.end_ms / 1_000 / SPEED_MAX
    if wall_s > WALL_MAX_S:
        return f"takes {wall_s / 60:.0f} min at {SPEED_MAX} times real time; {WALL_MAX_S // 60} min at most"
    try:
        runtime.find()
    except UserError as error:
        return error.message
    return ""


def _need(fault: Fault, site: Site) -> str:
    """What this level lacks for a fault, or ""."""
    if fault.on == "fuel" and not any(device.role == "fuel" for device in site.devices):
        return "a fuel sensor of its own"
    return _NEEDS.get(fault.kind, "")


def play(scenario: Scenario) -> list[Failure]:
    """Play it in real time, faster when it is long."""
    with TemporaryDirectory(prefix="greenmast-") as folder:
        return HilRun(scenario, Path(folder)).run()


class HilRun:
    """One scenario, once."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        site = dataclasses.replace(scenario.site, mqtt={})  # no broker: the console tells all
        speed = min(max(-(-scenario.end_ms // (1_000 * _WALL_S)), 1), SPEED_MAX)
        start = scenario.begins.replace(tzinfo=site.timezone)

        def make_world(log: Callable[[str], None]) -> World:
            return World(site, folder, seed=scenario.seed, speed=speed, start=start, on_log=log)

        self._chain = Chain(make_world, folder / "board.log")
        self.world = self._chain.world
        self._plant = self.world.plant
        for name, value in scenario.start.items():
            self._plant.set_truth(name, value)
        self._faults = HilFaults(self.world)
        self._until_s: dict[tuple[str, str], float] = {}
        self._queue: list[tuple[float, Callable[[], None]]] = []
        self._begun_s: float | None = None  # the plant's time when the board had taken over
        self._seen_s = 0.0
        self._boots = 0
        self._hung = False  # as the scenario wants it
        self._idle = site_facts.from_config(site.board_config()).idle
        self._told: list[tuple[str, str]] = []  # what the world's loop found
        self._invariants = Invariants(
            site, self._plant, params.complete(dict(site.params)), lambda *found: self._told.append(found)
        )
        self.world.on_tick = self._tick

    def run(self) -> list[Failure]:
        """Play it to the end."""
        with self._chain, SerialLink(self.world.board.console) as link:
            link.answer_s = _ANSWER_S
            view = _View(link, self.scenario)
            self.judge = Judge(self.scenario, lambda: (*view.reasons(), *self._words()))
            if not self._taken_over(view):
                last = (self._words() or ["nothing on its console"])[-1]
                self.judge.fail(0, f"the board takes over within {_READY_S:.0f} s", last)
                return self.judge.failures
            self._chain.do(self._begin)
            end_ms = self.scenario.end_ms
            time_ms = 0
            while time_ms <= end_ms:
                view.look()
                time_ms = round((self._chain.do(lambda: self._plant.time_s) - (self._begun_s or 0.0)) * 1_000)
                while self._told:
                    self.judge.fail(time_ms, *self._told.pop(0))
                self.judge.look(time_ms, view)
                time.sleep(_LOOK_S)
            self.judge.end(time_ms)
            return self.judge.failures

    def _taken_over(self, view: _View) -> bool:
        """Wait for the board's first answer. Returns whether there was one in time."""
        end = time.monotonic() + _READY_S
        while not view.look():
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_S)
        return True

    def _words(self) -> list[str]:
        return self._chain.last_words(_LINES).splitlines()

    # ---- in the world's loop ----------------------------------------------------------------------------

    def _begin(self) -> None:
        self._begun_s = self._seen_s = self._plant.time_s
        for act in self.scenario.acts:
            self._at(act.time_ms / 1_000, lambda act=act: self._act(act))  # type: ignore[misc]
        self._boots = len(self.world.board.resets)

    def _at(self, time_s: float, action: Callable[[], None]) -> None:
        self._queue.append((time_s, action))
        self._queue.sort(key=lambda entry: entry[0])

    def _now_s(self) -> float:
        return self._plant.time_s - (self._begun_s or 0.0)

    def _tick(self) -> None:
        if self._begun_s is None:
            return
        while self._queue and self._queue[0][0] <= self._now_s():
            self._queue.pop(0)[1]()
        board = self.world.board
        now_ms = round(self._now_s() * 1_000)
        if len(board.resets) != self._boots:
            self._boots = len(board.resets)
            self._invariants.booted(now_ms, self._idle)
            if board.resets[-1] == WATCHDOG_RESET and not self._hung:
                self._told.append(_UNASKED)
            self._hung = False
        dt_ms = round((self._plant.time_s - self._seen_s) * 1_000)
        if dt_ms > 0:
            self._seen_s = self._plant.time_s
            self._invariants.truth(now_ms, dt_ms, self._faults.active, board.running)

    def _act(self, act: Act) -> None:
        for name, value in act.plant.items():
            self._plant.set_truth(name, value)
        if act.fault:
            self._fault(act.fault)

    def _fault(self, fault: Fault) -> None:
        on, kind = fault.on, fault.kind
        if on == "controller":
            self._upset(fault)
            return
        key = (on, kind)
        until_s = float("inf") if fault.for_ms is None else self._now_s() + fault.for_ms / 1_000
        self._until_s[key] = max(until_s, self._until_s.get(key, 0.0))
        self._faults.set(on, kind, True)
        self._at(until_s, lambda: self._faults.set(on, kind, self._now_s() < self._until_s[key]))

    def _upset(self, fault: Fault) -> None:
        board = self.world.board
        if fault.kind == "reset":
            board.reset(HARD_RESET)
        elif board.pid is not None:  # a hang: the watchdog ends it, or `for` before that
            pid = board.pid
            self._hung = True
            os.kill(pid, signal.SIGSTOP)
            if fault.for_ms is not None:
                self._at(self._now_s() + fault.for_ms / 1_000, lambda: self._go_on(pid))

    def _go_on(self, pid: int) -> None:
        if self.world.board.running and self.world.board.pid == pid:
            self._hung = False
            os.kill(pid, signal.SIGCONT)


class _View:
    """What the console says about the points of a scenario's checks."""

    def __init__(self, link: SerialLink, scenario: Scenario) -> None:
        names = dict.fromkeys(part.point for check in scenario.checks for part in check.that.parts)
        self._points = [name for name in names if not name.startswith(ALARM)] or ["source.ac"]
        self._alarms = any(name.startswith(ALARM) for name in names)
        self._link = link
        self._values: dict[str, int | None] = {}
        self._raised: set[str] | None = None

    def look(self) -> bool:
        """Ask; nothing is known when there is no answer. Returns whether there was one."""
        self._values, self._raised = {}, None
        try:
            values = {}
            for first in range(0, len(self._points), _POINTS_A_REQUEST):
                some = self._points[first : first + _POINTS_A_REQUEST]
                values.update(reading.get(self._link, some).values)
            if self._alarms:
                told = self._link.call("alarms")["alarms"]
                self._raised = {alarm["name"] for alarm in told if alarm["state"] in alarms.IN_FORCE}
        except (NoContactError, RefusedError):
            return False
        self._values = values
        return True

    def value(self, name: str) -> int | None:
        if name.startswith(ALARM):
            return None if self._raised is None else int(name.removeprefix(ALARM) in self._raised)
        return self._values.get(name)

    def reasons(self) -> list[str]:
        """Why everything is as it is, as far as the board answers."""
        try:
            return [show.explanation(row) for row in self._link.call("explain")["rows"]]
        except (NoContactError, RefusedError):
            return []
