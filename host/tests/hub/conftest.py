"""For the hub's tests: a real Mosquitto, the hub as a process, a board that keeps its records."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from greenmast.testing import Mosquitto, wait_for

_RUN_HUB = """
import sys
from greenmast.errors import UserError
from greenmast.hub import run
broker, db, web, stale_after_s, patience_ms = sys.argv[1:]
try:
    sys.exit(run(broker or None, db or None, web, json_output=True,
                 stale_after_s=int(stale_after_s), patience_ms=int(patience_ms)))
except UserError as error:
    print(error.message, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class HubProcess:
    """The hub as `greenmast hub run --json` runs it."""

    def __init__(self, broker: str, db: str, *, stale_after_s: int = 60, patience_ms: int = 60_000) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN_HUB, broker, db, "127.0.0.1:0", str(stale_after_s), str(patience_ms)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the hub did not start: {self._process.communicate(timeout=10)[1]}"
        self.ready: dict[str, str] = json.loads(line)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)

    def terminate(self) -> tuple[int, dict[str, int], str]:
        """(exit code, counters, log) after SIGTERM."""
        self._process.terminate()
        out, err = self._process.communicate(timeout=20)
        return self._process.returncode, json.loads(out), err

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()


class Board:
    """A board as the hub sees it: numbered records, kept until the hub's ack and sent again on demand."""

    def __init__(self, port: int, site: str = "india-rural", boot: int = 1) -> None:
        self.site, self.boot, self.acked, self.sent = site, boot, 0, 0
        self.kept: dict[int, str] = {}
        self.acks: list[tuple[int, int]] = []
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"board-{site}", clean_session=True)
        self._client.reconnect_delay_set(1, 1)
        self._client.max_queued_messages_set(0)
        self._client.will_set(self.topic("state"), json.dumps({"online": False, "boot": boot}), 1, True)
        self._client.on_connect = lambda client, *_: client.subscribe(self.topic("ack"), 1)
        self._client.on_message = self._on_ack
        self._client.connect("127.0.0.1", port, keepalive=5)
        self._client.loop_start()
        wait_for(self._client.is_connected, "the board's connection")

    def topic(self, name: str) -> str:
        return f"greenmast/1/{self.site}/{name}"

    def say(self, topic: str, payload: object, *, retain: bool = False) -> None:
        text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        self._client.publish(topic, text, 1, retain)

    def state(self, *, online: bool = True) -> None:
        self.say(self.topic("state"), {"online": online, "boot": self.boot}, retain=True)

    def tele(
        self, values: dict[str, int | None], quality: dict[str, str] | None = None, **changes: object
    ) -> int:
        """Sends the next record; its number."""
        self.sent += 1
        record = {"boot": self.boot, "seq": self.sent, "ts": int(time.time()), "trusted": True, "full": False}
        payload = json.dumps(record | {"v": values, "q": quality or {}} | changes)
        with self._lock:
            self.kept[self.sent] = payload
        self.say(self.topic("tele"), payload)
        return self.sent

    def resend(self) -> None:
        """Everything that the hub has not acknowledged, in order, as a board does when no progress comes."""
        with self._lock:
            kept = sorted(self.kept.items())
        for _, payload in kept:
            self.say(self.topic("tele"), payload)

    def connected(self) -> bool:
        return self._client.is_connected()

    def flushed(self) -> bool:
        """Whether the broker has taken everything."""
        return not self._client._out_messages

    def vanish(self) -> None:
        """Dies without a word: the broker publishes the will."""
        sock = self._client.socket()
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_ack(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        ack = json.loads(message.payload)
        with self._lock:
            self.acks.append((ack["boot"], ack["seq"]))
            if ack["boot"] == self.boot:
                self.acked = max(self.acked, ack["seq"])
                for seq in [seq for seq in self.kept if seq <= ack["seq"]]:
                    del self.kept[seq]


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    made: list[Mosquitto] = []

    def make(*, persistent: bool, anonymous: bool = True) -> Mosquitto:
        made.append(Mosquitto(tmp_path, persistent=persistent, anonymous=anonymous))
        made[-1].start()
        return made[-1]

    yield make
    for broker in made:
        broker.stop(signal.SIGKILL)


@pytest.fixture
def make_hub() -> Iterator[Callable[..., HubProcess]]:
    made: list[HubProcess] = []

    def make(broker: str, db: str, **options: int) -> HubProcess:
        made.append(HubProcess(broker, db, **options))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def make_board() -> Iterator[Callable[..., Board]]:
    made: list[Board] = []

    def make(port: int, site: str = "india-rural", boot: int = 1) -> Board:
        made.append(Board(port, site, boot))
        return made[-1]

    yield make
    for board in made:
        board.close()


@pytest.fixture
def until() -> Callable[..., None]:
    """Bounded waiting for a condition."""
    return wait_for
