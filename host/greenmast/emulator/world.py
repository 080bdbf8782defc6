"""A whole site on one machine: plant, Modbus devices on paced wires, and the virtual board that runs it.

Owns the pace of the plant and who is connected with whom; `cabinet` is the wiring of coils and contacts.
Decides nothing: what happens is the plant's physics and the firmware's choice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from greenmast import wiring
from greenmast.emulator.board import HEAP_B, HEAP_LOADED_B, VirtualBoard
from greenmast.emulator.cabinet import Cabinet
from greenmast.emulator.emulate import EmulatedSite
from greenmast.emulator.time_server import TimeServer
from greenmast.emulator.wire import Wire
from greenmast.flash import build, image
from greenmast.plant import Plant, PlantConfig
from greenmast.site import Site

TICK_S = 0.02
_STEP_MAX_S = 0.25  # of the plant: contactors and genset are followed closely at any speed


class World:
    """An asynchronous context: the site lives while it is open.

    `mqtt`: where the board finds its broker. `folder`: for the flash file. `speed`: how many times faster
    than the clock on the wall everything runs, the board's own time included. `start`: local time of the
    plant. `sun`: its own; else a truth says what the array offers. `romfs`: the firmware is a ROM image and
    runs in place; else it is files in flash and is loaded into the heap. `heap_b`: None for that of the
    deployment (see `board`). `cold`: leave the board off (`board.start()` switches it on). `time_server`:
    there is one that knows the plant's time.
    """

    def __init__(
        self,
        site: Site,
        folder: Path,
        *,
        mqtt: Mapping[str, Any] | None = None,
        seed: int = 1,
        speed: int = 1,
        start: datetime | None = None,
        sun: bool = True,
        heap_b: int | None = None,
        romfs: bool = True,
        cold: bool = False,
        time_server: bool = False,
        on_log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.site = site
        self.speed = speed
        start = start or datetime.now(site.timezone)
        self.plant = Plant(PlantConfig.from_site(site.plant), seed, start=start, sun=sun)
        self.time_server = TimeServer(lambda: start.timestamp() + self.plant.time_s) if time_server else None
        self.files = build.firmware(site)
        self.flash = folder / "flash.img"
        self._rom: Path | None = None
        in_flash = self.files
        if romfs:
            self._rom = folder / "rom.img"
            self._rom.write_bytes(image.rom(self.files))
            in_flash = {path: content for path, content in self.files.items() if not path.endswith(".mpy")}
        self._in_flash = {**in_flash, **site.board_files}
        self._config = site.board_config(mqtt=mqtt)
        self.partitions = {label: folder / f"{label}.img" for label in image.RINGS}
        if self.time_server:
            self._config["site"]["time_server"] = self.time_server.address
        self.emulated = EmulatedSite(site, self.plant, seed=seed)
        for server in self.emulated.buses.values():
            server.speed = speed
        self.wires: dict[str, Wire] = {}  # by bus
        self.board: VirtualBoard
        self.on_tick: Callable[[], None] = lambda: None
        # For those who watch: "output" or "input", its name, pin and new level.
        self.on_pin: Callable[[str, str, int, int], None] = lambda way, name, pin, level: None
        self.inputs: dict[str, int] = {}  # levels of the auxiliary contacts and the site's inputs
        self.outputs: dict[str, int] = {output.name: 0 for output in site.outputs}  # levels of the coils
        self._heap_b = heap_b or (HEAP_B if romfs else HEAP_LOADED_B)
        self._cold = cold
        self._seed = seed
        self._on_log = on_log
        self._stack = ExitStack()
        self._task: asyncio.Task[None] | None = None
        modules = [
            self.emulated.buses[device.bus].devices[device.address]
            for device in site.devices
            if device.role == "io"
        ]
        self.cabinet = Cabinet(site, self.plant, modules)
        self._table = wiring.board(site.board)

    async def __aenter__(self) -> Self:
        try:
            uarts = {}
            numbers = [row[0] for row in self._table.UARTS]
            for bus, compiled in zip(self.site.buses, self._config["buses"], strict=True):
                server = self.emulated.buses[bus.name]
                if bus.tcp:  # the board finds it here, wherever it is at the real site
                    compiled["tcp"] = "{}:{}".format(*await server.serve_tcp())
                    continue
                wire = self._stack.enter_context(Wire(bus.baud, speed=self.speed, seed=self._seed))
                self.wires[bus.name] = wire
                if numbers:  # a board with too few of them says so itself
                    uarts[numbers.pop(0)] = wire.master_path
                await server.serve_serial(wire.slave_path, bus.baud, bus.parity)
            self.flash.write_bytes(image.littlefs(self._in_flash, self._config))
            for label, path in self.partitions.items():
                path.write_bytes(image.blank(image.RINGS[label]))
            if self.time_server:
                self._stack.callback(self.time_server.close)
                await self.time_server.start()
            levels = self.cabinet.levels()
            self.inputs = {self.cabinet.contacts[pin]: level for pin, level in levels.items()}
            self.board = VirtualBoard(
                self.flash,
                uarts,
                levels,
                table=self._table,
                speed=self.speed,
                heap_b=self._heap_b,
                rom=self._rom,
                partitions=self.partitions,
                on_pin=self._drive,
                on_log=self._on_log,
            )
            if not self._cold:
                await self.board.start()
            self._task = asyncio.create_task(self._run())
        except BaseException:
            self._stack.close()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.board.stop()
        await self.emulated.stop()
        self._stack.close()

    def _drive(self, pin: int, level: int) -> None:
        self.cabinet.drive(pin, level)
        name = self.cabinet.coils.get(pin)
        if name is not None:
            self.outputs[name] = level
            self.on_pin("output", name, pin, level)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        before_s = clock()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = clock()
            due_s = (now_s - before_s) * self.speed
            before_s = now_s
            while due_s > 0:
                step_s = min(due_s, _STEP_MAX_S)
                self.plant.step(step_s)
                due_s -= step_s
            self.emulated.refresh()
            self.cabinet.refresh()
            for pin, level in self.cabinet.levels().items():
                name = self.cabinet.contacts[pin]
                if self.inputs.get(name) != level:
                    self.inputs[name] = level
                    self.board.set_input(pin, level)
                    self.on_pin("input", name, pin, level)
            self.on_tick()
