"""MQTT session: connect, serve, publish, acknowledge, connect again.

Owns the session with one broker: who writes when, time limits and back-off. It must not know what is
published, nor decide anything from what is received.

    run() -- a connection begins --> reader: CONNECT, CONNACK, SUBSCRIBE, then every packet received
      |                          `-> writer: acknowledgements, PINGREQ and queued packets
      `-- looks at the clock ten times a second; any error or missed limit ends both, then back-off

Only the reader (while connecting) and the writer (thereafter) write, so a cancelled `publish` cannot leave
half a packet on the wire. A packet keeps its slot until its PUBACK; what has none is sent again, with DUP
set, after a reconnection and never before. The session is persistent: the broker keeps what it could not
deliver.

Cancelling `run()` closes the connection without DISCONNECT: the broker then publishes the will, which is the
truth.
"""

import asyncio
import errno
import gc
import random
import time

from greenmast_fw.mqtt import codec
from greenmast_fw.mqtt.inflight import SUBSCRIBE_ID, InFlight, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

_TICK_MS = 100
_TX_SIZE = 512
_MAX_LIMIT_MS = 15000


def _elapsed_ms(since: int) -> int:
    return time.ticks_diff(time.ticks_ms(), since)  # type: ignore[attr-defined,no-any-return]


def _sleep_ms(delay_ms: int) -> "typing.Coroutine[typing.Any, typing.Any, None]":
    return asyncio.sleep_ms(delay_ms)  # type: ignore[attr-defined,no-any-return]


class Stats:
    """Counters since the start."""

    def __init__(self) -> None:
        self.published = 0  # packets sent for the first time
        self.acknowledged = 0
        self.received = 0
        self.reconnects = 0
        self.oversize = 0  # received, drained and dropped
        self.malformed = 0  # packets that ended a connection
        self.unsolicited = 0  # acknowledgements of nothing
        self.refused = 0  # by the broker: a CONNECT or a subscription
        self.timeouts = 0
        self.errors = 0  # connections that failed, for whatever reason, and callbacks that raised


class MqttClient:
    """A client of one broker. `run()` it as a task; everything else may be called from any other task."""

    FIRST_WAIT_MS = 2000
    LAST_WAIT_MS = 64000  # below 65,536, the range of the random number
    SETTLED_MS = 30000  # a connection that lasted so long was a good one

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        user: str | None = None,
        password: "bytes | str | None" = None,
        tls: "typing.Any" = None,
        server_hostname: str | None = None,
        will: "tuple[str, bytes, bool] | None" = None,
        subscriptions: "tuple[str, ...] | list[str]" = (),
        on_message: "typing.Callable[[bytes, memoryview, bool, bool], None] | None" = None,
        on_connect: "typing.Callable[[bool], None] | None" = None,
        keepalive_s: int = 60,
        rx_size: int = 2048,
        inflight: int = 8,
        open_socket: "typing.Callable[[], typing.Any] | None" = None,
    ) -> None:
        """Prepare; nothing is sent before `run()`.

        `tls`: None or a client context of module `tls`; `server_hostname` defaults to `host`. `will`:
        topic, payload, retain. `subscriptions`: topic filters, asked for with QoS 1. `on_message(topic,
        payload, retained, dup)` is called synchronously and must not block; `payload` is valid only during
        the call; the PUBACK is sent afterwards. `on_connect(session_present)`. `keepalive_s`: at least 1.
        `rx_size`: largest packet received, at least 128 bytes. `inflight`: packets queued or not yet
        acknowledged. `open_socket()` makes an object with the methods of `link.Link`. Raises ValueError.
        """
        if keepalive_s < 1:
            raise ValueError("keepalive_s")
        if open_socket is None:
            # Not at the top: with another network there may be no sockets.
            from greenmast_fw.mqtt.link import Dialer

            open_socket = Dialer(host, port, tls, server_hostname).open
        self._open_socket = open_socket
        self._connect = codec.connect(client_id, keepalive_s, user, password, will)
        self._subscribe = codec.subscribe(SUBSCRIBE_ID, subscriptions) if subscriptions else b""
        self._on_message = on_message
        self._on_connect = on_connect
        self._idle_ms = keepalive_s * 500
        self._limit_ms = min(keepalive_s * 1000, _MAX_LIMIT_MS)
        self._decoder = codec.Decoder(rx_size)
        self._tx = bytearray(_TX_SIZE)
        self._control = bytearray(64)  # acknowledgements and PINGREQ on their way to the writer
        self._control_size = 0
        self._in_flight = InFlight(inflight)
        self._room = asyncio.Event()
        self._work = asyncio.Event()
        self._subscribed = False
        self._was_connected = False
        self._failure: Exception | None = None
        self._failures = 0
        self._is_pinging = False
        self._is_writing = False
        self._opened_ms = self._heard_ms = self._wrote_ms = self._ping_ms = 0
        self.connected = False
        self.stats = Stats()
        self.error: Exception | None = None  # the last one, for diagnosis

    async def run(self) -> None:
        """Stay connected for ever. Raises nothing but CancelledError."""
        while True:
            gc.collect()  # gives back the TLS session of the last connection before the next one is made
            self._opened_ms = time.ticks_ms()  # type: ignore[attr-defined]
            try:
                await self._session()
            except Exception as error:  # noqa: BLE001  MemoryError included: count it and connect again
                self._note(error)
            # From here to the next round nothing may need memory: no error would be caught.
            settled = _elapsed_ms(self._opened_ms) > self.SETTLED_MS
            self._failures = 0 if settled else min(self._failures + 1, 16)
            await _sleep_ms(self._wait_ms())

    async def publish(
        self, topic: str, payload: "bytes | memoryview", *, retain: bool = False, qos: int = 1
    ) -> int:
        """Put a packet in flight; waits while there is no connection or no free slot.

        Returns its packet identifier, 0 for `qos` 0. The payload is kept by reference until the PUBACK.
        Raises ValueError for a topic that cannot be published to, TypeError for a payload that has no bytes.
        """
        name = codec.topic_name(topic)
        if len(name) + codec.HEAD_SIZE > _TX_SIZE:
            raise ValueError("topic too long")
        view = memoryview(payload)  # here, because in the writer a wrong type would end every connection
        while not self.connected or self._in_flight.is_full():
            self._room.clear()
            await self._room.wait()
        slot = self._in_flight.add(name, view, retain, qos)
        self._work.set()
        return slot.packet_id

    def acknowledged(self, packet_id: int) -> bool:
        """True once the broker has acknowledged this packet."""
        return self._in_flight.find(packet_id) is None

    async def flush(self, timeout_ms: int) -> bool:
        """Wait until nothing is in flight. False when that took longer than `timeout_ms`."""
        began = time.ticks_ms()  # type: ignore[attr-defined]
        while self._in_flight.used and _elapsed_ms(began) < timeout_ms:
            await _sleep_ms(10)
        return not self._in_flight.used

    # --- one connection

    async def _session(self) -> None:
        self._failure = None
        self._control_size = 0
        self._is_writing = self._is_pinging = False
        link = self._open_socket()
        tasks = []
        try:
            tasks.append(asyncio.create_task(self._guard(self._read(link))))
            tasks.append(asyncio.create_task(self._guard(self._write(link))))
            while self._failure is None:
                await _sleep_ms(_TICK_MS)
                self._watch()
            raise self._failure
        finally:
            self.connected = False
            for task in tasks:
                task.cancel()
            link.close()

    async def _guard(self, loop: "typing.Coroutine[typing.Any, typing.Any, None]") -> None:
        try:
            await loop
        except Exception as error:  # noqa: BLE001  reported to run(), which ends the connection
            self._failure = error

    def _watch(self) -> None:
        """Raise OSError when a limit has passed; ask for a PINGREQ when one direction is idle."""
        if not self.connected:
            overdue = _elapsed_ms(self._opened_ms) > self._limit_ms
        else:
            oldest = self._in_flight.oldest()
            overdue = (
                (self._is_writing and _elapsed_ms(self._wrote_ms) > self._limit_ms)
                or (self._is_pinging and _elapsed_ms(self._ping_ms) > self._limit_ms)
                or (oldest is not None and oldest.is_sent and _elapsed_ms(oldest.sent_ms) > self._limit_ms)
            )
        if overdue:
            self.stats.timeouts += 1
            raise OSError(errno.ETIMEDOUT)
        if self.connected and not self._is_pinging:
            if max(_elapsed_ms(self._heard_ms), _elapsed_ms(self._wrote_ms)) > self._idle_ms:
                self._is_pinging = True
                self._ping_ms = time.ticks_ms()  # type: ignore[attr-defined]
                if self._control_size + 2 <= len(self._control):
                    self._control[self._control_size : self._control_size + 2] = codec.PINGREQ
                    self._control_size += 2
                    self._work.set()

    async def _read(self, link: "typing.Any") -> None:
        decoder = self._decoder
        decoder.reset()
        await link.write(self._connect)
        kind = await self._receive(link)
        if kind != codec.CONNACK:
            self._malformed()
        if decoder.code:
            self.stats.refused += 1
            raise OSError(errno.EACCES)
        # Not only without a session: a subscription may have changed, or been lost before its SUBACK.
        if self._subscribe and not (decoder.session_present and self._subscribed):
            self._subscribed = False
            await link.write(self._subscribe)
        self._online(decoder.session_present)
        while True:
            kind = await self._receive(link)
            if kind == codec.PUBLISH:
                self._deliver()
            elif kind == codec.PUBACK:
                self._acknowledge()
            elif kind == codec.OVERSIZE:
                self.stats.oversize += 1
            elif (
                kind == codec.SUBACK
                and decoder.packet_id == SUBSCRIBE_ID
                and self._subscribe
                and not self._subscribed
            ):
                self._subscribed = b"\x80" not in bytes(decoder.payload)
                self.stats.refused += not self._subscribed
            elif kind == codec.CONNACK:
                self._malformed()
            elif kind != codec.PINGRESP:
                self.stats.unsolicited += 1
            # An oversize message is acknowledged too: or the broker would send it again on every connection.
            if kind in (codec.PUBLISH, codec.OVERSIZE) and decoder.packet_id:
                while self._control_size + 4 > len(self._control):
                    await _sleep_ms(1)
                self._control_size = codec.puback_into(self._control, self._control_size, decoder.packet_id)
                self._work.set()

    async def _receive(self, link: "typing.Any") -> int:
        """Type of the next packet. OSError at the end of the stream, ValueError when it is malformed."""
        decoder = self._decoder
        while True:
            kind = decoder.next()
            if kind == codec.MALFORMED:
                self._malformed()
            if kind != codec.MORE:
                return kind
            count = await link.read_into(decoder.space())
            if not count:
                raise OSError(errno.ECONNRESET)
            decoder.filled(count)
            self._is_pinging = False
            self._heard_ms = time.ticks_ms()  # type: ignore[attr-defined]

    def _malformed(self) -> None:
        self.stats.malformed += 1
        raise ValueError("malformed packet")

    def _online(self, session_present: bool) -> None:
        self._in_flight.resend()
        self.stats.reconnects += self._was_connected
        self._was_connected = self.connected = True
        self._wrote_ms = time.ticks_ms()  # type: ignore[attr-defined]
        self._room.set()
        self._work.set()
        if self._on_connect is not None:
            try:
                self._on_connect(session_present)
            except Exception as error:  # noqa: BLE001  a callback's mistake must not cost the connection
                self._note(error)

    def _deliver(self) -> None:
        self.stats.received += 1
        if self._on_message is None:
            return
        packet = self._decoder
        try:
            retained = bool(packet.first & codec.RETAIN)
            self._on_message(packet.topic, packet.payload, retained, bool(packet.first & codec.DUP))
        except Exception as error:  # noqa: BLE001  as above; and such a message must not come back for ever
            self._note(error)

    def _acknowledge(self) -> None:
        slot = self._in_flight.find(self._decoder.packet_id)
        if slot is None or not slot.is_sent:
            self.stats.unsolicited += 1
        else:
            self.stats.acknowledged += 1
            self._free(slot)

    def _free(self, slot: Slot) -> None:
        self._in_flight.free(slot)
        self._room.set()

    async def _write(self, link: "typing.Any") -> None:
        tx = memoryview(self._tx)
        while True:
            size = self._control_size if self.connected else 0
            tx[:size] = memoryview(self._control)[:size]
            self._control_size -= size
            tail = tx[:0]
            while not tail and self.connected:
                slot = self._in_flight.next_unsent()
                if slot is None or size + len(slot.topic) + codec.HEAD_SIZE > _TX_SIZE:
                    break
                size, tail = self._put(slot, size)
            if not size:
                self._work.clear()
                await self._work.wait()
                continue
            self._wrote_ms = time.ticks_ms()  # type: ignore[attr-defined]
            self._is_writing = True
            await link.write(tx[:size])
            if tail:
                await link.write(tail)
            self._is_writing = False

    def _put(self, slot: Slot, at: int) -> "tuple[int, memoryview]":
        """Mark a packet as sent, copy it to the transmit buffer: (end, payload that did not fit)."""
        payload = slot.payload
        at = codec.publish_head_into(self._tx, at, slot.first, slot.topic, len(payload), slot.packet_id)
        fits = min(len(payload), _TX_SIZE - at)
        self._tx[at : at + fits] = payload[:fits]
        slot.is_sent = True
        slot.sent_ms = time.ticks_ms()  # type: ignore[attr-defined]
        self.stats.published += not slot.first & codec.DUP
        if not slot.packet_id:
            self._free(slot)
        return at + fits, payload[fits:]

    # --- errors and back-off

    def _note(self, error: Exception) -> None:
        self.stats.errors += 1
        self.error = error

    def _wait_ms(self) -> int:
        """Random, so that the boards of a whole region do not come back in the same second."""
        longest = min(self.LAST_WAIT_MS, self.FIRST_WAIT_MS << self._failures)
        return longest // 8 + random.getrandbits(16) % longest
