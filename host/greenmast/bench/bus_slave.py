"""A pymodbus serial server with 100 registers, for the bus bench.

`python -m greenmast.bench.bus_slave PTY BAUD` prints "serving" when it does; ends when its standard input
does.
"""

from __future__ import annotations

import asyncio
import sys

from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNIT = 1
VALUES = list(range(1000, 1100))


async def serve(path: str, baud: int) -> None:
    registers = SimData(0, values=VALUES, datatype=DataType.REGISTERS)
    server = ModbusSerialServer(SimDevice(UNIT, simdata=[registers]), port=path, baudrate=baud)
    await server.serve_forever(background=True)
    print("serving", flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)
    await server.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
