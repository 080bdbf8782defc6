"""Reads a second on a paced RS-485 wire: our master under MicroPython, pymodbus's async client beside it.

Both read 10 registers, over and over, from the same pymodbus server. The limit is what the line allows with
the silent interval before the request and before the reply: 1 / ((13 + 2 x 10) characters of 11 bits + 2 x
t3.5). The server keeps no interval and pymodbus's client none either, so both can pass it; ours keeps the one
before the request.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from greenmast.bench.bus_slave import UNIT, VALUES
from greenmast.emulator import runtime
from greenmast.emulator.wire import Wire
from greenmast.errors import UserError
from greenmast.flash import build

BAUDS = (9600, 19200, 115200)
REGISTERS = 10
_START_S = 20.0

_BOARD_PROGRAM = """
import asyncio, json, sys, termios
from greenmast_fw.drivers import clock
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.drivers.modbus_master import ModbusError, RtuMaster

async def main(path, baud, seconds, unit, count, first):
    uart = open(path, "r+b")
    attributes = termios.tcgetattr(uart.fileno())
    attributes[6][5] = attributes[6][6] = 0  # VTIME, VMIN: a read gives what is there, as a UART does
    termios.tcsetattr(uart.fileno(), termios.TCSANOW, attributes)
    master = RtuMaster(Line(uart, baud), turnaround_ms=100)
    async def read():
        data = await master.read(unit, 3, 0, count)
        if (data[0] << 8) | data[1] != first:
            raise ValueError("wrong data")
    await read()
    reads = errors = 0
    start = clock.ticks_ms()
    while clock.diff(clock.ticks_ms(), start) < 1000 * seconds:
        try:
            await read()
            reads += 1
        except ModbusError:
            errors += 1
    ms = clock.diff(clock.ticks_ms(), start)
    print(json.dumps({"reads": reads, "errors": errors, "milliseconds": ms}))
    uart.close()

asyncio.run(main(sys.argv[1], *[int(a) for a in sys.argv[2:]]))
"""


def limit_per_s(baud: int, registers: int = REGISTERS) -> float:
    """Reads of `registers` registers a second that the line allows with two silent intervals each."""
    gap_s = 38.5 / baud if baud <= 19200 else 0.00175
    return 1 / ((13 + 2 * registers) * 11 / baud + 2 * gap_s)


def run(seconds: int = 3) -> dict[str, Any]:
    """Measure at every baud rate, `seconds` for each master.

    Returns {"registers", "rates": [{"baud", "limit_per_s", "greenmast_per_s", "greenmast_errors",
    "greenmast_percent", "pymodbus_per_s", "pymodbus_percent"}]}. Raises UserError when MicroPython is not
    installed.
    """
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        board = compile_master(Path(folder))
        for baud in BAUDS:
            limit = limit_per_s(baud)
            with Wire(baud) as wire, _slave(wire.slave_path, baud):
                ours = _measure_board(board, wire.master_path, baud, seconds)
                theirs = asyncio.run(_measure_pymodbus(wire.master_path, baud, seconds))
            per_s = 1000 * ours["reads"] / ours["milliseconds"]
            rates.append(
                {
                    "baud": baud,
                    "limit_per_s": round(limit, 1),
                    "greenmast_per_s": round(per_s, 1),
                    "greenmast_errors": ours["errors"],
                    "greenmast_percent": round(100 * per_s / limit, 1),
                    "pymodbus_per_s": round(theirs, 1),
                    "pymodbus_percent": round(100 * theirs / limit, 1),
                }
            )
    return {"registers": REGISTERS, "rates": rates}


def text(result: dict[str, Any]) -> str:
    """The result for people."""
    title = f"  {'reads a second':<15}{'limit':>8}{'Greenmast':>12}{'':>8}{'pymodbus':>12}"
    return "\n".join([title, *(_line(row) for row in result["rates"])])


def _line(row: dict[str, Any]) -> str:
    cells = f"{row['limit_per_s']:>8}{row['greenmast_per_s']:>12}{row['greenmast_percent']:>6.0f} %"
    return f"  {row['baud']:<15}{cells}{row['pymodbus_per_s']:>12}{row['pymodbus_percent']:>6.0f} %"


def compile_master(target: Path) -> Path:
    """Write the Modbus master, compiled, and the bench's program.

    Returns the folder to put on the path.
    """
    for path, content in build.modules(
        "greenmast_fw/__init__",
        "greenmast_fw/drivers/",
        "greenmast_protocol/__init__",
        "greenmast_protocol/modbus_frame",
    ).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content)
    (target / "board.py").write_text(_BOARD_PROGRAM, encoding="utf-8")
    return target


@contextmanager
def _slave(path: str, baud: int) -> Iterator[None]:
    command = [sys.executable, "-m", "greenmast.bench.bus_slave", path, str(baud)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "serving\n":
                raise UserError("the Modbus server of the bench did not start")
            yield
        finally:
            process.communicate(timeout=_START_S)


def _measure_board(board: Path, path: str, baud: int, seconds: int) -> dict[str, int]:
    arguments = [path, *map(str, (baud, seconds, UNIT, REGISTERS, VALUES[0]))]
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=96wK", str(board / "board.py"), *arguments],
        env={**os.environ, "MICROPYPATH": f"{board}:.frozen"},
        capture_output=True,
        text=True,
        timeout=seconds + _START_S,
        check=False,
    )
    if done.returncode:
        raise UserError(f"the master failed under MicroPython: {done.stdout}{done.stderr}")
    measured: dict[str, int] = json.loads(done.stdout)
    return measured


async def _measure_pymodbus(path: str, baud: int, seconds: int) -> float:
    from pymodbus.client import AsyncModbusSerialClient

    client = AsyncModbusSerialClient(path, baudrate=baud, timeout=1)
    await client.connect()
    loop = asyncio.get_running_loop()
    start = loop.time()
    reads = 0
    while loop.time() - start < seconds:
        reply = await client.read_holding_registers(0, count=REGISTERS, device_id=UNIT)
        reads += not reply.isError()
    rate = reads / (loop.time() - start)
    client.close()
    return rate
