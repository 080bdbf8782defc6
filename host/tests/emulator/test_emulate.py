"""The emulated site as a program: one document with its ports, a plant that moves, a clean end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from greenmast.emulator.emulate import EmulatedSite, emulate, run
from greenmast.errors import BAD_INPUT_FILE, REFUSED, USAGE, UserError
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.site import Site, load

START_S = 60.0
PROGRAM = "from greenmast.emulator.emulate import run; run('india-rural', pty={pty})"


@pytest.fixture
def site() -> Site:
    return load("india-rural")


def plant_for(site: Site) -> Plant:
    start = datetime(2025, 3, 21, 12, tzinfo=site.timezone)
    return Plant(PlantConfig.from_site(site.plant), start=start, weather=Weather.constant(600.0, 30.0))


@pytest.mark.parametrize("pty", [False, True])
async def test_it_prints_its_ports_serves_and_ends_on_sigterm(site: Site, pty: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM.format(pty=pty),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        document = json.loads(await asyncio.wait_for(process.stdout.readline(), START_S))
        assert document["site"] == "india-rural"
        assert [bus["name"] for bus in document["buses"]] == [bus.name for bus in site.buses]
        assert [(bus["pty"] or "").startswith("/dev/") for bus in document["buses"]] == [pty, pty]
        listed = [device for bus in document["buses"] for device in bus["devices"]]
        assert {(d["role"], d["profile"], d["address"]) for d in listed} == {
            (d.role, d.profile, d.address) for d in site.devices
        }
        host, port = document["buses"][0]["tcp"].split(":")
        client = AsyncModbusTcpClient(host, port=int(port), timeout=10, retries=0)
        assert await client.connect()
        assert (await client.read_holding_registers(0x0300, count=2, device_id=10)).registers == [1, 32841]
        client.close()
        process.send_signal(signal.SIGTERM)
        output, errors = await asyncio.wait_for(process.communicate(), START_S)
        assert (process.returncode, output, errors) == (0, b"", b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_plant_moves_and_the_registers_follow(site: Site) -> None:
    plant = plant_for(site)
    emulated = EmulatedSite(site, plant)
    plant.set_truth("grid.voltage_mv", 199_000)
    stop = asyncio.Event()
    running = asyncio.create_task(emulated.run(stop, speed=100.0))
    await asyncio.sleep(1.0)
    stop.set()
    await asyncio.wait_for(running, START_S)
    assert plant.time_s > 10.0
    meter = emulated.buses["meters"].devices[1]
    assert meter.read_registers(4, 0, 2) == [0x4347, 0x0000]  # 199.0


async def test_a_write_reaches_the_plant_with_the_next_refresh(site: Site) -> None:
    emulated = EmulatedSite(site, plant_for(site))
    emulated.buses["power"].devices[0x83].write_registers(6, 0x0020, (5_111,))
    emulated.refresh()
    assert emulated.plant.rectifier.setpoint_mv == 51_110.0


async def test_a_port_in_use_is_one_line_and_exit_code_1(site: Site) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(UserError, match="in use") as refused:
        await emulate(site, tcp=f"127.0.0.1:{port}")
    assert refused.value.exit_code == REFUSED
    assert "\n" not in refused.value.message
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("tcp", ["502", ":502", "host:", "host:x", "host:70000", ""])
async def test_a_malformed_endpoint_is_a_usage_error(site: Site, tcp: str) -> None:
    with pytest.raises(UserError, match="HOST:PORT") as refused:
        await emulate(site, tcp=tcp)
    assert refused.value.exit_code == USAGE


async def test_a_profile_without_an_emulated_device_is_named_with_the_near_ones(site: Site) -> None:
    other = replace(site, devices=(replace(site.devices[0], profile="eastron-sdm23"),))
    with pytest.raises(UserError, match="eastron-sdm230") as refused:
        EmulatedSite(other, plant_for(site))
    assert refused.value.exit_code == BAD_INPUT_FILE


def test_an_unknown_site_is_a_usage_error() -> None:
    with pytest.raises(UserError) as refused:
        run("no-such-site")
    assert refused.value.exit_code == USAGE


async def test_every_profile_of_the_reference_site_is_emulated_in_its_role(site: Site) -> None:
    emulated = EmulatedSite(site, plant_for(site))
    for device in site.devices:
        built: Any = emulated.buses[device.bus].devices[device.address]
        assert (built.profile, built.role) == (device.profile, device.role)
