"""The serial link: frames on a port, opened so that no board is ever reset by plugging in.

On many boards DTR and RTS drive reset and boot select, and the system raises both when a port is opened. They
are lowered together, in one call, before pyserial touches the port, and HUPCL is cleared, so that closing
changes nothing either.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import struct
import termios
import time
from collections import deque

import serial

from greenmast.errors import USAGE, UserError
from greenmast.link.base import Link, NoContactError
from greenmast_protocol import frame

BAUD = 115_200
BOARD_LINE_MAX = 65_536
_SLICE_S = 0.1
_WRITE_S = 2.0

board_log = logging.getLogger("greenmast.board")  # what the board prints beside its messages


class SerialLink(Link):
    """A board on serial port `port`. Raises NoContactError when the port cannot be opened."""

    def __init__(self, port: str, baud: int = BAUD) -> None:
        super().__init__(port)
        self.decoder = frame.FrameDecoder(BOARD_LINE_MAX)
        self._arrived: deque[bytes] = deque()
        try:
            self._port = _open(port, baud)
        except serial.SerialException as e:
            raise NoContactError(_why(port, e)) from e
        except OSError as e:
            raise NoContactError(_why(port, e)) from e

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


def _open(port: str, baud: int) -> serial.Serial:
    """The open port, its modem lines low."""
    held = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        _lower_lines(held)
        opened = serial.Serial(baudrate=baud, timeout=_SLICE_S, write_timeout=_WRITE_S, exclusive=True)
        opened.port = port
        opened.dtr = False
        opened.rts = False
        opened.open()
        return opened
    finally:
        os.close(held)


def _lower_lines(fd: int) -> None:
    """DTR and RTS down at once, and no hang-up on close."""
    lines = struct.pack("I", termios.TIOCM_DTR | termios.TIOCM_RTS)
    with contextlib.suppress(OSError):  # pseudo-terminals have no such lines
        fcntl.ioctl(fd, termios.TIOCMBIC, lines)
    with contextlib.suppress(termios.error):  # not a terminal: pyserial will say so
        settings = termios.tcgetattr(fd)
        settings[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, settings)


def _why(port: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no port {port}: is the cable plugged in?"
    if isinstance(error, PermissionError):
        return f"no permission for {port}: your user belongs into its group (often dialout)"
    if "exclusively lock" in str(error):
        return f"{port} is in use by another program"
    return f"cannot open {port}: {error}"
