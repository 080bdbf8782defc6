"""Levels hil and board: the firmware as deployed, under MicroPython or on its board, on an emulated site.

Owns how a scenario meets the running chain: `hil_level.Stage` does what it says, in the world's own loop;
what must come of it is asked on the board's console.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from greenmast.chain import Chain
from greenmast.emulator.world import World
from greenmast.hil import real
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.serial import SerialLink
from greenmast.scenario.document import NO_CONTACT, Act, Scenario
from greenmast.scenario.hil_level import SPEED_MAX, Stage
from greenmast.scenario.judge import Failure, Judge
from greenmast.scenario.terms import ALARM
from greenmast.site import Site
from greenmast_protocol import alarms, show

_WALL_S = 120  # what a short story may take before it is sped up
_READY_S = 30.0
_LOOK_S = 0.2  # on the wall
_ANSWER_S = 0.5
_POINTS_A_REQUEST = 5  # a request must fit into a line
_LINES = 6  # of the console, shown with a failure
_LINES_READ = 500  # to find them among the messages


def play(
    scenario: Scenario, *, speed: int | None = None, board: Board | None = None, traces: Path | None = None
) -> list[Failure]:
    """Play it in real time, faster when it is long or when `speed` says so; on `board`, or on a virtual one.

    `traces`: a folder for what can be seen of a run that failed.
    """
    with TemporaryDirectory(prefix="greenmast-") as folder:
        run = HilRun(scenario, Path(folder), speed, board)
        failures = run.run()
        if failures and traces:
            run.save(traces, failures)
        return failures


@dataclass(frozen=True)
class Board:
    """A real board: the serial port of its console, and those on which this machine is its devices."""

    port: str
    buses: tuple[str, ...]


def world_of(
    site: Site,
    folder: Path,
    board: Board | None,
    *,
    seed: int,
    start: datetime,
    sun: bool = True,
    speed: int = 1,
    mqtt: Mapping[str, Any] | None = None,
) -> Chain[World] | Chain[real.RealWorld]:
    """The site with its board, virtual unless `board` is given, ready to be entered."""

    def virtual(log: Callable[[str], None]) -> World:
        return World(site, folder, mqtt=mqtt, seed=seed, speed=speed, start=start, sun=sun, on_log=log)

    if board is None:
        return Chain(virtual, folder / "console.log")

    def on_bench(log: Callable[[str], None]) -> real.RealWorld:
        return real.RealWorld(site, board.port, board.buses, seed=seed, start=start, sun=sun, on_log=log)

    return Chain(on_bench, folder / "console.log")


@contextlib.contextmanager
def link_to(world: World | real.RealWorld) -> Iterator[SerialLink]:
    """The console of a running world's board."""
    if isinstance(world, real.RealWorld):
        yield world.link  # the world asks over it, too, and closes it
        return
    with SerialLink(world.board.console) as link:
        link.answer_s = _ANSWER_S
        yield link


class HilRun:
    """One scenario, once."""

    def __init__(self, scenario: Scenario, folder: Path, speed: int | None, board: Board | None) -> None:
        self.scenario = scenario
        site = dataclasses.replace(scenario.site, mqtt={})  # no broker: the console tells all
        if speed is None:
            speed = min(max(-(-scenario.end_ms // (1_000 * _WALL_S)), 1), SPEED_MAX)
        start = scenario.begins.replace(tzinfo=site.timezone)
        sun = "solar.power_w" not in scenario.start
        self._chain = world_of(site, folder, board, seed=scenario.seed, start=start, sun=sun, speed=speed)
        self._level = "board" if board else "hil"
        self._options = f"--speed {speed}"
        if board:
            self._options = shlex.join(["--port", board.port, *(f"--bus={path}" for path in board.buses)])
        for name, value in scenario.start.items():
            self._chain.world.plant.set_truth(name, value)
        self.stage = Stage(self._chain.world)

    def run(self) -> list[Failure]:
        """Play it to the end."""
        stage = self.stage
        with self._chain, link_to(self._chain.world) as link:
            view = _View(link, self.scenario)
            self.judge = Judge(self.scenario, lambda: (*view.reasons(), *self._words()))
            if not self._taken_over(view):
                last = (self._words() or ["nothing on its console"])[-1]
                self.judge.fail(0, f"the board takes over within {_READY_S:.0f} s", last)
                return self.judge.failures
            self._chain.do(lambda: stage.begin(self.scenario.acts))
            end_ms = self.scenario.end_ms
            time_ms = 0
            while time_ms <= end_ms:
                view.look()
                time_ms = self._chain.do(lambda: self._looked(view))
                while stage.commands:
                    self._command(link, stage.commands.pop(0), time_ms)
                while stage.told:
                    self.judge.fail(time_ms, *stage.told.pop(0))
                self.judge.look(time_ms, view)
                time.sleep(_LOOK_S)
            self.judge.end(time_ms)
            if self.judge.failures:
                self._chain.do(stage.read_lines)
            return self.judge.failures

    def _command(self, link: SerialLink, act: Act, time_ms: int) -> None:
        """On the console, which needs no login."""
        command = act.command
        if command is None:
            return
        answer = ""
        try:
            link.call("command", {"name": command.name, "args": command.args})
            self._chain.do(lambda: self.stage.commanded(command.name, command.args))
        except RefusedError as error:
            answer = error.code
        except NoContactError:
            answer = NO_CONTACT
        if answer != command.refused:
            self.judge.fail(time_ms, f"{act.place} {command.expected}", command.answered(answer))

    def save(self, folder: Path, failures: Sequence[Failure]) -> Path:
        """What was seen, into `folder`."""
        path = self.scenario.path
        about = [
            f"scenario file: {path} at level {self._level}, seed {self.scenario.seed}",
            f"again: {self.scenario.command(self._level)} {self._options}",
            *(line for failure in failures for line in failure.lines()),
        ]
        files = [path, self._chain.log]
        return self.stage.recorder.save(
            folder, self.scenario.title, about, failed_s=[f.at_s for f in failures], copies=files
        )

    def _looked(self, view: _View) -> int:
        """In the world's loop: note what was told. Returns the story's time, ms."""
        self.stage.recorder.told(view.values)
        return round(self.stage.now_s() * 1_000)

    def _taken_over(self, view: _View) -> bool:
        """Wait for the board's first answer. Returns whether there was one in time."""
        end = time.monotonic() + _READY_S
        while not view.look():
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_S)
        return True

    def _words(self) -> list[str]:
        """The end of what the board has printed, without its messages."""
        lines = self._chain.last_words(_LINES_READ).splitlines()
        return [line for line in lines if not line.startswith("{")][-_LINES:]


class _View:
    """What the console says about the points of a scenario's checks."""

    def __init__(self, link: SerialLink, scenario: Scenario) -> None:
        names = dict.fromkeys(part.point for check in scenario.checks for part in check.that.parts)
        self._points = [name for name in names if not name.startswith(ALARM)] or ["source.ac"]
        self._alarms = any(name.startswith(ALARM) for name in names)
        self._link = link
        self.values: dict[str, int | None] = {}
        self._raised: set[str] | None = None

    def look(self) -> bool:
        """Ask; nothing is known when there is no answer. Returns whether there was one."""
        self.values, self._raised = {}, None
        try:
            values = {}
            for first in range(0, len(self._points), _POINTS_A_REQUEST):
                some = self._points[first : first + _POINTS_A_REQUEST]
                values.update(reading.get(self._link, some).values)
            if self._alarms:
                listed = self._link.call("alarms")["alarms"]
                self._raised = {row["name"] for row in listed if row["state"] in alarms.IN_FORCE}
        except (NoContactError, RefusedError):
            return False
        self.values = values
        return True

    def value(self, name: str) -> int | None:
        if name.startswith(ALARM):
            return None if self._raised is None else int(name.removeprefix(ALARM) in self._raised)
        return self.values.get(name)

    def reasons(self) -> list[str]:
        """Why everything is as it is, as far as the board answers."""
        try:
            return [show.explanation(row) for row in self._link.call("explain")["rows"]]
        except (NoContactError, RefusedError):
            return []
