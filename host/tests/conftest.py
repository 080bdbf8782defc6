"""A board for tests of links and commands: the firmware's own console and methods on a pseudo-terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import tty
from collections.abc import Iterator
from typing import Any

import pytest

from greenmast_fw.services.console import Console
from greenmast_fw.services.rpc import Rpc
from greenmast_protocol import labels, points, quality, reasons

AGE_NEVER_MS = 0x3FFFFFFF


class FakeBoard:
    """What the firmware shows to requests, from plain dicts that a test may change."""

    def __init__(self) -> None:
        self.table = labels.TABLE_HASH
        self.refusal = "not_authorised"  # of every command; "" accepts it
        self.v: dict[str, int | None] = dict.fromkeys(points.NAMES)
        self.v.update(
            {
                "grid.voltage_mv": 230_120,
                "grid.power_w": 1_830,
                "grid.frequency_chz": 4_998,
                "solar.power_w": 640,
                "dc.bus_mv": 51_234,
                "battery.soc_permille": 823,
                "battery.current_ma": 8_100,
                "load.power_w": 2_010,
                "source.ac": 1,
                "genset.state": 0,
                "controller.mode": 0,
                "controller.alarms_active": 1,
                "reason.ac": reasons.code("grid_available"),
                "reason.genset": reasons.code("no_demand"),
                "feedback.load1": 1,
                "reason.load1": 0,
            }
        )
        self.ages_ms = {
            "dc.bus_mv": 1_240,
            "battery.soc_permille": 35_000,
            "genset.fuel_permille": 125_000,
            "solar.energy_wh": AGE_NEVER_MS,
        }
        self.rows: list[Any] = [
            ("AC source", "grid", reasons.code("grid_available"), (), (), ()),
            (
                "genset",
                "off",
                reasons.code("soc_low"),
                (250, 300),
                ((reasons.code("min_off"), 90),),
                ("start", 90),
            ),
        ]
        self.active: list[Any] = [{"id": 13, "name": "battery_low", "ts": 1_732_406_400, "trusted": True}]

    def name(self, i: int) -> str:
        return points.name(i)

    def hello(self) -> dict[str, Any]:
        return {
            "product": "greenmast",
            "firmware": "0.1.0",
            "protocol": 1,
            "board": "virtual",
            "site": "india-rural",
            "boot": 7,
            "table": self.table,
            "revision": 1,
        }

    @property
    def values(self) -> list[int | None]:
        return [self.v[name] for name in points.NAMES]

    @property
    def codes(self) -> bytearray:
        return bytearray(quality.STALE if v is None else quality.GOOD for v in self.values)

    def age_ms(self, i: int) -> int:
        return self.ages_ms.get(points.NAMES[i], -1)

    def explain(self) -> list[Any]:
        return self.rows

    def alarms(self) -> list[Any]:
        return self.active

    def config(self) -> list[bytes]:
        return [b'{"revision":1}']

    def statistics(self) -> dict[str, Any]:
        return {"scans": 1}

    def command(self, params: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        return self.refusal, self.refusal, params["args"]

    def log(self, params: dict[str, Any]) -> list[bytes] | str:
        """Two batches of one event each; one event is gone."""
        after = params.get("since", 0)
        record = {"boot": 7, "seq": after + 2, "n": after + 1, "ts": 1_764_000_000, "up": 90}
        record |= {"trusted": after > 0, "event": [1, 0, 2, 0, 0, 0]}
        return [json.dumps({"records": [record], "more": after < 2}).encode()]

    def bus(self, params: dict[str, Any]) -> str:
        return "this board has no bus"


class Stream:
    """Reader and writer of the console on a descriptor; `deaf` swallows requests, `garble` breaks answers."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._loop.add_reader(fd, self._take)
        self.deaf = 0
        self.garble = 0
        self.received = b""

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            for byte in os.read(self._fd, 240):
                self._arrived.put_nowait(bytes([byte]))

    async def read(self, n: int) -> bytes:
        while True:
            byte = await self._arrived.get()
            self.received += byte
            if not self.deaf:
                return byte
            self.deaf -= byte == b"#"

    def write(self, data: bytes) -> None:
        if self.garble and b"#" in data:
            self.garble -= 1
            data = data.replace(b"#", b"!")
        os.write(self._fd, data)

    async def drain(self) -> None:
        await asyncio.sleep(0)


class PtyBoard:
    """The firmware's console in a thread, on the far end of the pseudo-terminal `port`."""

    def __init__(self) -> None:
        self.board = FakeBoard()
        self.rpc = Rpc(self.board)
        self._fd, self._near = os.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._started.wait(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self.stream = Stream(self._fd)
        self.console = Console(self.rpc, self.stream, self.stream, lambda ms: asyncio.sleep(ms / 1000))
        task = asyncio.create_task(self.console.run())
        self._started.set()
        await self._end.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self._loop.remove_reader(self._fd)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        os.close(self._near)
        os.close(self._fd)


@pytest.fixture
def pty_board() -> Iterator[PtyBoard]:
    served = PtyBoard()
    yield served
    served.close()


@pytest.fixture
def fake_board() -> FakeBoard:
    return FakeBoard()
