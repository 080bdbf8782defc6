"""How a genset controller starts and guards its engine: crank attempts with rests, lock-out, loss of speed.

Owns the start sequence and the latched shutdown. Must not know registers or any product.

    stopped   start asked, nothing latched -> cranking
    cranking  engine runs -> running;  attempt over -> resting, after the last one shutdown "fail_to_start"
    resting   rest over -> cranking
    running   engine stands -> shutdown "underspeed"
    (any)     start no longer asked -> stopped;  a shutdown -> stopped, latched until `reset`
"""

from __future__ import annotations

ATTEMPTS = 3
CRANK_S = 10.0
REST_S = 10.0


class StartSequence:
    """`shutdown` is the name of the latched alarm or "". Times are seconds of the plant's clock."""

    def __init__(self) -> None:
        self.state = "stopped"
        self.shutdown = ""
        self._attempt = 0
        self._since_s = 0.0

    def update(self, now_s: float, asked: bool, running: bool) -> bool:
        """Advance to `now_s` and return whether the engine is to be started or kept running."""
        elapsed_s = now_s - self._since_s
        if not asked or self.shutdown:
            self._enter("stopped", now_s)
        elif self.state == "stopped":
            self._attempt = 1
            self._enter("cranking", now_s)
        elif self.state == "cranking":
            if running:
                self._enter("running", now_s)
            elif elapsed_s >= CRANK_S and self._attempt < ATTEMPTS:
                self._enter("resting", now_s)
            elif elapsed_s >= CRANK_S:
                self._trip("fail_to_start", now_s)
        elif self.state == "resting":
            if elapsed_s >= REST_S:
                self._attempt += 1
                self._enter("cranking", now_s)
        elif not running:
            self._trip("underspeed", now_s)
        return self.state in ("cranking", "running")

    def reset(self) -> None:
        """Clear a latched shutdown."""
        self.shutdown = ""

    def _enter(self, state: str, now_s: float) -> None:
        if state != self.state:
            self.state = state
            self._since_s = now_s

    def _trip(self, alarm: str, now_s: float) -> None:
        self.shutdown = alarm
        self._enter("stopped", now_s)
