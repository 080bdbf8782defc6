"""A slave with ten registers that keeps the silent interval before its reply, as a real one does: for rates.

Owns its timing: the reply is on the line t3.5 after the last character of the request, as nearly as can be. A
process learns late of what has come, and the wire of what it says: `lead_us` is how long that takes, as seen
on the line. `python -m greenmast.bench.bus_slave PTY BAUD LEAD_US` prints
"serving" when it does; ends when its standard input does.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from greenmast.bench.malformed import gap_s, sealed
from greenmast.errors import UserError

UNIT = 1
VALUES = list(range(1000, 1010))
_READ_HOLDING = 3
_REQUEST = sealed(bytes((UNIT, _READ_HOLDING, 0, 0, 0, len(VALUES))))
_REPLY = sealed(
    bytes((UNIT, _READ_HOLDING, 2 * len(VALUES))) + b"".join(value.to_bytes(2, "big") for value in VALUES)
)
_FRAME_GAP_S = 0.1  # what stands still this long is no request
_SPIN_S = 0.0003
_STOP_S = 5.0


def serve(path: str, baud: int, lead_us: int) -> None:
    """Answer the one request that there is, until standard input ends."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    silence_s = gap_s(baud) - lead_us / 1e6
    print("serving", flush=True)
    request = b""
    while True:
        ready, _, _ = select.select([0, port], [], [], _FRAME_GAP_S if request else None)
        if 0 in ready and not os.read(0, 4096):
            return
        request = (request + os.read(port, 256))[-len(_REQUEST) :] if port in ready else b""
        if request == _REQUEST:
            due_s = time.monotonic() + silence_s
            time.sleep(max(0.0, silence_s - _SPIN_S))
            while time.monotonic() < due_s:
                pass
            os.write(port, _REPLY)
            request = b""


@contextmanager
def running(path: str, baud: int, lead_us: int = 0) -> Iterator[None]:
    """The slave in a process of its own. Raises UserError when it does not start."""
    command = [sys.executable, "-m", "greenmast.bench.bus_slave", path, str(baud), str(lead_us)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "serving\n":
                raise UserError("the Modbus slave of the bench did not start")
            yield
        finally:
            process.communicate(timeout=_STOP_S)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
