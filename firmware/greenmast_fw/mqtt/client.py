"""MQTT session: connect, serve, publish, acknowledge, connect again.

Owns the session with one broker: who writes when, time limits and back-off. It must not know what is
published, nor decide anything from what is received.

    run() -- a connection begins --> reader: CONNECT, CONNACK, SUBSCRIBE, then every packet received
      |                          `-> writer: acknowledgements, PINGREQ and queued packets
      `-- looks at the clock ten times a second; any error or missed limit ends both, then back-off

Only the reader (while connecting) and the writer (thereafter) write, so a cancelled `publish` cannot leave
half a packet on the wire. A packet stays in flight until its PUBACK; what has none is sent again, with DUP
set, after a reconnection and never before. The session is persistent: the broker keeps what it could not
deliver.

Cancelling `run()` closes the connection without DISCONNECT: the broker then publishes the will, which is the
truth.
"""

import asyncio
import binascii
import errno
import gc
import random
from asyncio import sleep_ms  # type: ignore[attr-defined]
from time import ticks_diff, ticks_ms  # type: ignore[attr-defined]

from greenmast_fw.mqtt import codec, inflight
from greenmast_fw.mqtt.link import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

FIRST_WAIT_MS = 2000
LAST_WAIT_MS = 64000  # below 65,536, the range of the random number
_SETTLED_MS = 30000  # a connection that lasted so long was a good one
_TICK_MS = 100
_TX_SIZE = 512
_CONTROL_SIZE = 64
_TOPIC_MAX = 500
_MAX_LIMIT_MS = 15000
_PAYLOADS_MAX = 512  # bytes: a backlog of long messages would otherwise take the memory of everything else


def _elapsed_ms(since: int) -> int:
    return ticks_diff(ticks_ms(), since)  # type: ignore[no-any-return]


class Stats:
    """Counters since the start."""

    def __init__(self) -> None:
        self.published = 0  # packets sent for the first time
        self.acknowledged = 0
        self.received = 0
        self.dropped = 0  # received and of no use: oversize messages, answers to nothing
        self.reconnects = 0
        self.errors = 0  # connections that failed, for whatever reason, refusals, and callbacks that raised


class MqttClient:
    """A client of one broker. `run()` it as a task; `publish` may be called from any other task."""

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        on_message: "typing.Callable[[bytes, memoryview, bool, bool], None]",
        on_connect: "typing.Callable[[bool], None]",
        tls: "typing.Any" = None,
        server_hostname: "str | None" = None,
        will: "tuple[str, bytes, bool] | None" = None,
        subscriptions: "tuple[str, ...] | list[str]" = (),
        keepalive_s: int = 60,
        rx_size: int = 1024,
        in_flight: int = 8,
        link: "typing.Any" = None,
    ) -> None:
        """Prepare; nothing is sent before `run()`.

        `on_message(topic, payload, retained, dup)` is called synchronously and must not block; `payload` is
        valid only during the call; the PUBACK is sent afterwards. `on_connect(session_present)`. `tls`: None
        or a client context of module `tls`; `server_hostname` defaults to `host`. `will`: topic, payload,
        retain. `subscriptions`: topic filters, asked for with QoS 1. `keepalive_s`: at least 1. `rx_size`:
        largest packet received, at least 128 bytes. `in_flight`: packets queued or not yet acknowledged.
        `link`: an object with the methods of `link.Link`, in place of it. Raises ValueError.
        """
        if keepalive_s < 1:
            raise ValueError("keepalive_s")
        self._link = link or Link(host, port, tls, server_hostname)
        self._connect = codec.connect(client_id, keepalive_s, will)
        self._name_crc = binascii.crc32(client_id.encode()) & 0xFFFF
        self._subscribe = codec.subscribe(subscriptions) if subscriptions else b""
        self._on_message = on_message
        self._on_connect = on_connect
        self._idle_ms = keepalive_s * 500
        self._limit_ms = min(keepalive_s * 1000, _MAX_LIMIT_MS)
        self._decoder = codec.Decoder(rx_size)
        self._tx = bytearray(_TX_SIZE)  # what is being written; emptied, it keeps its room
        self._control = bytearray(_CONTROL_SIZE)  # acknowledgements and PINGREQ on their way to the writer
        self._in_flight = inflight.InFlight()
        self._in_flight_max = in_flight
        self._room = asyncio.Event()
        self._work = asyncio.Event()
        self._subscribed = False
        self._was_connected = False
        self._is_pinging = self._is_writing = False
        self._failure: "Exception | None" = None
        self._opened_ms = self._heard_ms = self._wrote_ms = 0
        self._rest_ms = 0
        self.connected = False
        self.is_refused = False  # the last handshake, for a certificate; until a connection is made
        self.stats = Stats()
        self.error: "Exception | None" = None  # the last one, for diagnosis

    async def run(self) -> None:
        """Stay connected for ever. Raises nothing but CancelledError."""
        failures = 0
        while True:
            gc.collect()  # gives back the TLS session of the last connection before the next one is made
            self._opened_ms = ticks_ms()
            try:
                await self._session()
            except Exception as error:  # noqa: BLE001  MemoryError included: count it and connect again
                self._note(error)
                self.is_refused = self.is_refused or self._link.is_refusal(error)
            # From here to the next round nothing may need memory: no error would be caught.
            failures = 0 if _elapsed_ms(self._opened_ms) > _SETTLED_MS else min(failures + 1, 16)
            longest_ms = min(LAST_WAIT_MS, FIRST_WAIT_MS << failures)
            # Random, so that the boards of a whole region do not come back in the same second; with the name
            # in it, as many boards start with the same random numbers.
            await sleep_ms(longest_ms // 8 + (random.getrandbits(16) ^ self._name_crc) % longest_ms)
            while self._rest_ms > 0:
                self._rest_ms -= _TICK_MS
                await sleep_ms(_TICK_MS)

    def rest(self, ms: int) -> None:
        """End the connection, and make no other for so long: somebody else wants its memory."""
        self._rest_ms = ms
        self._failure = self._failure or OSError(errno.ECONNABORTED)

    async def publish(
        self, topic: str, payload: "bytes | memoryview | list[typing.Any]", *, retain: bool = False
    ) -> None:
        """Put a packet in flight with QoS 1; waits while there is no connection or too much in flight.

        The payload, or the pieces of one that is too long for one piece of memory, is kept by reference until
        the PUBACK. Raises ValueError for a topic that cannot be published to, TypeError for a payload that
        has no bytes.
        """
        name = topic.encode()
        codec.check_topic(name)
        if len(name) > _TOPIC_MAX:
            raise ValueError("topic")
        pieces = payload if isinstance(payload, list) else [payload]
        for piece in pieces:
            memoryview(piece)  # here, because in the writer a wrong type would end every connection
        await self.room()
        self._in_flight.add(name, pieces, retain)
        self._work.set()

    async def room(self) -> None:
        """Wait until there is a connection and room for one more packet."""
        in_flight = self._in_flight
        while (
            not self.connected
            or len(in_flight.packets) >= self._in_flight_max
            or in_flight.size > _PAYLOADS_MAX
        ):
            self._room.clear()
            await self._room.wait()

    # --- one connection

    async def _session(self) -> None:
        self._failure = None
        self._control[:] = b""
        self._is_writing = False
        tasks = []
        try:
            self._link.open()
            tasks.append(asyncio.create_task(self._guard(self._read())))
            tasks.append(asyncio.create_task(self._guard(self._write())))
            while self._failure is None:
                await sleep_ms(_TICK_MS)
                self._watch()
            raise self._failure
        finally:
            self.connected = False
            for task in tasks:
                task.cancel()
            self._link.close()

    async def _guard(self, loop: "typing.Coroutine[typing.Any, typing.Any, None]") -> None:
        try:
            await loop
        except Exception as error:  # noqa: BLE001  reported to run(), which ends the connection
            self._failure = error

    def _watch(self) -> None:
        """Raise OSError when a limit has passed; ask for a PINGREQ when one direction is idle."""
        if self.connected:
            heard_ms = _elapsed_ms(self._heard_ms)
            wrote_ms = _elapsed_ms(self._wrote_ms)
            in_flight = self._in_flight
            # the unanswered PINGREQ, the write that does not end, the packet without PUBACK
            waited_ms = max(heard_ms - self._idle_ms, wrote_ms if self._is_writing else 0)
            if in_flight.sent:
                waited_ms = max(waited_ms, _elapsed_ms(in_flight.packets[0][inflight.SENT_MS]))
            if max(heard_ms, wrote_ms) > self._idle_ms and not self._is_pinging:
                self._is_pinging = True
                self._control.extend(codec.PINGREQ)
                self._work.set()
        else:
            waited_ms = _elapsed_ms(self._opened_ms)
        if waited_ms > self._limit_ms:
            raise OSError(errno.ETIMEDOUT)

    async def _read(self) -> None:
        link = self._link
        decoder = self._decoder
        decoder.reset()
        await link.write(self._connect)
        while True:
            kind = decoder.next()
            if kind == codec.MORE:
                count = await link.read_into(decoder.space())
                if not count:
                    raise OSError(errno.ECONNRESET)
                decoder.end += count
                self._heard_ms = ticks_ms()
                self._is_pinging = False
                continue
            if (kind == codec.CONNACK) == self.connected:
                raise ValueError("CONNACK")  # not first, or not once
            if kind == codec.CONNACK:
                await self._accept()
            elif kind == codec.PUBLISH:
                self._deliver()
            elif kind == codec.PUBACK and self._in_flight.acknowledge(decoder.packet_id):
                self.stats.acknowledged += 1
                self._room.set()
            elif kind == codec.SUBACK and decoder.packet_id == codec.SUBSCRIBE_ID:
                self._subscribed = b"\x80" not in bytes(decoder.payload)
                if not self._subscribed:
                    self._note(OSError(errno.EACCES))
            elif kind != codec.PINGRESP:
                self.stats.dropped += 1
            # An oversize message is acknowledged too: or the broker would send it again on every connection.
            if kind in (codec.PUBLISH, codec.OVERSIZE) and decoder.packet_id:
                while len(self._control) > _CONTROL_SIZE - 8:
                    await sleep_ms(1)
                self._control.extend(codec.puback(decoder.packet_id))
                self._work.set()

    async def _accept(self) -> None:
        """The broker has answered: subscribe and begin to publish. Raises OSError when it refuses."""
        session_present, code = self._decoder.payload
        if code:
            raise OSError(errno.EACCES)
        # Not only without a session: a subscription may have changed, or been lost before its SUBACK.
        if self._subscribe and not (session_present and self._subscribed):
            self._subscribed = False
            await self._link.write(self._subscribe)
        self._in_flight.resend()
        self.stats.reconnects += self._was_connected
        self._was_connected = self.connected = True
        self.is_refused = False
        self._wrote_ms = ticks_ms()
        self._room.set()
        self._work.set()
        try:
            self._on_connect(bool(session_present))
        except Exception as error:  # noqa: BLE001  a callback's mistake must not cost the connection
            self._note(error)

    def _deliver(self) -> None:
        self.stats.received += 1
        packet = self._decoder
        try:
            retained = bool(packet.first & codec.RETAIN)
            self._on_message(packet.topic, packet.payload, retained, bool(packet.first & codec.DUP))
        except Exception as error:  # noqa: BLE001  as above; and such a message must not come back for ever
            self._note(error)

    async def _write(self) -> None:
        tx = self._tx
        while True:
            tx[:] = self._control
            self._control[:] = b""
            left = self._begin()
            if not tx:
                self._work.clear()
                await self._work.wait()
                continue
            self._is_writing = True
            data = tx
            while data:
                self._wrote_ms = ticks_ms()
                await self._link.write(data)
                tx[:] = b""
                left = self._fill(left)
                data = tx
                if left and not tx:  # a piece that is longer than the buffer goes as it is
                    data = left[0]
                    left = left[1:]
            self._is_writing = False

    def _begin(self) -> "list[typing.Any]":
        """Put the next packets into the transmit buffer; the pieces of the last one that did not fit.

        Not in `_write`, whose names would keep a packet in memory until there is another.
        """
        tx = self._tx
        in_flight = self._in_flight
        left: "list[typing.Any]" = []
        while not left and self.connected and in_flight.sent < len(in_flight.packets):
            packet = in_flight.packets[in_flight.sent]
            head = packet[inflight.HEAD]
            if len(tx) + len(head) > _TX_SIZE:
                break
            tx.extend(head)
            left = self._fill(packet[inflight.PIECES])
            packet[inflight.SENT_MS] = ticks_ms()
            in_flight.sent += 1
            self.stats.published += not head[0] & codec.DUP
        return left

    def _fill(self, pieces: "list[typing.Any]") -> "list[typing.Any]":
        """Put what fits into the transmit buffer; the pieces that did not."""
        tx = self._tx
        count = 0
        while count < len(pieces) and len(tx) + len(pieces[count]) <= _TX_SIZE:
            tx.extend(pieces[count])
            count += 1
        return pieces[count:]

    def _note(self, error: Exception) -> None:
        self.stats.errors += 1
        self.error = error
