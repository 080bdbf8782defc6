"""What commissioning has found: one result per check, in a file so that a visit can be resumed.

Owns the record and its file. Knows no board and no page.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from greenmast.errors import BAD_INPUT_FILE, UserError

PASSED = "passed"
FAILED = "failed"
LOOK = "look"  # nothing is wrong for certain, but a person has to judge
NOT_DONE = "not done"
VERDICTS = (PASSED, FAILED, LOOK, NOT_DONE)


@dataclass(frozen=True)
class Result:
    """One check: its `name` within a section, the verdict, what was seen, what was expected, what to do."""

    name: str
    verdict: str
    saw: str = ""
    expected: str = ""
    remedy: str = ""


@dataclass
class Trace:
    """Something over time, for a picture: `series` has the values of points at `seconds` (None: unknown)."""

    title: str
    seconds: list[float] = field(default_factory=list)
    series: dict[str, list[int | None]] = field(default_factory=dict)

    def add(self, second: float, values: dict[str, int | None]) -> None:
        """Append a sample of all series."""
        self.seconds.append(round(second, 1))
        for name, value in values.items():
            self.series.setdefault(name, []).append(value)


@dataclass
class Record:
    """A whole visit. `about`: site, board, firmware, who, when; `sections`: results by title."""

    about: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, list[Result]] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)

    def put(self, section: str, results: Iterable[Result], traces: Iterable[Trace] = ()) -> None:
        """The results of `section`, in place of earlier ones."""
        traces = list(traces)
        titles = [trace.title for trace in traces]
        self.sections[section] = list(results)
        self.traces = [trace for trace in self.traces if trace.title not in titles] + traces

    def count(self, verdict: str) -> int:
        """How many results have this verdict."""
        return sum(result.verdict == verdict for results in self.sections.values() for result in results)

    def document(self) -> dict[str, Any]:
        """As `--json` prints it and the file keeps it."""
        return {
            "about": self.about,
            "counts": {verdict: self.count(verdict) for verdict in VERDICTS},
            "sections": {title: [asdict(r) for r in results] for title, results in self.sections.items()},
            "traces": [asdict(trace) for trace in self.traces],
        }

    def fingerprint(self) -> str:
        """Sixteen hex digits that bind a signed sheet of paper to its file."""
        text = json.dumps(self.document(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the file, all or nothing. Raises UserError."""
        draft = path.with_name(f"{path.name}.part")
        try:
            draft.write_text(json.dumps(self.document(), indent=1, ensure_ascii=False), encoding="utf-8")
            os.replace(draft, path)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read a file that `save` has written. Raises UserError."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                document["about"],
                {title: [Result(**row) for row in rows] for title, rows in document["sections"].items()},
                [Trace(**trace) for trace in document["traces"]],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: not a commissioning record: {error}", BAD_INPUT_FILE) from None
