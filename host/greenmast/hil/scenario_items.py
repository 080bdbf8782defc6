"""Scenario files as tests: one item for each level at which a file is played.

Owns what pytest sees of a scenario. What happens in it is the business of `greenmast.scenario`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from greenmast.scenario.run import How

NOT_HERE = "not on this bench: "
TRACES = "greenmast traces"  # property of a report: the folder that has more about a failure


class HeldNotError(Exception):
    """Something did not hold; the text has all of it."""


class ScenarioFile(pytest.File):
    """A scenario file that somebody has named."""

    def __init__(self, *, how: How, **rest: Any) -> None:
        super().__init__(**rest)
        self.how = how

    def collect(self) -> Iterator[pytest.Item]:
        from greenmast.errors import UserError
        from greenmast.scenario import document, run

        try:
            scenario = document.load(self.path)
        except UserError as error:
            raise self.CollectError(error.message) from None
        asked = self.config.getoption("--level")
        if asked:
            levels = [asked]
        elif self.how.port:
            levels = ["board"]
        else:
            levels = [level for level in scenario.levels if level != "board"]
        hindered = {level: run.obstacle(scenario, level, self.how) for level in levels}
        for level, why in hindered.items():
            item = ScenarioItem.from_parent(self, name=level, title=scenario.title)
            # A file that says it is for a level, and can be played there or elsewhere, or has not been asked
            # for, is no failure; one that was to be played and cannot be is.
            if why and (level == "board" or level not in scenario.levels or not all(hindered.values())):
                item.add_marker(pytest.mark.skip(reason=f"{NOT_HERE}{why}"))
            yield item


class ScenarioItem(pytest.Item):
    """A scenario at one level."""

    parent: ScenarioFile

    def __init__(self, *, title: str, **rest: Any) -> None:
        super().__init__(**rest)
        self._title = title

    def runtest(self) -> None:
        play(self, self.path, self.name, self.parent.how)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, HeldNotError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, 0, f"{self.name}: {self._title}"


def play(item: pytest.Item, path: Path, level: str, how: How) -> None:
    """Play a file as `item`. Raises HeldNotError; what a real board cannot do ends with a skip."""
    from greenmast.errors import UserError
    from greenmast.scenario import document, run

    if why := run.obstacle(document.load(path), level, how):
        if level == "board":
            pytest.skip(f"{NOT_HERE}{why}")
        raise HeldNotError(f"not run at this level: {why}")
    if how.traces:
        folder = path.resolve().parent
        below = folder.relative_to(item.config.rootpath) if item.config.rootpath in folder.parents else Path()
        how = replace(how, traces=how.traces / below)
    try:
        verdict = run.play(str(path), level, how)
    except UserError as error:
        if level != "board":
            raise
        pytest.skip(f"{NOT_HERE}{error.message}")
    if verdict.traces:
        item.user_properties.append((TRACES, verdict.traces))
        item.add_report_section("call", "Greenmast", f"traces: {verdict.traces}")
    if not verdict.passed:
        raise HeldNotError("\n".join(line for failure in verdict.failures for line in failure.lines()))
