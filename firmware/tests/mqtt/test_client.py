"""The MQTT session over a hand-written link: what it waits for, what it contains, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from greenmast_fw.mqtt import client as client_module
from greenmast_fw.mqtt import codec
from greenmast_fw.mqtt.client import MqttClient

CONNACK = b"\x20\x02\x00\x00"
PINGREQ = b"\xc0\x00"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_WAIT_MS", 8)
    monkeypatch.setattr(client_module, "LAST_WAIT_MS", 16)


class Connection:
    """The broker's end: `written` is what the client sent; `say` puts bytes on the wire, none to end it."""

    def __init__(self, greeting: bytes = CONNACK) -> None:
        self.written: list[bytes] = []
        self.is_closed = False
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.say(greeting)

    def say(self, data: bytes) -> None:
        self._incoming.put_nowait(data)

    async def hear(self) -> bytes:
        return await self._incoming.get()


class Network:
    """A link that makes a `Connection` whenever it is opened; `fail`: the errors of the first attempts."""

    def __init__(self, *fail: Exception) -> None:
        self._fail = list(fail)
        self.links: list[Connection] = []
        self.greeting = CONNACK
        self.is_jammed = False  # nothing that is written goes out

    def open(self) -> None:
        if self._fail:
            raise self._fail.pop(0)
        self.links.append(Connection(self.greeting))

    async def write(self, data: bytes | bytearray) -> None:
        assert not self.links[-1].is_closed
        self.links[-1].written.append(bytes(data))
        if self.is_jammed:
            await asyncio.Event().wait()

    async def read_into(self, view: memoryview) -> int:
        data = await self.links[-1].hear()
        view[: len(data)] = data
        return len(data)

    def is_refusal(self, error: Exception) -> bool:
        return isinstance(error, ValueError) and not self.links

    def close(self) -> None:
        for link in self.links:
            link.is_closed = True


def ignore(*_: object) -> None:
    """A callback that does nothing."""


def make(network: Network, **options: Any) -> MqttClient:
    options = {"on_message": ignore, "on_connect": ignore} | options
    return MqttClient("", 0, "b", link=network, **options)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  the client under test has no event for this
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def running(network: Network, **options: Any) -> Any:
    client = make(network, **options)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert all(link.is_closed for link in network.links)


async def bounded(awaitable: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaitable, 20)


async def test_publish_waits_for_a_connection() -> None:
    network = Network()
    network.greeting = b"\xd0"  # half a packet: not yet an answer
    async with running(network) as client:
        publishing = asyncio.create_task(client.publish("t", b"x"))
        await until(lambda: network.links)
        await asyncio.sleep(0.02)
        assert not publishing.done()
        network.greeting = CONNACK
        network.links[0].say(b"\x01\x00")  # malformed: the next connection is good
        await bounded(publishing)


async def test_long_packets_do_not_pile_up_in_memory() -> None:
    network = Network()
    async with running(network) as client:
        await bounded(client.publish("t", bytes(1_500)))
        second = asyncio.create_task(client.publish("t", b"x"))
        await until(lambda: client.stats.published == 1)
        await asyncio.sleep(0.02)
        assert not second.done()
        network.links[0].say(b"\x40\x02\x00\x02")
        await bounded(second)


async def test_no_more_packets_are_in_flight_than_allowed() -> None:
    network = Network()
    async with running(network, in_flight=2) as client:
        for _ in range(2):
            await bounded(client.publish("t", b"x"))
        third = asyncio.create_task(client.publish("t", b"x"))
        await until(lambda: client.stats.published == 2)
        assert not third.done()
        assert client.stats.acknowledged == 0
        first = network.links[0].written[1]
        assert first.startswith(b"\x32\x06\x00\x01t")
        network.links[0].say(b"\x40\x02" + first[5:7])
        await bounded(third)
        await until(lambda: client.stats.published == 3)
        assert client.stats.acknowledged == 1


async def test_small_packets_share_one_write_and_large_payloads_follow_their_head() -> None:
    network = Network()
    async with running(network) as client:
        await until(lambda: client.connected)
        await asyncio.gather(
            *(client.publish("t", b"small") for _ in range(3)), client.publish("t", b"L" * 2000)
        )
        await until(lambda: client.stats.published == 4)
        await asyncio.sleep(0.01)
        _connect, head, tail = network.links[0].written
        assert (head + tail).count(b"small") == 3
        assert (head + tail).endswith(b"L" * 2000)
        assert head.count(b"\x32") >= 4


async def test_a_payload_in_pieces_is_one_packet_in_order() -> None:
    network = Network()
    pieces = [b"a" * 300, b"b" * 300, b"c" * 2000, b"d", b"e" * 511, b"f"]
    async with running(network) as client:
        await bounded(client.publish("t", pieces))
        await until(lambda: b"".join(network.links[0].written).endswith(b"f"))
        packet = b"".join(network.links[0].written[1:])
        whole = b"".join(pieces)
        assert packet == bytes(codec.publish(b"t", len(whole), 2, False)) + whole


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(113), ValueError("certificate"), RuntimeError("any")]
)
async def test_an_error_of_any_kind_is_counted_and_the_connection_tried_again(error: Exception) -> None:
    network = Network(error, error)
    async with running(network) as client:
        await until(lambda: client.connected)
        assert client.stats.errors == 2
        assert client.error is error


async def test_end_of_the_stream_closes_the_link_and_opens_another() -> None:
    network = Network()
    async with running(network) as client:
        await until(lambda: client.connected)
        network.links[0].say(b"")
        await until(lambda: len(network.links) == 2 and client.connected)
        assert network.links[0].is_closed
        assert client.stats.reconnects == 1


async def test_a_client_that_rests_has_no_connection_for_as_long_and_loses_nothing() -> None:
    network = Network()
    async with running(network) as client:
        await bounded(client.publish("t", b"kept"))
        client.rest(400)
        await until(lambda: network.links[0].is_closed)
        await asyncio.sleep(0.2)
        assert len(network.links) == 1
        assert not client.connected
        await until(lambda: len(network.links) == 2 and client.connected)
        await until(lambda: any(packet.endswith(b"kept") for packet in network.links[1].written))


async def test_an_idle_connection_is_pinged_and_kept_while_it_answers() -> None:
    network = Network()
    async with running(network, keepalive_s=1) as client:
        await until(lambda: PINGREQ in network.links[0].written if network.links else False)
        network.links[0].say(b"\xd0\x00")
        await until(lambda: network.links[0].written.count(PINGREQ) == 2)
        assert client.stats.errors == 0
        await until(lambda: client.stats.errors == 1)
        assert client.error.args == (errno.ETIMEDOUT,)


async def test_a_packet_that_is_never_acknowledged_ends_the_connection_and_is_sent_again() -> None:
    network = Network()
    async with running(network, keepalive_s=1) as client:
        await bounded(client.publish("t", b"payload"))
        await until(lambda: len(network.links[0].written) == 2)
        packet = network.links[0].written[1]
        assert packet.startswith(b"\x32\x0c\x00\x01t")
        assert packet.endswith(b"payload")
        answering = asyncio.create_task(answer_pings(network.links[0]))
        await until(lambda: client.stats.errors == 1)
        assert client.error.args == (errno.ETIMEDOUT,)
        answering.cancel()
        await until(lambda: len(network.links) == 2 and b"\x3a" + packet[1:] in network.links[1].written)


async def test_a_write_that_does_not_end_ends_the_connection_whatever_is_received() -> None:
    network = Network()
    async with running(network, keepalive_s=1) as client:
        await until(lambda: client.connected)
        network.is_jammed = True
        network.links[0].say(b"\x32\x05\x00\x01t\x12\x34")  # its PUBACK gets stuck
        async with asyncio.timeout(20):
            while client.stats.errors == 0:
                network.links[0].say(b"\x30\x03\x00\x01t")
                await asyncio.sleep(0.05)
        assert client.error.args == (errno.ETIMEDOUT,)


async def answer_pings(link: Connection) -> None:
    answered = 0
    while True:
        await asyncio.sleep(0.01)
        while link.written.count(PINGREQ) > answered:
            answered += 1
            link.say(b"\xd0\x00")


async def test_a_message_is_acknowledged_after_its_callback_returned() -> None:
    network = Network()
    seen: list[tuple[bytes, bytes, int]] = []

    def on_message(topic: bytes, payload: memoryview, _retained: bool, _dup: bool) -> None:
        seen.append((topic, bytes(payload), len(network.links[0].written)))

    async with running(network, on_message=on_message):
        await until(lambda: network.links)
        network.links[0].say(b"\x32\x07\x00\x01t\x12\x34xy")
        await until(lambda: b"\x40\x02\x12\x34" in network.links[0].written)
        assert seen == [(b"t", b"xy", 1)]


async def test_a_hundred_messages_at_once_are_all_acknowledged() -> None:
    network = Network()
    async with running(network) as client:
        await until(lambda: client.connected)
        network.links[0].say(b"".join(b"\x32\x05\x00\x01t" + bytes((1, number)) for number in range(1, 101)))
        expected = b"".join(b"\x40\x02" + bytes((1, number)) for number in range(1, 101))
        await until(lambda: b"".join(network.links[0].written).endswith(expected))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"keepalive_s": 0}, "keepalive"),
        ({"will": ("a/#", b"", True)}, "topic"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make(Network(), **options)


async def test_impossible_topics_are_refused() -> None:
    client = make(Network())
    for topic in ("", "a/+", "#", "x" * 600):
        with pytest.raises(ValueError, match="topic"):
            await client.publish(topic, b"")


async def test_a_payload_without_bytes_is_refused_before_it_can_do_harm() -> None:
    client = make(Network())
    with pytest.raises(TypeError):
        await client.publish("t", None)  # type: ignore[arg-type]


class Payload(bytearray):
    """One whose end can be seen."""


async def test_an_acknowledged_packet_is_in_nobodys_memory() -> None:
    network = Network()
    async with running(network) as client:
        payload = Payload(b"x" * 2000)
        last = weakref.ref(payload)
        await client.publish("t", payload)
        del payload
        await until(lambda: b"x" * 2000 in network.links[-1].written)
        network.links[-1].say(b"\x40\x02\x00\x02")
        await until(lambda: client.stats.acknowledged == 1)
        await until(lambda: last() is None)


async def test_a_refused_certificate_is_told_until_a_connection_is_made() -> None:
    network = Network(ValueError("expired"), OSError(111))
    async with running(network) as client:
        await until(lambda: client.stats.errors == 2)
        assert client.is_refused
        await until(lambda: client.connected)
        assert not client.is_refused


async def test_boards_with_the_same_random_numbers_wait_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: dict[str, list[int]] = {}
    monkeypatch.setattr(client_module, "FIRST_WAIT_MS", 2000)
    monkeypatch.setattr(client_module, "LAST_WAIT_MS", 64000)
    monkeypatch.setattr(client_module.random, "getrandbits", lambda bits: 12345)
    for site in ("a", "b", "c"):
        seen = waits[site] = []

        async def sleep_ms(ms: int, seen: list[int] = seen) -> None:
            seen.append(ms)
            if len(seen) == 8:
                raise asyncio.CancelledError

        monkeypatch.setattr(client_module, "sleep_ms", sleep_ms)
        client = MqttClient(
            "", 0, site, on_message=ignore, on_connect=ignore, link=Network(*[OSError(111)] * 9)
        )
        with pytest.raises(asyncio.CancelledError):
            await client.run()
    for first, second, third in zip(*waits.values(), strict=True):
        assert len({first, second, third}) == 3
    longest = [min(64000, 2000 << n) for n in range(1, 9)]
    for seen in waits.values():
        assert all(limit // 8 <= wait < limit // 8 + limit for wait, limit in zip(seen, longest, strict=True))
