"""A real board on its console port and on the buses of an emulated site: this machine is the devices.

Owns what can be seen of such a board: it is asked what it drives, since nobody looks at its pins, and the
plant's contactors follow what it tells. Whatever else a virtual board lets a test do is not possible here and
`limits` says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from greenmast.emulator.emulate import EmulatedSite
from greenmast.emulator.wire import Wire
from greenmast.errors import REFUSED, USAGE, UserError
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.serial import SerialLink, board_log
from greenmast.plant import Plant, PlantConfig
from greenmast.site import Bus, Site

TICK_S = 0.05
_STEP_MAX_S = 0.25
_ASK_S = 0.25
_ANSWER_S = 1.0
_AWAY_S = 3.0  # without an answer for this long, its coils count as without current
_PULSE_S = 0.1
_PTY_MAJORS = range(136, 144)  # UNIX 98 pseudo-terminals
_POWER_ON, _RESET = 1, 2  # causes, as those of the virtual board
_NOT_COMPARED = ("revision", "mqtt")


class SharedLink(SerialLink):
    """The one serial link to the board, for tests and for the observer of the outputs."""

    def __init__(self, port: str) -> None:
        self._lock = threading.RLock()
        super().__init__(port)

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        with self._lock:
            return super().call(method, params, timeout_s)

    def pulse_reset(self) -> None:
        """EN low by RTS, with DTR at rest so that the board does not enter its boot loader."""
        with self._lock:
            self._port.rts = True
            time.sleep(_PULSE_S)
            self._port.rts = False


class RealBoard:
    """What a world knows about its board; `resets` has an entry for every boot that was seen."""

    pid: int | None = None

    def __init__(self, console: str) -> None:
        self.console = console
        self.resets = [_POWER_ON]
        self.running = False
        self.boot: int | None = None
        self.link: SharedLink | None = None

    def reset(self, cause: int = _RESET) -> None:
        """By the reset line, where the port has one; else it is told to, and does it within a second."""
        if self.has_reset_line():
            self._link().pulse_reset()
        else:
            threading.Thread(target=self._tell, name="reset", daemon=True).start()

    def has_reset_line(self) -> bool:
        """Whether RTS of the port may reset the board; a pseudo-terminal has no such line."""
        return os.major(os.stat(self.console).st_rdev) not in _PTY_MAJORS

    def _tell(self) -> None:
        with contextlib.suppress(NoContactError, RefusedError):
            self._link().call("command", {"name": "controller.reset", "args": {}})

    def _link(self) -> SharedLink:
        if self.link is None:
            raise RuntimeError("the board's port is not open")
        return self.link


class RealWorld:
    """An asynchronous context like `World`, for the board on serial port `console`.

    `buses`: ports in the order of the site's serial buses, on which this machine answers as its devices.
    `sun`: the site's own. Entering raises UserError when the board does not run this site's configuration.
    """

    speed = 1

    def __init__(
        self,
        site: Site,
        console: str,
        buses: Sequence[str],
        *,
        seed: int = 1,
        start: datetime | None = None,
        sun: bool = True,
        on_log: Callable[[str], None] = lambda line: None,
    ) -> None:
        lines = [bus.name for bus in site.buses if not _endpoint(bus)]
        if len(buses) != len(lines):
            names = ", ".join(lines)
            text = (
                f"{site.id} has {len(lines)} serial buses ({names}): give one --bus for each, in this order"
            )
            raise UserError(text, USAGE)
        self.site = site
        self.plant = Plant(
            PlantConfig.from_site(site.plant), seed, start=start or datetime.now(site.timezone), sun=sun
        )
        self.emulated = EmulatedSite(site, self.plant, seed=seed)
        self.wires: dict[str, Wire] = {}  # they are real: this machine is only at their ends
        self.board = RealBoard(console)
        self.on_tick: Callable[[], None] = lambda: None
        self.on_pin: Callable[[str, str, int, int], None] = lambda way, name, pin, level: None
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {output.name: 0 for output in site.outputs}
        self.link: SharedLink
        self._paths = dict(zip(lines, buses, strict=True))
        self._idle_closed = {output.name: output.idle == "closed" for output in site.outputs}
        self._on_log = on_log
        self._ended = threading.Event()
        self._answered = time.monotonic()
        self._observer: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._handler = _Lines(self._on_log)
        board_log.addHandler(self._handler)
        board_log.setLevel(logging.INFO)
        try:
            self.link = self.board.link = SharedLink(self.board.console)
            self.link.answer_s = _ANSWER_S
            if self.board.has_reset_line():
                self.link.pulse_reset()  # so that it begins as the virtual one does
            for bus in self.site.buses:
                await self._serve(bus)
            self._task = asyncio.create_task(self._run())
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._require_configuration)
        except BaseException:
            await self._close()
            raise
        self._observer = threading.Thread(target=self._observe, args=(loop,), name="outputs", daemon=True)
        self._observer.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._close()

    async def _close(self) -> None:
        self._ended.set()
        if self._observer:
            await asyncio.get_running_loop().run_in_executor(None, self._observer.join)
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.emulated.stop()
        if self.board.link:
            self.board.link.close()
        board_log.removeHandler(self._handler)

    async def _serve(self, bus: Bus) -> None:
        server = self.emulated.buses[bus.name]
        place = _endpoint(bus) or f"--bus {self._paths[bus.name]}"
        try:
            if endpoint := _endpoint(bus):
                host, _, port = endpoint.rpartition(":")
                await server.serve_tcp(host.strip("[]"), int(port))
            else:
                await server.serve_serial(self._paths[bus.name], bus.baud, bus.parity)
        except OSError as error:
            raise UserError(f"bus {bus.name}: cannot answer on {place}: {error}", USAGE) from None

    def _require_configuration(self) -> None:
        """Raises UserError when board and site file are not of one mind."""
        self.link.hello()
        theirs = self.link.call("config.get")
        lines = difference(self.site.board_config(), theirs)
        if lines:
            head = f"the board on {self.board.console} does not run this site ({self.site.id}):"
            tail = "flash it with the site file of this bench, or name the file that it runs"
            raise UserError("\n".join([head, *(f"  {line}" for line in lines), tail]), REFUSED)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        before_s = clock()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = clock()
            due_s = now_s - before_s
            before_s = now_s
            while due_s > 0:
                step_s = min(due_s, _STEP_MAX_S)
                self.plant.step(step_s)
                due_s -= step_s
            self.emulated.refresh()
            self.on_tick()

    def _observe(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._ended.wait(_ASK_S):
            told: Mapping[str, int | None] | None = None
            with contextlib.suppress(NoContactError, RefusedError):
                told = reading.get(self.link, ["output.*", "controller.boot"]).values
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._follow, told)

    def _follow(self, told: Mapping[str, int | None] | None) -> None:
        """Let the plant's coils be what the board tells."""
        now_s = time.monotonic()
        board = self.board
        if told is None:
            if now_s - self._answered > _AWAY_S and board.running:
                board.running = False
                for name in self.outputs:
                    self._coil(name, 0)
            return
        self._answered = now_s
        board.running = True
        boot = told["controller.boot"]
        if boot is not None and boot != board.boot:
            if board.boot is not None:
                board.resets.append(_RESET)
            board.boot = boot
        for name, idle_closed in self._idle_closed.items():
            closed = told.get(f"output.{name}")
            if closed is not None:
                self._coil(name, int(bool(closed) != idle_closed))

    def _coil(self, name: str, level: int) -> None:
        if self.outputs[name] != level:
            self.outputs[name] = level
            self.plant.coil(name, bool(level))


def _endpoint(bus: Bus) -> str:
    """Where a bus of Modbus TCP is: an address of this machine, that the board connects to. "" for a line."""
    return str(getattr(bus, "tcp", None) or "")


def difference(ours: Mapping[str, Any], theirs: Mapping[str, Any], place: str = "") -> list[str]:
    """Where two configurations differ, one a line; broker and revision are not compared."""
    lines = []
    for key in sorted({*ours, *theirs}):
        here = f"{place}{key}"
        mine, its = ours.get(key), theirs.get(key)
        if mine == its or here in _NOT_COMPARED:
            continue
        if isinstance(mine, Mapping) and isinstance(its, Mapping):
            lines += difference(mine, its, f"{here}.")
        else:
            lines.append(f"{here}: {its!r} on the board, {mine!r} in the site file")
    return lines


class _Lines(logging.Handler):
    """What the board prints beside its messages, to the world's log."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(record.getMessage())
