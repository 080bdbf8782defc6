"""Every fault of a reply and of its numbers, by the bytes that a third party reads on the line."""

from __future__ import annotations

import asyncio
import os
import struct
import tty
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerRTU

from greenmast.emulator import reply_faults
from greenmast.emulator.devices import PROFILES, create, encoding, register_faults
from greenmast.emulator.server import FAULTS, BusServer
from greenmast.emulator.wire import Wire

SDM, DSE, PZEM, DALY = 1, 10, 3, 0xD2
PROFILE = {SDM: "eastron-sdm230", DSE: "dse-7320", PZEM: "pzem-017", DALY: "daly-bms"}
SITE = {"battery": {"cells": 15, "capacity_ah": 300}, "genset": {"rating_w": 12_000}}
WAIT_S = 5.0
QUIET_S = 0.08


def sealed(body: bytes) -> bytes:
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


def read(unit: int, function: int, address: int, count: int) -> bytes:
    return sealed(struct.pack(">BBHH", unit, function, address, count))


class Master:
    """A master's end of a line, byte by byte."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        os.set_blocking(descriptor, False)

    async def ask(self, request: bytes, quiet_s: float = QUIET_S) -> tuple[bytes, list[float]]:
        """All that comes until nothing has for `quiet_s`, and when each byte was seen."""
        loop = asyncio.get_running_loop()
        os.write(self._fd, request)
        heard, times = b"", list[float]()
        start_s = loop.time()
        while loop.time() - (start_s + times[-1] if times else start_s) < (quiet_s if times else WAIT_S):
            try:
                piece = os.read(self._fd, 1024)
            except BlockingIOError:
                await asyncio.sleep(0.001)
                continue
            heard += piece
            times += [loop.time() - start_s] * len(piece)
        return heard, times


@pytest.fixture
async def bus(plant: Any) -> AsyncIterator[BusServer]:
    server = BusServer({unit: create(profile, SITE) for unit, profile in PROFILE.items()})
    server.refresh(plant)
    yield server
    await server.stop()


@pytest.fixture
async def master(bus: BusServer) -> AsyncIterator[Master]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    await bus.serve_serial(os.ttyname(theirs), 115_200)
    await asyncio.sleep(0)
    yield Master(ours)
    await bus.stop()
    os.close(ours)
    os.close(theirs)


REQUEST = read(SDM, 4, 0, 4)


async def right(master: Master) -> bytes:
    frame, _ = await master.ask(REQUEST)
    assert frame == sealed(frame[:-2])
    assert frame[:3] == bytes((SDM, 4, 8))
    return frame


async def faulty(bus: BusServer, master: Master, name: str) -> tuple[bytes, bytes]:
    """The right reply and that with the fault; afterwards it is right again."""
    good = await right(master)
    bus.fault(SDM, name)
    bad, _ = await master.ask(REQUEST)
    bus.fault(SDM, name, False)
    assert await right(master) == good
    return good, bad


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("wrong_address", lambda good: bytes((SDM + 1,)) + good[1:-2]),
        ("wrong_function", lambda good: bytes((SDM, 3)) + good[2:-2]),
        ("lying_count", lambda good: good[:2] + b"\x0a" + good[3:-2]),
        ("zero_count", lambda good: good[:2] + b"\x00"),
        ("odd_count", lambda good: good[:2] + b"\x07" + good[3:-3]),
        ("fewer", lambda good: good[:2] + b"\x06" + good[3:-4]),
        ("more", lambda good: good[:2] + b"\x0a" + good[3:-2] + b"\x12\x34"),
        ("other_exception", lambda good: bytes((SDM, 0x83, 2))),
        ("unknown_exception", lambda good: bytes((SDM, 0x84, 99))),
    ],
)
async def test_what_is_said_is_wrong_and_its_checksum_right(
    bus: BusServer, master: Master, name: str, body: Any
) -> None:
    good, bad = await faulty(bus, master, name)
    assert bad == sealed(body(good))


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        ("wrong_crc", lambda good, bad: bad[:-2] == good[:-2] and bad[-2:] != good[-2:]),
        ("swapped_crc", lambda good, bad: bad == good[:-2] + good[-1:] + good[-2:-1]),
        ("truncated", lambda good, bad: bad == good[: len(good) // 2]),
        ("twice", lambda good, bad: bad == good + good),
        ("noise_before", lambda good, bad: bad[1:] == good),
        ("noise_after", lambda good, bad: bad[:-1] == good),
        ("babble", lambda good, bad: len(bad) == 300 and good not in bad),
    ],
)
async def test_the_frame_is_damaged(bus: BusServer, master: Master, name: str, is_so: Any) -> None:
    good, bad = await faulty(bus, master, name)
    assert is_so(good, bad), bad.hex()


async def test_a_dripping_reply_comes_whole_and_with_pauses(bus: BusServer, master: Master) -> None:
    good = await right(master)
    bus.fault(SDM, "drip")
    bad, times = await master.ask(REQUEST)
    assert bad == good
    assert times[-1] - times[0] >= 0.018 * (len(good) - 1)


async def test_a_gap_parts_a_reply(bus: BusServer, master: Master) -> None:
    good = await right(master)
    bus.fault(SDM, "gap")
    bad, times = await master.ask(REQUEST, 0.4)
    pauses = [b - a for a, b in pairwise(times)]
    assert bad == good
    assert sum(pause > 0.1 for pause in pauses) == 1
    assert pauses[len(good) // 2 - 1] > 0.1


async def test_a_late_reply_comes_while_the_next_slave_is_asked(bus: BusServer, master: Master) -> None:
    late = await right(master)
    bus.fault(SDM, "late")
    heard, _ = await master.ask(REQUEST + read(PZEM, 4, 0, 1), 0.8)
    assert heard.startswith(bytes((PZEM, 4, 2)))
    assert heard.endswith(late)


async def test_faults_in_time_keep_up_with_the_speed(bus: BusServer, master: Master) -> None:
    good = await right(master)
    bus.speed = 10.0
    bus.fault(SDM, "gap")
    bad, times = await master.ask(REQUEST)
    assert bad == good
    assert 0.012 < times[-1] - times[0] < 0.15  # which is the pause at speed 1


async def test_several_faults_add_up(bus: BusServer, master: Master) -> None:
    good = await right(master)
    for name in ("wrong_crc", "wrong_address", "gap"):
        bus.fault(SDM, name)
    bad, times = await master.ask(REQUEST, 0.4)
    assert bad[:-2] == bytes((SDM + 1,)) + good[1:-2]
    assert bad != sealed(bad[:-2])
    assert times[-1] - times[0] > 0.1


async def test_a_fault_is_that_of_one_device(bus: BusServer, master: Master) -> None:
    bus.fault(DALY, "wrong_crc")
    await right(master)
    refused, _ = await master.ask(read(DALY, 3, 0x4000, 1))
    assert refused[:3] == bytes((DALY, 0x83, 2))


async def test_a_refusal_may_be_damaged_and_is_not_turned_into_data(bus: BusServer, master: Master) -> None:
    request = read(SDM, 4, 1, 2)
    refused, _ = await master.ask(request)
    assert refused == sealed(bytes((SDM, 0x84, 2)))
    for name in ("fewer", "more", "lying_count", "nan", "word_swap"):
        bus.fault(SDM, name)
    assert (await master.ask(request))[0] == refused


async def test_over_tcp_a_wrong_transaction_takes_the_place_of_a_wrong_checksum(bus: BusServer) -> None:
    host, port = await bus.serve_tcp()
    bus.fault(SDM, "wrong_crc")
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(bytes.fromhex("0102 0000 0006 01 04 0000 0002"))
    reply = await asyncio.wait_for(reader.readexactly(13), WAIT_S)
    writer.close()
    await writer.wait_closed()
    assert reply[:2] != b"\x01\x02"
    assert reply[2:9] == bytes.fromhex("0000 0007 01 04 04")


async def test_over_tcp_a_pdu_is_wrong_in_a_right_frame(bus: BusServer) -> None:
    host, port = await bus.serve_tcp()
    client = AsyncModbusTcpClient(host, port=port, timeout=WAIT_S, retries=0)
    assert await client.connect()
    bus.fault(SDM, "unknown_exception")
    assert (await client.read_input_registers(0, count=2, device_id=SDM)).exception_code == 99
    client.close()


@pytest.mark.parametrize("second", [PZEM, SDM])
async def test_two_slaves_on_one_line_are_heard_unless_they_have_one_address(plant: Any, second: int) -> None:
    servers = [BusServer({unit: create(PROFILE[unit], SITE)}) for unit in (SDM, second)]
    with Wire(19_200, slaves=2) as wire:
        for server, path in zip(servers, wire.slave_paths, strict=True):
            server.refresh(plant)
            await server.serve_serial(path, 19_200)
        descriptor = os.open(wire.master_path, os.O_RDWR | os.O_NOCTTY)
        master = Master(descriptor)
        replies = [(await master.ask(read(unit, 4, 0, 6)))[0] for unit in (SDM, second) * 3]
        collisions = wire.counters()["collisions"]
        for server in servers:
            await server.stop()
        os.close(descriptor)
    right = [reply == sealed(reply[:-2]) and len(reply) == 17 for reply in replies]
    assert (all(right), any(right)) == ((False, False) if second == SDM else (True, True))
    assert (collisions > 0) == (second == SDM)


def test_an_unknown_fault_or_unit_is_refused() -> None:
    server = BusServer({SDM: create("eastron-sdm230", SITE)})
    with pytest.raises(ValueError, match="no such fault"):
        server.fault(SDM, "slient")
    with pytest.raises(KeyError):
        server.fault(2, "silent")


def test_every_fault_says_what_it_is() -> None:
    assert all(type(fault).__doc__ for fault in reply_faults.FAULTS.values())
    assert all(fault.__doc__ for fault in register_faults.FAULTS.values())
    assert len(set(FAULTS)) == len(FAULTS)


# ---- numbers -----------------------------------------------------------------------------------------------


def registers(bus: BusServer, unit: int, function: int, address: int, count: int) -> list[int]:
    reply = bus.answer(unit, struct.pack(">BHH", function, address, count))
    assert reply is not None
    assert reply[0] == function
    return list(struct.unpack(f">{count}H", reply[2:]))


def test_no_value_is_what_the_product_says(bus: BusServer) -> None:
    for unit in PROFILE:
        bus.fault(unit, "nan")
    assert registers(bus, SDM, 4, 0, 4) == [0x7FC0, 0, 0, 0]  # the voltage; a hole stays a hole
    assert registers(bus, PZEM, 4, 0, 8) == [0xFFFF] * 6 + [0, 0]  # alarms are states
    assert registers(bus, DALY, 3, 0x28, 3) == [0xFFFF] * 3
    oil, coolant, *_, high, low = registers(bus, DSE, 3, 0x0400, 10)
    assert (oil, coolant, high, low) == (0xFFFB, 0x7FFB, 0xFFFF, 0xFFFB)
    assert registers(bus, DSE, 3, 0x0304, 1) == [1]  # the mode


def test_words_are_swapped_where_a_number_has_two_and_nowhere_else(bus: BusServer) -> None:
    before = registers(bus, PZEM, 4, 0, 8)
    floats = registers(bus, SDM, 4, 0, 2)
    bus.fault(PZEM, "word_swap")
    bus.fault(SDM, "word_swap")
    assert before[2] != before[3]
    volts, amperes, *pairs, high, low = before
    assert registers(bus, PZEM, 4, 0, 8) == [
        volts,
        amperes,
        pairs[1],
        pairs[0],
        pairs[3],
        pairs[2],
        high,
        low,
    ]
    assert registers(bus, SDM, 4, 0, 2) == floats[::-1]
    assert registers(bus, PZEM, 4, 3, 1) == [before[3]]  # half a number is nothing to swap


def test_spikes_are_single_seldom_and_five_times_or_nothing(bus: BusServer) -> None:
    before = registers(bus, PZEM, 4, 0, 6)
    power = before[3] << 16 | before[2]
    bus.fault(PZEM, "spike")
    spiked = 0
    for _ in range(400):
        volts, amperes, low, high, *energy = registers(bus, PZEM, 4, 0, 6)
        seen = (volts, amperes, high << 16 | low, energy)
        changed = [
            (was, now)
            for was, now in zip((before[0], before[1], power, before[4:]), seen, strict=True)
            if was != now
        ]
        assert len(changed) <= 1
        spiked += len(changed)
        for was, now in changed:
            if not isinstance(was, list):
                assert now in (0, 5 * was)
    assert 15 < spiked < 80


def test_spikes_stay_within_what_the_registers_hold() -> None:
    device = create("pzem-017", SITE)
    device.faults.add("spike")
    for words, most in (
        ((encoding.u16(40_000),), 0xFFFF),
        ((encoding.s16(-20_000),), 0x8000),
        (encoding.u32_low_first(4_000_000_000), 0xFFFFFFFF),
        (encoding.s32_high_first(-2_000_000_000), 0x80000000),
    ):
        seen = {tuple(register_faults.disturbed(device, words)) for _ in range(200)}
        low_first = getattr(words[0], "low_first", False)
        values = {sum(w << 16 * i for i, w in enumerate(s if low_first else s[::-1])) for s in seen}
        own = sum(w << 16 * i for i, w in enumerate(words if low_first else words[::-1]))
        assert values == {own, 0, most}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_product_shows_numbers_that_faults_can_find(device: Any, profile: str) -> None:
    built = device(profile)
    banks = (built.holding, built.input)
    marked = [word for bank in banks for word in bank.values() if isinstance(word, encoding.Register)]
    assert marked or built.role == "io"  # a relay module has states only
