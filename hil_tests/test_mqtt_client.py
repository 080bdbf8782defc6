"""The board's MQTT client under real MicroPython against real Mosquitto: nothing is lost."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from hil_tests.mqtt_rig import Board, compile_board

from greenmast.testing import WAIT_S, Mosquitto, wait_for
from greenmast.testing_mqtt import Proxy
from greenmast.testing_tls import Certificates

MESSAGES = {"topic": "t/tele", "count": 200, "size": 600, "gap_ms": 10, "retain": False}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_board(tmp_path_factory.mktemp("modules"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def board(modules: Path) -> Iterator[Callable[..., Board]]:
    started: list[Board] = []

    def start(**options: Any) -> Board:
        started.append(Board(modules, host="127.0.0.1", **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()


class Hub:
    """A paho client with a persistent session; `messages` holds what it received."""

    def __init__(self, port: int, *topics: str) -> None:
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self._topics = [(topic, 1) for topic in topics]
        self._subscribed = queue.Queue[None]()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="hub", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._subscribed.put(None)
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if topics:
            self._subscribed.get(timeout=WAIT_S)

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        if self._topics:
            client.subscribe(self._topics)

    def take_until(self, complete: Callable[[list[bytes]], bool]) -> list[bytes]:
        """Payloads received, in order, until they are complete. Fails after WAIT_S."""
        taken: list[bytes] = []
        end = time.monotonic() + WAIT_S
        while not complete(taken):
            assert time.monotonic() < end, f"only {len(taken)} messages: {taken[-3:]}"
            try:
                taken.append(self.messages.get(timeout=1).payload)
            except queue.Empty:
                continue
        return taken

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        wait_for(self.client.is_connected, "the hub's connection")
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(WAIT_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def hub(broker: Mosquitto) -> Iterator[Hub]:
    client = Hub(broker.port, "t/tele", "t/state")
    yield client
    client.close()


def numbers(payloads: list[bytes]) -> set[int]:
    return {int(payload[:6]) for payload in payloads}


def all_of(count: int) -> Callable[[list[bytes]], bool]:
    return lambda payloads: len(numbers(payloads)) == count


def test_messages_arrive_once_and_in_order_while_nothing_breaks(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    board(port=broker.port, client_id="b", publish=MESSAGES | {"gap_ms": 0}).wait("done")
    payloads = hub.take_until(all_of(200))
    assert [int(payload[:6]) for payload in payloads] == list(range(200))
    assert {len(payload) for payload in payloads} == {600}


def test_broker_killed_and_restarted_loses_nothing(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    sender = board(port=broker.port, client_id="b", publish=MESSAGES)
    payloads = hub.take_until(lambda taken: len(taken) >= 60)
    broker.stop(signal.SIGKILL)
    sender.wait("stats", connected=False)
    broker.start()
    sender.wait("done")
    sender.wait("stats", published=200, acknowledged=200, reconnects=lambda count: count >= 1)
    seen = numbers(payloads)
    hub.take_until(lambda taken: seen | numbers(taken) == set(range(200)))


def test_dead_link_is_noticed_and_nothing_is_lost(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    proxy = Proxy(broker.port)
    try:
        sender = board(port=proxy.port, client_id="b", keepalive_s=1, publish=MESSAGES)
        payloads = hub.take_until(lambda taken: len(taken) >= 60)
        proxy.block()
        sender.wait("stats", errors=lambda count: count >= 2, error="OSError(110,)")
        proxy.unblock()
        sender.wait("done")
        sender.wait("stats", reconnects=lambda count: count >= 1)
        seen = numbers(payloads)
        hub.take_until(lambda taken: seen | numbers(taken) == set(range(200)))
    finally:
        proxy.close()


def test_dead_link_is_noticed_without_any_traffic(broker: Mosquitto, board: Callable[..., Board]) -> None:
    proxy = Proxy(broker.port)
    try:
        idle = board(port=proxy.port, client_id="b", keepalive_s=1)
        idle.wait("connect")
        time.sleep(3)  # twice as long as Mosquitto waits for a client that does not ping
        idle.wait("stats", within_s=1, connected=True, errors=0, reconnects=0)
        proxy.block()
        idle.wait("stats", errors=lambda count: count >= 1, error="OSError(110,)")
        proxy.unblock()
        idle.wait("stats", connected=True, reconnects=lambda count: count >= 1)
    finally:
        proxy.close()


def test_retained_is_told_from_live(broker: Mosquitto, hub: Hub, board: Callable[..., Board]) -> None:
    hub.publish("t/cmd", "old", retain=True)
    receiver = board(port=broker.port, client_id="b", subscriptions=["t/cmd"])
    receiver.wait("message", payload="old", retained=True)
    hub.publish("t/cmd", "new")
    receiver.wait("message", payload="new", retained=False, dup=False)


def test_retain_is_set_when_asked_for(broker: Mosquitto, board: Callable[..., Board]) -> None:
    board(port=broker.port, client_id="b", publish=MESSAGES | {"count": 1, "retain": True}).wait("done")
    late = Hub(broker.port, "t/tele")
    try:
        assert late.messages.get(timeout=WAIT_S).retain
    finally:
        late.close()


def test_subscription_survives_a_broker_restart(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    receiver = board(port=broker.port, client_id="b", subscriptions=["t/cmd", "t/other/#"])
    receiver.wait("connect", session=False)
    hub.publish("t/cmd", "one")
    receiver.wait("message", payload="one")
    broker.stop()
    receiver.wait("stats", connected=False)
    broker.start()
    receiver.wait("connect", session=True)
    hub.publish("t/cmd", "two")
    hub.publish("t/other/deep", "three")
    receiver.wait("message", payload="two")
    receiver.wait("message", payload="three", topic="t/other/deep")


def test_message_sent_while_the_board_was_off_is_delivered(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    first = board(port=broker.port, client_id="b", subscriptions=["t/cmd"])
    first.wait("connect", session=False)
    hub.publish("t/cmd", "ready")
    first.wait("message", payload="ready")
    first.kill()
    hub.publish("t/cmd", "while off")
    second = board(port=broker.port, client_id="b", subscriptions=["t/cmd"])
    second.wait("connect", session=True)
    second.wait("message", payload="while off")


def test_will_is_published_when_the_board_dies(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    dying = board(port=broker.port, client_id="b", will=["t/state", "offline", True])
    dying.wait("connect")
    dying.kill()
    message = hub.messages.get(timeout=WAIT_S)
    assert (message.topic, message.payload) == ("t/state", b"offline")


def test_callback_that_raises_or_runs_out_of_memory_costs_nothing(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    receiver = board(port=broker.port, client_id="b", subscriptions=["t/cmd"])
    receiver.wait("connect")
    for payload in ("raise", "memory", "fine"):
        hub.publish("t/cmd", payload)
    receiver.wait("message", payload="fine")
    receiver.wait("stats", connected=True, errors=2, received=3, reconnects=0)


@pytest.mark.parametrize("seed", [1, 2])
def test_memory_that_runs_out_again_and_again_costs_connections_only(
    seed: int, broker: Mosquitto, hub: Hub, modules: Path
) -> None:
    print("seed", seed)
    starved = Board(modules, program="board_short_of_memory", port=broker.port, seed=seed)
    try:
        result = starved.wait("done")
        # it did cost connections, and work went on between
        assert result["errors"] >= 1
        assert result["sent"] >= 20
        hub.take_until(lambda taken: len(taken) >= 20)
    finally:
        starved.kill()


def test_cancelled_publishes_do_not_harm_the_stream(
    broker: Mosquitto, hub: Hub, board: Callable[..., Board]
) -> None:
    sender = board(port=broker.port, client_id="b", cancel_publishes_to="t/cancelled", publish=MESSAGES)
    sender.wait("done")
    sender.wait("stats", errors=0, reconnects=0)
    hub.take_until(all_of(200))


def test_two_boards_with_one_name_do_not_fight_at_full_speed(
    broker: Mosquitto, board: Callable[..., Board]
) -> None:
    first = board(port=broker.port, client_id="b", first_wait_ms=500, last_wait_ms=60000)
    board(port=broker.port, client_id="b", first_wait_ms=500, last_wait_ms=60000).wait("connect")
    time.sleep(3)
    first.wait("stats", within_s=1, errors=lambda count: 1 <= count <= 10)


# --- TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make("authority", issuer="authority")
    made.make("stranger", issuer="stranger")
    made.make("broker", issuer="authority", host="broker.test")
    made.make("expired", issuer="authority", host="broker.test", expired=True)
    made.make("board", issuer="authority")
    made.make("foreign", issuer="stranger")
    return made


@pytest.fixture
def tls_broker(tmp_path: Path, certificates: Certificates) -> Iterator[Callable[[str], Mosquitto]]:
    started: list[Mosquitto] = []

    def start(certificate: str) -> Mosquitto:
        folder = certificates.folder
        started.append(
            Mosquitto(
                tmp_path,
                extra=f"cafile {folder}/authority.pem\ncertfile {folder}/{certificate}.pem\n"
                f"keyfile {folder}/{certificate}.key.pem\nrequire_certificate true",
            )
        )
        started[-1].start()
        return started[-1]

    yield start
    for mosquitto in started:
        mosquitto.stop()


def test_mutual_tls_delivers_through_a_broker_kill(
    tls_broker: Callable[[str], Mosquitto], certificates: Certificates, board: Callable[..., Board]
) -> None:
    broker = tls_broker("broker")
    options = {
        "port": broker.port,
        "client_id": "b",
        "tls": certificates.board(),
        "server_hostname": "broker.test",
    }
    sender = board(publish=MESSAGES, subscriptions=["t/tele"], **options)
    sender.wait("message", payload=lambda text: text.startswith("000050"))
    broker.stop(signal.SIGKILL)
    sender.wait("stats", connected=False)
    broker.start()
    sender.wait("done")
    sender.wait("stats", published=200, acknowledged=200, reconnects=lambda count: count >= 1)
    received = {int(event["payload"][:6]) for event in sender.events if event["event"] == "message"}
    assert received == set(range(200))


@pytest.mark.parametrize(
    ("certificate", "server_hostname", "authority", "client", "reason"),
    [
        ("broker", "other.test", "authority", "board", "(CN) does not match"),
        ("expired", "broker.test", "authority", "board", "validity has expired"),
        ("broker", "broker.test", "stranger", "board", "not correctly signed"),
        ("broker", "broker.test", "authority", "foreign", "OSError"),
        ("broker", "broker.test", "authority", None, "OSError"),
    ],
    ids=[
        "wrong host",
        "broker expired",
        "broker of another authority",
        "board of another authority",
        "board without",
    ],
)
def test_wrong_certificate_is_refused_and_tried_again(
    certificate: str,
    server_hostname: str,
    authority: str,
    client: str | None,
    reason: str,
    tls_broker: Callable[[str], Mosquitto],
    certificates: Certificates,
    board: Callable[..., Board],
) -> None:
    refused = board(
        port=tls_broker(certificate).port,
        client_id="b",
        tls=certificates.board(authority, client),
        server_hostname=server_hostname,
    )
    stats = refused.wait("stats", errors=lambda count: count >= 3)
    assert reason in stats["error"]
    assert refused.is_running()
    assert not any(event["event"] in ("connect", "text") for event in refused.events)
