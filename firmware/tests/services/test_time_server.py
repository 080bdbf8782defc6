"""A round with a time server over UDP: what a bad one answers moves nothing and never holds up anybody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from greenmast.emulator.time_server import FAULTS, TimeServer
from greenmast_fw.drivers.wall import Wall
from greenmast_fw.services import time_round

NOW_S = 1_795_500_000  # since 1970


class Quiet:
    """Journal and real-time clock in one: takes everything."""

    def write(self, who: str, what: object) -> None:
        pass

    def datetime(self, value: tuple[int, ...]) -> None:
        pass


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[TimeServer]:
    monkeypatch.chdir(tmp_path)  # where the floor is stored
    monkeypatch.setattr(time_round, "_LIMIT_MS", 200)
    made = TimeServer(lambda: NOW_S)
    await made.start()
    yield made
    made.close()


@pytest.fixture
def wall() -> Wall:
    made = Wall([0], Quiet())
    made.set(0)
    return made


async def rounds(wall: Wall, server: TimeServer, count: int = 1) -> int:
    wait_s = 0
    for _ in range(count):
        wait_s = await time_round.run(wall, server.address, Quiet())  # type: ignore[arg-type]
    return wait_s


async def test_a_good_server_is_believed_within_three_rounds(wall: Wall, server: TimeServer) -> None:
    await rounds(wall, server, 3)  # a blank board's floor is years below
    assert wall.trusted
    assert abs(wall.now_s() - NOW_S) <= 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_bad_answer_moves_nothing_and_the_server_is_asked_less_and_less_often(
    fault: str, wall: Wall, server: TimeServer
) -> None:
    server.fault = fault
    wall.floor_s = 1
    waits = [await rounds(wall, server) for _ in range(3)]
    assert not wall.trusted
    assert wall.seconds() < 60
    assert waits[2] > waits[0] if fault != "kiss" else min(waits) >= 3600


@pytest.mark.parametrize(
    "clock",
    [lambda: NOW_S - 365 * 86_400, lambda: NOW_S + 3650 * 86_400, lambda: 0.0, lambda: 4.29e9],
    ids=["rolled back", "ten years ahead", "1970", "2105"],
)
async def test_a_trusted_clock_is_not_moved_by_a_server_gone_mad(
    clock: Callable[[], float], wall: Wall, server: TimeServer
) -> None:
    await rounds(wall, server, 4)
    server.now = clock
    await rounds(wall, server, 2)
    assert abs(wall.now_s() - NOW_S) <= 2


async def test_the_floor_outlives_a_reset_and_a_server_that_has_rolled_back(
    wall: Wall, server: TimeServer
) -> None:
    await rounds(wall, server, 4)
    server.now = lambda: NOW_S - 30 * 86_400
    after = Wall([0], Quiet())
    after.set(0)
    await rounds(after, server, 4)
    assert not after.trusted
    assert after.now_s() >= NOW_S


async def test_a_silent_server_keeps_nobody_waiting(wall: Wall, server: TimeServer) -> None:
    server.fault = "silent"
    asking = asyncio.create_task(rounds(wall, server))
    longest_s, before = 0.0, time.monotonic()
    while not asking.done():
        await asyncio.sleep(0.005)
        longest_s = max(longest_s, time.monotonic() - before)
        before = time.monotonic()
    assert longest_s < 0.15
    assert server.asked == 1


async def test_a_server_that_is_not_there_is_no_error(wall: Wall, server: TimeServer) -> None:
    server.close()
    await asyncio.sleep(0)
    assert await rounds(wall, server) >= 15
    assert not wall.trusted
