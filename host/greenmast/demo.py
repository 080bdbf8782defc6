"""The main job, end to end, on one machine: firmware under MicroPython, emulated site, broker, hub, screens.

Owns the cast and the story: at the start of the demo the grid fails with the battery nearly at its start threshold, the
genset comes on, the grid returns; after that the site lives its seeded life. Every part is the real one; see
`emulator.world` for what is emulated.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from greenmast import site as sites
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
    Scene(10.0, {"grid.voltage_mv": 0, "grid.frequency_chz": 0, "battery.soc_permille": 298}, "the grid fails"),
    Scene(42.0, _GRID_GOOD, "the grid returns"),
    Scene(300.0, {"grid.voltage_mv": None, "grid.frequency_chz": None}, "the seeded grid takes over"),
)
# A minute should show a whole outage: the delays of the site, shortened.
_PACE = {
    "grid.return_delay_s": 8,
    "genset.soc_delay_s": 3,
    "genset.warm_up_s": 6,
    "genset.cool_down_s": 10,
    "genset.min_run_s": 30,
    "genset.min_off_s": 30,
    "telemetry.period_s": 2,
}


class Stage:
    """Everything that runs while the demo does, in threads and processes of its own."""

    def __init__(self, site: sites.Site, speed: int, seed: int, folder: Path, say: Callable[[str], None]) -> None:
        self._say = say
        self._scenes = list(_STORY)
        self._broker = EmbeddedBroker()
        self._hub: subprocess.Popen[str] | None = None
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="world", daemon=True)
        self.web = ""
        self.log = folder / "board.log"
        self._log_file = self.log.open("w")
        self._broker_up = False
        self.world = World(
            site,
            folder,
            seed=seed,
            speed=speed,
            start=_MORNING.replace(tzinfo=site.timezone),
            on_log=self._write_log,
        )
        self.world.on_tick = self._play

    def __enter__(self) -> Stage:
        try:
            self._broker.start()
            self._broker_up = True
            self.world.configure({"host": "127.0.0.1", "port": self._broker.port})
            self._start_hub()
            self._thread.start()
            self._wait(self.world.__aenter__())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._thread.is_alive():
            self._wait(self.world.__aexit__())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        self.stop_hub()
        if self._broker_up:
            self._broker.stop()
        self._log_file.close()

    def stop_hub(self) -> dict[str, int]:
        """End the hub; its counters."""
        hub, self._hub = self._hub, None
        if hub is None:
            return {}
        hub.send_signal(signal.SIGTERM)
        try:
            out, _ = hub.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            hub.kill()
            out, _ = hub.communicate()
        lines = out.strip().splitlines()
        return dict(json.loads(lines[-1])) if lines else {}

    @property
    def broker_url(self) -> str:
        """Where other programs find the broker."""
        return self._broker.url

    def last_words(self) -> str:
        """The end of what the board's console printed."""
        return "\n".join(line[:200] for line in self.log.read_text().splitlines()[-20:])

    def _start_hub(self) -> None:
        errors = (self._folder / "hub.log").open("w")
        for web in (_WEB, "127.0.0.1:0"):
            self._hub = subprocess.Popen(
                [sys.executable, "-m", "greenmast", "hub", "run", "--json"]
                + ["--broker", self._broker.url, "--db", f"sqlite:///{self._folder / 'hub.db'}", "--web", web],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            assert self._hub.stdout
            line = self._hub.stdout.readline()
            if line:
                self.web = json.loads(line)["web"]
                return
            self._hub.wait()
        raise UserError(f"the hub does not start: {(self._folder / 'hub.log').read_text().strip()[-300:]}")

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_READY_S)

    def _play(self) -> None:
        plant = self.world.plant
        while self._scenes and plant.time_s >= self._scenes[0].at_s:
            scene = self._scenes.pop(0)
            for name, value in scene.truths.items():
                if value is None:
                    plant.release_truth(name)
                else:
                    plant.set_truth(name, value)
            self._say(f"{plant.time_s:5.0f} s  {scene.text}")

    def _write_log(self, line: str) -> None:
        self._log_file.write(line + "\n")
        self._log_file.flush()


def run(
    site: str, *, headless: bool, for_s: float | None, speed: int, json_output: bool, seed: int
) -> int:
    """Play the demo for `for_s` seconds on the wall, or until Ctrl-C. Returns the exit code.

    Raises UserError for what cannot be started, before anything is.
    """
    loaded = sites.load(site, _PACE)
    version = runtime.version(runtime.find())

    def say(text: str) -> None:
        if headless or json_output:
            print(text, file=sys.stderr, flush=True)

    started = time.monotonic()
    with TemporaryDirectory(prefix="greenmast-") as name, _signals_end():
        with Stage(loaded, speed, seed, Path(name), say) as stage:
            console = stage.world.board.console
            print(_programme(stage, loaded.id), file=sys.stderr, flush=True)
            try:
                with SerialLink(console) as link:
                    summary = _watch(link, headless, started, for_s)
            except NoContactError as error:
                raise UserError(f"{error.message}; its last words:\n{stage.last_words()}", NO_CONTACT) from error
            hub = stage.stop_hub()
    summary = {
        "seconds": round(time.monotonic() - started, 1),
        "runtime": version,
        **summary,
        "stored_rows": hub.get("stored_rows", 0),
        "web": stage.web,
    }
    if json_output:
        print(json.dumps(summary))
    else:
        print(_verdict(summary), file=sys.stderr)
    return _exit_code(summary)


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


def _programme(stage: Stage, site: str) -> str:
    return (
        f"page     {stage.web}\n"
        f"watch    greenmast watch --mqtt {stage.broker_url} --site {site}   (or status, explain, get, alarms)\n"
        f"log      {stage.log}\n"
        "Ctrl-C ends."
    )


def _verdict(summary: dict[str, Any]) -> str:
    modbus, mqtt = summary["modbus"], summary["mqtt"]
    return (
        f"{summary['scans']} scans, {modbus['requests']} Modbus requests ({modbus['errors']} errors), "
        f"{summary['switches']} switchings, {mqtt['acknowledged']} of {mqtt['published']} messages acknowledged, "
        f"{summary['stored_rows']} rows stored"
    )


def _exit_code(summary: dict[str, Any]) -> int:
    if not summary["scans"]:
        return NO_CONTACT
    return DONE if summary["stored_rows"] else REFUSED
