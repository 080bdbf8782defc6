"""The running chain as tests see it: what they may do to a site and what they see of it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from greenmast.chain import Chain, HubProcess
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import Mosquitto, wait_for

SITE = "india-rural"
# Short delays: the rules are the same, the wait is not.
PARAMETERS = {
    "grid.return_delay_s": 10,
    "genset.soc_delay_s": 5,
    "genset.warm_up_s": 8,
    "genset.cool_down_s": 8,
    "genset.min_run_s": 20,
    "genset.min_off_s": 20,
    "telemetry.period_s": 2,
}
GRID_GOOD = {"grid.voltage_mv": 230_000.0, "grid.frequency_chz": 5_000.0}
GRID_DEAD = {"grid.voltage_mv": 0.0, "grid.frequency_chz": 0.0}


class Bench:
    """The running chain, and what a test may do to it and see of it."""

    def __init__(self, chain: Chain, broker: Mosquitto, hub: HubProcess, folder: Path) -> None:
        self.chain = chain
        self.broker = broker
        self.hub = hub
        self.acked: dict[int, int] = {}  # boot -> highest sequence number that the hub has acknowledged
        self._folder = folder
        self._link = SerialLink(chain.world.board.console)
        self._lock = threading.Lock()
        self._listener = Client(CallbackAPIVersion.VERSION2, clean_session=True)
        self._listener.on_connect = lambda client, *_: client.subscribe(f"greenmast/1/{SITE}/ack", 1)
        self._listener.on_message = self._on_ack
        self._listener.reconnect_delay_set(1, 1)
        self._listener.connect("127.0.0.1", broker.port)
        self._listener.loop_start()

    def close(self) -> None:
        self._listener.loop_stop()
        self._listener.disconnect()
        self._link.close()

    def restart_hub(self) -> None:
        self.hub = HubProcess(self.broker.url, self._folder)

    def plant(self, **truths: float) -> None:
        """Hold these truths (names have dots: give them as `**{...}`)."""
        self.chain.do(lambda: [self.chain.world.plant.set_truth(n, v) for n, v in truths.items()])

    def truth(self, name: str) -> float:
        return self.chain.do(lambda: self.chain.world.plant.truth(name))

    def point(self, name: str) -> int | None:
        """Value of a point as the board's console tells it."""
        return reading.get(self._link, [name]).values[name]

    def statistics(self) -> dict[str, Any]:
        return dict(self._link.call("hello", {"statistics": True})["statistics"])

    def boot(self) -> int:
        return int(self._link.call("hello")["boot"])

    def log(self) -> list[dict[str, Any]]:
        """All events of the board's log."""
        records: list[dict[str, Any]] = []
        more, params = True, {}
        while more:
            told = self._link.call("log.read", params)
            records += told["records"]
            more = told["more"]
            params = {"boot": records[-1]["boot"], "since": records[-1]["seq"]}
        return records

    def until(self, what: str, condition: Callable[[], Any], within_s: float = 60.0) -> None:
        """Wait for `condition`; on failure show the board's console."""
        try:
            wait_for(condition, what, within_s, 0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\nboard:\n{self.chain.last_words()}") from None

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

    def nothing_went_dark_or_parallel(self) -> None:
        violations = self.chain.do(lambda: dict(self.chain.world.plant.violations))
        assert not any(violations.values()), violations
        assert self.chain.do(lambda: self.chain.world.plant.unpowered_s) == 0

    def _on_ack(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        with self._lock:
            self.acked[body["boot"]] = max(body["seq"], self.acked.get(body["boot"], 0))
