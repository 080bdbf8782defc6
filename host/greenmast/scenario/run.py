"""The command `scenario run`: which file is played at which level, in parallel, and what is told about it.

Owns the plan, the processes and the output. Knows nothing of plants and controllers.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.text import Text

from greenmast.errors import BAD_INPUT_FILE, DONE, REFUSED, UserError
from greenmast.scenario import document, faults
from greenmast.scenario.document import Scenario
from greenmast.scenario.judge import Failure, Verdict
from greenmast.scenario.terms import clock

NOT_RUN = "not run at this level"
_ABSENT = "this version has no level {}"
_REAL_TIME = ("hil", "board")


@dataclass(frozen=True)
class How:
    """Ways to play. `speed`: of level hil, None for what the length asks for. `port`: the real board's
    console, and `buses` the ports on which this machine is its devices. `traces`: where each failure gets a
    folder. `seed`: None for that of the file.
    """

    speed: int | None = None
    port: str | None = None
    buses: tuple[str, ...] = ()
    traces: Path | None = None
    seed: int | None = None


USUAL = How()


def run(files: list[str], level: str | None, jobs: int | None, *, json_output: bool, how: How = USUAL) -> int:
    """Play `files`; a verdict each on stdout as it is known. Returns the exit code.

    Raises UserError, before anything is played, with all that is wrong with any of the files.
    """
    scenarios = _load(files)
    refused, tasks = _plan(scenarios, level, how)
    out = Console(highlight=False, soft_wrap=True)
    passed = True
    for verdict in chain(refused, _play(tasks, jobs or os.cpu_count() or 1, how)):
        passed = passed and verdict.passed
        if json_output:
            print(json.dumps(verdict.document(), ensure_ascii=False), flush=True)
        else:
            _show(out, verdict)
    return DONE if passed else REFUSED


def play(file: str, level: str, how: How = USUAL) -> Verdict:
    """Play one file at one level. Raises UserError when the board does not run the file's site."""
    began = time.monotonic()
    scenario = document.load(Path(file))
    if how.seed is not None:
        scenario = dataclasses.replace(scenario, seed=how.seed)
    folder = how.traces / f"{scenario.path.stem}-{level}" if how.traces else None
    if level in _REAL_TIME:
        from greenmast.scenario import hil_run

        board = hil_run.Board(how.port, how.buses) if level == "board" and how.port else None
        failures = hil_run.play(scenario, speed=how.speed, board=board, traces=folder)
    else:
        from greenmast.scenario.core_level import CoreRun

        failures = CoreRun(scenario).run()
        if failures and folder:
            from greenmast.hil import core_trace

            core_trace.save(scenario, folder, failures)
    kept = str(folder) if failures and folder else ""
    return Verdict(file, level, scenario.title, time.monotonic() - began, failures, kept)


def _load(files: list[str]) -> dict[str, Scenario]:
    scenarios = {}
    problems = []
    for file in files:
        try:
            scenarios[file] = document.load(Path(file))
        except UserError as error:
            problems.append(error.message)
    if problems:
        raise UserError("\n".join(problems), BAD_INPUT_FILE)
    return scenarios


def _plan(
    scenarios: dict[str, Scenario], level: str | None, how: How
) -> tuple[list[Verdict], list[tuple[str, str]]]:
    """Verdicts on what cannot be played, and the (file, level) to play."""
    refused = []
    tasks = []
    for file, scenario in scenarios.items():
        obstacles = {
            each: obstacle(scenario, each, how)
            for each in ((level,) if level else dict.fromkeys(scenario.levels))
        }
        able = [each for each, why in obstacles.items() if not why]
        tasks += [(file, each) for each in able]
        for each, why in obstacles.items():
            if why and able:
                print(f"{file}: {each}: not run: {why}", file=sys.stderr)
            elif why:
                refused.append(Verdict(file, each, scenario.title, 0.0, [Failure(0.0, NOT_RUN, why)]))
    tasks.sort(key=lambda task: task[1])  # what is quick first
    return refused, tasks


def obstacle(scenario: Scenario, level: str, how: How = USUAL) -> str:
    """Why a scenario cannot be played at a level, or ""."""
    if level not in scenario.levels:
        return f"the file is for {', '.join(scenario.levels)}"
    if level == "board" and not how.port:
        return "needs a board: --port PORT and --bus PORT"
    if level in _REAL_TIME:
        try:
            from greenmast.scenario import hil_level
        except ModuleNotFoundError as error:
            return f"needs: pip install 'greenmast[emulator]' ({error.name} is missing)"
        if level == "board":
            return hil_level.obstacle_on_board(scenario)
        return hil_level.obstacle(scenario)
    return _without_lines(scenario) if level == "core" else _ABSENT.format(level)


def _without_lines(scenario: Scenario) -> str:
    """Level core has none: devices answer the controller at once."""
    acts = [act.fault for act in scenario.acts if act.fault and act.fault.on.split(".")[0] == faults.BUS]
    lacking = dict.fromkeys(f"{fault.on} {fault.kind} (needs a line)" for fault in acts)
    return f"not at this level: {', '.join(lacking)}" if lacking else ""


def _play(tasks: list[tuple[str, str]], jobs: int, how: How) -> Iterator[Verdict]:
    """Verdicts in the order of the tasks: level core in parallel, what runs in real time one by one."""
    quick = [task for task in tasks if task[1] == "core"]
    jobs = min(jobs, len(quick))
    done = 0
    if jobs > 1:
        with multiprocessing.Pool(jobs, _worker) as pool:
            for verdict in pool.imap(partial(_play_task, how), quick):
                done += 1
                yield verdict
                _progress(done, len(tasks))
    for task in tasks[done:]:
        _progress(done, len(tasks))
        yield play(*task, how)
        done += 1


def _play_task(how: How, task: tuple[str, str]) -> Verdict:
    return play(*task, how)


def _worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which ends its workers


def _progress(done: int, count: int) -> None:
    if sys.stderr.isatty() and count > 1:
        end = "\r" if done < count else "\r\x1b[K"
        print(f"{done}/{count} scenarios", end=end, file=sys.stderr, flush=True)


def _show(out: Console, verdict: Verdict) -> None:
    line = Text.assemble(
        ("passed " if verdict.passed else "FAILED ", "bold green" if verdict.passed else "bold red"),
        (f"{verdict.level:<5}", "cyan"),
        f" {verdict.file}  {verdict.title}",
        (f"  {verdict.seconds:.1f} s", "dim"),
    )
    out.print(line)
    for failure in verdict.failures:
        out.print(Text(f"  at {clock(round(failure.at_s * 1_000))}: {failure.what}", style="red"))
        out.print(Text(f"    saw: {failure.saw}"))
        for text in failure.context:
            out.print(Text(f"      {text}", style="dim"))
    if verdict.traces:
        out.print(Text(f"  traces: {verdict.traces}"))
