"""Brokers and lines as a client must bear them: by hand, wrong on purpose, or dead.

For tests and `greenmast bench mqtt`. Knows MQTT's packets as far as a broker's answers need them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from greenmast.testing import WAIT_S

CONNACK = b"\x20\x02\x00\x00"


def message(first: int, topic: bytes, rest: bytes) -> bytes:
    """A PUBLISH whose fixed header begins with `first`; `rest` follows its topic."""
    body = len(topic).to_bytes(2, "big") + topic + rest
    assert len(body) < 128
    return bytes((first, len(body))) + body


# name: (what a connection gets after its CONNECT, whether it is closed then)
GARBAGE = {
    "closed at once": (b"", True),
    "silence": (b"", False),
    "half a CONNACK, then silence": (b"\x20\x02\x00", False),
    "refused": (b"\x20\x02\x00\x05", False),
    "unknown return code": (b"\x20\x02\x00\xc8", False),
    "CONNACK too long": (b"\x20\x03\x00\x00\x00", False),
    "a web server": (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
    "PUBLISH before CONNACK": (message(0x30, b"t", b"x"), False),
    "two CONNACK": (CONNACK + CONNACK, False),
    "all ones": (CONNACK + b"\xff" * 100, False),
    "all zeroes": (CONNACK + bytes(100), False),
    "endless varint": (CONNACK + b"\x30" + b"\x80" * 100, False),
    "256 MB": (CONNACK + b"\x30\xff\xff\xff\x7f\x00\x03t/x", False),
    "topic longer than packet": (CONNACK + b"\x30\x05\x00\x10abc", False),
    "topic longer than oversize packet": (CONNACK + b"\x30\xff\x7f\xff\xfeabc", False),
    "no room for the packet identifier": (CONNACK + b"\x32\x03\x00\x01a", False),
    "packet identifier 0": (CONNACK + message(0x32, b"t", b"\x00\x00x"), False),
    "QoS 2": (CONNACK + message(0x34, b"t", b"\x00\x01x"), False),
    "QoS 3": (CONNACK + message(0x36, b"t", b"\x00\x01x"), False),
    "DUP with QoS 0": (CONNACK + message(0x38, b"t", b"x"), False),
    "empty topic": (CONNACK + message(0x30, b"", b"x"), False),
    "wildcard topic": (CONNACK + message(0x30, b"t/#", b"x"), False),
    "NUL in topic": (CONNACK + message(0x30, b"t\x00", b"x"), False),
    "broken UTF-8 in topic": (CONNACK + message(0x30, b"t\xff", b"x"), False),
    "a client's packet": (CONNACK + b"\x10\x00", False),
    "type 15": (CONNACK + b"\xf0\x00", False),
    "PINGRESP with a body": (CONNACK + b"\xd0\x01x", False),
    "PUBACK with flags": (CONNACK + b"\x42\x02\x00\x01", False),
    "PUBACK of nothing": (CONNACK + b"\x40\x02\x12\x34", False),
    "SUBACK of nothing": (CONNACK + b"\x90\x03\x12\x34\x01", False),
    "PUBREL of nothing": (CONNACK + b"\x62\x02\x12\x34", False),
    "half a packet, then closed": (CONNACK + b"\x30\x40\x00\x03t/x", True),
    "half a packet, then silence": (CONNACK + b"\x30\x40\x00\x03t/x", False),
}


class Server:
    """Accepts connections one after another and gives each to `handler(socket, number)` in a thread."""

    def __init__(self, handler: Callable[[socket.socket, int], None]) -> None:
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(WAIT_S)
                self._open.append(connection)
                threading.Thread(target=self._run, args=(connection, len(self._open)), daemon=True).start()

    def _run(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            self._handler(connection, number)

    def close(self) -> None:
        # close() alone does not wake the thread that accepts
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()


class Proxy:
    """A TCP connection to `port` that can go dead: nothing is forwarded and nothing is closed."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._clear = threading.Event()
        self._clear.set()
        self._server = Server(self._serve)
        self.port = self._server.port

    def _serve(self, near: socket.socket, _number: int) -> None:
        with socket.create_connection(("127.0.0.1", self._target), 10) as far:
            back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
            back.start()
            self._pump(near, far)
            back.join(WAIT_S)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                # what comes during the black-out is held back and then lost with its connection
                if not self._clear.wait(WAIT_S):
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def block(self) -> None:
        self._clear.clear()

    def unblock(self) -> None:
        self._clear.set()

    def close(self) -> None:
        self._clear.set()
        self._server.close()


def packets(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """The packets that a client sends: first byte and body, until it closes."""
    stream = connection.makefile("rb")
    while first := stream.read(1):
        length = shift = 0
        while True:
            byte = stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield first[0], stream.read(length)


def publish_id(body: bytes) -> bytes:
    """Packet identifier, two bytes, of a QoS 1 PUBLISH."""
    at = 2 + int.from_bytes(body[:2], "big")
    return body[at : at + 2]


def behave(connection: socket.socket, on_publish: Callable[[], None] = lambda: None) -> None:
    """Be a proper broker to a client that was already answered its CONNECT."""
    for first, body in packets(connection):
        if first >> 4 == 3 and first & 6:
            connection.sendall(b"\x40\x02" + publish_id(body))
            on_publish()
        elif first == 0x82:
            connection.sendall(b"\x90\x03" + body[:2] + b"\x01")
        elif first == 0xC0:
            connection.sendall(b"\xd0\x00")


class Garbage:
    """A broker whose first connection goes wrong and whose later ones are proper.

    `delivered`: a later one has brought a message.
    """

    def __init__(self, garbage: bytes, then_close: bool) -> None:
        self.server = Server(self._serve)
        self._garbage = garbage
        self._then_close = then_close
        self.delivered = threading.Event()

    def _serve(self, connection: socket.socket, number: int) -> None:
        next(packets(connection))
        connection.sendall(self._garbage if number == 1 else CONNACK)
        if number > 1:
            behave(connection, self.delivered.set)
        elif not self._then_close:
            behave(connection)
