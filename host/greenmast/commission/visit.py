"""The board as commissioning deals with it: values, commands with their refusals, waiting, consent.

Owns the rhythm of asking and how progress is told. Must not know any check.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from greenmast.commission.result import NOT_DONE, Result, Trace
from greenmast.link import reading
from greenmast.link.base import Link, NoContactError, RefusedError
from greenmast_protocol import params, show

LOOK_S = 0.5
_POINTS_A_REQUEST = 5  # a request must fit into a line

Values = dict[str, int | None]


@dataclass(frozen=True)
class Consent:
    """`ask(question)` says whether a person agrees."""

    ask: Callable[[str], bool]

    def refused(self, name: str, question: str) -> Result | None:
        """None when agreed, else the result of a check that was not done."""
        return None if self.ask(question) else Result(name, NOT_DONE, "no consent")


class Visit:
    """One board and its configuration `config`; `params` are its complete parameters."""

    def __init__(self, link: Link, consent: Consent, tell: Callable[[str], None] | None = None) -> None:
        """Raises NoContactError, RefusedError."""
        self.link = link
        self.consent = consent
        self.hello: dict[str, Any] = link.hello()
        self.config: dict[str, Any] = link.call("config.get")
        self.params: Mapping[str, int] = params.complete(self.config.get("params", {}))
        self._began = time.monotonic()
        self._tell = tell or (lambda text: print(text, file=sys.stderr, flush=True))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs of the configuration, by name."""
        return self.config.get("outputs", {})  # type: ignore[no-any-return]

    def roles(self) -> set[str]:
        """Roles that some device has."""
        return {device["role"] for device in self.config.get("devices", [])}

    def say(self, text: str) -> None:
        """A line of progress for a person."""
        self._tell(text)

    def values(self, names: Sequence[str]) -> Values:
        """Good values of points, None for the others and for points that the board does not have.

        Raises NoContactError.
        """
        values: Values = dict.fromkeys(names)
        for first in range(0, len(names), _POINTS_A_REQUEST):
            some = names[first : first + _POINTS_A_REQUEST]
            try:
                values.update(reading.get(self.link, some).values)
            except RefusedError:  # one of them does not exist here: each for itself
                for name in some:
                    try:
                        values.update(reading.get(self.link, [name]).values)
                    except RefusedError:
                        continue
        return values

    def mean(self, names: Sequence[str], seconds: float) -> Values:
        """Means over a while; None for a point that was ever without a value. Raises NoContactError."""
        samples: list[Values] = []
        end = time.monotonic() + seconds
        while not samples or time.monotonic() < end:
            samples.append(self.values(names))
            time.sleep(LOOK_S)
        out: Values = {}
        for name in names:
            column = [sample[name] for sample in samples]
            known = [value for value in column if value is not None]
            out[name] = round(sum(known) / len(known)) if len(known) == len(column) else None
        return out

    def command(self, name: str, **args: object) -> str:
        """Ask for something. Returns "" when it was accepted, else the board's reason in words."""
        try:
            self.link.call("command", {"name": name, "args": args})
        except NoContactError:
            raise
        except RefusedError as refused:
            return f"{name} refused: {refused.message}"
        return ""

    def wait(
        self,
        names: Sequence[str],
        until: Callable[[Values], bool],
        seconds: float,
        what: str,
        trace: Trace | None = None,
    ) -> tuple[float | None, Values]:
        """Look at points until `until(values)` holds. Returns the seconds that took (None: not within
        `seconds`) and the last values. Raises NoContactError.
        """
        self.say(f"  waiting: {what} (at most {show.duration(round(seconds))})")
        start = time.monotonic()
        while True:
            values = self.values(names)
            passed = time.monotonic() - start
            if trace is not None:
                trace.add(time.monotonic() - self._began, values)
            if until(values):
                return passed, values
            if passed >= seconds:
                return None, values
            time.sleep(LOOK_S)

    def why(self, *subjects: str) -> str:
        """The board's own explanation of `subjects` ("genset", "output.grid"; none: of everything)."""
        try:
            rows = self.link.call("explain")["rows"]
        except (NoContactError, RefusedError):
            return ""
        return "; ".join(show.explanation(row) for row in rows if not subjects or row[0] in subjects)
