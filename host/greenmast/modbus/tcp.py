"""Modbus TCP: the same frames with a header in place of the checksum.

A late reply is told by its transaction number and dropped. Source: "MODBUS Messaging on TCP/IP V1.0b" 3.1.3.
"""

from __future__ import annotations

import random
import socket
import struct
import time

from greenmast.modbus.master import LineError, Master
from greenmast_protocol import modbus_frame

PORT = 502
CONNECT_S = 5.0
_HEADER = struct.Struct(">HHH")
_LENGTH_MIN, _LENGTH_MAX = 3, 254  # unit, function and at least one byte; at most a whole frame
# A gateway says that behind it nothing answers (10: it has no such line, 11: no reply): silence, to us.
_GATEWAY_EXCEPTIONS = (10, 11)


class TcpMaster(Master):
    """The device or gateway at `host`:`port`. Raises LineError when it cannot be reached."""

    slack_s = 1.5  # a gateway asks one after another and waits for silent ones itself

    def __init__(self, host: str, port: int = PORT) -> None:
        super().__init__(f"{host}:{port}")
        self._address = (host, port)
        self._transaction = random.randrange(0x10000)
        self._socket: socket.socket | None = None
        self._connect()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        try:
            self._socket = socket.create_connection(self._address, CONNECT_S)
        except socket.gaierror as e:
            raise LineError(
                f"no host {self._address[0]}: is the name right, and does it resolve here?"
            ) from e
        except ConnectionRefusedError as e:
            raise LineError(f"nothing listens at {self.name}: is Modbus TCP switched on there?") from e
        except TimeoutError as e:
            raise LineError(f"{self.name} does not answer: is it on, and in this network?") from e
        except OSError as e:
            raise LineError(f"cannot reach {self.name}: {e}") from e
        return self._socket

    def _exchange(self, request: bytearray, timeout_s: float) -> bytearray:
        connected = self._socket or self._connect()
        self._transaction = (self._transaction + 1) & 0xFFFF
        body = request[:-2]
        try:
            connected.settimeout(CONNECT_S)
            connected.sendall(_HEADER.pack(self._transaction, 0, len(body)) + body)
            reply = self._receive(connected, time.monotonic() + timeout_s)
        except OSError as e:
            self.close()
            raise LineError(f"{self.name} broke the connection: {e}") from e
        if len(reply) == 3 and reply[1] & 0x80 and reply[2] in _GATEWAY_EXCEPTIONS:
            return bytearray()
        return _framed(request, reply)

    def _receive(self, connected: socket.socket, end_s: float) -> bytearray:
        """Unit and body of the reply to the latest request; nothing when the time is over."""
        while True:
            header = self._take(connected, _HEADER.size, end_s)
            if len(header) < _HEADER.size:
                return bytearray()
            transaction, protocol, length = _HEADER.unpack(header)
            if protocol or not _LENGTH_MIN <= length <= _LENGTH_MAX:
                self.close()
                raise LineError(f"what answers at {self.name} does not speak Modbus TCP")
            body = self._take(connected, length, end_s)
            if transaction == self._transaction or len(body) < length:
                return body

    def _take(self, connected: socket.socket, size: int, end_s: float) -> bytearray:
        """`size` bytes; fewer when the time is over, and then the connection is given up, for what follows
        would begin in the middle of a message.
        """
        data = bytearray()
        while len(data) < size:
            connected.settimeout(max(0.001, end_s - time.monotonic()))
            try:
                piece = connected.recv(size - len(data))
            except TimeoutError:
                if data or size != _HEADER.size:
                    self.close()
                return data
            if not piece:
                raise ConnectionResetError("closed by the other side")
            data += piece
        return data


def _framed(request: bytearray, body: bytearray) -> bytearray:
    """`body` as the RTU frame that it would be, so that one set of rules judges both."""
    if not body:
        return body
    refused = len(body) > 1 and body[1] & 0x80
    n = min(len(body), 3 if refused else modbus_frame.reply_length(request) - 2)
    crc = modbus_frame.crc16(body, n)
    return body[:n] + bytes((crc & 0xFF, crc >> 8)) + body[n:]
