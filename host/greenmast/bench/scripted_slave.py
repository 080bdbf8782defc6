"""A slave that answers each request with what it is told to, right or wrong.

Owns a thread at one terminal. Knows requests of eight bytes only: reads, and writes of one value.
"""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from greenmast.bench.malformed import crc

_REQUEST_BYTES = 8
_LOOK_S = 0.05
_STOP_S = 30.0

Script = Iterable[tuple[float, bytes]]


class ScriptedSlave:
    """Answers the n-th request at `descriptor` with the n-th script: pieces of (seconds to wait, bytes)."""

    def __init__(self, descriptor: int, scripts: Iterable[Script]) -> None:
        self.requests: list[bytes] = []
        self._scripts = list(scripts)
        self._descriptor = descriptor
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ending.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        with suppress(OSError):  # the line has gone
            self._serve()

    def _serve(self) -> None:
        request = b""
        while not self._ending.is_set():
            if select.select([self._descriptor], [], [], _LOOK_S)[0]:
                came = os.read(self._descriptor, 256)
                if not came:
                    return
                request += came
            if len(request) >= _REQUEST_BYTES and crc(request) == b"\x00\x00":
                self.requests.append(request)
                request = b""
                for delay_s, data in self._scripts.pop(0) if self._scripts else ():
                    self._ending.wait(delay_s)
                    os.write(self._descriptor, data)


@contextmanager
def port(path: str) -> Iterator[int]:
    """An open terminal."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def unpaced_line() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: our end, and the path of the other. What is written is there at once."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(theirs)
        os.close(ours)
