"""The console's bytes: standard input and output of MicroPython.

The ESP32's standard input blocks until all requested bytes are there, so it is asked for single bytes, and
only when `poll` says that one is waiting. Between looks the task sleeps: a stream that waits in asyncio's own
queue crashes the interpreter when memory runs out on its way in.
"""

import asyncio
import select
import sys

from greenmast_fw.drivers import clock

_LOOK_MS = 20


class Stdin:
    """`read` as a console wants it: whatever has come, at least one byte."""

    def __init__(self) -> None:
        self._stdin = sys.stdin.buffer
        self._poll = select.poll()
        self._poll.register(self._stdin, select.POLLIN)

    async def read(self, n: int) -> bytes:
        """At least one and at most `n` bytes; empty at the end of the stream."""
        while not self._poll.poll(0):
            await clock.sleep_ms(_LOOK_MS)
        data = b""
        while len(data) < n and self._poll.poll(0):
            more = self._stdin.read(1)
            if not more:
                break
            data += more
        return data


def writer() -> asyncio.StreamWriter:
    """Standard output as a stream that other tasks do not wait for."""
    return asyncio.StreamWriter(sys.stdout.buffer, {})  # type: ignore[arg-type,call-arg]
