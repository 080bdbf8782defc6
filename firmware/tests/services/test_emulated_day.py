"""A day of the reference site through the real telemetry: bytes, wear, and a week without the hub."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from greenmast.flash import image as flash_image
from greenmast.hub.sequence import Sequence
from greenmast.scenario import document
from greenmast.scenario.core_level import CoreRun
from greenmast_fw.core.snapshot import Image
from greenmast_fw.services import outbox, rings
from greenmast_fw.services.scan import Scan
from greenmast_fw.services.telemetry import Telemetry
from greenmast_fw.storage import sectors
from greenmast_protocol import params

BYTES_MAX = 300_000
ENDURANCE = 100_000  # erases of a sector of any NOR flash that is sold
YEARS_MIN = 10
START_S = 1_764_000_000
SITE = "india-rural"
HEAD_BYTES = len(f"greenmast/1/{SITE}/tele") + 6  # topic, lengths, packet identifier
DAY = f"""
title = "A day"
site = "{SITE}"
levels = ["core"]
duration = "24h"
seed = 3
[config]
"scan.period_ms" = 5000
"""


class Chip:
    """Erased flash of the size that boards have; counts erases."""

    def __init__(self, label: str) -> None:
        self.count = flash_image.RINGS[label]
        self.data = bytearray(flash_image.blank(self.count))
        self.erases = [0] * self.count

    def readblocks(self, block: int, buf: Any, offset: int) -> None:
        at = block * flash_image.BLOCK_SIZE + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: Any, offset: int) -> None:
        at = block * flash_image.BLOCK_SIZE + offset
        held = self.data[at : at + len(buf)]
        self.data[at : at + len(buf)] = bytes(a & b for a, b in zip(held, buf, strict=True))

    def ioctl(self, request: int, argument: int) -> int:
        if request == 6:
            self.erases[argument] += 1
            at = argument * flash_image.BLOCK_SIZE
            self.data[at : at + flash_image.BLOCK_SIZE] = flash_image.blank(1)
        return {4: self.count, 5: flash_image.BLOCK_SIZE}.get(request, 0)


class Wall:
    trusted = True
    s = START_S

    def now_s(self) -> int:
        return self.s


class Nothing:
    uptime_s = 0

    def write(self, who: str, what: object) -> None:
        pass


class Board:
    """Rings, outbox and a hub that hears or does not."""

    def __init__(self) -> None:
        self.chips = {label: Chip(label) for label in flash_image.RINGS}
        self.image = Image()
        self.wall = Wall()
        self.sequence = Sequence()
        self.messages: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.values: list[dict[str, Any]] = []
        self.given_up = 0
        reports = sectors.mount(self.chips["outbox"], 8 + 7 * self.image.count)
        events = sectors.mount(self.chips["events"], 60)
        self.box = outbox.Outbox(1, reports, events, self.image, rings.layout(self.image), self.wall)  # type: ignore[arg-type]

    def deliver(self) -> None:
        """The hub hears everything that waits."""
        while (log := self.box._turn()) >= 0:
            body = self.box._log() if log else b"".join(self.box._report())
            told = json.loads(body)
            kind = "events" if log else "full" if told["full"] else "changes" if told["v"] else "beat"
            self.messages[kind] += 1
            self.bytes[kind] += len(body) + HEAD_BYTES
            records = told.get("records", [told])
            if "lost" in told:
                self.given_up += self.sequence.give_up(
                    records[0]["seq"] - told["lost"], records[0]["seq"] - 1
                )
            for record in records:
                self.sequence.add(record["seq"])
            if not log:
                self.values.append(told)
            self.box.acknowledge(1, self.sequence.ack)
        self.box.mark()


class Day(CoreRun):
    """The day as a board lives it. `stored`: (full, points, values, codes) or events, to be played again."""

    def __init__(self, scenario: document.Scenario) -> None:
        self.board = Board()
        self.stored: list[Any] = []
        super().__init__(scenario)
        scan_sensors = self._sensors.scan
        self._sensors.scan = lambda *args: self._keep(scan_sensors(*args))  # type: ignore[method-assign]

    def _keep(self, snapshot: Any) -> Any:
        self._snapshot = snapshot
        return snapshot

    def _boot(self) -> None:
        super()._boot()
        nothing = Nothing()
        self._scan_values = Scan(
            self.board.image,
            self.controller,
            nothing,  # type: ignore[arg-type]
            [],
            [],
            nothing,  # type: ignore[arg-type]
            None,
            nothing,  # type: ignore[arg-type]
            5_000,
            1,
            self.board.wall,  # type: ignore[arg-type]
        )
        self._telemetry = Telemetry(
            self._scan_values,
            self.board.box,
            params.defaults()["telemetry.period_s"],
            params.defaults()["telemetry.full_s"],
        )
        add_report = self.board.box.add_report

        def keep(full: bool, news: list[int], values: Any, codes: Any) -> None:
            self.stored.append((full, news, list(values), bytearray(codes)))
            add_report(full, news, values, codes)

        self.board.box.add_report = keep  # type: ignore[method-assign]

    def _step(self) -> None:
        super()._step()
        scan, box, decision = self._scan_values, self.board.box, self.controller.decision
        scan.uptime_ms = self.time_ms - self._booted_ms
        self.board.wall.s = START_S + self.time_ms // 1000
        if decision.worth_storing:
            scan.stored_wh[:] = self.controller.energy.wh  # as the keeper does
        scan._publish(self._snapshot.v, self._snapshot.q, decision)
        if decision.events:
            self.stored.append(list(decision.events))
            box.add_events(decision.events)
        self._telemetry.collect()
        self.board.deliver()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    path: Path = tmp_path_factory.mktemp("day") / "day.toml"
    path.write_text(DAY)
    run = Day(document.load(path))
    run.run()
    return run


def test_a_day_at_defaults_publishes_no_more_than_its_budget(day: Day) -> None:
    board = day.board
    print(sum(board.bytes.values()), "bytes", dict(board.bytes), "in", dict(board.messages))
    assert board.messages["full"] >= 96
    assert board.messages["events"] > 10
    assert board.messages["changes"] > 100, "the site lived"
    assert sum(board.bytes.values()) + _alarm_bytes(day) <= BYTES_MAX
    assert board.box.dropped == board.given_up == 0
    assert board.sequence.ack == board.box.seq


def _run(coroutine: Any) -> None:
    """To its end, though it lets others run."""
    with contextlib.suppress(StopIteration):
        while True:
            coroutine.send(None)


def _alarm_bytes(day: Day) -> int:
    """The list of alarms, published whenever one comes or goes, as if five were on it."""
    return sum(any(event[0] == 6 for event in one) for one in day.stored if isinstance(one, list)) * 5 * 90


def test_flash_lasts_ten_years_at_default_rates(day: Day) -> None:
    for label, chip in day.board.chips.items():
        erases = sum(chip.erases)
        years = ENDURANCE * chip.count / max(1, erases) / 365
        print(label, erases, "erases a day,", round(years), "years")
        assert erases > 0
        assert years > YEARS_MIN


def test_a_week_without_the_hub_is_kept_and_what_goes_later_is_the_oldest_and_counted(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox.overlay, "run", lambda function, *args: function(*args))  # no collections
    board = Board()
    box = board.box

    def live(days: int) -> None:
        for _ in range(days):
            for one in day.stored:
                _run(box.make_room())
                if isinstance(one, list):
                    box.add_events(one)
                else:
                    box.add_report(*one)

    live(7)
    assert box.dropped == 0, "a week is kept whole"
    live(7)
    written = box.seq
    dropped = box.dropped
    print("after 14 days", dropped, "of", written, "are gone")
    assert dropped
    board.deliver()
    assert board.sequence.ack == written
    assert board.given_up == dropped
    told = [report["full"] for report in board.values]
    old, new = told[: len(told) // 4], told[-len(told) // 4 :]
    assert all(old), "of what is long ago the full reports are left"
    assert new.count(True) < len(new) // 2, "what is recent is whole"
    assert told.count(True) > 0.7 * 14 * 96
