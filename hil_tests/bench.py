"""The site of the bench, and the whole house: a bench whose board talks to a broker, a hub that stores."""

from __future__ import annotations

import json
import sqlite3
import threading
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from greenmast.chain import HubProcess
from greenmast.hil.bench import Bench
from greenmast.testing import Mosquitto

SITE_FILE = Path(__file__).with_suffix(".toml")
SITE = "india-rural"
# Short delays for the same site, or for a variant of it.
PARAMETERS: dict[str, int] = tomllib.loads(SITE_FILE.read_text(encoding="utf-8"))["limits"]
GRID_GOOD = {"grid.voltage_mv": 230_000.0, "grid.frequency_chz": 5_000.0}
GRID_DEAD = {"grid.voltage_mv": 0.0, "grid.frequency_chz": 0.0}


class House:
    """`bench`, `broker` and `hub`, and what has been acknowledged and stored."""

    def __init__(self, bench: Bench, broker: Mosquitto, hub: HubProcess, folder: Path) -> None:
        self.bench = bench
        self.broker = broker
        self.hub = hub
        self.acked: dict[int, int] = {}  # boot -> highest sequence number that the hub has acknowledged
        self._folder = folder
        self._lock = threading.Lock()
        self._listener = Client(CallbackAPIVersion.VERSION2, clean_session=True)
        topic = f"greenmast/1/{bench.site.id}/ack"
        self._listener.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._listener.on_message = self._on_ack
        self._listener.reconnect_delay_set(1, 1)
        self._listener.connect("127.0.0.1", broker.port)
        self._listener.loop_start()

    def close(self) -> None:
        self._listener.loop_stop()
        self._listener.disconnect()

    def restart_hub(self) -> None:
        self.hub = HubProcess(self.broker.url, self._folder)

    def forget(self) -> None:
        """The hub's database is gone."""
        for path in self._folder.glob("hub.db*"):
            path.unlink()

    def shown(self) -> set[str]:
        """Points whose values the hub calls good."""
        points = self._ask("")["points"]
        return {name for name, point in points.items() if point["quality"] == "good"}

    def gaps(self) -> list[dict[str, Any]]:
        """What the hub says is missing."""
        return list(self._ask("/gaps")["gaps"])

    def _ask(self, what: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.hub.ready['web']}/api/sites/{self.bench.site.id}{what}", timeout=10)
        return dict(answer.json()) if answer.is_success else {"points": {}, "gaps": []}

    def stored(self) -> dict[int, list[int]]:
        """Numbers of the records in the hub's database, reports and events, by boot."""
        numbers: dict[int, list[int]] = {}
        with closing(sqlite3.connect(self._folder / "hub.db", timeout=10)) as db:
            for boot, seq in db.execute("select boot, seq from messages order by boot, seq"):
                numbers.setdefault(boot, []).append(seq)
        return numbers

    def no_acknowledged_record_is_lost(self) -> None:
        """Everything that the hub has acknowledged is in its database, once."""
        stored = self.stored()
        with self._lock:
            acked = dict(self.acked)
        assert acked, "nothing was acknowledged: the check would be empty"
        for boot, seq in acked.items():
            kept = [number for number in stored.get(boot, []) if number <= seq]
            assert kept == list(range(1, seq + 1)), f"boot {boot}: {seq} acknowledged, stored {kept}"

    def _on_ack(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        with self._lock:
            self.acked[body["boot"]] = max(body["seq"], self.acked.get(body["boot"], 0))
