"""What came of a scenario: its expectations held against what the controller knew and told, scan by scan.

Owns when a check has failed and how that is said. Knows neither plant nor level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenmast.scenario.document import Check, Scenario
from greenmast.scenario.terms import View, clock


@dataclass(frozen=True)
class Failure:
    """At `at_s`, `what` was not so; `saw` are the values instead. `context`: for people only."""

    at_s: float
    what: str
    saw: str
    context: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For people."""
        head = f"at {clock(round(self.at_s * 1_000))}: {self.what}"
        return [head, f"  saw: {self.saw}", *(f"    {text}" for text in self.context)]


@dataclass
class Verdict:
    """What `scenario run` says about one file at one level.

    `seconds`: how long it took on the wall; `traces`: the folder that tells more about failures, if any.
    """

    file: str
    level: str
    title: str = ""
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    traces: str = ""

    @property
    def passed(self) -> bool:
        return not self.failures

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "file": self.file,
            "level": self.level,
            "passed": self.passed,
            "seconds": round(self.seconds, 3),
            "failures": [{"at": f.at_s, "what": f.what, "saw": f.saw} for f in self.failures],
        }


class Judge:
    """Looks at every scan. `context` tells people how things stood when a check failed."""

    def __init__(self, scenario: Scenario, context: Callable[[], tuple[str, ...]]) -> None:
        self._context = context
        self._open = [_Watch(check) for check in scenario.checks]
        self._open.sort(key=lambda watch: watch.check.after_ms)
        self.failures: list[Failure] = []

    def fail(self, time_ms: int, what: str, saw: str) -> None:
        """Note a failure."""
        self.failures.append(Failure(time_ms / 1_000, what, saw, self._context()))

    def look(self, time_ms: int, view: View) -> None:
        """The state at `time_ms`; instants ascend."""
        done = False
        for watch in self._open:
            if time_ms < watch.check.after_ms:
                break  # they are in the order of their beginnings
            watch.look(time_ms, view)
            if watch.over:
                done = True
                if watch.failed:
                    self.fail(time_ms, str(watch), watch.saw)
        if done:
            self._open = [watch for watch in self._open if not watch.over]

    def end(self, time_ms: int) -> None:
        """Nothing more will be seen."""
        for watch in self._open:
            watch.end()
            if watch.failed:
                self.fail(time_ms, str(watch), watch.saw)
        self._open = []


class _Watch:
    """One check under way."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.over = self.failed = False
        self.saw = "nothing: the controller was never seen in that time"
        self._since_ms = -1  # an expectation has been true since then
        self._judged = False  # an always or never could be told at least once

    def __str__(self) -> str:
        check = self.check
        span = f"in {clock(check.after_ms)} .. {clock(check.by_ms)}"
        hold = f" for {clock(check.hold_ms)}" if check.hold_ms else ""
        return f"{check.place} {check.that} {span}{hold}"

    def look(self, time_ms: int, view: View) -> None:
        check = self.check
        if check.kind != "expect":
            if time_ms > check.by_ms:
                self.end()
                return
            so = check.that.judge(view)
            if so is None:
                if not self._judged:
                    self.saw = f"never known: {check.that.saw(view)}"
            else:
                self._judged = True
                if so == (check.kind == "never"):
                    self._close(failed=True, saw=check.that.saw(view))
            return
        since_ms = self._since_ms
        if check.that.judge(view) is True and (since_ms >= 0 or time_ms <= check.by_ms):
            if since_ms < 0:
                since_ms = self._since_ms = time_ms
            if time_ms - since_ms >= check.hold_ms:
                self._close(failed=False)
            return
        self.saw = check.that.saw(view)
        if since_ms >= 0:
            self.saw += f", after it had held for {clock(time_ms - since_ms)} from {clock(since_ms)}"
            self._since_ms = -1
        if time_ms >= check.by_ms:
            self._close(failed=True)

    def end(self) -> None:
        """The time is up."""
        if self.check.kind == "expect":
            self._close(failed=True)
        else:
            self._close(failed=not self._judged)

    def _close(self, *, failed: bool, saw: str | None = None) -> None:
        self.over = True
        self.failed = failed
        if saw is not None:
            self.saw = saw
