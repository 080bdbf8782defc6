"""Hand-written slaves that answer as a test says: on a pseudo-terminal, and behind a TCP port."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
import tty
from collections.abc import Callable
from typing import Self

from greenmast_protocol import modbus_frame

REQUEST = 8  # bytes of a read
_LIMIT_S = 10.0

# What a slave does with a request: pieces to send, each after a pause in seconds.
Answer = list[tuple[float, bytes]]


def sealed(body: bytes) -> bytes:
    """An RTU frame."""
    crc = modbus_frame.crc16(body, len(body))
    return body + bytes((crc & 0xFF, crc >> 8))


def registers(unit: int, function: int, *values: int) -> bytes:
    """The RTU frame of a good reply."""
    return sealed(bytes((unit, function, 2 * len(values))) + struct.pack(f">{len(values)}H", *values))


class _Slave:
    """A thread that answers until the context ends; `requests` are those that came."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(_LIMIT_S)
        assert not self._thread.is_alive()


class PtySlave(_Slave):
    """Takes requests of eight bytes on the far end of the pseudo-terminal `path`."""

    def __init__(self, answer: Callable[[bytes], Answer]) -> None:
        super().__init__()
        self._answer = answer
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__()
        os.close(self._near)
        os.close(self._far)

    def write(self, data: bytes) -> None:
        os.write(self._far, data)

    def _serve(self) -> None:
        request = b""
        while not self._stop.is_set():
            if not select.select([self._far], [], [], 0.02)[0]:
                continue
            with contextlib.suppress(OSError):
                request += os.read(self._far, REQUEST - len(request))
            if len(request) == REQUEST:
                self.requests.append(request)
                for pause_s, piece in self._answer(request):
                    time.sleep(pause_s)
                    self.write(piece)
                request = b""


class TcpSlave(_Slave):
    """Takes Modbus TCP requests at `host`:`port`; `answer` gets them whole and its pieces go out as they are.

    An empty piece closes the connection.
    """

    host = "127.0.0.1"

    def __init__(self, answer: Callable[[bytes], Answer]) -> None:
        super().__init__()
        self._answer = answer
        self._listener = socket.create_server((self.host, 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__()
        self._listener.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                connected, _ = self._listener.accept()
                self.connections += 1
                with connected:
                    connected.settimeout(0.02)
                    self._converse(connected)

    def _converse(self, connected: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                request = connected.recv(300)
            except TimeoutError:
                continue
            except OSError:
                return
            if not request:
                return
            self.requests.append(request)
            for pause_s, piece in self._answer(request):
                time.sleep(pause_s)
                if not piece:
                    return
                with contextlib.suppress(OSError):
                    connected.sendall(piece)


def mbap(request: bytes, body: bytes, *, transaction: int | None = None, protocol: int = 0) -> bytes:
    """A Modbus TCP message with `body` (unit, function, data) that answers `request`."""
    number = struct.unpack(">H", request[:2])[0] if transaction is None else transaction
    return struct.pack(">HHH", number, protocol, len(body)) + body
