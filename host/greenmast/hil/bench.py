"""What a test gets: a site with its board, what may be done to them, and what can be seen of them.

Owns how a test touches the running chain from outside. How faults reach their places is `Stage`'s business;
the board is a virtual or a real one, and where a real one cannot do a thing the test ends with the reason.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from greenmast.emulator.world import World
from greenmast.hil.limits import LACKS, NotHereError, hinders
from greenmast.hil.real import RealWorld
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.serial import SerialLink
from greenmast.scenario import faults, terms
from greenmast.scenario.document import Fault
from greenmast.scenario.hil_level import Stage, inability
from greenmast.scenario.hil_run import Board, link_to, world_of
from greenmast.site import Site, near
from greenmast_protocol import alarms, points, show

BEGINS = datetime(2026, 6, 15, 12, 0)
_READY_S = 30.0
_EVERY_S = 0.2
_WORDS = 8


class Bench:
    """A context: the site lives while it is open, and its board has answered when it is entered.

    Times are those of the site, which runs `speed` times as fast as the clock on the wall, unless it is real.
    """

    def __init__(
        self,
        site: Site,
        folder: Path,
        *,
        board: Board | None = None,
        seed: int = 1,
        speed: int = 1,
        plant: Mapping[str, float] | None = None,
        begins: datetime = BEGINS,
        mqtt: Mapping[str, Any] | None = None,
    ) -> None:
        """`plant`: truths from the start on; `begins`: local time; `mqtt`: the broker, none when absent.

        `board`: the real one. Raises NotHereError for what that cannot do.
        """
        if board and mqtt:
            raise NotHereError(LACKS["broker"])
        self.site = site if mqtt else dataclasses.replace(site, mqtt={})
        self.seed = seed
        self.speed = speed = 1 if board else speed
        start = begins.replace(tzinfo=site.timezone)
        plant = plant or {}
        sun = "solar.power_w" not in plant
        self.chain = world_of(
            self.site, folder, board, seed=seed, start=start, sun=sun, speed=speed, mqtt=mqtt
        )
        for name, value in plant.items():
            self.chain.world.plant.set_truth(name, value)
        self.stage = Stage(self.chain.world)
        self.link: SerialLink
        self._asked: dict[str, int | None] = {}  # by whoever waits
        self._stack = ExitStack()
        self._running = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.chain)
            self.link = stack.enter_context(link_to(self.chain.world))
            self.until("the board to answer", self._answers, _READY_S)
            self.chain.do(self.stage.begin)
            self._stack = stack.pop_all()
            self._running = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._running = False
        self._stack.close()

    # ---- what may be done -------------------------------------------------------------------------------

    def plant(self, truths: Mapping[str, float]) -> None:
        """Hold these truths of the plant; charge and fuel are set and then live on."""
        self.chain.do(lambda: self.stage.plant(truths))

    def fault(self, on: str, kind: str, *, for_s: float | None = None) -> None:
        """Let something go wrong, for `for_s` seconds or until `heal`: names as in a scenario's `fault`.

        Raises ValueError for names that are not in that table, NotHereError for what this bench cannot do.
        """
        targets = (*faults.TARGETS, *faults.single(self.site))
        if on not in targets:
            raise ValueError(f"nothing called {on} can fail{near(on, targets)}")
        if kind not in faults.kinds(on):
            raise ValueError(f"{on} has no fault {kind}{near(kind, faults.kinds(on))}")
        if lacking := faults.absent(on, kind, self.site):
            raise ValueError(lacking)
        if for_s is None and kind in faults.DEFAULT_MS:
            for_s = faults.DEFAULT_MS[kind] / 1_000
        fault = Fault(on, kind, None if for_s is None else round(for_s * 1_000))
        if not self.virtual and (why := hinders(on, kind)):
            raise NotHereError(why)
        if need := inability(fault, self.site):
            raise NotHereError(f"{on} {kind}: needs {need}")
        self.chain.do(lambda: self.stage.fault(fault))

    def heal(self, on: str, kind: str) -> None:
        """End a fault."""
        self.chain.do(lambda: self.stage.heal(on, kind))

    def command(self, name: str, **args: object) -> dict[str, Any]:
        """What the board has applied. Raises RefusedError, whose `code` says why not."""
        self.link.hello()
        applied = self.link.call("command", {"name": name, "args": args})["applied"]
        self.chain.do(lambda: self.stage.commanded(name, args))
        return dict(applied)

    def reset(self) -> None:
        """As by the board's reset line; a real board whose port has none is told to reset itself."""
        self.fault("controller", "reset")

    def kill(self) -> None:
        """SIGKILL to the firmware, wherever it is; the board starts again by itself."""
        pid = self._world("kill").board.pid
        if pid is not None:
            self.stage.recorder.mark("killed")
            os.kill(pid, signal.SIGKILL)

    def elapse(self, seconds: float) -> None:
        """Wait until this much time of the site has passed."""
        end_s = self.time_s + seconds
        while (left_s := end_s - self.time_s) > 0:
            time.sleep(min(left_s / self.speed, 1.0) + 0.005)

    def until(self, what: str, condition: Callable[[], Any], within_s: float = 60.0) -> None:
        """Wait until `condition` is true, `within_s` seconds on the wall at most.

        Raises AssertionError with what was asked meanwhile, the board's reasons and its last words. No answer
        counts as not yet.
        """
        __tracebackhide__ = True
        self._asked.clear()
        end = time.monotonic() + within_s
        while not self._so(condition):
            if time.monotonic() > end:
                self.stage.recorder.mark(f"waited in vain for {what}")
                raise AssertionError("\n".join(self._in_vain(f"waited {within_s:g} s in vain for {what}")))
            time.sleep(_EVERY_S)

    def _in_vain(self, what: str) -> list[str]:
        lines = [what]
        lines += [f"saw: {name} = {terms.word(name, value)}" for name, value in self._asked.items()]
        with contextlib.suppress(NoContactError, RefusedError):
            lines += ["the board says why:", *(f"  {line}" for line in self.explain())]
        return [*lines, "its last words:", *(f"  {line}" for line in self.last_words())]

    # ---- what can be seen -------------------------------------------------------------------------------

    @property
    def virtual(self) -> bool:
        """Whether the board is emulated."""
        return isinstance(self.chain.world, World)

    @property
    def time_s(self) -> float:
        """Seconds of the site since the board had taken over."""
        return self.chain.do(self.stage.now_s)

    def truth(self, name: str) -> float:
        """What is really so in the plant; the names are in the columns of a trace's plant.csv."""
        return self.chain.do(lambda: self.chain.world.plant.truth(name))

    def points(self, *names: str) -> dict[str, int | None]:
        """Values as the board tells them; a name may end in `*`. None: not known or not trusted."""
        values = reading.get(self.link, names).values
        self.chain.do(lambda: self.stage.recorder.told(values))
        self._asked.update(values)
        return values

    def point(self, name: str) -> int | None:
        """One value as the board tells it."""
        return self.points(name)[name]

    def word(self, name: str) -> str:
        """One value in the point's own words: "grid" for `source.ac`, "on_load" for `genset.state`."""
        return terms.word(name, self.point(name))

    def alarms(self) -> set[str]:
        """Names of the alarms that hold."""
        rows = self.link.call("alarms")["alarms"]
        return {row["name"] for row in rows if row["state"] in alarms.IN_FORCE}

    def explain(self) -> list[str]:
        """Why everything is as it is, in sentences."""
        return [show.explanation(row) for row in self.link.call("explain")["rows"]]

    def statistics(self) -> dict[str, Any]:
        """The board's counters."""
        return dict(self.link.call("hello", {"statistics": True})["statistics"])

    def boot(self) -> int:
        """How often the board has started in its life."""
        return int(self.link.call("hello")["boot"])

    def log(self) -> list[dict[str, Any]]:
        """All events of the board's log, oldest first, as `log.read` tells them."""
        records: list[dict[str, Any]] = []
        params: dict[str, int] = {}
        more = True
        while more:
            told = self.link.call("log.read", params)
            records += told["records"]
            more = told["more"]
            params = {"boot": records[-1]["boot"], "since": records[-1]["seq"]}
        return records

    def outputs(self) -> dict[str, bool]:
        """Which outputs are on, their contacts closed: at the pins, or as a real board tells it."""
        if isinstance(self.chain.world, World):
            levels = self.chain.do(lambda: dict(self.chain.world.outputs))
            idle = {output.name: output.idle == "closed" for output in self.site.outputs}
            return {name: bool(level) != idle[name] for name, level in levels.items()}
        told = self.points("output.*")
        return {output.name: bool(told[f"output.{output.name}"]) for output in self.site.outputs}

    def inputs(self) -> dict[str, bool]:
        """Levels at the input pins, by contactor. Virtual boards only: raises NotHereError."""
        levels = dict(self._world("pins").inputs)
        return {name: bool(level) for name, level in levels.items()}

    def last_words(self) -> list[str]:
        """The end of what the board printed, without its messages."""
        return [line for line in self.chain.log.read_text().splitlines() if not line.startswith("{")][
            -_WORDS:
        ]

    def violations(self) -> list[str]:
        """What no controller may cause and a virtual board may not do, as far as it has happened."""
        return [f"{what}: {saw}" for what, saw in list(self.stage.told)]

    def nothing_went_dark_or_parallel(self) -> None:
        """The critical load was fed all the time, and the AC sources were never together."""

        def look() -> tuple[dict[str, float], float]:
            plant = self.chain.world.plant
            return dict(plant.violations), plant.unpowered_s

        violations, unpowered_s = self.chain.do(look)
        assert not any(violations.values()), violations
        assert unpowered_s == 0, f"the critical load was dark for {unpowered_s:.1f} s"

    def save(self, folder: Path, title: str, about: Sequence[str]) -> Path:
        """What was seen so far, into `folder`."""
        board = "virtual board" if self.virtual else f"board on {self.chain.world.board.console}"
        head = f"site {self.site.id}, {board}, seed {self.seed}, speed {self.speed}"

        def write() -> Path:
            if self._running:
                self.stage.read_lines()
            return self.stage.recorder.save(
                folder, title, [head, *about], failed_s=[self.stage.now_s()], copies=[self.chain.log]
            )

        return self.chain.do(write) if self._running else write()

    def _world(self, need: str) -> World:
        """The world of a virtual board. Raises NotHereError when it is real: `need` says what for."""
        if isinstance(self.chain.world, RealWorld):
            raise NotHereError(LACKS[need])
        return self.chain.world

    def _so(self, condition: Callable[[], Any]) -> Any:
        try:
            return condition()
        except (NoContactError, RefusedError):
            return None

    def _answers(self) -> bool:
        reading.get(self.link, [points.NAMES[0]])
        return True
