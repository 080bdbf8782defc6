"""A site's Modbus devices for any master: the plant in real time behind one server per bus.

Owns which device sits on which bus and which part of the plant it sees, the pace of the plant and where the
buses can be reached. Must not know registers or a controller: with nobody switching, the contactors rest as
the site file says.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from greenmast.emulator.devices import PROFILES, Device, create
from greenmast.emulator.server import BusServer
from greenmast.emulator.share import Pool, Share, sections_for
from greenmast.emulator.wire import Wire
from greenmast.errors import BAD_INPUT_FILE, REFUSED, USAGE, UserError
from greenmast.plant import Plant, PlantConfig
from greenmast.site import Bus, Site, load, near

REFRESH_S = 0.05
SPREAD = 0.02  # of what flows through one of several devices of a role


class EmulatedSite:
    """The devices of `site` on one `BusServer` per bus (`buses`, by name), all showing `plant`.

    Several devices of one role show their parts of it (see `share`), which differ by up to `spread`.
    """

    def __init__(self, site: Site, plant: Plant, *, spread: float = SPREAD, seed: int = 1) -> None:
        """Raises UserError for a profile that has no emulated device or that cannot serve this site."""
        self.site = site
        self.plant = plant
        roles = Counter(device.role for device in site.devices)
        pools = {role: Pool(plant, role, count, spread=spread, seed=seed) for role, count in roles.items()}
        built: dict[str, dict[int, Device]] = {bus.name: {} for bus in site.buses}
        self._views: dict[str, dict[int, Share]] = {bus.name: {} for bus in site.buses}
        for device in site.devices:
            pool = pools[device.role]
            built[device.bus][device.address] = _device(site, device.profile, device.role, pool.devices)
            self._views[device.bus][device.address] = pool.join()
        self.buses = {name: BusServer(devices) for name, devices in built.items()}
        self.refresh()

    def refresh(self) -> None:
        """Let writes act on the plant and show its truths on every bus."""
        for name, server in self.buses.items():
            server.refresh(self.plant, self._views[name])

    async def run(self, stop: asyncio.Event, speed: float = 1.0) -> None:
        """Advance the plant with the clock, `speed` times as fast, until `stop` is set."""
        clock = asyncio.get_running_loop().time
        before_s = clock()
        while not stop.is_set():
            await asyncio.sleep(REFRESH_S)
            now_s = clock()
            self.plant.step((now_s - before_s) * speed)
            before_s = now_s
            self.refresh()

    async def stop(self) -> None:
        """Close the ports of every bus."""
        for server in self.buses.values():
            await server.stop()


def plant_of(site: Site, seed: int = 1) -> Plant:
    """The plant of a site, beginning now. Raises UserError when its weather needs an extra not installed."""
    return Plant(PlantConfig.from_site(site.plant), seed, start=datetime.now(site.timezone))


async def emulate(
    site: Site, *, tcp: str | None = None, pty: bool = False, speed: float = 1.0, seed: int = 1
) -> None:
    """Serve the devices of `site` until SIGINT or SIGTERM; first print where, as one JSON document.

    Every bus gets a TCP port: a free one on 127.0.0.1, or from "HOST:PORT" in `tcp` on, one after another.
    `pty` adds to each that is a line a serial port paced at its baud rate. Raises UserError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    host, port = _endpoint(tcp)
    emulated = EmulatedSite(site, plant_of(site, seed), seed=seed)
    with ExitStack() as wires:
        try:
            buses = []
            for number, bus in enumerate(site.buses):
                server = emulated.buses[bus.name]
                bound = await _serve_tcp(server, host, port + number if port else 0)
                path = await _serve_pty(server, bus, wires) if pty else None
                devices = [
                    {"role": device.role, "profile": device.profile, "address": device.address}
                    for device in site.devices
                    if device.bus == bus.name
                ]
                buses.append({"name": bus.name, "pty": path, "tcp": bound, "devices": devices})
            print(json.dumps({"site": site.id, "buses": buses}), flush=True)
            await emulated.run(stop, speed)
        finally:
            await emulated.stop()


def run(site: str, **options: Any) -> None:
    """`emulate` for a site by name or path, as a program of its own. Raises UserError."""
    asyncio.run(emulate(load(site), **options))


def _device(site: Site, profile: str, role: str, devices: int) -> Device:
    """A device of `profile`, one of `devices` in its role."""
    if profile not in PROFILES:
        raise UserError(f"no emulated device for profile {profile}{near(profile, PROFILES)}", BAD_INPUT_FILE)
    try:
        return create(profile, sections_for(site.plant, role, devices))
    except ValueError as error:
        raise UserError(f"{profile}: {error}", BAD_INPUT_FILE) from None


def _endpoint(tcp: str | None) -> tuple[str, int]:
    if tcp is None:
        return "127.0.0.1", 0
    host, _, port = tcp.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 0xFFFF:
        raise UserError(f"--tcp: HOST:PORT expected, not {tcp}", USAGE)
    return host.strip("[]"), int(port)


async def _serve_tcp(server: BusServer, host: str, port: int) -> str:
    try:
        bound_host, bound_port = await server.serve_tcp(host, port)
    except OSError:
        raise UserError(f"cannot serve on {host}:{port}: in use or not permitted", REFUSED) from None
    return f"{bound_host}:{bound_port}"


async def _serve_pty(server: BusServer, bus: Bus, wires: ExitStack) -> str | None:
    if bus.tcp:
        return None
    wire = wires.enter_context(Wire(bus.baud, bits=10 if bus.parity == "N" else 11))
    await server.serve_serial(wire.slave_path, bus.baud, bus.parity)
    return wire.master_path
