"""What has become of every record of a house, counted on every side: board, wire, hub, store.

Owns the counting and what it must come to; how things are made to fail is the test's. A record is known by
(boot, number). The board says how far it has counted, the wire shows what it sends, the hub says what it
acknowledges, and the store is read from its file.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter, defaultdict
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil_tests.bench import House
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from greenmast.link.base import NoContactError

HEADING = ("faults", "made", "acknowledged", "stored", "lost of acknowledged", "stored twice", "given up")


@dataclass(frozen=True)
class Count:
    """Numbers of records so far. `given_up`: those that the board has said will never come."""

    made: int
    acknowledged: int
    stored: int
    given_up: int

    def __sub__(self, before: Count) -> Count:
        return Count(
            self.made - before.made,
            self.acknowledged - before.acknowledged,
            self.stored - before.stored,
            self.given_up - before.given_up,
        )


class Ledger:
    """Listens from its making until `close`."""

    def __init__(self, house: House, folder: Path) -> None:
        self._house = house
        self._store = folder / "hub.db"
        self._lock = threading.Lock()
        self._contents: dict[tuple[int, int], set[str]] = defaultdict(set)  # as sent, without what was lost
        self._never: dict[int, set[int]] = defaultdict(set)  # numbers that the board has said to be lost
        self._told: Counter[int] = Counter()  # boot -> the newest number that the board has told of
        self._dropped: Counter[int] = Counter()  # boot -> records that the board has dropped
        self._acked: Counter[int] = Counter()  # boot -> as the board knows it
        self._listener = Client(CallbackAPIVersion.VERSION2, client_id="ledger", clean_session=False)
        base = f"greenmast/1/{house.bench.site.id}/"
        self._listener.on_connect = lambda client, *_: client.subscribe(
            [(base + "tele", 1), (base + "log", 1)]
        )
        self._listener.on_message = self._on_message
        self._listener.reconnect_delay_set(1, 1)
        self._listener.connect("127.0.0.1", house.broker.port)
        self._listener.loop_start()

    def close(self) -> None:
        self._listener.loop_stop()
        self._listener.disconnect()

    def ask(self) -> dict[str, int]:
        """The board's own counters; none when it does not answer."""
        with suppress(NoContactError):
            link = self._house.bench.link
            told = link.call("hello", {"statistics": True})
            boot, counters = told["boot"], dict(told["statistics"]["telemetry"])
            self._told[boot] = max(self._told[boot], counters["seq"])
            self._acked[boot] = max(self._acked[boot], counters["acked"])
            self._dropped[boot] = counters["dropped"]
            return counters
        return {}

    def is_drained(self) -> bool:
        """Whether the hub has acknowledged everything that the board had made when it was asked."""
        counters = self.ask()
        return bool(counters) and counters["acked"] == counters["seq"]

    def count(self) -> Count:
        """How many there are, all boots together."""
        stored = self._house.stored()
        made = sum(max([*stored.get(boot, []), self._told[boot]]) for boot in {*stored, *self._told})
        given_up = sum(len(numbers) for numbers in self._missing(stored).values())
        return Count(made, sum(self._acknowledged().values()), sum(map(len, stored.values())), given_up)

    def lost(self) -> list[tuple[int, int]]:
        """Numbers that were acknowledged, are not in the store, and were not said to be lost by the board."""
        acked = self._acknowledged()  # before the store is read: what comes in between is no loss
        stored = self._house.stored()
        with self._lock:
            return [
                (boot, number)
                for boot, last in acked.items()
                for number in set(range(1, last + 1)) - {*stored.get(boot, [])} - self._never[boot]
            ]

    def stored_twice(self) -> list[Any]:
        """Records that are in the store more than once, by their number or by that of their event."""
        twice: list[Any] = []
        with closing(sqlite3.connect(self._store, timeout=10)) as db:
            rows = "select boot, seq, count(*) from messages group by site, boot, seq having count(*) > 1"
            twice += db.execute(rows)
            events = Counter(
                (boot, json.loads(body)["n"])
                for boot, body in db.execute("select boot, body from messages where kind = 'log'")
            )
        twice += [event for event, times in events.items() if times > 1]
        return twice

    def ambiguous(self) -> list[tuple[int, int]]:
        """Numbers that the board has given to two different records: one of them would be lost."""
        with self._lock:
            return [number for number, contents in self._contents.items() if len(contents) > 1]

    def unlike(self) -> list[tuple[int, int]]:
        """Events that the store has otherwise than the board's own log, or not at all."""
        with closing(sqlite3.connect(self._store, timeout=10)) as db:
            rows = db.execute("select boot, seq, body from messages where kind = 'log'").fetchall()
        stored = {(boot, seq): json.loads(body)["event"] for boot, seq, body in rows}
        acked = self._acknowledged()
        return [
            (record["boot"], record["seq"])
            for record in self._house.bench.log()
            if record["seq"] <= acked[record["boot"]]
            and stored.get((record["boot"], record["seq"])) != record["event"]
        ]

    def unlisted(self) -> set[tuple[int, int]]:
        """Numbers that are missing and that the hub does not list as a gap, or the other way round."""
        listed = {
            (gap["boot"], number)
            for gap in self._house.gaps()
            if not gap["awaited"]
            for number in range(gap["first"], gap["last"] + 1)
        }
        missing = self._missing(self._house.stored())
        return listed ^ {(boot, number) for boot, numbers in missing.items() for number in numbers}

    def dropped(self) -> int:
        """Records that the board has dropped, all boots together."""
        return sum(self._dropped.values())

    def _acknowledged(self) -> Counter[int]:
        return self._acked | Counter(self._house.acked)

    def _missing(self, stored: dict[int, list[int]]) -> dict[int, set[int]]:
        """Numbers before the last acknowledged one that are not in the store, by boot."""
        return {
            boot: set(range(1, last + 1)) - {*stored.get(boot, [])}
            for boot, last in self._acknowledged().items()
        }

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        boot, lost = body["boot"], body.pop("lost", 0)
        records = body.get("records", [body])
        first = records[0]["seq"]
        with self._lock:
            self._never[boot].update(range(first - lost, first))
            for record in records:
                self._contents[boot, record["seq"]].add(json.dumps(record, sort_keys=True))
