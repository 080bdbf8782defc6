"""The Modbus master as deployed, in MicroPython on a paced wire: pymodbus, and slaves that answer wrongly."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greenmast.bench.board_master import compile_master
from greenmast.bench.malformed import (
    ADDRESS,
    CASES,
    COUNT,
    FUNCTION,
    GOOD,
    GOOD_VALUES,
    OTHER,
    OTHER_VALUES,
    TIMEOUT_MS,
    TURNAROUND_MS,
    UNIT,
    words,
)
from greenmast.bench.scripted_slave import ScriptedSlave, port, unpaced_line
from greenmast.emulator import runtime
from greenmast.emulator.wire import Wire

BAUD = 9600
LIMIT_S = 60.0
PACED = ("own echo, then the reply", "300 bytes of babble", "truncated", "wrong function")

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

async def main(path, baud, with_de, timeout_ms, turnaround_ms, steps):
    uart = Uart(path, baud)
    line = Line(uart, baud, uart.de if with_de else None)
    master = RtuMaster(line, timeout_ms, turnaround_ms)
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

numbers = [int(argument) for argument in sys.argv[2:]]
asyncio.run(main(sys.argv[1], *numbers, json.loads(sys.stdin.readline())))
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = compile_master(tmp_path_factory.mktemp("board"))
    (folder / "program.py").write_text(BOARD_PROGRAM, encoding="utf-8")
    return folder


def perform(
    board: Path,
    path: str,
    steps: list[list[Any]],
    *,
    with_de: bool = False,
    baud: int = BAUD,
    limits: tuple[int, int] = (500, 1000),
) -> dict[str, Any]:
    """Let the master do `steps`: [method, arguments ..] each. `limits`: time-out and turnaround in ms.

    Results are lists of bytes, None or an error's name.
    """
    command = [runtime.find(), "-X", "heapsize=96wK", str(board / "program.py"), path, str(baud)]
    done = subprocess.run(
        [*command, str(int(with_de)), *map(str, limits)],
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


@contextlib.contextmanager
def pymodbus_slave(path: str) -> Iterator[None]:
    command = [sys.executable, "-m", "hil_tests.pymodbus_slave", path, str(BAUD)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n"
            yield
        finally:
            process.communicate(timeout=LIMIT_S)


READ: list[Any] = ["read", UNIT, FUNCTION, ADDRESS, COUNT]
GOOD_DATA = list(words(*GOOD_VALUES))
OTHER_DATA = list(words(*OTHER_VALUES))


def test_every_function_works_against_pymodbus(board: Path) -> None:
    with Wire(BAUD) as wire, pymodbus_slave(wire.slave_path):
        report = perform(
            board,
            wire.master_path,
            [
                ["read", 1, 1, 0, 10],
                ["read", 1, 2, 1, 3],
                ["read", 1, 3, 0, 10],
                ["read", 1, 4, 90, 10],
                ["write_coil", 1, 1, 1],
                ["write_coil", 1, 3, 0],
                ["write_coils", 1, 8, [1, 1, 1, 1, 0, 0, 0, 0, 1]],
                ["read", 1, 1, 0, 17],
                ["write_register", 1, 5, 0xABCD],
                ["read", 1, 3, 4, 3],
                ["write_registers", 1, 0, [7, 8, 0xFFFF]],
                ["read", 1, 3, 0, 3],
                ["read", 1, 3, 95, 10],
            ],
        )
    assert report["results"] == [
        [0b01001001, 0b10],
        [0b100],
        list(words(*range(1000, 1010))),
        list(words(*range(1090, 1100))),
        None,
        None,
        None,
        [0b01000011, 0b00001111, 0b1],
        None,
        list(words(1004, 0xABCD, 1006)),
        None,
        list(words(7, 8, 0xFFFF)),
        "exception_2",
    ]


def test_every_malformed_reply_is_refused_and_the_next_reply_is_right(board: Path) -> None:
    scripts = [script for case in CASES for script in (case.pieces, ((0.0, OTHER),))]
    with unpaced_line() as (ours, path), ScriptedSlave(ours, scripts) as slave:
        steps = [READ, READ] * len(CASES)
        report = perform(board, path, steps, limits=(TIMEOUT_MS, TURNAROUND_MS))
    for i, case in enumerate(CASES):
        assert report["results"][2 * i] == case.verdict, case.name
        assert report["results"][2 * i + 1] == OTHER_DATA, case.name
    assert len(slave.requests) == 2 * len(CASES)
    assert report["stats"]["0"] == len(CASES)
    assert sum(report["stats"].values()) == 2 * len(CASES)
    assert report["beats"] > 50  # other tasks ran while the line waited


def test_malformed_replies_on_a_paced_wire_end_as_those_that_come_at_once(board: Path) -> None:
    cases = [case for case in CASES if case.name in PACED]
    assert len(cases) == len(PACED)
    scripts = [script for case in cases for script in (case.pieces, ((0.0, OTHER),))]
    with Wire(BAUD) as wire, port(wire.slave_path) as end, ScriptedSlave(end, scripts):
        report = perform(board, wire.master_path, [READ, READ] * len(cases))
    assert report["results"][::2] == [case.verdict for case in cases]
    assert report["results"][1::2] == [OTHER_DATA] * len(cases)


def test_a_pause_inside_a_reply_is_bridged(board: Path) -> None:
    with (
        Wire(BAUD) as wire,
        port(wire.slave_path) as end,
        ScriptedSlave(end, [[(0, GOOD[:6]), (0.15, GOOD[6:])]]),
    ):
        report = perform(board, wire.master_path, [READ])
    assert report["results"] == [GOOD_DATA]


def test_driver_enable_frames_each_transmission(board: Path) -> None:
    with Wire(BAUD) as wire, port(wire.slave_path) as end, ScriptedSlave(end, [[(0.01, GOOD)]] * 3):
        report = perform(board, wire.master_path, [READ] * 3, with_de=True)
    assert report["results"] == [GOOD_DATA] * 3
    assert report["events"] == ["drive", "write", "listen"] * 3


def test_a_wire_that_dies_is_an_error_not_an_end(board: Path) -> None:
    with Wire(BAUD) as wire, port(wire.slave_path) as end, ScriptedSlave(end, []):
        path = wire.master_path
        timer = threading.Timer(1.0, wire.__exit__)
        timer.start()
        report = perform(board, path, [READ] * 6)
        timer.join(LIMIT_S)
    assert set(report["results"]) <= {"timeout", "line_fault"}
    assert report["results"][-1] == "line_fault"


def test_the_line_is_silent_for_its_interval_before_every_request(board: Path) -> None:
    for baud in (BAUD, 115_200):
        with Wire(baud) as wire, port(wire.slave_path) as end, ScriptedSlave(end, [[(0, GOOD)]] * 30):
            report = perform(board, wire.master_path, [READ] * 30, baud=baud)
            seen = wire.counters()
        assert report["results"] == [GOOD_DATA] * 30
        assert seen["gaps"] >= 29
        assert seen["gap_violations"] == 0, seen
