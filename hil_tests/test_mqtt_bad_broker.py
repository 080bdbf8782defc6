"""The board's MQTT client and bad brokers: it counts what is wrong, connects again and delivers."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil_tests.mqtt_rig import Board, compile_board

from greenmast.testing import WAIT_S
from greenmast.testing_mqtt import CONNACK, GARBAGE, Garbage, Server, message, packets, publish_id

PUBLISH = {"topic": "t/x", "count": 3, "size": 600, "gap_ms": 0, "retain": False}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_board(tmp_path_factory.mktemp("modules"))


# What the board says about it.
CLOSED = {"error": "OSError(104,)"}
TIMEOUT = {"error": "OSError(110,)"}
REFUSED = {"error": "OSError(13,)"}
MALFORMED = {"error": lambda text: text.startswith(("ValueError", "UnicodeError"))}
DROPPED = {"dropped": 1, "errors": 0}

# name in `testing_mqtt.GARBAGE`: what must tell
TOLD = {
    "closed at once": CLOSED,
    "silence": TIMEOUT,
    "half a CONNACK, then silence": TIMEOUT,
    "refused": REFUSED,
    "unknown return code": REFUSED,
    "CONNACK too long": MALFORMED,
    "a web server": MALFORMED,
    "PUBLISH before CONNACK": MALFORMED,
    "two CONNACK": MALFORMED,
    "all ones": MALFORMED,
    "all zeroes": MALFORMED,
    "endless varint": MALFORMED,
    "256 MB": TIMEOUT,
    "topic longer than packet": MALFORMED,
    "topic longer than oversize packet": MALFORMED,
    "no room for the packet identifier": MALFORMED,
    "packet identifier 0": MALFORMED,
    "QoS 2": MALFORMED,
    "QoS 3": MALFORMED,
    "DUP with QoS 0": MALFORMED,
    "empty topic": MALFORMED,
    "wildcard topic": MALFORMED,
    "NUL in topic": MALFORMED,
    "broken UTF-8 in topic": MALFORMED,
    "a client's packet": MALFORMED,
    "type 15": MALFORMED,
    "PINGRESP with a body": MALFORMED,
    "PUBACK with flags": MALFORMED,
    "PUBACK of nothing": DROPPED,
    "SUBACK of nothing": DROPPED,
    "PUBREL of nothing": DROPPED,
    "half a packet, then closed": CLOSED,
    "half a packet, then silence": TIMEOUT,
}


@pytest.mark.parametrize("name", TOLD)
def test_garbage_is_counted_and_everything_is_delivered_afterwards(name: str, modules: Path) -> None:
    garbage, then_close = GARBAGE[name]
    told = TOLD[name]
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
        publish=PUBLISH | {"count": 6, "size": 100},
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
