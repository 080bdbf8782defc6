"""The board's MQTT client on another broker than Mosquitto: amqtt, which is the one that the demo brings."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hil_tests.mqtt_rig import Board, compile_board

from greenmast.testing import free_port, wait_for


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_board(tmp_path_factory.mktemp("modules"))


@pytest.fixture
def board(modules: Path) -> Iterator[Callable[..., Board]]:
    started: list[Board] = []

    def start(**options: Any) -> Board:
        started.append(Board(modules, host="127.0.0.1", **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()


class Amqtt:
    """The embedded broker in a process of its own, so that it can be killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = "import sys, threading; from greenmast.hub.broker import EmbeddedBroker as Broker; "
        program += "Broker(int(sys.argv[1])).start(); threading.Event().wait()"
        self._process = subprocess.Popen([sys.executable, "-c", program, str(self.port)])
        wait_for(self._accepts, "amqtt")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)

    def _accepts(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@pytest.fixture
def broker() -> Iterator[Amqtt]:
    made = Amqtt()
    made.start()
    yield made
    made.kill()


def test_messages_will_and_retained_ones_arrive_through_a_kill(
    broker: Amqtt, board: Callable[..., Board]
) -> None:
    publish = {"topic": "t/tele", "count": 100, "size": 600, "gap_ms": 20, "retain": True}
    listener = board(port=broker.port, client_id="hub", subscriptions=["t/tele", "t/state"])
    listener.wait("connect")
    sender = board(
        port=broker.port, client_id="b", keepalive_s=2, will=["t/state", "gone", True], publish=publish
    )
    listener.wait("message", payload=lambda text: text.startswith("000030"))
    broker.kill()
    sender.wait("stats", connected=False)
    listener.wait("stats", connected=False)
    broker.start()
    listener.wait("connect")
    sender.wait("done")
    sender.wait("stats", published=100, acknowledged=100, reconnects=lambda count: count >= 1)
    listener.wait("message", payload=lambda text: text.startswith("000099"))
    late = board(port=broker.port, client_id="late", subscriptions=["t/tele"])
    late.wait("message", retained=True, payload=lambda text: text.startswith("000099"))
    sender.kill()
    listener.wait("message", topic="t/state", payload="gone")
