"""The board on MQTT: identity, presence, requests and acknowledgements over one client.

Owns the topics of this site and the order in which things are said after a connection. Requests are answered
one at a time with a pause between them, and at most a few wait: a flood is dropped and counted, never queued.
"""

import asyncio

from greenmast_fw.drivers import clock
from greenmast_fw.mqtt.client import MqttClient
from greenmast_fw.services import overlay, rpc
from greenmast_protocol import alarms, message, strict_json, topics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.services.outbox import Outbox
    from greenmast_fw.services.scan import Scan

_QUEUE_MAX = 8
_ALARMS_MS = 1_000
_ANSWER_MAX = 256  # bytes of an answer that is kept for a repetition
_PAUSE_MS = 100  # after an answer: ten a second at most, whoever asks how fast
_LINK_CERTIFICATE = alarms.index("link_certificate")


class Uplink:
    """`refused` counts requests that were retained, too many or for another site, and senseless `ack`s."""

    def __init__(
        self,
        mqtt: "dict[str, Any]",
        site: str,
        answers: rpc.Rpc,
        scan: "Scan",
        outbox: "Outbox",
        wall: "Wall",
        tls: "Any" = None,
    ) -> None:
        """`tls`: None or a context of module `tls`; the broker's certificate must be for the host's name."""
        self._base = topics.PREFIX + site + "/"
        self._rpc = answers
        self._scan = scan
        self._outbox = outbox
        self.site = site  # from here to `answer`: see `proof.Gate`
        self.wall = wall
        self.nonce = self.code = ""
        self.nonce_ms = 0
        self.answer: "bytes | None" = b""
        self._requests: "list[tuple[str, bytes, bool]]" = []  # client, message, retained
        self._wake = asyncio.Event()
        self._greet = False
        self._alarms_told: "tuple[tuple[int, int], ...] | None" = None
        self.refused = 0
        self.client = MqttClient(
            mqtt["host"],
            mqtt["port"],
            "greenmast-" + site,
            will=(self._base + topics.STATE, self._presence(False), True),
            subscriptions=(self._base + topics.ACK, self._base + topics.REQ + "/+"),
            on_message=self._on_message,
            on_connect=self._on_connect,
            tls=tls,
            keepalive_s=mqtt.get("keepalive_s", 60),
        )

    async def run(self) -> None:
        """Greet after each connection, answer requests, keep the alarm list current. For ever."""
        while True:
            try:
                await asyncio.wait_for_ms(self._wake.wait(), _ALARMS_MS)  # type: ignore[attr-defined]
            except asyncio.TimeoutError:
                self._scan.controller.report_alarm(_LINK_CERTIFICATE, self.client.is_refused)
                await self._tell_alarms()
                continue
            self._wake.clear()
            if self._greet:
                self._greet = False
                await self._say(topics.STATE, self._presence(True))
                await self._say(topics.INFO, strict_json.dumps(rpc.about(self._rpc.board)))
                self._alarms_told = None
                await self._tell_alarms()
            while self._requests:
                await self._answer()
                await clock.sleep_ms(_PAUSE_MS)

    async def _answer(self) -> None:
        """The oldest request. Not in `run`, where a name would keep an answer in memory until the next."""
        name, body, retained = self._requests.pop(0)
        self.answer = self.answer or b""  # one that failed on the way is none
        if retained:  # by mistake, or long ago: its sender, if there, is told
            id_ = message.parse(body).id
            answer: "list[bytes | bytearray]" = [message.error(id_, "retained")] if id_ else []
        else:
            answer = list(await self._rpc.handle(body, True, None, self._judge))
            if self.answer is None:
                short = sum([len(piece) for piece in answer]) <= _ANSWER_MAX
                self.answer = b"".join(answer) if short else b""
        if answer:
            await self.client.publish("%s%s/%s" % (self._base, topics.RSP, name), answer)

    async def run_outbox(self) -> None:
        """Publish the outbox."""
        await self._outbox.run(self.client, self._base)

    def _judge(self, m: message.Message, data: bytes) -> bytes:
        return overlay.run(_proof, self, self._scan.uptime_ms, m, data)

    def _presence(self, online: bool) -> bytes:
        return strict_json.dumps({"online": online, "boot": self._scan.boot})

    async def _say(self, kind: str, body: bytes) -> None:
        await self.client.publish(self._base + kind, body, retain=True)

    async def _tell_alarms(self) -> None:
        listed = self._scan.alarms
        if self.client.connected and listed != self._alarms_told:
            await self._say(topics.ALARMS, strict_json.dumps(self._rpc.board.alarms()))
            self._alarms_told = listed

    def _on_connect(self, session_present: bool) -> None:
        self._greet = True
        self._outbox.on_contact()
        self._wake.set()

    def _on_message(self, topic: bytes, payload: memoryview, retained: bool, dup: bool) -> None:
        where = topic.decode()
        kind, _, name = where[len(self._base) :].partition("/")
        if not where.startswith(self._base):  # another site's
            kind = ""
        if kind == topics.ACK and self._acknowledge(bytes(payload)):
            return
        queued = kind == topics.REQ and len(self._requests) < _QUEUE_MAX
        if queued:
            self._requests.append((name, bytes(payload), retained))
            self._wake.set()
        self.refused += retained or not queued

    def _acknowledge(self, payload: bytes) -> bool:
        try:
            body: "Any" = strict_json.loads(payload)
            boot, seq = body["boot"], body["seq"]
        except (KeyError, TypeError, ValueError):
            return False
        if type(boot) is not int or type(seq) is not int:
            return False
        self._outbox.acknowledge(boot, seq)
        return True


def _proof(uplink: Uplink, now_ms: int, m: message.Message, data: bytes) -> bytes:
    from greenmast_fw.services import proof

    return proof.judge(uplink, now_ms, m, data)
