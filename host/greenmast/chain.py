"""A whole chain for demo and tests: an emulated site with its board in one thread, a hub in a process of its
own.

Owns their lives; the broker is the caller's. Everything about the site happens in the chain's own event loop:
use `do` to touch plant or board from outside.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from greenmast.errors import UserError


class Lives(Protocol):
    """An asynchronous context: a world lives while it is open."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


T = TypeVar("T")
W = TypeVar("W", bound=Lives)

_READY_S = 30.0
_STOP_S = 15.0


class HubProcess:
    """`greenmast hub run` on a database file; `ready` is what it said when it was: {"web","broker","db"}."""

    def __init__(self, broker_url: str, folder: Path, web: str = "127.0.0.1:0") -> None:
        """Raises UserError with the hub's own words when it does not come up."""
        log = folder / "hub.log"
        command = [sys.executable, "-m", "greenmast", "hub", "run", "--json", "--broker", broker_url]
        command += ["--db", f"sqlite:///{folder / 'hub.db'}", "--web", web]
        with log.open("a") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(_STOP_S)
            self._process.stdout.close()
            raise UserError(f"the hub does not start: {log.read_text().strip()[-300:]}")
        self.ready: dict[str, str] = json.loads(line)

    def stop(self) -> dict[str, int]:
        """End it in peace; its counters (none when it has ended before or had to be killed)."""
        if self._process.returncode is not None:
            return {}
        self._process.send_signal(signal.SIGTERM)
        try:
            out, _ = self._process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return {}
        lines = out.strip().splitlines()
        return dict(json.loads(lines[-1])) if lines else {}

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.communicate()


class Chain(Generic[W]):
    """Runs `world` in a thread while the context is open, with the board's console in `log`."""

    def __init__(self, make_world: Callable[[Callable[[str], None]], W], log: Path) -> None:
        self.log = log
        self._log_file = log.open("w")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="world", daemon=True)
        self.world = make_world(self._write_log)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self.world.__aenter__())
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._run(self.world.__aexit__(None, None, None))
        self._end_thread()

    def do(self, action: Callable[[], T]) -> T:
        """The result of `action()`, called inside the world's loop."""

        async def act() -> T:
            return action()

        return self._run(act())

    def last_words(self, lines: int = 20) -> str:
        """The end of what the board's console printed."""
        return "\n".join(line[:200] for line in self.log.read_text().splitlines()[-lines:])

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_READY_S)

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_S)
        self._loop.close()
        self._log_file.close()

    def _write_log(self, line: str) -> None:
        self._log_file.write(line + "\n")
        self._log_file.flush()
