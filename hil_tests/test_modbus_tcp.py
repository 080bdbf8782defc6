"""The Modbus TCP master as deployed, in MicroPython on real sockets: a whole site, and wrong servers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hil_tests.bench import GRID_GOOD, PARAMETERS, SITE

from greenmast import site as sites
from greenmast.bench.board_master import compile_master
from greenmast.chain import Chain
from greenmast.emulator import runtime
from greenmast.emulator.server import SILENT
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for

LIMIT_S = 30.0
UNIT = 3
BOARD_PROGRAM = """
import asyncio, json, sys
from greenmast_fw.drivers import clock
from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_fw.drivers.modbus_tcp import TcpMaster

async def main(port, count):
    master = TcpMaster("127.0.0.1", port, 150)
    beats = [0]
    async def heart():
        while True:
            await clock.sleep_ms(10)
            beats[0] += 1
    beat = asyncio.create_task(heart())
    results = []
    for _ in range(count):
        try:
            results.append([int(b) for b in await master.read(3, 4, 0x10, 2)])
        except ModbusError as error:
            results.append(str(error))
        await clock.sleep_ms(30)
    beat.cancel()
    print(json.dumps({"results": results, "stray": master.stray_bytes, "beats": beats[0]}))

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


def reply(request: bytes, data: bytes, *, number: int = 0, protocol: int = 0, length: int = 0) -> bytes:
    """`number`, `length`: how far they are off."""
    tag = (int.from_bytes(request[:2], "big") + number) & 0xFFFF
    return b"".join(v.to_bytes(2, "big") for v in (tag, protocol, len(data) + length)) + data


GOOD = bytes([UNIT, 4, 4, 0, 11, 0, 22])
OTHER = bytes([UNIT, 4, 4, 0, 91, 0, 92])
# What a connection sends for one request: pieces of (seconds to wait, bytes); None: it closes.
Answer = Callable[[bytes], list[tuple[float, bytes | None]]]
CASES: list[tuple[str, Answer, str]] = [
    ("wrong protocol", lambda q: [(0, reply(q, GOOD, protocol=1))], "header"),
    ("impossible length", lambda q: [(0, reply(q, GOOD, length=300))], "header"),
    ("length says more", lambda q: [(0, reply(q, GOOD, length=2))], "truncated"),
    ("length says less", lambda q: [(0, reply(q, GOOD, length=-2))], "truncated"),
    ("wrong unit", lambda q: [(0, reply(q, b"\x04" + GOOD[1:]))], "wrong_unit"),
    ("wrong function", lambda q: [(0, reply(q, b"\x03\x03" + GOOD[2:]))], "wrong_function"),
    ("fewer registers", lambda q: [(0, reply(q, bytes([UNIT, 4, 2, 0, 1])))], "byte_count"),
    ("lying byte count", lambda q: [(0, reply(q, bytes([UNIT, 4, 6, 0, 1, 0, 2])))], "byte_count"),
    ("babble", lambda q: [(0, b"\x55" * 300)], "header"),
    ("only replies to others", lambda q: [(0, reply(q, OTHER, number=n)) for n in (-1, 1, 2)], "timeout"),
    ("late", lambda q: [(0.3, reply(q, GOOD))], "timeout"),
    ("closed", lambda q: [(0, None)], "line_fault"),
    ("half a reply, closed", lambda q: [(0, reply(q, GOOD)[:9]), (0.02, None)], "line_fault"),
    ("silent", lambda q: [], "timeout"),
]


class Server:
    """Answers the n-th request, on whatever connection it comes, with the n-th answer."""

    def __init__(self, answers: list[Answer]) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(LIMIT_S)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        try:
            while request := connection.recv(260):
                for delay_s, data in self._answers.pop(0)(request) if self._answers else []:
                    threading.Event().wait(delay_s)
                    if data is None:
                        return
                    connection.sendall(data)
        except ConnectionError:
            return


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = compile_master(tmp_path_factory.mktemp("board"))
    (folder / "program.py").write_text(BOARD_PROGRAM, encoding="utf-8")
    return folder


def perform(board: Path, port: int, count: int) -> dict[str, Any]:
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=96wK", str(board / "program.py"), str(port), str(count)],
        env={**os.environ, "MICROPYPATH": f"{board}:.frozen"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_every_malformed_reply_is_refused_and_the_next_reply_is_right(board: Path) -> None:
    answers: list[Answer] = []
    for _, answer, _ in CASES:
        answers += [answer, lambda request: [(0.01, reply(request, OTHER))]]
    with Server(answers) as server:
        report = perform(board, server.port, len(answers))
    for i, (what, _, verdict) in enumerate(CASES):
        assert report["results"][2 * i] == verdict, what
        # The late reply comes while its successor waits: only that one may take more than its time.
        expected = ["timeout"] if what == "late" else []
        assert report["results"][2 * i + 1] in [list(OTHER[3:]), *expected], what
    assert report["stray"] >= 3 * (6 + len(OTHER))
    assert report["beats"] > 50  # other tasks ran meanwhile


def test_nobody_listening_is_an_error_at_once(board: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert perform(board, port, 3)["results"] == ["line_fault"] * 3


def test_a_site_with_a_bus_on_the_network_loses_and_regains_it(tmp_path: Path) -> None:
    text = (resources.files("greenmast") / "sites" / f"{SITE}.toml").read_text(encoding="utf-8")
    line = 'name = "power"\nbaud = 115200\nparity = "N"\n'
    file = tmp_path / "lan.toml"
    file.write_text(text.replace(line, 'name = "power"\ntcp = "192.0.2.1:502"\n'), encoding="utf-8")
    site = sites.load(str(file), PARAMETERS)

    def make_world(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        return World(site, tmp_path, start=start, on_log=log)

    chain = Chain(make_world, tmp_path / "board.log")
    for name, value in {**GRID_GOOD, "solar.power_w": 300}.items():
        chain.world.plant.set_truth(name, value)
    with chain, SerialLink(chain.world.board.console) as link:

        def solar_mv() -> int | None:
            return reading.get(link, ["solar.voltage_mv"]).values["solar.voltage_mv"]

        def online() -> list[int | None]:
            values = reading.get(link, ["device.*"]).values
            return [values[f"device.{n}online"] for n in ("", *(f"{i}." for i in range(1, 7)))]

        wait_for(solar_mv, "values over the network", 60, 0.2)
        server = chain.world.emulated.buses["power"]
        for unit in server.devices:
            server.fault(unit, SILENT)  # a gateway says so
        wait_for(lambda: solar_mv() is None, "values stale", 60, 0.2)
        wait_for(lambda: online() == [0, 1, 1, 1, 1, 0, 0], "both missed, the others not", 60, 0.2)
        for unit in server.devices:
            server.fault(unit, SILENT, False)
        wait_for(solar_mv, "values again", 60, 0.2)
        wait_for(lambda: online() == [1] * 7, "all there", 90, 0.2)
        assert "MemoryError" not in chain.log.read_text()
