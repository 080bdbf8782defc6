"""A bus of several devices behind serial ports and TCP, as masters see it."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import tty
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerRTU

from greenmast.emulator.devices import create
from greenmast.emulator.server import BusServer

SDM, DSE, PZEM, DALY = 1, 10, 3, 0xD2
WAIT_S = 5.0
SILENCE_S = 0.3
SITE = {"battery": {"cells": 15, "capacity_ah": 300}}


def frame(unit: int, request_hex: str) -> bytes:
    body = bytes((unit,)) + bytes.fromhex(request_hex)
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


@pytest.fixture
async def bus(plant: Any) -> AsyncIterator[BusServer]:
    server = BusServer(
        {
            SDM: create("eastron-sdm230", SITE),
            DSE: create("dse-7320", SITE),
            PZEM: create("pzem-017", SITE),
            DALY: create("daly-bms", SITE),
        }
    )
    server.refresh(plant)
    yield server
    await server.stop()


@pytest.fixture
async def master(bus: BusServer) -> AsyncIterator[AsyncModbusTcpClient]:
    host, port = await bus.serve_tcp()
    client = AsyncModbusTcpClient(host, port=port, timeout=WAIT_S, retries=0)
    assert await client.connect()
    yield client
    client.close()


class Line:
    """The master's end of a pseudo-terminal whose other end the server holds."""

    def __init__(self) -> None:
        self._fd, self._slave_fd = pty.openpty()
        tty.setraw(self._slave_fd)
        self.path = os.ttyname(self._slave_fd)
        os.set_blocking(self._fd, False)

    def send(self, data: bytes) -> None:
        os.write(self._fd, data)

    async def receive(self, wait_s: float, length: int = 1) -> bytes:
        """What arrives until `length` bytes are there or `wait_s` is over."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + wait_s
        received = b""
        while len(received) < length and loop.time() < end_s:
            try:
                received += os.read(self._fd, 512)
            except BlockingIOError:
                await asyncio.sleep(0.002)
        return received

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._slave_fd)


@pytest.fixture
async def line(bus: BusServer) -> AsyncIterator[Line]:
    line = Line()
    await bus.serve_serial(line.path, 9600, "N")
    await asyncio.sleep(0)
    yield line
    await bus.stop()
    line.close()


async def test_a_foreign_tcp_client_reads_each_unit(master: AsyncModbusTcpClient) -> None:
    volts = await master.read_input_registers(0, count=2, device_id=SDM)
    assert master.convert_from_registers(volts.registers, master.DATATYPE.FLOAT32) == pytest.approx(
        230.45, rel=1e-6
    )
    assert (await master.read_holding_registers(0x0300, count=2, device_id=DSE)).registers == [1, 32841]
    assert (await master.read_input_registers(0, count=2, device_id=PZEM)).registers == [5_319, 3_824]
    assert (await master.read_holding_registers(0x29, count=1, device_id=DALY)).registers == [29_786]


async def test_over_tcp_an_unknown_or_silent_unit_is_a_gateway_exception(
    bus: BusServer, master: AsyncModbusTcpClient
) -> None:
    assert (await master.read_input_registers(0, count=2, device_id=77)).exception_code == 0x0B
    bus.fault(SDM, "silent")
    assert (await master.read_input_registers(0, count=2, device_id=SDM)).exception_code == 0x0B
    bus.fault(SDM, "silent", False)
    assert not (await master.read_input_registers(0, count=2, device_id=SDM)).isError()
    assert bus.stats.unanswered == 2


async def test_a_frozen_device_answers_what_it_did_before(
    plant: Any, bus: BusServer, master: AsyncModbusTcpClient
) -> None:
    before = (await master.read_input_registers(0, count=2, device_id=SDM)).registers
    bus.fault(SDM, "frozen")
    plant.truths["grid.voltage_mv"] = 123_000
    bus.refresh(plant)
    assert (await master.read_input_registers(0, count=2, device_id=SDM)).registers == before
    bus.fault(SDM, "frozen", False)
    bus.refresh(plant)
    assert (await master.read_input_registers(0, count=2, device_id=SDM)).registers != before


async def test_writes_over_tcp_reach_the_plant(
    plant: Any, bus: BusServer, master: AsyncModbusTcpClient
) -> None:
    assert not (await master.write_registers(0x1008, [35732, 35732 ^ 0xFFFF], device_id=DSE)).isError()
    bus.refresh(plant)
    assert plant.genset.started


async def test_requests_and_exceptions_are_counted_per_device(
    bus: BusServer, master: AsyncModbusTcpClient
) -> None:
    for address in (0, 6, 1):
        await master.read_input_registers(address, count=2, device_id=SDM)
    await master.read_input_registers(0, count=9, device_id=PZEM)
    assert (bus.stats.devices[SDM].requests, bus.stats.devices[SDM].exceptions) == (3, 1)
    assert (bus.stats.requests, bus.stats.exceptions) == (4, 2)


async def test_32_bit_values_are_never_torn_by_a_refresh(
    plant: Any, bus: BusServer, master: AsyncModbusTcpClient
) -> None:
    energies = (0x0001_FFFF, 0xFFFE_0000)
    chance = random.Random(1)
    done = asyncio.Event()

    async def churn() -> None:
        while not done.is_set():
            plant.truths["load.energy_wh"] = float(chance.choice(energies))
            bus.refresh(plant)
            await asyncio.sleep(0)

    plant.truths["load.energy_wh"] = float(energies[0])
    bus.refresh(plant)
    churning = asyncio.create_task(churn())
    seen = set()
    for _ in range(300):
        low, high = (await master.read_input_registers(4, count=2, device_id=PZEM)).registers
        seen.add(high << 16 | low)
    done.set()
    await churning
    assert seen == set(energies)


async def test_requests_that_arrive_together_or_in_pieces_are_all_answered(bus: BusServer) -> None:
    host, port = await bus.serve_tcp()
    reader, writer = await asyncio.open_connection(host, port)
    requests = b"".join(
        bytes.fromhex(f"{tid:04x}0000000603") + bytes.fromhex("0400000001") for tid in range(1, 21)
    )
    writer.write(requests[:40])
    await asyncio.sleep(0.05)
    writer.write(requests[40:])
    replies = await asyncio.wait_for(reader.readexactly(20 * 11), WAIT_S)
    assert [int.from_bytes(replies[i : i + 2], "big") for i in range(0, 220, 11)] == list(range(1, 21))
    writer.close()
    await writer.wait_closed()


async def test_what_is_not_modbus_ends_a_tcp_connection(bus: BusServer) -> None:
    host, port = await bus.serve_tcp()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
    writer.close()
    await writer.wait_closed()


async def test_a_port_that_is_taken_is_an_error(bus: BusServer) -> None:
    host, port = await bus.serve_tcp()
    with pytest.raises(OSError, match="in use"):
        await bus.serve_tcp(host, port)


async def test_rtu_answers_each_unit(line: Line) -> None:
    for unit, request, length in (
        (SDM, "0400000002", 9),
        (DSE, "0303000002", 9),
        (PZEM, "0400000008", 21),
        (DALY, "0300000050", 165),
    ):
        line.send(frame(unit, request))
        reply = await line.receive(WAIT_S, length)
        assert len(reply) == length
        assert reply[0] == unit
        assert FramerRTU.compute_CRC(reply[:-2]) == int.from_bytes(reply[-2:], "big")


async def test_rtu_is_silent_for_unknown_silent_and_broadcast(bus: BusServer, line: Line) -> None:
    bus.fault(PZEM, "silent")
    for unit in (0, 2, PZEM, 247):
        line.send(frame(unit, "0400000002"))
        assert await line.receive(SILENCE_S) == b""
    line.send(frame(SDM, "0400000002"))
    assert (await line.receive(WAIT_S, 9))[0] == SDM


@pytest.mark.parametrize(
    "garbage",
    [
        frame(SDM, "0400000002")[:-1] + b"\x00",  # checksum
        frame(SDM, "0400000002")[:5],  # cut off
        bytes(range(40)),
        b"\xff" * 600,
        frame(SDM, "5500000002"),  # a function nobody knows
        b"\x01\x10\x00\x00\x00\x01\xff",  # announces 255 bytes that never come
    ],
)
async def test_rtu_survives_noise(line: Line, garbage: bytes) -> None:
    line.send(garbage)
    assert await line.receive(SILENCE_S) == b""
    line.send(frame(SDM, "0400000002"))
    assert len(await line.receive(WAIT_S, 9)) == 9


async def test_rtu_takes_a_request_byte_by_byte(line: Line) -> None:
    for byte in frame(DALY, "0300280002"):
        line.send(bytes((byte,)))
        await asyncio.sleep(0.002)
    assert len(await line.receive(WAIT_S, 9)) == 9


async def test_rtu_exceptions_are_the_products_own(line: Line) -> None:
    line.send(frame(PZEM, "0400000009"))
    assert (await line.receive(WAIT_S, 5))[:3] == bytes((PZEM, 0x84, 2))
    line.send(frame(SDM, "0300000002"))
    assert (await line.receive(WAIT_S, 5))[:3] == bytes((SDM, 0x83, 2))


async def test_rtu_carries_a_products_own_function(plant: Any, line: Line) -> None:
    line.send(frame(PZEM, "42"))
    assert await line.receive(WAIT_S, 4) == frame(PZEM, "42")


async def test_one_bus_serves_serial_and_tcp_at_once(line: Line, master: AsyncModbusTcpClient) -> None:
    line.send(frame(SDM, "0400000002"))
    assert len(await line.receive(WAIT_S, 9)) == 9
    assert not (await master.read_input_registers(0, count=2, device_id=SDM)).isError()


async def test_parity_does_not_keep_a_pseudo_terminal_from_opening(bus: BusServer) -> None:
    line = Line()
    await bus.serve_serial(line.path, 19_200, "E")
    line.send(frame(SDM, "0400000002"))
    assert len(await line.receive(WAIT_S, 9)) == 9
    await bus.stop()
    line.close()
