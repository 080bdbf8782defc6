"""The memory gate: the reference site with everything on, for as long as one likes, in a given heap.

The board talks TLS to a real Mosquitto that asks for its certificate; a hub stores what it sends. Its grid
fails and returns, a person commands, reads and pulls the log on the console, its configuration is changed
and confirmed again and again, the broker is killed, and the line to it goes dead. What must come of it: the
board restarts for nothing but its configuration, has memory for all of it, sends every number, scans in time.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from greenmast import site as sites
from greenmast.chain import Chain, HubProcess
from greenmast.config import transaction
from greenmast.config.source import Source
from greenmast.demo import PACE
from greenmast.emulator.board import HEAP_B, WK_B
from greenmast.emulator.world import World
from greenmast.errors import DONE, REFUSED, UserError
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.serial import SerialLink
from greenmast.site import Site
from greenmast.testing import Mosquitto
from greenmast.testing_mqtt import Proxy
from greenmast.testing_tls import environment, house, site_file

SITE = "india-rural"
SHORTEST_S = 75.0
_GOOD = {"grid.voltage_mv": 230_000.0, "grid.frequency_chz": 5_000.0}
_DEAD = dict.fromkeys(_GOOD, 0.0)
_OUTAGE_S = 60.0  # the grid comes and goes so often
_PERSON_S = 5.0  # and a person does something so often
_COMMIT_S = 600.0  # and the configuration changes so often; at least twice, as the second boot has less heap
_COMMANDS: tuple[dict[str, Any], ...] = (
    {"name": "load.shed", "args": {"tier": 3, "for_s": 3}},
    {"name": "reserve.set", "args": {"permille": 250, "for_s": 60}},
    {"name": "genset.inhibit", "args": {"for_s": 1}},
    {"name": "load.restore", "args": {"tier": 3}},
)
_SETTLE_S = 90.0
Tell = Callable[[str], None]


def run(seconds: float, heap_b: int, *, romfs: bool = True, tell: Tell = lambda line: None) -> dict[str, Any]:
    """{"seconds", "passed", "reasons", "commits", "commands", "boots", "records", "scans",
    "scan_gap_max_ms", "scan_late_mean_ms", "kills", "blackholes"}; "reasons" says why it did not pass.

    Raises UserError where a part of it cannot be started.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="greenmast-")))
        made = house(folder)
        stack.enter_context(environment(made, "hub"))
        broker = Mosquitto(
            folder,
            extra=f"cafile {made.folder}/authority.pem\ncertfile {made.folder}/broker.pem\n"
            f"keyfile {made.folder}/broker.key.pem\nrequire_certificate true",
        )
        broker.start()
        stack.callback(lambda: broker.stop(signal.SIGKILL))
        proxy = Proxy(broker.port)
        stack.callback(proxy.close)
        hub = HubProcess(f"mqtts://127.0.0.1:{broker.port}", folder)
        stack.callback(hub.stop)
        site = sites.load(str(site_file(folder, SITE, proxy.port, made)), PACE)
        chain = Chain(_world(site, folder, heap_b, romfs), folder / "board.log")
        stack.enter_context(chain)
        visit = _Visit(chain, broker, proxy, tell)
        visit.live(seconds)
        return visit.result(folder / "hub.db")


class _Visit:
    """Everything that happens to the board, and what is seen of it."""

    def __init__(self, chain: Chain[World], broker: Mosquitto, proxy: Proxy, tell: Tell) -> None:
        self._chain = chain
        self._broker = broker
        self._proxy = proxy
        self._tell = tell
        self._reasons: list[str] = []
        self._boots: dict[int, dict[str, Any]] = {}  # statistics by boot, the newest
        self._seconds = 0.0
        self.commits = self.commands = self.kills = self.blackholes = 0

    def live(self, seconds: float) -> None:
        """A grid, a person, changes of configuration and two faults of the link, for so long."""
        commits = max(2, int(seconds // _COMMIT_S))
        acts: list[tuple[float, Callable[[], None]]] = [
            (seconds * (k + 0.3) / commits, self._commit) for k in range(commits)
        ]
        dead_s = min(60.0, seconds / 8)
        acts += [(seconds * 0.15, self._kill), (seconds * 0.2, self._revive)]
        acts += [(seconds * 0.55, self._block), (seconds * 0.55 + dead_s, self._unblock)]
        acts += [(k * _OUTAGE_S + 10.0, self._grid_fails) for k in range(int(seconds // _OUTAGE_S) + 1)]
        acts += [(k * _OUTAGE_S + 40.0, self._grid_returns) for k in range(int(seconds // _OUTAGE_S) + 1)]
        acts += [(k * _PERSON_S + 5.0, self._person) for k in range(int(seconds // _PERSON_S))]
        start = time.monotonic()
        self._grid_returns()
        for at_s, act in sorted(acts, key=lambda entry: entry[0]):
            time.sleep(max(0.0, start + at_s - time.monotonic()))
            if at_s >= seconds or self._reasons:
                break
            try:
                act()
            except (UserError, NoContactError, RefusedError) as error:
                self._reasons.append(f"after {at_s:.0f} s, {act.__name__.strip('_')}: {error}")
        self._proxy.unblock()
        self._seconds = time.monotonic() - start

    def result(self, database: Path) -> dict[str, Any]:
        """What came of it, when everything has arrived or should have."""
        reasons = self._reasons
        boots = len(self._chain.world.board.resets)
        if boots != 1 + self.commits:
            reasons.append(f"{boots} boots for {self.commits} changes of the configuration")
        short = [line for line in self._chain.log.read_text().splitlines() if "MemoryError" in line]
        if short:
            reasons.append(f"{len(short)} times MemoryError, first: {short[0]}")
        stored = self._arrived(database)
        for boot, seen in self._boots.items():
            if seen["telemetry"]["dropped"]:
                reasons.append(f"boot {boot} dropped {seen['telemetry']['dropped']} records")
        for boot, numbers in stored.items():
            if numbers != list(range(1, len(numbers) + 1)):
                reasons.append(f"boot {boot}: numbers are missing or twice: {numbers[-5:]}")
        if len(stored) != boots:
            reasons.append(f"records of {len(stored)} boots have arrived of {boots}")
        scans = sum(seen["scans"] for seen in self._boots.values()) or 1
        return {
            "seconds": round(self._seconds),
            "passed": not reasons,
            "reasons": reasons,
            "boots": boots,
            "commits": self.commits,
            "commands": self.commands,
            "kills": self.kills,
            "blackholes": self.blackholes,
            "records": sum(len(numbers) for numbers in stored.values()),
            "scans": scans,
            "scan_gap_max_ms": max((seen["scan_gap_max_ms"] for seen in self._boots.values()), default=0),
            "scan_late_mean_ms": round(sum(s["scan_late_ms"] for s in self._boots.values()) / scans, 2),
        }

    def _arrived(self, database: Path) -> dict[int, list[int]]:
        """Numbers stored by boot, when the newest that is known of has come, or time is up."""
        end = time.monotonic() + _SETTLE_S
        newest = max(self._boots, default=0)
        wanted = self._boots[newest]["telemetry"]["seq"] if newest else 0
        while True:
            stored: dict[int, list[int]] = {}
            with closing(sqlite3.connect(database, timeout=10)) as db:
                for boot, seq in db.execute("select boot, seq from messages order by boot, seq"):
                    stored.setdefault(boot, []).append(seq)
            if stored.get(newest, [0])[-1] >= wanted:
                return stored
            if time.monotonic() > end:
                self._reasons.append(f"record {wanted} of boot {newest} has not arrived")
                return stored
            time.sleep(0.5)

    def _link(self) -> SerialLink:
        return SerialLink(self._chain.world.board.console)

    def _truths(self, truths: Mapping[str, float]) -> None:
        def hold() -> None:
            for name, value in truths.items():
                self._chain.world.plant.set_truth(name, value)

        self._chain.do(hold)

    def _grid_fails(self) -> None:
        self._truths({**_DEAD, "battery.soc_permille": 298})

    def _grid_returns(self) -> None:
        self._truths({**_GOOD, "battery.soc_permille": 304})

    def _person(self) -> None:
        """Looks at everything there is, and commands."""
        with self._link() as link:
            hello = link.hello()
            for method in ("explain", "alarms", "log.read"):
                link.call(method)
            reading.get(link)
            command = _COMMANDS[self.commands % len(_COMMANDS)]
            try:
                link.call("command", command)
            except RefusedError as refused:
                if refused.code == "internal":
                    raise
            self.commands += 1
            self._note(int(hello["boot"]), link)

    def _note(self, boot: int, link: SerialLink) -> None:
        self._boots[boot] = link.call("hello", {"statistics": True})["statistics"]

    def _commit(self) -> None:
        with self._link() as link:
            self._note(int(link.hello()["boot"]), link)
            document = link.call("config.get")
        full_s = 600 if document["params"].get("telemetry.full_s", 900) == 900 else 900
        changed = {**document, "params": {**document["params"], "telemetry.full_s": full_s}}
        transaction.apply(self._link, Source("gate", lambda revision: {**changed, "revision": revision}))
        self.commits += 1
        self._tell(f"configuration changed {self.commits} times")

    def _kill(self) -> None:
        self._broker.stop(signal.SIGKILL)
        self.kills += 1
        self._tell("broker killed")

    def _revive(self) -> None:
        self._broker.start()
        self._tell("broker is back")

    def _block(self) -> None:
        self._proxy.block()
        self.blackholes += 1
        self._tell("the line is dead")

    def _unblock(self) -> None:
        self._proxy.unblock()
        self._tell("the line is back")


def _world(site: Site, folder: Path, heap_b: int, romfs: bool) -> Callable[[Callable[[str], None]], World]:
    def make(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        return World(site, folder, start=start, heap_b=heap_b, romfs=romfs, time_server=True, on_log=log)

    return make


def main() -> int:
    """Prints the result of `run(SECONDS, HEAP_WK)` as JSON; exit code 0 when it passed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SHORTEST_S
    heap_b = int(sys.argv[2]) * WK_B if len(sys.argv) > 2 else HEAP_B
    start = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", file=sys.stderr, flush=True)

    result = run(seconds, heap_b, tell=tell)
    print(json.dumps(result))
    return DONE if result["passed"] else REFUSED


if __name__ == "__main__":
    sys.exit(main())
