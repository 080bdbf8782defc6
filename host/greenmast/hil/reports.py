"""What pytest tells of benches: what they could not do, and what was kept of a test that failed."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenmast.hil.scenario_items import NOT_HERE, TRACES

if TYPE_CHECKING:
    from greenmast.hil.bench import Bench

BENCHES = pytest.StashKey[list["Bench"]]()  # of an item, in the order in which they were made
SEED = pytest.StashKey[int]()  # of a run


def traces_folder(config: pytest.Config) -> Path:
    """Where each failure gets a folder."""
    return Path(config.invocation_params.dir, config.getoption("--hil-traces"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """What a bench cannot do ends a test without a verdict."""
    try:
        yield
    except Exception as error:
        from greenmast.hil.limits import NotHereError

        if isinstance(error, NotHereError):
            pytest.skip(f"{NOT_HERE}{error}")
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what the benches of a failed test have seen, and say where."""
    report = yield
    if report.failed:
        benches = item.stash.get(BENCHES, None) or []
        for number, bench in enumerate(benches, 1):
            name = re.sub(r"[^\w.-]+", "-", item.nodeid) + (f"-{number}" if number > 1 else "")
            about = [
                f"test: {item.nodeid}",
                f"again: {_again(item)}",
                "",
                str(call.excinfo and call.excinfo.value),
            ]
            folder = bench.save(traces_folder(item.config) / name, item.name, about)
            report.user_properties.append((TRACES, str(folder)))
            report.sections.append(("Greenmast", f"traces: {folder}\nagain:  {_again(item)}"))
        item.stash[BENCHES] = []
    return report


def _again(item: pytest.Item) -> str:
    config = item.config
    words = ["pytest", item.nodeid, "--hil-seed", str(config.stash[SEED])]
    for option in ("--hil-site", "--hil-speed", "--board"):
        if config.getoption(option):
            words += [option, str(config.getoption(option))]
    for port in config.getoption("--bus"):
        words += ["--bus", port]
    return shlex.join(words)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not run here, with reasons, and where the traces of failures are."""
    stats = terminalreporter.stats
    reasons = [
        str(report.longrepr[2]) for report in stats.get("skipped", []) if isinstance(report.longrepr, tuple)
    ]
    absent = Counter(r.partition(NOT_HERE)[2] for r in reasons if NOT_HERE in r)
    if absent:
        terminalreporter.section(f"not on this bench: {absent.total()} tests")
        for reason, count in absent.most_common():
            terminalreporter.line(f"{count:4}  {reason}")
    reports = [*stats.get("failed", []), *stats.get("error", [])]
    properties = [each for report in reports for each in getattr(report, "user_properties", ())]
    kept = dict.fromkeys(value for name, value in properties if name == TRACES)
    if kept:
        terminalreporter.section("traces of what failed")
        for folder in kept:
            terminalreporter.line(folder)
