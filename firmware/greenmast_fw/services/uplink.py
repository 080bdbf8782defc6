"""The board on MQTT: identity, presence, requests and acknowledgements over one client.

Owns the topics of this site and the order in which things are said after a connection. Requests are answered one at a
time, and at most a few wait: a flood is dropped and counted, never queued.
"""

import asyncio

from greenmast_protocol import strict_json, topics

from greenmast_fw.drivers import clock
from greenmast_fw.mqtt.client import MqttClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.services.rpc import Rpc
    from greenmast_fw.services.telemetry import Telemetry

_QUEUE_MAX = 8
_ALARMS_MS = 1_000


class Uplink:
    """`flooded` counts requests that found the queue full, `refused_retained` those that were retained."""

    def __init__(
        self, mqtt: "dict[str, object]", site: str, boot: int, rpc: "Rpc", telemetry: "Telemetry"
    ) -> None:
        self._site = site
        self._boot = boot
        self._rpc = rpc
        self._telemetry = telemetry
        self._requests: "list[tuple[str, bytes]]" = []
        self._wake = asyncio.Event()
        self._greet = False
        self._alarms_told: "bytes | None" = None
        self.flooded = 0
        self.refused_retained = 0
        self.bad_acks = 0
        self._ack_topic = topics.build(site, topics.ACK).encode()
        self._req_prefix = (topics.PREFIX + site + "/" + topics.REQ + "/").encode()
        self._state_topic = topics.build(site, topics.STATE)
        self.client = MqttClient(
            mqtt["host"],  # type: ignore[arg-type]
            mqtt["port"],  # type: ignore[arg-type]
            "greenmast-" + site,
            will=(self._state_topic, self._presence(False), True),
            subscriptions=(topics.build(site, topics.ACK), topics.PREFIX + site + "/" + topics.REQ + "/+"),
            on_message=self._on_message,
            on_connect=self._on_connect,
            keepalive_s=mqtt.get("keepalive_s", 60),  # type: ignore[arg-type]
        )

    async def run(self) -> None:
        """Greet after each connection, answer requests, keep the alarm list current. For ever."""
        while True:
            try:
                await asyncio.wait_for_ms(self._wake.wait(), _ALARMS_MS)  # type: ignore[attr-defined]
            except asyncio.TimeoutError:
                await self._tell_alarms()
                continue
            self._wake.clear()
            if self._greet:
                self._greet = False
                await self._say_hello()
            while self._requests:
                client_name, body = self._requests.pop(0)
                answer = self._rpc.handle(body, True)
                if answer:
                    await self.client.publish(topics.build(self._site, topics.RSP, client_name), answer)

    async def run_client(self) -> None:
        """The MQTT session itself."""
        await self.client.run()

    async def run_telemetry(self) -> None:
        """Publish the outbox."""
        await self._telemetry.run_send(self.client, topics.build(self._site, topics.TELE))

    def _presence(self, online: bool) -> bytes:
        return strict_json.dumps({"online": online, "boot": self._boot})

    async def _say_hello(self) -> None:
        await self.client.publish(self._state_topic, self._presence(True), retain=True)
        info = strict_json.dumps(self._rpc.board.hello())
        await self.client.publish(topics.build(self._site, topics.INFO), info, retain=True)
        self._alarms_told = None
        await self._tell_alarms()

    async def _tell_alarms(self) -> None:
        if not self.client.connected:
            return
        body = strict_json.dumps(self._rpc.board.alarms())
        if body != self._alarms_told:
            await self.client.publish(topics.build(self._site, topics.ALARMS), body, retain=True)
            self._alarms_told = body

    def _on_connect(self, session_present: bool) -> None:
        self._greet = True
        self._wake.set()

    def _on_message(self, topic: bytes, payload: memoryview, retained: bool, dup: bool) -> None:
        if topic == self._ack_topic:
            self._on_ack(bytes(payload))
        elif topic.startswith(self._req_prefix):
            name = topic[len(self._req_prefix) :].decode()
            if retained:
                self.refused_retained += 1
            elif len(self._requests) >= _QUEUE_MAX or topics.client_problem(name):
                self.flooded += 1
            else:
                self._requests.append((name, bytes(payload)))
                self._wake.set()

    def _on_ack(self, payload: bytes) -> None:
        try:
            body = strict_json.loads(payload)
        except ValueError:
            body = None
        if (
            isinstance(body, dict)
            and type(body.get("boot")) is int
            and type(body.get("seq")) is int
        ):
            self._telemetry.acknowledge(body["boot"], body["seq"])
        else:
            self.bad_acks += 1
