"""A reading: values with their quality and age, as one answer of the board gave them.

Owns the rule that nothing without a good quality has a value to show; knows no screen.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from greenmast.link.base import Link, NoContactError, RefusedError
from greenmast_protocol import points, show, tele

SILENT_PERIODS = 3
_FAREWELL_S = 0.3
NEVER_MS = 0x3FFFFFFF  # the age at which the board stops counting


@dataclass(frozen=True)
class Reading:
    """Values by name (None: no good one), quality words of those, ages in ms of what devices supply."""

    values: dict[str, int | None]
    quality: dict[str, str] = field(default_factory=dict)
    age_ms: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, result: Any) -> Reading:
        """From the result of `get`. Raises RefusedError when it has not that shape."""
        try:
            tele.check_values(result["v"], result["q"])
        except (KeyError, TypeError, ValueError) as e:
            raise RefusedError("malformed", f"the board's answer makes no sense: {e}") from e
        return cls(result["v"], result["q"], result.get("age_ms", {}))

    @property
    def names(self) -> list[str]:
        """Point names in the order of the table; those that it does not have come last."""
        return sorted(self.values, key=lambda name: (points.find(name) < 0, points.find(name), name))

    def text(self, name: str) -> str:
        """The value with its unit or in its word; "?" where there is none."""
        return show.value(name, self.values.get(name))

    def quality_of(self, name: str) -> str:
        """ "good", "stale" or "invalid"; a point without value and without word counts as stale."""
        if self.values.get(name) is not None:
            return "good"
        return self.quality.get(name, "stale")

    def note(self, name: str) -> str:
        """What must be known beside the value: its quality unless good, its age where there is one."""
        words = [] if self.quality_of(name) == "good" else [self.quality_of(name)]
        age_ms = self.age_ms.get(name)
        if age_ms is not None:
            words.append("never read" if age_ms >= NEVER_MS else f"{show.decimal(age_ms, 1000, 1)} s ago")
        return ", ".join(words)

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"points": self.values, "quality": self.quality, "age_ms": self.age_ms}


def get(link: Link, names: Sequence[str] | None = None) -> Reading:
    """The points `names` (patterns allowed; None: all) now. Raises what `Link.call` raises."""
    params: dict[str, Any] = {"ages": True}
    if names:
        params["points"] = list(names)
    return Reading.of(link.call("get", params))


def stream(link: Link, names: Sequence[str] | None, period_s: float) -> Generator[Reading | None]:
    """Readings every `period_s` until closed; None whenever the board has been silent for some periods.

    The board is asked to tell by itself; where the link cannot carry that, it is asked each time. After a
    silence, as when the board has been reset, it is asked anew. Raises RefusedError, but not NoContactError.
    """
    params: dict[str, Any] = {"period_ms": round(period_s * 1000), "ages": True}
    if names:
        params["points"] = list(names)
    watching = False
    try:
        while True:
            try:
                link.call("watch", params)
                watching = True
            except NoContactError:
                yield None
                continue
            except RefusedError as e:
                if e.code != "unknown":
                    raise
                yield _asked(link, names)
                time.sleep(period_s)
                continue
            while (told := link.notice(SILENT_PERIODS * period_s)) is not None:
                if told.method == "tele":
                    yield Reading.of(told.params)
            yield None
    finally:
        if watching:
            with contextlib.suppress(NoContactError):  # then it is not telling either
                link.call("watch", {"period_ms": 0}, timeout_s=_FAREWELL_S)


def _asked(link: Link, names: Sequence[str] | None) -> Reading | None:
    try:
        return get(link, names)
    except NoContactError:
        return None
