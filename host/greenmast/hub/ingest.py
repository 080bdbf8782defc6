"""MQTT to store: receive, commit, then acknowledge, in that order.

Two acknowledgements follow a commit and none precedes it. PUBACK tells the broker that the hub has the
message: until then the broker keeps it in the hub's persistent session and delivers it again after a crash.
The message `ack {"boot","seq"}` tells the board that it may free its records (rule in `sequence`): a broker's
PUBACK to the board proves nothing.

Two threads: paho's, which only puts messages into a queue, and a writer. The writer takes whatever has queued
up while the last commit was under way as the next batch, so that batches grow with load and a lone message
never waits. When the database fails, the batch is kept and tried again; nothing is acknowledged meanwhile, so
the broker holds the rest back. A malformed message is counted, logged once a kind, and acknowledged to the
broker with the batch it came in.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.exc import SQLAlchemyError

from greenmast.certificates import client_context
from greenmast.errors import NO_CONTACT, NOT_AUTHORISED, USAGE, UserError
from greenmast.hub.fulls import Fulls
from greenmast.hub.messages import FILTERS, Freed, MalformedError, Notice, Record, parse
from greenmast.hub.writer import Writer, Written
from greenmast_protocol import message as messages
from greenmast_protocol import topics

log = logging.getLogger(__name__)

BATCH_MAX = 500
POLL_S = 0.5
RETRY_MAX_S = 30.0
CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and how to log in there."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """From mqtt[s]://[user:password@]host[:port]. Raises UserError (exit 2)."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UserError(f"--broker: {error}", USAGE) from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise UserError("--broker: expected mqtt://host:port or mqtts://host:port", USAGE)
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port or (8883 if tls else 1883), tls, user, password)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class Ingest:
    """One subscriber with a persistent session and its writer. `start` and `stop` once."""

    def __init__(self, broker: BrokerAddress, writer: Writer, client_id: str) -> None:
        self._broker = broker
        self._writer = writer
        self._queue: queue.SimpleQueue[tuple[int, MQTTMessage, int]] = queue.SimpleQueue()
        self._counts: Counter[str] = Counter()
        self._malformed: Counter[str] = Counter()
        # Packet identifiers belong to one connection: on the next one they acknowledge other messages.
        self._connection = 0
        self._client_id = client_id
        self._fulls = Fulls()
        self._stopping = threading.Event()
        self._settled = threading.Event()  # the first connection is subscribed or refused
        self._refusal = ""
        self._thread = threading.Thread(target=self._write_forever, name="hub-writer", daemon=True)
        self._client = self._make_client(client_id)

    @property
    def connected(self) -> bool:
        """Whether the hub has contact with the broker now."""
        return self._client.is_connected()

    def stats(self) -> dict[str, int]:
        """Counters since the start: messages, stored_rows, duplicates, malformed, given_up, acks, ..."""
        names = (
            "messages",
            "records",
            "stored_rows",
            "duplicates",
            "given_up",
            "acks",
            "fulls_asked",
            "commits",
            "commit_errors",
        )
        counts = {name: self._counts[name] for name in (*names, "connects")}
        return counts | {"malformed": sum(self._malformed.values())}

    def malformed(self) -> dict[str, int]:
        """Malformed messages by kind."""
        return dict(self._malformed)

    def start(self) -> None:
        """Returns once subscribed. Raises UserError: exit 3 when no broker answers, 4 when it refuses."""
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=30)
        except (OSError, ValueError) as error:
            raise UserError(f"no MQTT broker at {self._broker}: {error}", NO_CONTACT) from error
        self._client.loop_start()
        if not self._settled.wait(CONNECT_S):
            raise UserError(f"no MQTT broker at {self._broker}: it does not answer", NO_CONTACT)
        if self._refusal:
            raise UserError(f"broker {self._broker} refuses the hub: {self._refusal}", NOT_AUTHORISED)
        self._thread.start()

    def stop(self) -> None:
        """Ends both threads. What has not been committed stays with the broker."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._client.disconnect()
        self._client.loop_stop()

    def _make_client(self, client_id: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set_context(client_context())
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._settled.set()
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._connection += 1
        if reason.is_failure:
            log.warning("broker %s refuses the hub: %s", self._broker, reason)
            self._refusal = str(reason)
            self._settled.set()
            return
        self._counts["connects"] += 1
        log.info("connected to broker %s", self._broker)
        answers = f"{topics.ROOT}/+/{topics.RSP}/{self._client_id}"
        client.subscribe([(name, topics.QOS) for name in (*FILTERS, answers)])

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._connection += 1
        if not self._stopping.is_set():
            log.warning("lost broker %s: %s; trying again", self._broker, reason)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._queue.put((self._connection, message, time.time_ns() // 1_000_000))

    def _write_forever(self) -> None:
        while not self._stopping.is_set():
            batch = self._next_batch()
            if batch:
                self._handle(batch)
            for site in self._fulls.due(_now_ms()):
                self._ask(site)

    def _next_batch(self) -> list[tuple[int, MQTTMessage, int]]:
        """What has queued up, BATCH_MAX at most; waits a moment for the first."""
        batch = []
        try:
            batch.append(self._queue.get(timeout=POLL_S))
            while len(batch) < BATCH_MAX:
                batch.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _handle(self, batch: list[tuple[int, MQTTMessage, int]]) -> None:
        items: list[Record | Freed | Notice] = []
        for _, message, received_ms in batch:
            self._counts["messages"] += 1
            items.extend(self._parse(message, received_ms))
        written = self._commit(items)
        if written is None:
            return
        for connection, message, _ in batch:
            if connection == self._connection and message.qos:
                self._client.ack(message.mid, message.qos)
        self._acknowledge(written)
        for site, is_complete in written.complete.items():
            self._fulls.complete(site, is_complete, _now_ms())

    def _parse(self, message: MQTTMessage, received_ms: int) -> list[Record | Freed | Notice]:
        try:
            parsed = parse(
                message.topic, bytes(message.payload), retained=message.retain, received_ms=received_ms
            )
        except UnicodeDecodeError:  # paho decodes a topic when it is read
            self._count_malformed("bad_topic", "a topic that is not UTF-8")
            return []
        except MalformedError as error:
            self._count_malformed(error.kind, f"{message.topic}: {error}")
            return []
        if isinstance(parsed, Notice):
            return [parsed]
        for record in parsed:
            if isinstance(record, Record) and record.problem:
                self._count_malformed(record.problem, f"{message.topic}: boot {record.boot} seq {record.seq}")
        return [*parsed]

    def _count_malformed(self, kind: str, detail: str) -> None:
        if not self._malformed[kind]:
            log.warning(
                "malformed message (%s), further ones of this kind are only counted: %s", kind, detail
            )
        self._malformed[kind] += 1

    def _commit(self, items: list[Record | Freed | Notice]) -> Written | None:
        """Writes until it succeeds, or until the hub stops: then None, and nothing may be acknowledged."""
        delay_s = 0.1
        while True:
            try:
                written = self._writer.write(items, _now_ms())
            except SQLAlchemyError as error:
                self._counts["commit_errors"] += 1
                log.warning("cannot store: %s; trying again", str(error).splitlines()[0])
                if self._stopping.wait(delay_s):
                    return None
                delay_s = min(2 * delay_s, RETRY_MAX_S)
                continue
            self._counts["commits"] += 1
            self._counts["records"] += written.records
            self._counts["stored_rows"] += written.rows
            self._counts["duplicates"] += written.duplicates
            self._counts["given_up"] += written.given_up
            return written

    def _acknowledge(self, written: Written) -> None:
        """Tells the boards. A lost one does no harm: the board resends and the duplicate is acknowledged."""
        if not self._client.is_connected():
            return
        for site, boots in written.acks.items():
            for boot, seq in boots.items():
                if seq:
                    payload = json.dumps({"boot": boot, "seq": seq})
                    self._client.publish(topics.build(site, topics.ACK), payload, qos=topics.QOS)
                    self._counts["acks"] += 1

    def _ask(self, site: str) -> None:
        """For a full report. Nobody keeps the request for a board that is not there."""
        log.info("%s: not all values are known, asking for a full report", site)
        self._counts["fulls_asked"] += 1
        topic = topics.build(site, topics.REQ, self._client_id)
        self._client.publish(topic, messages.request(self._counts["fulls_asked"], "tele.full"), qos=0)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
