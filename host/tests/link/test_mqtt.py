"""The MQTT link against a real broker and the firmware's own methods."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from greenmast import errors
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.mqtt import MqttLink, parse_url
from greenmast.testing import Mosquitto, free_port
from greenmast_fw.services.rpc import Rpc
from greenmast_protocol import message, topics

SITE = "india-rural"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    mosquitto = Mosquitto(tmp_path_factory.mktemp("mosquitto"), persistent=False)
    mosquitto.start()
    yield mosquitto.url
    mosquitto.stop()


class BrokerBoard:
    """The firmware's methods behind the broker. `mute` swallows requests; `requests` keeps them."""

    def __init__(self, url: str, board: Any) -> None:
        self.rpc = Rpc(board)
        self.mute = 0
        self.requests: list[tuple[bytes, bool]] = []
        host, port, _, _, _ = parse_url(url)
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        self.client.connect(host, port)
        self.client.subscribe(topics.build(SITE, topics.REQ, "x").replace("/x", "/+"), 1)
        self.client.loop_start()

    def _on_message(self, client: paho.Client, userdata: object, arrived: paho.MQTTMessage) -> None:
        self.requests.append((arrived.payload, arrived.retain))
        if self.mute:
            self.mute -= 1
            return
        parsed = topics.parse(arrived.topic)
        assert parsed is not None
        answer = b"".join(asyncio.run(self.rpc.handle(arrived.payload, True)))
        client.publish(topics.build(SITE, topics.RSP, parsed[2]), answer, qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def board(broker: str, fake_board: Any) -> Iterator[BrokerBoard]:
    served = BrokerBoard(broker, fake_board)
    yield served
    served.close()


@pytest.fixture
def link(broker: str, board: BrokerBoard) -> Iterator[MqttLink]:
    with MqttLink(broker, SITE) as opened:
        yield opened


def test_requests_are_answered_and_never_retained(link: MqttLink, board: BrokerBoard) -> None:
    assert link.hello()["site"] == SITE
    assert reading.get(link, ["dc.bus_mv"]).values == {"dc.bus_mv": 51_234}
    assert [retained for _, retained in board.requests] == [False, False]


def test_a_command_is_not_authorised(link: MqttLink) -> None:
    with pytest.raises(RefusedError) as refused:
        link.call("command", {"name": "genset.stop", "args": {}})
    assert refused.value.exit_code == errors.NOT_AUTHORISED


def test_reads_are_repeated_and_writes_are_not(link: MqttLink, board: BrokerBoard) -> None:
    board.mute = 2
    link.answer_s = 0.5
    assert link.hello()["boot"] == 7
    board.requests.clear()
    board.mute = 9
    with pytest.raises(NoContactError):
        link.call("command", {"name": "genset.stop", "args": {}})
    assert len(board.requests) == 1


def test_a_retained_answer_is_not_taken(
    broker: str, board: BrokerBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "known")
    monkeypatch.setattr(random, "randrange", lambda *_: 5)
    topic = topics.build(SITE, topics.RSP, "cli-known")
    board.client.publish(topic, message.result(6, {"boot": 99}), qos=1, retain=True).wait_for_publish(5)
    with MqttLink(broker, SITE) as link:
        assert link.hello()["boot"] == 7
    board.client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)


def test_where_the_board_cannot_push_a_stream_asks_each_time(link: MqttLink, board: BrokerBoard) -> None:
    readings = reading.stream(link, ["dc.bus_mv"], 0.1)
    told = [next(readings) for _ in range(3)]
    readings.close()
    assert [now.values["dc.bus_mv"] for now in told if now is not None] == [51_234] * 3


def test_a_broker_that_refuses_or_says_nothing_is_no_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenmast.link.mqtt.CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoContactError, match="no answer"):
        MqttLink(f"mqtt://127.0.0.1:{silent.getsockname()[1]}", SITE)


def test_a_wrong_password_is_no_contact_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("")
    mosquitto = Mosquitto(
        tmp_path, persistent=False, anonymous=False, extra=f"password_file {tmp_path}/users"
    )
    mosquitto.start()
    try:
        with pytest.raises(NoContactError, match=r"(?i)not authori[sz]ed"):
            MqttLink(mosquitto.url.replace("//", "//user:wrong@"), SITE)
    finally:
        mosquitto.stop()


def test_a_site_that_is_not_there_is_no_contact(broker: str) -> None:
    with MqttLink(broker, "elsewhere") as link, pytest.raises(NoContactError, match="elsewhere"):
        link.call("hello", timeout_s=0.1)


def test_a_broker_that_is_not_there_is_no_contact() -> None:
    with pytest.raises(NoContactError, match="no broker"):
        MqttLink(f"mqtt://127.0.0.1:{free_port()}", SITE)


@pytest.mark.parametrize(
    "url", ["http://x", "mqtt://", "mqtt://h:99999", "mqtt://h:port", "mqtt://h/path", ""]
)
def test_a_bad_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(errors.UserError) as bad:
        MqttLink(url, SITE)
    assert bad.value.exit_code == errors.USAGE


@pytest.mark.parametrize("site", ["", "A", "a/b", "+", "#"])
def test_a_bad_site_id_is_a_usage_error(site: str) -> None:
    with pytest.raises(errors.UserError) as bad:
        MqttLink("mqtt://127.0.0.1", site)
    assert bad.value.exit_code == errors.USAGE


def test_urls_are_read() -> None:
    assert parse_url("mqtt://h") == ("h", 1883, False, "", "")
    assert parse_url("mqtts://u:p@h:9") == ("h", 9, True, "u", "p")
    assert parse_url("mqtts://h") == ("h", 8883, True, "", "")
    assert parse_url("h:1884") == ("h", 1884, False, "", "")
