"""The serial link: frames on a port, opened so that no board is ever reset by plugging in (see `port`)."""

from __future__ import annotations

import logging
import time
from collections import deque

import serial

from greenmast.errors import USAGE, UserError
from greenmast.link import port as ports
from greenmast.link.base import Link, NoContactError
from greenmast_protocol import frame

BAUD = 115_200
BOARD_LINE_MAX = 65_536
_SLICE_S = 0.1

board_log = logging.getLogger("greenmast.board")  # what the board prints beside its messages


class SerialLink(Link):
    """A board on serial port `port`. Raises NoContactError when the port cannot be opened."""

    request_bytes = frame.HOST_LINE_MAX

    def __init__(self, port: str, baud: int = BAUD) -> None:
        super().__init__(port)
        self.decoder = frame.FrameDecoder(BOARD_LINE_MAX)
        self._arrived: deque[bytes] = deque()
        try:
            self._port = ports.open_port(port, baud)
        except OSError as e:  # pyserial's own exception is one too
            raise NoContactError(ports.why(port, e)) from e

    def close(self) -> None:
        self._port.close()

    def _send(self, body: bytes) -> None:
        line = frame.encode(body)
        if len(line) > frame.HOST_LINE_MAX:
            raise UserError(
                f"a request of {len(line)} bytes: a serial line holds {frame.HOST_LINE_MAX}", USAGE
            )
        try:
            self._port.write(b"\n" + line)  # ends whatever half line the board may hold
        except serial.SerialException as e:
            raise NoContactError(f"{self.name}: {e}") from e

    def _receive(self, timeout_s: float) -> bytes | None:
        deadline = time.monotonic() + timeout_s
        while not self._arrived:
            left = deadline - time.monotonic()
            self._port.timeout = min(max(left, 0.0), _SLICE_S)
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except OSError as e:  # pyserial's own exception is one too
                raise NoContactError(f"{self.name} is gone: {e}") from e
            for kind, body in self.decoder.feed(data):
                if kind == frame.FRAME:
                    self._arrived.append(body)
                elif kind == frame.TEXT:
                    board_log.info("%s", body.decode())
            if not data and left <= 0:
                return None
        return self._arrived.popleft()
