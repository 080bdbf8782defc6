"""The MQTT link: requests to `req/<client>`, answers on `rsp/<client>`; never retained."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from greenmast.certificates import client_context
from greenmast.errors import USAGE, UserError
from greenmast.link.base import Link, NoContactError
from greenmast_protocol import topics

PORT = 1883
TLS_PORT = 8883
CONNECT_S = 10.0


class MqttLink(Link):
    """The board of `site` behind the broker at `url` (`mqtt[s]://[user:password@]host[:port]`).

    Raises UserError for a bad URL or site, NoContactError when the broker cannot be reached.
    """

    answer_s = 5.0

    def __init__(self, url: str, site: str) -> None:
        super().__init__(f"site {site}")
        problem = topics.site_problem(site)
        if problem:
            raise UserError(f"site id {problem}", USAGE)
        client_id = f"cli-{secrets.token_hex(6)}"
        self._request_topic = topics.build(site, topics.REQ, client_id)
        self._answer_topic = topics.build(site, topics.RSP, client_id)
        self._arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._failure = ""
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._connect(url)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self, url: str) -> None:
        host, port, tls, user, password = parse_url(url)
        if tls:
            self._client.tls_set_context(client_context())
        if user:
            self._client.username_pw_set(user, password)
        self._client.connect_timeout = CONNECT_S
        try:
            self._client.connect(host, port)
        except OSError as e:
            raise NoContactError(f"no broker at {host}:{port}: {e}") from e
        self._client.loop_start()
        if not self._ready.wait(CONNECT_S) or self._failure:
            self.close()
            raise NoContactError(f"broker at {host}:{port}: {self._failure or 'no answer'}")

    def _send(self, body: bytes) -> None:
        self._client.publish(self._request_topic, body, qos=topics.QOS, retain=False)

    def _receive(self, timeout_s: float) -> bytes | None:
        deadline = time.monotonic() + timeout_s
        try:
            return self._arrived.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._failure = str(reason)
            self._ready.set()
        else:
            client.subscribe(self._answer_topic, topics.QOS)

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._failure = "may not subscribe to answers"
        self._ready.set()

    def _on_message(self, client: paho.Client, userdata: object, arrived: paho.MQTTMessage) -> None:
        if not arrived.retain:  # answers are never retained: this one is not for us
            self._arrived.put(bytes(arrived.payload))


def parse_url(url: str) -> tuple[str, int, bool, str, str]:
    """(host, port, TLS, user, password) of a broker's URL. Raises UserError."""
    parts = urlsplit(url if "://" in url else f"mqtt://{url}")
    try:
        port = parts.port
    except ValueError as e:
        raise UserError(f"{url}: {e}", USAGE) from e
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise UserError(f"{url} is no broker; it looks like mqtt://host:1883 or mqtts://host:8883", USAGE)
    tls = parts.scheme == "mqtts"
    port = port or (TLS_PORT if tls else PORT)
    return parts.hostname, port, tls, parts.username or "", parts.password or ""
