"""The main job, end to end, on one machine: firmware under MicroPython, emulated site, broker, hub, screens.

Owns the story: the grid fails with the battery nearly at its start threshold, the genset comes on, the grid
returns; after that the site lives its seeded life. Every part is the real one; see `emulator.world` for what
is emulated.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from greenmast import site as sites
from greenmast.chain import Chain, HubProcess
from greenmast.emulator import runtime
from greenmast.emulator.world import World
from greenmast.errors import DONE, NO_CONTACT, REFUSED, UserError
from greenmast.hub.broker import EmbeddedBroker
from greenmast.link import reading
from greenmast.link.base import NoContactError
from greenmast.link.serial import SerialLink

_MORNING = datetime(2025, 4, 15, 10, 30)  # sun, but not enough of it
_READY_S = 30.0
_WEB = "127.0.0.1:8080"
_GRID_GOOD = {"grid.voltage_mv": 230_000.0, "grid.frequency_chz": 5_000.0}


@dataclass(frozen=True)
class Scene:
    """At `at_s` of plant time: hold these truths (None: give them back to the plant), and say so."""

    at_s: float
    truths: Mapping[str, float | None]
    text: str


_STORY = (
    Scene(0.0, {**_GRID_GOOD, "battery.soc_permille": 304}, "the grid is there"),
    Scene(
        10.0, {"grid.voltage_mv": 0, "grid.frequency_chz": 0, "battery.soc_permille": 298}, "the grid fails"
    ),
    Scene(36.0, _GRID_GOOD, "the grid returns"),
    Scene(300.0, {"grid.voltage_mv": None, "grid.frequency_chz": None}, "the seeded grid takes over"),
)
# A minute should show a whole outage: the delays of the site, shortened.
PACE = {
    "grid.return_delay_s": 8,
    "genset.soc_delay_s": 3,
    "genset.warm_up_s": 6,
    "genset.cool_down_s": 10,
    "genset.min_run_s": 30,
    "genset.min_off_s": 30,
    "telemetry.period_s": 2,
}


class Story:
    """Plays `_STORY` on a world; `say` gets a line for each scene."""

    def __init__(self, world: World, aloud: bool) -> None:
        self._plant = world.plant
        self._scenes = list(_STORY)
        self._aloud = aloud
        world.on_tick = self._play

    def _play(self) -> None:
        while self._scenes and self._plant.time_s >= self._scenes[0].at_s:
            scene = self._scenes.pop(0)
            for name, value in scene.truths.items():
                if value is None:
                    self._plant.release_truth(name)
                else:
                    self._plant.set_truth(name, value)
            if self._aloud:
                _tell(f"{self._plant.time_s:5.0f} s  {scene.text}")


def run(site: str, *, headless: bool, for_s: float | None, speed: int, json_output: bool, seed: int) -> int:
    """Play the demo for `for_s` seconds on the wall, or until Ctrl-C. Returns the exit code.

    Raises UserError for what cannot be started, before anything is.
    """
    loaded = sites.load(site, PACE)
    version = runtime.version(runtime.find())
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="greenmast-")))
        stack.enter_context(_signals_end())
        broker = EmbeddedBroker()
        broker.start()
        stack.callback(broker.stop)
        hub = _start_hub(broker.url, folder)
        stack.callback(hub.stop)

        def make_world(log: Any) -> World:
            return World(
                loaded,
                folder,
                mqtt={"host": "127.0.0.1", "port": broker.port},
                seed=seed,
                speed=speed,
                start=_MORNING.replace(tzinfo=loaded.timezone),
                time_server=True,
                on_log=log,
            )

        chain = Chain(make_world, folder / "board.log")
        Story(chain.world, aloud=headless or json_output)
        with chain:
            _tell(_programme(hub.ready["web"], broker.url, loaded.id, chain.log))
            try:
                with SerialLink(chain.world.board.console) as link:
                    seen = _watch(link, headless, started, for_s)
            except NoContactError as error:
                text = f"{error.message}; its last words:\n{chain.last_words()}"
                raise UserError(text, NO_CONTACT) from error
        stored = hub.stop().get("stored_rows", 0)
    summary = {
        "seconds": round(time.monotonic() - started, 1),
        "runtime": version,
        **seen,
        "stored_rows": stored,
        "web": hub.ready["web"],
    }
    if json_output:
        print(json.dumps(summary))
    else:
        _tell(_verdict(summary))
    if not summary["scans"]:
        return NO_CONTACT
    return DONE if stored else REFUSED


def _start_hub(broker_url: str, folder: Path) -> HubProcess:
    """On the usual port, or on a free one when somebody has that."""
    try:
        return HubProcess(broker_url, folder, _WEB)
    except UserError:
        return HubProcess(broker_url, folder)


def _watch(link: SerialLink, headless: bool, started: float, for_s: float | None) -> dict[str, Any]:
    """Show the board until the time is over; what it has to say at the end."""
    end = None if for_s is None else started + for_s
    hello = _contact(link)
    first = reading.get(link)
    moving: set[str] = set()
    readings = reading.stream(link, None, 1.0)
    with contextlib.suppress(KeyboardInterrupt):
        if headless:
            for now in readings:
                if now is not None:
                    moving |= {name for name in now.names if now.values[name] != first.values.get(name)}
                if end is not None and time.monotonic() >= end:
                    break
        else:
            from greenmast.cli import screen

            screen.live(hello, readings, end)
    readings.close()
    statistics = link.call("hello", {"statistics": True})["statistics"]
    last = reading.get(link)
    return {
        "scans": statistics["scans"],
        "modbus": statistics["modbus"],
        "switches": statistics["switches"],
        "mqtt": statistics["mqtt"],
        "scan_gap_max_ms": statistics["scan_gap_max_ms"],
        "points": {name: last.values[name] for name in last.names},
        "moving": sorted(moving),
    }


def _contact(link: SerialLink) -> dict[str, Any]:
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            return link.hello()
        except NoContactError:
            if time.monotonic() > deadline:
                raise


@contextlib.contextmanager
def _signals_end() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, leaving nothing behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _programme(web: str, broker: str, site: str, log: Path) -> str:
    return (
        f"page     {web}\n"
        f"watch    greenmast watch --mqtt {broker} --site {site}   (or status, explain, get, alarms)\n"
        f"log      {log}\n"
        "Ctrl-C ends."
    )


def _verdict(summary: dict[str, Any]) -> str:
    modbus, mqtt = summary["modbus"], summary["mqtt"]
    return (
        f"{summary['scans']} scans, {modbus['requests']} Modbus requests ({modbus['errors']} errors), "
        f"{summary['switches']} switchings, {mqtt['acknowledged']} of {mqtt['published']} messages "
        f"acknowledged, {summary['stored_rows']} rows stored"
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
