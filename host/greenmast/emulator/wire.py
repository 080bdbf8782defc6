"""A paced RS-485 wire between pseudo-terminals, in a process of its own.

A pty has no baud rate: bytes written to one end are at the other at once. The wire takes them in and lets
them out one character time after another. What any end sends reaches all others; two that send at once
collide. Owns the life of the process and the questions to it; how a line behaves is in `line`, what may be
wrong with it in `line_faults`. Knows no Modbus.

    with Wire(9600, slaves=2) as wire:
        open(wire.master_path), open(wire.slave_paths[1])
        wire.fault("noise", per_million=5_000)
        wire.clear("noise")

A late wake-up lets out all that is due by the schedule in one piece; nothing leaves before its time.
"""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import threading
from typing import Any, Self

from greenmast.emulator.line_faults import Option

_START_S = 10.0
_STOP_S = 5.0


class Wire:
    """A running wire. `bits` per character: 11, or 10 for 8N1; `speed` > 1 is faster than the `baud` says.

    `seed`: of its faults. `slave_path` is the first of `slave_paths`. Any thread may ask and tell.
    """

    master_path: str
    slave_path: str
    slave_paths: list[str]

    def __init__(
        self, baud: int, *, bits: int = 11, speed: float = 1.0, slaves: int = 1, seed: int = 1
    ) -> None:
        options = {"baud": baud, "bits": bits, "speed": speed, "slaves": slaves, "seed": seed}
        self._options = [f"--{name}={value}" for name, value in options.items()]
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "greenmast.emulator.wire_process", *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is for the parent, whose end ends the wire
        )
        try:
            paths = self._answer()
        except BaseException:
            self.__exit__()
            raise
        self.master_path, self.slave_paths = paths["master"], paths["slaves"]
        self.slave_path = self.slave_paths[0]
        return self

    def __exit__(self, *exc_info: object) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        self._process = None
        process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def counters(self) -> dict[str, int]:
        """What has happened so far, in characters unless said.

        `to_slave` (of all slaves together) and `to_master` arrived, `waiting` still on the wire, `collisions`
        that another one lay over, `damaged` that arrived otherwise than sent, `lost` that did not arrive,
        `overrun` that an end had no room for. Of the master's requests: `gaps` silent intervals before them
        were measured, `gap_min_us` the shortest (-1: none), `gap_violations` those below t3.5; in the line's
        own time, whatever the speed (see `line_watch`).
        """
        return dict(self._ask({"counters": True}))

    def trace(self) -> list[dict[str, Any]]:
        """The last 200 transmissions, the oldest first.

        `at_us` since the wire began, in the line's own time; `from` "master", "slave N" or "noise"; `sent`
        and `heard` in hex, at most 300 bytes of each.
        """
        return list(self._ask({"trace": True}))

    def fault(self, name: str, **options: Option) -> None:
        """Begin a fault of `line_faults.FAULTS`, or begin it anew. Raises ValueError."""
        self._ask({"fault": name, "options": options})

    def clear(self, name: str) -> None:
        """End a fault; nothing when it is not there."""
        self._ask({"clear": name})

    def _ask(self, request: dict[str, Any]) -> Any:
        with self._lock:
            if self._process is None or self._process.stdin is None:
                raise RuntimeError("the wire is not running")
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._answer()
        if isinstance(answer, dict) and "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def _answer(self) -> Any:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the wire is not running")
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_START_S):
                raise TimeoutError("the wire does not answer")
        return json.loads(self._process.stdout.readline())
