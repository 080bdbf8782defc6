"""A pymodbus serial server with 100 registers and 48 coils: a slave that is not this project's.

`python -m hil_tests.pymodbus_slave PTY BAUD` prints "serving" when it does; ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys

from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNIT = 1


async def serve(path: str, baud: int) -> None:
    bits = [SimData(0, values=[True, False, False] * 16, datatype=DataType.BITS)]
    registers = [SimData(0, values=list(range(1000, 1100)), datatype=DataType.REGISTERS)]
    device = SimDevice(UNIT, simdata=(bits, bits, registers, registers))
    server = ModbusSerialServer(device, port=path, baudrate=baud)
    await server.serve_forever(background=True)
    print("serving", flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)
    await server.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
