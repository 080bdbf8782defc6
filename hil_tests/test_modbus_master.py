"""The Modbus master as deployed, in MicroPython on a paced wire: pymodbus, and slaves that answer wrongly."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greenmast.bench.bus import compile_master
from greenmast.emulator import runtime
from greenmast.emulator.wire import Wire

BAUD = 9600
UNIT = 3
LIMIT_S = 60.0

BOARD_PROGRAM = """
import asyncio, io, json, select, sys, termios
from greenmast_fw.drivers import clock
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.drivers.modbus_master import ModbusError, RtuMaster

class Uart(io.IOBase):  # machine.UART over a terminal, noting what happens to it
    def __init__(self, path, baud):
        self.file = open(path, "r+b")
        attributes = termios.tcgetattr(self.file.fileno())
        attributes[6][5] = attributes[6][6] = 0
        termios.tcsetattr(self.file.fileno(), termios.TCSANOW, attributes)
        self.char_us = 11000000 // baud
        self.until_us = clock.ticks_us()
        self.events = []
    def ioctl(self, request, argument):
        return self.file.fileno() if request == 10 else 0
    def readinto(self, buffer):
        return self.file.readinto(buffer)
    def write(self, data):
        self.events.append("write")
        self.until_us = clock.add(clock.ticks_us(), len(data) * self.char_us)
        return self.file.write(data)
    def txdone(self):
        return clock.diff(clock.ticks_us(), self.until_us) >= 0
    def de(self, level):
        self.events.append("drive" if level else "listen" if self.txdone() else "listen too early")

async def main(path, baud, with_de, steps):
    uart = Uart(path, baud)
    line = Line(uart, baud, uart.de if with_de else None)
    master = RtuMaster(line, timeout_ms=500, turnaround_ms=1000)
    beats = [0]
    async def heart():
        while True:
            await clock.sleep_ms(10)
            beats[0] += 1
    beat = asyncio.create_task(heart())
    results = []
    for name, *arguments in steps:
        try:
            data = await getattr(master, name)(*arguments)
            results.append(None if data is None else [int(b) for b in data])
        except ModbusError as error:
            results.append(str(error))
    beat.cancel()
    stats = {str(code): n for code, n in master.stats.items()}
    print(json.dumps({"results": results, "stats": stats, "stray": master.stray_bytes,
                      "events": uart.events, "beats": beats[0]}))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", json.loads(sys.stdin.readline())))
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = compile_master(tmp_path_factory.mktemp("board"))
    (folder / "program.py").write_text(BOARD_PROGRAM, encoding="utf-8")
    return folder


def perform(board: Path, path: str, steps: list[list[Any]], with_de: bool = False) -> dict[str, Any]:
    """Let the master do `steps`: [method, arguments ..] each.

    Results are lists of bytes, None or an error's name.
    """
    command = [runtime.find(), "-X", "heapsize=96wK", str(board / "program.py"), path, str(BAUD)]
    done = subprocess.run(
        [*command, str(int(with_de))],
        input=json.dumps(steps) + "\n",  # an argument of MicroPython holds 255 characters
        env={**os.environ, "MICROPYPATH": f"{board}:.frozen"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def crc(data: bytes) -> bytes:
    """Bit by bit, on purpose not the master's table."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def sealed(data: bytes) -> bytes:
    return data + crc(data)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


@contextlib.contextmanager
def pymodbus_slave(path: str) -> Iterator[None]:
    command = [sys.executable, "-m", "greenmast.bench.bus_slave", path, str(BAUD)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n"
            yield
        finally:
            process.communicate(timeout=LIMIT_S)


class ScriptedSlave:
    """Answers the n-th request with the n-th script: pieces of (seconds to wait, bytes)."""

    def __init__(self, path: str, scripts: list[list[tuple[float, bytes]]]) -> None:
        self.requests: list[bytes] = []
        self._scripts = list(scripts)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> ScriptedSlave:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ending.set()
        self._thread.join(LIMIT_S)
        os.close(self._descriptor)

    def _serve(self) -> None:
        request = b""
        while not self._ending.is_set():
            if select.select([self._descriptor], [], [], 0.05)[0]:
                request += os.read(self._descriptor, 256)
            if len(request) >= 8 and crc(request) == b"\x00\x00":
                self.requests.append(request)
                request = b""
                for delay_s, data in self._scripts.pop(0) if self._scripts else []:
                    self._ending.wait(delay_s)
                    os.write(self._descriptor, data)


READ: list[Any] = ["read", UNIT, 4, 0x10, 4]
GOOD = sealed(bytes([UNIT, 4, 8]) + words(11, 22, 33, 44))
GOOD_DATA = list(words(11, 22, 33, 44))
OTHER = sealed(bytes([UNIT, 4, 8]) + words(91, 92, 93, 94))
OTHER_DATA = list(words(91, 92, 93, 94))

MALFORMED: list[tuple[str, list[tuple[float, bytes]], str]] = [
    ("wrong function", [(0, sealed(bytes([UNIT, 3, 8]) + words(1, 2, 3, 4)))], "wrong_function"),
    ("wrong address", [(0, sealed(bytes([UNIT + 1, 4, 8]) + words(1, 2, 3, 4)))], "wrong_unit"),
    ("fewer registers", [(0, sealed(bytes([UNIT, 4, 6]) + words(1, 2, 3)))], "byte_count"),
    ("more registers", [(0, sealed(bytes([UNIT, 4, 10]) + words(1, 2, 3, 4, 5)))], "byte_count"),
    ("exception for another function", [(0, sealed(bytes([UNIT, 0x83, 2])))], "wrong_function"),
    ("unknown exception", [(0, sealed(bytes([UNIT, 0x84, 99])))], "exception_99"),
    ("two frames back to back", [(0, GOOD + GOOD)], "trailing"),
    ("CRC swapped", [(0, GOOD[:-2] + GOOD[:-3:-1])], "crc"),
    ("truncated", [(0, GOOD[:7])], "truncated"),
    ("noise before", [(0, b"\x00" + GOOD)], "wrong_unit"),
    ("noise after", [(0, GOOD + b"\xff")], "trailing"),
    ("own echo, then the reply", [(0, sealed(bytes([UNIT, 4]) + words(0x10, 4)) + GOOD)], "own_echo"),
    ("300 bytes of babble", [(0, b"\x55" * 300)], "wrong_unit"),
    ("a byte every 60 ms", [(0.06, GOOD[i : i + 1]) for i in range(len(GOOD))], "truncated"),
    ("late", [(0.7, GOOD)], "timeout"),
    ("silent", [], "timeout"),
]


def test_every_function_in_use_works_against_pymodbus(board: Path) -> None:
    with Wire(BAUD) as wire, pymodbus_slave(wire.slave_path):
        report = perform(
            board,
            wire.master_path,
            [
                ["read", 1, 3, 0, 10],
                ["read", 1, 4, 90, 10],
                ["write_register", 1, 5, 0xABCD],
                ["read", 1, 3, 4, 3],
                ["write_registers", 1, 0, [7, 8, 0xFFFF]],
                ["read", 1, 3, 0, 3],
                ["read", 1, 3, 95, 10],
            ],
        )
    assert report["results"] == [
        list(words(*range(1000, 1010))),
        list(words(*range(1090, 1100))),
        None,
        list(words(1004, 0xABCD, 1006)),
        None,
        list(words(7, 8, 0xFFFF)),
        "exception_2",
    ]


def test_every_malformed_reply_is_refused_and_the_next_reply_is_right(board: Path) -> None:
    scripts = [script for _, pieces, _ in MALFORMED for script in (pieces, [(0.0, OTHER)])]
    with Wire(BAUD) as wire, ScriptedSlave(wire.slave_path, scripts) as slave:
        report = perform(board, wire.master_path, [READ, READ] * len(MALFORMED))
    for i, (what, _, verdict) in enumerate(MALFORMED):
        assert report["results"][2 * i] == verdict, what
        assert report["results"][2 * i + 1] == OTHER_DATA, what
    assert len(slave.requests) == 2 * len(MALFORMED)
    assert report["stats"]["0"] == len(MALFORMED)
    assert sum(report["stats"].values()) == 2 * len(MALFORMED)
    assert report["beats"] > 50  # other tasks ran while the line waited


def test_a_pause_inside_a_reply_is_bridged(board: Path) -> None:
    with (
        Wire(BAUD) as wire,
        ScriptedSlave(wire.slave_path, [[(0, GOOD[:6]), (0.15, GOOD[6:])]]),
    ):
        report = perform(board, wire.master_path, [READ])
    assert report["results"] == [GOOD_DATA]


def test_driver_enable_frames_each_transmission(board: Path) -> None:
    with Wire(BAUD) as wire, ScriptedSlave(wire.slave_path, [[(0.01, GOOD)]] * 3):
        report = perform(board, wire.master_path, [READ] * 3, with_de=True)
    assert report["results"] == [GOOD_DATA] * 3
    assert report["events"] == ["drive", "write", "listen"] * 3


def test_a_wire_that_dies_is_an_error_not_an_end(board: Path) -> None:
    with Wire(BAUD) as wire, ScriptedSlave(wire.slave_path, []):
        path = wire.master_path
        timer = threading.Timer(1.0, wire.__exit__)
        timer.start()
        report = perform(board, path, [READ] * 6)
        timer.join(LIMIT_S)
    assert set(report["results"]) <= {"timeout", "line_fault"}
    assert report["results"][-1] == "line_fault"


def test_the_slave_sees_a_silent_interval_before_every_request(board: Path) -> None:
    gaps = []
    with Wire(BAUD) as wire:
        descriptor = os.open(wire.slave_path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        process = threading.Thread(target=perform, args=(board, wire.master_path, [READ] * 12))
        process.start()
        replied = 0.0
        end = time.monotonic() + LIMIT_S
        for _ in range(12):
            request = b""
            first = 0.0
            while len(request) < 8 and time.monotonic() < end:
                if select.select([descriptor], [], [], 0.05)[0]:
                    first = first or time.monotonic()
                    request += os.read(descriptor, 8 - len(request))
            if replied:
                gaps.append(first - replied)
            os.write(descriptor, GOOD)
            replied = time.monotonic()
        process.join(LIMIT_S)
        os.close(descriptor)
    char_s = 11 / BAUD
    # From writing the reply: its bytes on the wire, the silent interval, and the first byte of the request.
    least_s = (len(GOOD) + 3.5 + 1) * char_s
    assert min(gaps) >= least_s, gaps
