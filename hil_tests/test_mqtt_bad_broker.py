"""The board's MQTT client and bad brokers: it counts what is wrong, connects again and delivers."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil_tests.mqtt_rig import CONNACK, Board, Server, behave, compile_board, packets, publish_id

from greenmast.testing import WAIT_S

PUBLISH = {"topic": "t/x", "count": 3, "size": 600, "gap_ms": 0, "retain": False}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_board(tmp_path_factory.mktemp("modules"))


def message(first: int, topic: bytes, rest: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + rest
    assert len(body) < 128
    return bytes((first, len(body))) + body


# What the board says about it.
CLOSED = {"error": "OSError(104,)"}
TIMEOUT = {"error": "OSError(110,)"}
REFUSED = {"error": "OSError(13,)"}
MALFORMED = {"error": lambda text: text.startswith(("ValueError", "UnicodeError"))}
DROPPED = {"dropped": 1, "errors": 0}

# name: (what the first connection gets after CONNECT, whether it is closed then, what must tell)
GARBAGE = {
    "closed at once": (b"", True, CLOSED),
    "silence": (b"", False, TIMEOUT),
    "half a CONNACK, then silence": (b"\x20\x02\x00", False, TIMEOUT),
    "refused": (b"\x20\x02\x00\x05", False, REFUSED),
    "unknown return code": (b"\x20\x02\x00\xc8", False, REFUSED),
    "CONNACK too long": (b"\x20\x03\x00\x00\x00", False, MALFORMED),
    "a web server": (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, MALFORMED),
    "PUBLISH before CONNACK": (message(0x30, b"t", b"x"), False, MALFORMED),
    "two CONNACK": (CONNACK + CONNACK, False, MALFORMED),
    "all ones": (CONNACK + b"\xff" * 100, False, MALFORMED),
    "all zeroes": (CONNACK + bytes(100), False, MALFORMED),
    "endless varint": (CONNACK + b"\x30" + b"\x80" * 100, False, MALFORMED),
    "256 MB": (CONNACK + b"\x30\xff\xff\xff\x7f\x00\x03t/x", False, TIMEOUT),
    "topic longer than packet": (CONNACK + b"\x30\x05\x00\x10abc", False, MALFORMED),
    "topic longer than oversize packet": (CONNACK + b"\x30\xff\x7f\xff\xfeabc", False, MALFORMED),
    "no room for the packet identifier": (CONNACK + b"\x32\x03\x00\x01a", False, MALFORMED),
    "packet identifier 0": (CONNACK + message(0x32, b"t", b"\x00\x00x"), False, MALFORMED),
    "QoS 2": (CONNACK + message(0x34, b"t", b"\x00\x01x"), False, MALFORMED),
    "QoS 3": (CONNACK + message(0x36, b"t", b"\x00\x01x"), False, MALFORMED),
    "DUP with QoS 0": (CONNACK + message(0x38, b"t", b"x"), False, MALFORMED),
    "empty topic": (CONNACK + message(0x30, b"", b"x"), False, MALFORMED),
    "wildcard topic": (CONNACK + message(0x30, b"t/#", b"x"), False, MALFORMED),
    "NUL in topic": (CONNACK + message(0x30, b"t\x00", b"x"), False, MALFORMED),
    "broken UTF-8 in topic": (CONNACK + message(0x30, b"t\xff", b"x"), False, MALFORMED),
    "a client's packet": (CONNACK + b"\x10\x00", False, MALFORMED),
    "type 15": (CONNACK + b"\xf0\x00", False, MALFORMED),
    "PINGRESP with a body": (CONNACK + b"\xd0\x01x", False, MALFORMED),
    "PUBACK with flags": (CONNACK + b"\x42\x02\x00\x01", False, MALFORMED),
    "PUBACK of nothing": (CONNACK + b"\x40\x02\x12\x34", False, DROPPED),
    "SUBACK of nothing": (CONNACK + b"\x90\x03\x12\x34\x01", False, DROPPED),
    "PUBREL of nothing": (CONNACK + b"\x62\x02\x12\x34", False, DROPPED),
    "half a packet, then closed": (CONNACK + b"\x30\x40\x00\x03t/x", True, CLOSED),
    "half a packet, then silence": (CONNACK + b"\x30\x40\x00\x03t/x", False, TIMEOUT),
}


class Garbage:
    """A broker whose first connection goes wrong and whose later ones are proper."""

    def __init__(self, garbage: bytes, then_close: bool) -> None:
        self.server = Server(self._serve)
        self._garbage = garbage
        self._then_close = then_close

    def _serve(self, connection: socket.socket, number: int) -> None:
        next(packets(connection))
        connection.sendall(self._garbage if number == 1 else CONNACK)
        if number > 1 or not self._then_close:
            behave(connection)


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_counted_and_everything_is_delivered_afterwards(name: str, modules: Path) -> None:
    garbage, then_close, told = GARBAGE[name]
    broker = Garbage(garbage, then_close)
    board = Board(
        modules, host="127.0.0.1", port=broker.server.port, client_id="b", keepalive_s=1, publish=PUBLISH
    )
    try:
        board.wait("stats", **told)
        board.wait("done")
        board.wait("stats", acknowledged=PUBLISH["count"])
    finally:
        board.kill()
        broker.server.close()


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_do_not_stop_the_client(seed: int, modules: Path) -> None:
    print("seed", seed)
    chance = random.Random(seed)
    garbage = CONNACK + b"".join(chance.randbytes(chance.randrange(1, 400)) for _ in range(4))
    test_broker = Garbage(garbage, then_close=True)
    board = Board(
        modules, host="127.0.0.1", port=test_broker.server.port, client_id="b", keepalive_s=1, publish=PUBLISH
    )
    try:
        board.wait("done")
    finally:
        board.kill()
        test_broker.server.close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    opened: list[Server] = []
    yield opened
    for server in opened:
        server.close()


def test_dup_is_set_on_reconnection_only_and_the_order_is_kept(modules: Path, servers: list[Server]) -> None:
    seen: dict[int, list[tuple[int, bytes]]] = {}

    def forget(connection: socket.socket, number: int) -> None:
        stream = packets(connection)
        next(stream)
        connection.sendall(CONNACK)
        for first, body in stream:
            if first >> 4 == 3:
                seen.setdefault(number, []).append((first, publish_id(body)))
                # the first connection is lost with four packets unanswered
                if number == 1 and len(seen[1]) == 4:
                    return
                if number > 1:
                    connection.sendall(b"\x40\x02" + publish_id(body))

    servers.append(Server(forget))
    board = Board(
        modules,
        host="127.0.0.1",
        port=servers[0].port,
        client_id="b",
        in_flight=4,
        publish=PUBLISH | {"count": 6},
    )
    try:
        board.wait("done")
        board.wait("stats", published=6, acknowledged=6, reconnects=1)
    finally:
        board.kill()
    assert [first for first, _ in seen[1]] == [0x32] * 4
    assert [first for first, _ in seen[2]] == [0x3A] * 4 + [0x32] * 2
    assert [name for _, name in seen[2][:4]] == [name for _, name in seen[1]]


def test_dup_and_retain_of_a_received_message_are_passed_on(modules: Path, servers: list[Server]) -> None:
    answers: list[bytes] = []

    def send(connection: socket.socket, _number: int) -> None:
        stream = packets(connection)
        next(stream)
        connection.sendall(
            CONNACK + message(0x3B, b"t/cmd", b"\x00\x07both") + message(0x30, b"t/cmd", b"none")
        )
        answers.extend(bytes((first,)) + body for first, body in stream)

    servers.append(Server(send))
    board = Board(modules, host="127.0.0.1", port=servers[0].port, client_id="b")
    try:
        board.wait("message", payload="both", retained=True, dup=True)
        board.wait("message", payload="none", retained=False, dup=False)
        board.wait("stats", received=2)
    finally:
        board.kill()
    assert answers in ([], [b"\x40\x00\x07"])


def test_an_oversize_message_is_acknowledged_and_the_next_is_received(
    modules: Path, servers: list[Server]
) -> None:
    acknowledged: list[bytes] = []
    body = b"\x00\x05t/big\x00\x09" + b"." * 30000
    length = bytes((len(body) & 0x7F | 0x80, len(body) >> 7 & 0x7F | 0x80, len(body) >> 14))

    def send(connection: socket.socket, _number: int) -> None:
        stream = packets(connection)
        next(stream)
        connection.sendall(CONNACK + b"\x32" + length + body + message(0x32, b"t/cmd", b"\x00\x0asmall"))
        for first, answer in stream:
            if first == 0x40:
                acknowledged.append(answer)
            if len(acknowledged) == 2:
                connection.sendall(message(0x30, b"t/cmd", b"both"))

    servers.append(Server(send))
    board = Board(modules, host="127.0.0.1", port=servers[0].port, client_id="b", rx_size=512)
    try:
        board.wait("message", payload="small")
        board.wait("message", payload="both")
        board.wait("stats", dropped=1, received=2, errors=0)
    finally:
        board.kill()
    assert acknowledged == [b"\x00\x09", b"\x00\x0a"]


def test_a_refused_subscription_costs_no_connection_and_is_asked_for_again_on_the_next(
    modules: Path, servers: list[Server]
) -> None:
    noticed = threading.Event()

    def refuse(connection: socket.socket, number: int) -> None:
        stream = packets(connection)
        next(stream)
        connection.sendall(b"\x20\x02\x01\x00")  # with a session, where a subscription need not be repeated
        for first, body in stream:
            if first == 0x82 and number == 1:
                connection.sendall(b"\x90\x03" + body[:2] + b"\x80")
                assert noticed.wait(WAIT_S)
                return
            if first == 0x82:
                connection.sendall(b"\x90\x03" + body[:2] + b"\x01")
                connection.sendall(message(0x30, b"t/cmd", b"granted"))

    servers.append(Server(refuse))
    board = Board(modules, host="127.0.0.1", port=servers[0].port, client_id="b", subscriptions=["t/cmd"])
    try:
        board.wait("stats", **REFUSED, errors=1, connected=True)
        noticed.set()
        board.wait("message", payload="granted")
        board.wait("stats", errors=2, connected=True)
    finally:
        board.kill()


def test_connections_that_fail_are_tried_less_and_less_often(modules: Path, servers: list[Server]) -> None:
    times: list[float] = []
    servers.append(Server(lambda _connection, _number: times.append(time.monotonic())))
    board = Board(
        modules, host="127.0.0.1", port=servers[0].port, client_id="b", first_wait_ms=64, last_wait_ms=60000
    )
    try:
        board.wait("stats", errors=lambda count: count >= 6)
    finally:
        board.kill()
    # each gap is the 100 ms in which the end is noticed and at least an eighth of 128, 256, .. 2048 ms;
    # with the first back-off again and again it would be less than 0.9 s
    assert times[5] - times[0] >= 0.98
