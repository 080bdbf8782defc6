"""What tests on real parts share: ports, bounded waits, a Mosquitto of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

WAIT_S = 30.0


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], T], what: str, within_s: float = WAIT_S, every_s: float = 0.05) -> T:
    """The first true value of `condition()`. Raises AssertionError when there is none in time."""
    end = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {within_s} s in vain for {what}; last: {value!r}"
        time.sleep(every_s)


class Mosquitto:
    """The real broker on a free loopback port; with `persistent`, its sessions survive a kill.

    `anonymous`: whether a client without user may enter. `extra`: more lines of its configuration.
    """

    def __init__(
        self, folder: Path, *, persistent: bool = True, anonymous: bool = True, extra: str = ""
    ) -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._log = folder / "mosquitto.log"
        config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", *extra.splitlines()]
        lines += [f"allow_anonymous {str(anonymous).lower()}", "max_inflight_messages 0"]
        if persistent:
            lines += ["persistence true", f"persistence_location {folder}/"]
            lines += ["autosave_on_changes true", "autosave_interval 1"]
        if os.getuid() == 0:
            lines.append("user root")
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "mosquitto is missing: make system"
        self._command = [program, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for(self._accepts, f"mosquitto: {self._log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; with SIGKILL it has no time to save."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(WAIT_S)
            self._process = None

    def _accepts(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False
