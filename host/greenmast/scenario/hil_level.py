"""What levels hil and board can do to a running site: truths, faults and resets, at their times of the plant.

Owns how these reach plant, devices, wires and board, in the world's own loop, and what is noted of it. Of the
invariants, only those that the plant itself shows are checked. What a level cannot do yet is told before
anything is played.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from greenmast.emulator import runtime
from greenmast.emulator.board import HARD_RESET, WATCHDOG_RESET
from greenmast.emulator.world import World
from greenmast.errors import UserError
from greenmast.hil import limits, real
from greenmast.hil.record import Recorder, Span
from greenmast.scenario.document import NO_CONTACT, Act, Fault, Scenario
from greenmast.scenario.hil_faults import HilFaults
from greenmast.scenario.invariants import Invariants
from greenmast.site import Site
from greenmast_fw.core import site as site_facts
from greenmast_protocol import config, params

SPEED_MAX = 5
WALL_MAX_S = 600
_UNWIRED = ("site.door_open", "site.smoke", "site.temperature_dc")
_LINK = "commands over a link that can be cut"
_NEEDS = {
    "bit_rot": "a faulty flash",
    "power_cut": "a board whose supply can be cut",
    "jump": "a clock that can be set",
    "lost": "a clock that can be set",
    "partition": _LINK,
    "broker_restart": _LINK,
}
_LINK_REFUSALS = ("not_authorised", NO_CONTACT)  # never by the console
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
        if act.command and act.command.refused in _LINK_REFUSALS:
            lacking[f"command {act.command.name} {act.command.refused} (needs {_LINK})"] = None
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


def obstacle_on_board(scenario: Scenario) -> str:
    """Why this cannot be played on a real board, or ""; whether it runs the site shows later."""
    lacking: dict[str, None] = {}
    for act in scenario.acts:
        if act.fault and (why := limits.hinders(act.fault.on, act.fault.kind)):
            lacking[f"{act.fault.on} {act.fault.kind} ({why})"] = None
    if lacking:
        return f"not at this level: {', '.join(lacking)}"
    if scenario.end_ms > WALL_MAX_S * 1_000:
        return f"takes {scenario.end_ms / 60_000:.0f} min; {WALL_MAX_S // 60} min at most"
    return obstacle(scenario)


def inability(fault: Fault, site: Site) -> str:
    """What a world with a virtual board lacks for a fault, or ""."""
    return _need(fault, site)


class Stage:
    """What is done to a running world, at its times, and what is noted of it; all of it in the world's loop.

    `told`: violations of what is always checked, as (what, saw). Nothing is judged before `begin`.
    """

    def __init__(self, world: World | real.RealWorld) -> None:
        self.world = world
        site = world.site
        self._plant = world.plant
        self.recorder = Recorder(site, world.plant)
        self._faults = HilFaults(world)
        self._until_s: dict[tuple[str, str], float] = {}
        self._spans: dict[tuple[str, str], Span] = {}
        self._queue: list[tuple[float, Callable[[], None]]] = []
        self._begun_s: float | None = None  # the plant's time when the board had taken over
        self._seen_s = 0.0
        self._boots = 0
        self._hung = False  # as somebody wants it
        self._idle = site_facts.from_config(site.board_config()).idle
        self.told: list[tuple[str, str]] = []
        self.commands: list[Act] = []  # due, for whoever has the console
        self._invariants = Invariants(
            site, self._plant, params.complete(dict(site.params)), lambda *found: self.told.append(found)
        )
        world.on_tick = self._tick
        world.on_pin = self.recorder.pin
        for name, server in world.emulated.buses.items():
            server.on_exchange = partial(self.recorder.exchange, name)

    # ---- in the world's loop ----------------------------------------------------------------------------

    def begin(self, acts: Iterable[Act] = ()) -> None:
        """The board has taken over: the story's time starts, `acts` happen at theirs."""
        self._begun_s = self._seen_s = self.recorder.zero_s = self._plant.time_s
        for act in acts:
            self._at(act.time_ms / 1_000, lambda act=act: self._act(act))  # type: ignore[misc]
        self._boots = len(self.world.board.resets)

    def _at(self, time_s: float, action: Callable[[], None]) -> None:
        self._queue.append((time_s, action))
        self._queue.sort(key=lambda entry: entry[0])

    def now_s(self) -> float:
        """Seconds since the story began."""
        return self._plant.time_s - (self._begun_s or 0.0)

    def _tick(self) -> None:
        self.recorder.sample()
        if self._begun_s is None:
            return
        while self._queue and self._queue[0][0] <= self.now_s():
            self._queue.pop(0)[1]()
        board = self.world.board
        now_ms = round(self.now_s() * 1_000)
        if len(board.resets) != self._boots:
            self._boots = len(board.resets)
            self._invariants.booted(now_ms, self._idle)
            self.recorder.mark(f"boot {self._boots}")
            if board.resets[-1] == WATCHDOG_RESET and not self._hung:
                self.told.append(_UNASKED)
            self._hung = False
        dt_ms = round((self._plant.time_s - self._seen_s) * 1_000)
        if dt_ms > 0:
            self._seen_s = self._plant.time_s
            self._invariants.truth(now_ms, dt_ms, self._faults.active, board.running)

    def _act(self, act: Act) -> None:
        self.plant(act.plant)
        if act.fault:
            self.fault(act.fault)
        if act.command:
            self.commands.append(act)

    def plant(self, truths: Mapping[str, float]) -> None:
        """Hold these truths."""
        for name, value in truths.items():
            self._plant.set_truth(name, value)
        if truths:
            self.recorder.mark(", ".join(f"{name} = {value:g}" for name, value in truths.items()))

    def heal(self, on: str, kind: str) -> None:
        """End a fault that lasts."""
        self._until_s.pop((on, kind), None)
        self._set(on, kind, False)

    def fault(self, fault: Fault) -> None:
        """Let it begin."""
        on, kind = fault.on, fault.kind
        if on == "controller" and kind != "flash_full":
            self.recorder.mark(f"{on} {kind}")
            self._upset(fault)
            return
        key = (on, kind)
        until_s = float("inf") if fault.for_ms is None else self.now_s() + fault.for_ms / 1_000
        self._until_s[key] = max(until_s, self._until_s.get(key, 0.0))
        self._set(on, kind, True)
        self._at(until_s, lambda: self._set(on, kind, self.now_s() < self._until_s.get(key, 0.0)))

    def _set(self, on: str, kind: str, so: bool) -> None:
        self._note(on, kind, so)
        self._faults.set(on, kind, so)

    def commanded(self, name: str, args: Mapping[str, object]) -> None:
        """Note a command that the board has accepted."""
        self.recorder.mark(f"command {name}")
        self._invariants.command(round(self.now_s() * 1_000), name, args)

    def read_lines(self) -> None:
        """Note what was last on the wires."""
        self.recorder.lines = {bus: wire.trace() for bus, wire in self.world.wires.items()}

    def _note(self, on: str, kind: str, so: bool) -> None:
        key = (on, kind)
        if so:
            if key not in self._spans:
                self._spans[key] = self.recorder.begin(f"{on} {kind}")
        elif key in self._spans:
            self._spans.pop(key).to_s = self._plant.time_s

    def _upset(self, fault: Fault) -> None:
        board = self.world.board
        if fault.kind == "reset":
            board.reset(HARD_RESET)
        elif board.pid is not None:  # a hang: the watchdog ends it, or `for` before that
            pid = board.pid
            self._hung = True
            os.kill(pid, signal.SIGSTOP)
            if fault.for_ms is not None:
                self._at(self.now_s() + fault.for_ms / 1_000, lambda: self._go_on(pid))

    def _go_on(self, pid: int) -> None:
        if self.world.board.running and self.world.board.pid == pid:
            self._hung = False
            os.kill(pid, signal.SIGCONT)
