"""With a key the board is commanded and configured through a broker, without one not; a message acts once."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from hil_tests.bench import GRID_GOOD, SITE, SITE_FILE
from paho.mqtt.enums import CallbackAPIVersion

from greenmast import access
from greenmast import site as sites
from greenmast.config import source, transaction
from greenmast.emulator.board import POWER_ON
from greenmast.errors import NOT_AUTHORISED
from greenmast.hil.bench import Bench
from greenmast.link.base import RefusedError
from greenmast.link.mqtt import MqttLink
from greenmast.testing import Mosquitto
from greenmast_protocol import message

SHED = {"name": "load.shed", "args": {"tier": 3, "for_s": 3600}}
RESTORE = {"name": "load.restore", "args": {"tier": 3}}
RATE, SECONDS = 1_000, 3
BASE = f"greenmast/1/{SITE}"


class Sender:
    """Anybody at the broker: sees requests and answers, sends what he likes."""

    def __init__(self, port: int) -> None:
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="eve")
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(f"{BASE}/req/+", 1), (f"{BASE}/rsp/eve", 1)])
        self._client.loop_start()

    def _on_message(self, _client: paho.Client, _data: Any, arrived: paho.MQTTMessage) -> None:
        if arrived.topic.endswith("/rsp/eve"):
            self.answers.append(arrived.payload)
        elif not arrived.topic.endswith("/eve"):
            self.requests.append(arrived.payload)

    def send(self, body: bytes, retain: bool = False) -> None:
        self._client.publish(f"{BASE}/req/eve", body, 1, retain)

    def codes(self) -> list[str]:
        """What the answers say, in order; "done" for what was."""
        return [message.parse(answer).code or "done" for answer in self.answers]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Forgetful(MqttLink):
    """Loses the first answer to everything that is signed."""

    answer_s = 1.0
    lost = 0

    def _ask(self, body: bytes, timeout_s: float) -> message.Message | None:
        answer = super()._ask(body, timeout_s)
        if b'"auth":' in body and body != self._had:
            self._had = body
            Forgetful.lost += 1
            return None
        return answer

    _had = b""


@dataclass
class Place:
    bench: Bench
    broker: Mosquitto
    key: access.Key
    eve: Sender

    def link(self) -> MqttLink:
        return MqttLink(self.broker.url, SITE, self.key)

    def forgetful(self) -> MqttLink:
        return Forgetful(self.broker.url, SITE, self.key)

    def ask(self, body: bytes) -> str:
        """What Eve is answered."""
        before = len(self.eve.answers)
        self.eve.send(body)
        self.bench.until("an answer", lambda: len(self.eve.answers) > before)
        return self.eve.codes()[-1]


@pytest.fixture
def place(make_bench: Callable[..., Bench], tmp_path: Path) -> Iterator[Place]:
    """A board with a key that is connected to its broker."""
    (tmp_path / "ops.key").write_text(secrets.token_hex(32) + "\n")
    file = tmp_path / "site.toml"
    file.write_text(SITE_FILE.read_text().replace("[access]", '[access]\nkeys = ["ops.key"]'))
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path, persistent=False)
        broker.start()
        stack.callback(broker.stop)
        mqtt = {"host": "127.0.0.1", "port": broker.port}
        plant = {**GRID_GOOD, "battery.soc_permille": 600}
        bench = make_bench(sites.load(str(file)), plant=plant, speed=2, mqtt=mqtt)
        bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
        eve = Sender(broker.port)
        stack.callback(eve.close)
        place = Place(bench, broker, access.read(tmp_path / "ops.key"), eve)
        with place.link() as link:
            bench.until("the board at its broker", lambda: link.call("hello"))
        yield place


@pytest.mark.needs("broker")
def test_commands_and_transactions_over_a_broker_with_lost_replies_and_copies_of_everything(
    place: Place, tmp_path: Path
) -> None:
    bench, eve = place.bench, place.eve

    # Nobody without the key; who has another, neither.
    with MqttLink(place.broker.url, SITE) as link, pytest.raises(RefusedError) as refused:
        link.call("command", SHED)
    assert refused.value.exit_code == NOT_AUTHORISED
    other = access.Key("ops", bytes(32))
    with MqttLink(place.broker.url, SITE, other) as link, pytest.raises(RefusedError) as refused:
        link.call("command", SHED)
    assert refused.value.code == "not_authorised"

    # Answers are lost; what is sent again is done once.
    eve.requests.clear()
    with place.forgetful() as link:
        assert link.call("command", SHED)["applied"]["tier"] == 3
    bench.until("tier 3 is shed", lambda: not bench.outputs()["load3"])
    shed = next(body for body in eve.requests if b"load.shed" in body)
    assert eve.requests.count(shed) == 2
    assert place.ask(shed) == "done"  # the answer once more
    with place.link() as link:
        link.call("command", RESTORE)
    bench.until("tier 3 is fed", lambda: bench.outputs()["load3"])
    for _ in range(3):
        assert place.ask(shed) == "replayed"

    # A transaction: every reply of every step is lost once.
    document = bench.link.call("config.get")
    document["params"]["grid.return_delay_s"] = 7
    (tmp_path / "board.json").write_text(json.dumps(document))
    eve.requests.clear()
    done = transaction.apply(place.forgetful, source.read(str(tmp_path / "board.json")))
    assert (done.revision, done.confirmed, Forgetful.lost > 6) == (2, True, True)
    status = transaction.status(bench.link)
    assert (status["revision"], status["next"], status["confirm_s"]) == (2, 3, 0)
    assert bench.link.call("config.get")["params"]["grid.return_delay_s"] == 7

    # All of it again, and kept by the broker: a board that comes back is brought the last of it as retained.
    copies = [body for body in dict.fromkeys(eve.requests) if b'"auth":' in body]
    for body in copies:
        assert place.ask(body) != "done" or body == copies[-1]
    eve.send(shed, retain=True)
    before = len(eve.answers)
    bench.reset()
    bench.until("refused as retained", lambda: "retained" in eve.codes()[before:])
    assert transaction.status(bench.link) == status
    assert bench.outputs()["load3"]

    # And back, by a person at the broker.
    with place.forgetful() as link:
        assert transaction.roll_back(link) == {"revision": 1, "from": 2}
    bench.until("revision 1 runs", lambda: bench.link.call("hello")["revision"] == 1)
    assert bench.link.call("config.get")["params"]["grid.return_delay_s"] == 5
    bench.nothing_went_dark_or_parallel()
    assert "MemoryError" not in bench.chain.log.read_text()


@pytest.mark.needs("broker")
def test_a_flood_of_forged_commands_delays_no_scan_and_who_has_a_key_is_heard_after_it(place: Place) -> None:
    bench, eve = place.bench, place.eve
    with place.link() as link:
        link.call("command", RESTORE)
    genuine = eve.requests[-1]
    start = time.monotonic()
    for number in range(RATE * SECONDS):
        forged = genuine[:-67] + f"{number:064x}".encode() + genuine[-3:]
        eve.send(forged)
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))
    gap_ms = bench.statistics()["scan_gap_max_ms"]
    print("longest time between scans, ms:", gap_ms)
    assert gap_ms < 1_000 + 250
    with place.link() as link:
        bench.until("a command is heard", lambda: link.call("command", SHED))
    assert set(eve.codes()) == {"not_authorised"}
    assert len(eve.answers) < RATE * SECONDS / 10
    bench.until("tier 3 is shed", lambda: not bench.outputs()["load3"])
    assert bench.chain.world.board.resets == [POWER_ON]
    assert "MemoryError" not in bench.chain.log.read_text()
