"""The firmware's Modbus masters under real MicroPython, for benches and tests.

Owns the process and the lines it is told what to do with. Knows no slave.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

from greenmast.emulator import runtime
from greenmast.errors import UserError
from greenmast.flash import build

_HEAP = "96wK"
_STOP_S = 10.0
# One request a line: {"rate": ms, "read": [...]} reads over and over, {"read": [...]} once.
_PROGRAM = """
import asyncio, json, sys, termios
from greenmast_fw.drivers import clock
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.drivers.modbus_master import ModbusError, RtuMaster

async def rate(master, ms, arguments):
    times_us = []
    errors = 0
    start = begun = clock.ticks_us()
    while clock.diff(begun, start) < 1000 * ms:
        try:
            await master.read(*arguments)
            now = clock.ticks_us()
            times_us.append(clock.diff(now, begun))
        except ModbusError:
            errors += 1
        begun = clock.ticks_us()
    return {"times_us": times_us, "errors": errors}

async def once(master, arguments):
    try:
        return {"data": [int(byte) for byte in await master.read(*arguments)]}
    except ModbusError as error:
        return {"error": str(error)}

async def main(path, baud, timeout_ms, turnaround_ms):
    uart = open(path, "r+b")
    termios.setraw(uart.fileno())
    attributes = termios.tcgetattr(uart.fileno())
    attributes[6][5] = attributes[6][6] = 0  # VTIME, VMIN: a read gives what is there, as a UART does
    termios.tcsetattr(uart.fileno(), termios.TCSANOW, attributes)
    master = RtuMaster(Line(uart, baud), timeout_ms, turnaround_ms)
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        asked = json.loads(line)
        if "rate" in asked:
            print(json.dumps(await rate(master, asked["rate"], asked["read"])))
        else:
            print(json.dumps(await once(master, asked["read"])))

asyncio.run(main(sys.argv[1], *[int(a) for a in sys.argv[2:]]))
"""


def compile_master(target: Path) -> Path:
    """Write the Modbus masters, compiled. Returns the folder to put on the path."""
    for path, content in build.modules(
        "greenmast_fw/__init__",
        "greenmast_fw/drivers/",
        "greenmast_protocol/__init__",
        "greenmast_protocol/modbus_frame",
    ).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content)
    return target


class BoardMaster:
    """The RTU master at the serial port `path`; a context manager. `folder`: see `compile_master`."""

    def __init__(
        self, folder: Path, path: str, baud: int, *, timeout_ms: int = 300, turnaround_ms: int = 500
    ) -> None:
        program = folder / "board_master.py"
        program.write_text(_PROGRAM, encoding="utf-8")
        self._process = subprocess.Popen(
            [
                *(runtime.find(), "-X", f"heapsize={_HEAP}", str(program)),
                *(path, str(baud), str(timeout_ms), str(turnaround_ms)),
            ],
            env={**os.environ, "MICROPYPATH": f"{folder}:.frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.communicate(timeout=_STOP_S)

    def rate(self, seconds: float, request: list[int]) -> tuple[list[float], int]:
        """Read over and over. Returns the seconds that each read took, and the number of errors."""
        done = self._ask({"rate": round(1000 * seconds), "read": request})
        return [time_us / 1e6 for time_us in done["times_us"]], done["errors"]

    def read(self, request: list[int]) -> bytes | str:
        """Read [unit, function, address, count] once. Returns the data, or the name of the verdict."""
        done = self._ask({"read": request})
        return str(done["error"]) if "error" in done else bytes(done["data"])

    def _ask(self, question: dict[str, Any]) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        try:
            stdin.write(json.dumps(question) + "\n")
            stdin.flush()
            answer = stdout.readline()
            return json.loads(answer)
        except (BrokenPipeError, ValueError):
            raise UserError(f"the master failed under MicroPython: {answer}{stdout.read()}") from None
