"""The board's MQTT client beside two others for MicroPython: heap, rate, and what a bad network does to them.

One run, one machine, the same program around each client (see `mqtt_clients`), plain TCP to a real Mosquitto.
What counts as delivered is what a subscriber has received, not what a client believes. Takes about four
minutes. A client that cannot be fetched is said to be missing and left out.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from greenmast.bench.mqtt_clients import CLIENTS, Running, prepare
from greenmast.errors import UserError
from greenmast.testing import Mosquitto
from greenmast.testing_mqtt import GARBAGE, Garbage, Proxy

KINDS = (
    "closed at once",
    "silence",
    "half a CONNACK, then silence",
    "refused",
    "CONNACK too long",
    "a web server",
    "two CONNACK",
    "all ones",
    "all zeroes",
    "endless varint",
    "256 MB",
    "topic longer than packet",
    "packet identifier 0",
    "QoS 3",
    "empty topic",
    "broken UTF-8 in topic",
    "type 15",
    "half a packet, then closed",
)
_RATE_S = 4.0
_HEAP_S = 8.0
_HEAP_COUNT, _HEAP_GAP_MS = 12, 300
_HEAP_HIGH_WK, _HEAP_RESOLUTION_WK = 64, 2
_FAULT_COUNT, _FAULT_GAP_MS = 160, 50
_BLACKHOLE_S = 20.0
_RECOVER_S = 25.0
_GARBAGE_S = 14.0
_FLOOD_S, _FLOOD_RATE = 3.0, 1000
# Key of the result, what it says, unit.
_ROWS = (
    ("mpy_bytes", "compiled code", "bytes"),
    ("smallest_heap_wk", f"smallest heap that delivers {_HEAP_COUNT} messages", "wK"),
    ("messages_s", "QoS 1 messages of 600 bytes delivered per second", ""),
    ("kill_lost", f"messages lost of {_FAULT_COUNT}, broker killed and back after a second", ""),
    ("blackhole_lost", f"messages lost of {_FAULT_COUNT}, line dead for {_BLACKHOLE_S:.0f} s", ""),
    ("blackhole_stall_ms", "longest stall of a parallel 10 ms ticker meanwhile", "ms"),
    ("garbage_recovered", f"of {len(KINDS)} kinds of garbage: delivers on the next connection", ""),
    ("flood_stall_ms", f"longest stall of the ticker under {_FLOOD_RATE} commands/s", "ms"),
    ("flood_alive", "still delivers after the flood", ""),
)


class Subscriber:
    """Which numbers have arrived, by topic."""

    def __init__(self, port: int) -> None:
        self.numbers: dict[str, set[int]] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("t/#", 1)
        self._client.on_message = self._take
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.numbers.setdefault(message.topic, set()).add(int(message.payload[:6]))

    def count(self, topic: str) -> int:
        return len(self.numbers.get(topic, ()))

    def flood(self, topic: str) -> None:
        """Commands at the rate and for the time of the bench."""
        start = time.monotonic()
        for number in range(int(_FLOOD_S * _FLOOD_RATE)):
            self._client.publish(topic, b"x" * 100, 1)
            ahead = start + number / _FLOOD_RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def run() -> dict[str, Any]:
    """{client: {row: value}} for every client of `mqtt_clients`; {"missing": why} for one not to be had."""
    results: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenmast-")))
        broker = Mosquitto(folder)
        broker.start()
        stack.callback(lambda: broker.stop(signal.SIGKILL))
        hub = Subscriber(broker.port)
        stack.callback(hub.close)
        # Without sessions on disk it is quicker than any of the clients.
        (folder / "quick").mkdir()
        quick = Mosquitto(folder / "quick", persistent=False)
        quick.start()
        stack.callback(lambda: quick.stop(signal.SIGKILL))
        quick_hub = Subscriber(quick.port)
        stack.callback(quick_hub.close)
        modules: dict[str, Path] = {}
        for name in CLIENTS:
            try:
                modules[name], size = prepare(name, folder)
                results[name] = {"mpy_bytes": size}
            except UserError as error:
                results[name] = {"missing": error.message}
        for name, path in modules.items():
            results[name] |= {"messages_s": _rate(path, quick, quick_hub)}
            results[name] |= {"smallest_heap_wk": _smallest_heap(path, broker, hub)}
            results[name] |= _flood(path, broker, hub)
            results[name] |= {"garbage_recovered": _garbage(path)}
        for row, values in (_kill(modules, broker, hub) | _blackhole(modules, broker, hub)).items():
            for name, value in values.items():
                results[name][row] = value
    return results


def text(result: Mapping[str, Any]) -> str:
    """The result for people: a line a row, a column a client."""
    lines = [
        f"  {name}: not measured: {seen['missing']}" for name, seen in result.items() if "missing" in seen
    ]
    here = [name for name, seen in result.items() if "missing" not in seen]
    lines.append("".join(f"{name:>20}" for name in here))
    for key, meaning, unit in _ROWS:
        values = "".join(f"{_word(result[name][key]):>20}" for name in here)
        lines.append(f"{values}   {meaning}{f', {unit}' if unit else ''}")
    return "\n".join(lines)


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


_topics = iter(range(1_000_000))


def _topic() -> str:
    """A topic, and so a session, of its own for each measurement."""
    return f"t/{next(_topics)}"


def _until(condition: Callable[[], bool], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _rate(modules: Path, broker: Mosquitto, hub: Subscriber) -> float:
    topic = _topic()
    with Running(modules, port=broker.port, topic=topic, count=100_000):
        _until(lambda: hub.count(topic) > 0, 10)
        before, start = hub.count(topic), time.monotonic()
        time.sleep(_RATE_S)
        return round((hub.count(topic) - before) / (time.monotonic() - start), 1)


def _smallest_heap(modules: Path, broker: Mosquitto, hub: Subscriber) -> int | None:
    def works(heap_wk: int) -> bool:
        topic = _topic()
        options: dict[str, Any] = {
            "port": broker.port,
            "topic": topic,
            "count": _HEAP_COUNT,
            "gap_ms": _HEAP_GAP_MS,
        }
        with Running(modules, heap_wk=heap_wk, **options) as client:
            enough = _until(lambda: hub.count(topic) == _HEAP_COUNT or not client.lives, _HEAP_S)
            return enough and client.lives and "MemoryError" not in client.log

    low, high = 0, _HEAP_HIGH_WK
    if not works(high):
        return None
    while high - low > _HEAP_RESOLUTION_WK:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle, high)
    return high


def _flood(modules: Path, broker: Mosquitto, hub: Subscriber) -> dict[str, Any]:
    topic = _topic()
    with Running(modules, port=broker.port, topic=topic, count=1000, gap_ms=200) as client:
        _until(lambda: hub.count(topic) > 3, 10)
        hub.flood(f"c/{topic}")
        time.sleep(1)
        before = hub.count(topic)
        alive = _until(lambda: hub.count(topic) > before + 3, 5)
        return {
            "flood_stall_ms": client.seen["stall_ms"],
            "flood_alive": alive,
        }


def _garbage(modules: Path) -> int:
    """How many kinds are followed by delivery: an acknowledged packet on a later connection."""
    with ExitStack() as stack:
        brokers = []
        for kind in KINDS:
            broker = Garbage(*GARBAGE[kind])
            stack.callback(broker.server.close)
            brokers.append(broker)
            options: dict[str, Any] = {
                "port": broker.server.port,
                "topic": "t/x",
                "count": 3,
                "keepalive_s": 1,
            }
            stack.enter_context(Running(modules, **options))
        _until(lambda: all(broker.delivered.is_set() for broker in brokers), _GARBAGE_S)
        return sum(broker.delivered.is_set() for broker in brokers)


def _all_at_once(
    modules: Mapping[str, Path], port: int, hub: Subscriber, disturb: Callable[[], None]
) -> tuple[dict[str, int], dict[str, int]]:
    """Messages lost, and the longest stall, of every client while `disturb` runs."""
    with ExitStack() as stack:
        clients = {}
        for name, path in modules.items():
            topic = _topic()
            options: dict[str, Any] = {
                "port": port,
                "topic": topic,
                "count": _FAULT_COUNT,
                "gap_ms": _FAULT_GAP_MS,
            }
            clients[name] = (topic, stack.enter_context(Running(path, **options)))
        _until(lambda: all(hub.count(topic) > 10 for topic, _ in clients.values()), 10)
        disturb()
        _until(lambda: all(hub.count(topic) == _FAULT_COUNT for topic, _ in clients.values()), _RECOVER_S)
        lost = {name: _FAULT_COUNT - hub.count(topic) for name, (topic, _) in clients.items()}
        return lost, {name: client.seen["stall_ms"] for name, (_, client) in clients.items()}


def _kill(modules: Mapping[str, Path], broker: Mosquitto, hub: Subscriber) -> dict[str, dict[str, int]]:
    def disturb() -> None:
        broker.stop(signal.SIGKILL)
        time.sleep(1)
        broker.start()

    return {"kill_lost": _all_at_once(modules, broker.port, hub, disturb)[0]}


def _blackhole(modules: Mapping[str, Path], broker: Mosquitto, hub: Subscriber) -> dict[str, dict[str, int]]:
    proxy = Proxy(broker.port)

    def disturb() -> None:
        proxy.block()
        time.sleep(_BLACKHOLE_S)
        proxy.unblock()

    try:
        lost, stall = _all_at_once(modules, proxy.port, hub, disturb)
    finally:
        proxy.close()
    return {"blackhole_lost": lost, "blackhole_stall_ms": stall}
