"""The pytest plugin: options, fixtures, scenario files as tests, and what is kept when a test fails.

Owns how pytest and a bench meet. Imports of the package are inside functions: the plugin is loaded by every
pytest on a machine that has Greenmast installed, and must not cost or change anything there.
"""

from __future__ import annotations

import glob
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenmast.hil import reports
from greenmast.hil.reports import BENCHES, SEED, traces_folder
from greenmast.hil.scenario_items import NOT_HERE, ScenarioFile, play

if TYPE_CHECKING:
    from greenmast.hil.bench import Bench
    from greenmast.scenario.hil_run import Board
    from greenmast.scenario.run import How
    from greenmast.site import Site

TOUCHES_BOARD = frozenset({"bench", "make_bench", "play_scenario"})
_SCENARIOS = pytest.StashKey[set[Path]]()
_MARKERS = (
    "bench(site, params, plant, speed, begins): what the fixture `bench` is made of: site file or shipped "
    "site, parameters, truths at the start, speed, local time",
    "needs(what): pins, kill, hang, flash, power_cut, contacts, broker, line, link, clock: not run where "
    "there is none",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("greenmast", "Greenmast: hardware in the loop")
    add = group.addoption
    add("--scenarios", action="append", default=[], metavar="GLOB", help="play these scenario files")
    add("--level", choices=("core", "hil", "board"), help="play scenario files at this level only")
    add("--board", metavar="PORT", help="use the real board whose console is on this serial port")
    add("--bus", action="append", default=[], metavar="PORT", help="serial port on its bus; once for each")
    add("--hil-site", metavar="SITE", help="site file or shipped site of the benches [ini hil_site]")
    add("--hil-seed", metavar="N", help='seed of everything random, or "random" [1]')
    add("--hil-speed", type=int, metavar="N", help="play level hil so many times faster than real time")
    add("--hil-traces", default="hil-traces", metavar="DIR", help="keep what was seen of failures there")
    parser.addini("hil_site", "site file or shipped site of the benches", default="india-rural")
    parser.addini("hil_parameters", "parameters of the benches: NAME = NUMBER, one a line", "linelist", [])
    parser.addini("hil_scenarios", "scenario files to play, as patterns below the root", "linelist", [])


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(reports, reports.__name__)
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    given = config.getoption("--hil-seed")
    if given is not None and given != "random" and not given.lstrip("-").isdecimal():
        raise pytest.UsageError(f'--hil-seed: a number or "random", not {given}')
    config.stash[SEED] = random.randrange(1, 1_000_000) if given == "random" else int(given or 1)
    if config.getoption("--bus") and not config.getoption("--board"):
        raise pytest.UsageError("--bus goes with --board")
    files = _named(config.getoption("--scenarios"), config.invocation_params.dir)
    if config.getoption("--scenarios"):
        if not files:
            raise pytest.UsageError(
                f"--scenarios: no such file: {', '.join(config.getoption('--scenarios'))}"
            )
        asked = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
        config.args[:] = [*asked, *map(str, files)]
    config.stash[_SCENARIOS] = {*files, *_named(config.getini("hil_scenarios"), config.rootpath)}


def _named(patterns: list[str], below: Path) -> list[Path]:
    """The files that patterns name, in order and once."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        for name in sorted(glob.glob(str(below / pattern), recursive=True)):
            found[Path(name).resolve()] = None
    return list(found)


def pytest_report_header(config: pytest.Config) -> list[str]:
    lines = [f"greenmast: seed {config.stash[SEED]} (again with --hil-seed {config.stash[SEED]})"]
    if config.getoption("--board"):
        buses = ", ".join(config.getoption("--bus")) or "none"
        lines.append(f"greenmast: real board on {config.getoption('--board')}, its buses on {buses}")
    return lines


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """A scenario is what an option or the command line itself names, never a file that merely lies there."""
    if file_path.suffix != ".toml":
        return None
    named = file_path.resolve() in parent.config.stash[_SCENARIOS]
    if not named and not parent.session.isinitpath(file_path):
        return None
    return ScenarioFile.from_parent(parent, path=file_path, how=_how(parent.config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a real board, tests that do not touch it prove nothing about it: they are not run, and counted."""
    board = config.getoption("--board")
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if board and names.isdisjoint(TOUCHES_BOARD) and not isinstance(item.parent, ScenarioFile):
            item.add_marker(pytest.mark.skip(reason=f"{NOT_HERE}it does not touch the board"))
        for marker in item.iter_markers("needs"):
            for what in marker.args:
                if why := _lack(what, board is not None):
                    item.add_marker(pytest.mark.skip(reason=f"{NOT_HERE}{why}"))


def _lack(what: str, real: bool) -> str:
    from greenmast.hil.limits import LACKS

    if what not in LACKS:
        raise pytest.UsageError(f"marker needs: no such thing: {what}; one of {', '.join(LACKS)}")
    return LACKS[what] if real else ""


# ---- fixtures -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def hil_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run: for a test's own dice, so that `--hil-seed` replays them, too."""
    return request.config.stash[SEED]


@pytest.fixture
def bench_site(request: pytest.FixtureRequest) -> Site:
    """The site of this test's bench, by marker `bench`, option or ini. Override it to make your own."""
    from greenmast import site as sites

    config = request.config
    given = _bench_arguments(request.node)
    named = given.get("site") or config.getoption("--hil-site") or config.getini("hil_site")
    params = {**_parameters(config.getini("hil_parameters")), **given.get("params", {})}
    if named not in sites.names():
        named = str(config.rootpath / named)
    return sites.load(named, params)


@pytest.fixture
def make_bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Bench]]:
    """Starts benches: `make_bench(site, plant=..., speed=..)`, as `greenmast.hil.bench.Bench`; ends them."""
    from greenmast.errors import UserError
    from greenmast.hil.bench import Bench
    from greenmast.hil.limits import NotHereError

    config = request.config
    with ExitStack() as stack:

        def make(site: Site, **options: Any) -> Bench:
            folder = tmp_path_factory.mktemp("bench")
            options.setdefault("seed", config.stash[SEED])
            try:
                bench = Bench(site, folder, board=_board(config), **options)
                request.node.stash.setdefault(BENCHES, []).append(bench)
                stack.enter_context(bench)
            except NotHereError as error:
                pytest.skip(f"{NOT_HERE}{error}")
            except UserError as error:
                if not config.getoption("--board"):
                    raise
                pytest.skip(f"{NOT_HERE}{error.message}")
            stack.callback(_require_no_violation, bench)
            return bench

        yield make


@pytest.fixture
def bench(request: pytest.FixtureRequest, bench_site: Site, make_bench: Callable[..., Bench]) -> Bench:
    """A running site whose board has answered: see `greenmast.hil.bench.Bench` for what it can do."""
    options = {k: v for k, v in _bench_arguments(request.node).items() if k not in ("site", "params")}
    return make_bench(bench_site, **options)


@pytest.fixture
def play_scenario(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`play_scenario(path, level="hil", speed=None)` plays a scenario file; fails with all that did not hold.

    With `--board`, level hil is level board.
    """
    how = _how(request.config)

    def run(path: Path | str, level: str = "hil", *, speed: int | None = None) -> None:
        if level == "hil" and how.port:
            level = "board"
        play(request.node, Path(path), level, how if speed is None else replace(how, speed=speed))

    return run


def _bench_arguments(node: pytest.Item) -> dict[str, Any]:
    """Of the closest marker `bench`, those of farther ones below them."""
    given: dict[str, Any] = {}
    for marker in node.iter_markers("bench"):
        if marker.args or not marker.kwargs.keys() <= {"site", "params", "plant", "speed", "begins"}:
            raise pytest.UsageError(
                f"marker bench takes site=, params=, plant=, speed=, begins=: {node.nodeid}"
            )
        given = {**marker.kwargs, **given}
    return given


def _parameters(lines: list[str]) -> dict[str, int]:
    out = {}
    for line in lines:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not value.lstrip("-").replace("_", "").isdecimal():
            raise pytest.UsageError(f"ini hil_parameters: write NAME = NUMBER, not {line!r}")
        out[name.strip('"')] = int(value)
    return out


def _board(config: pytest.Config) -> Board | None:
    from greenmast.scenario.hil_run import Board

    port = config.getoption("--board")
    return Board(port, tuple(config.getoption("--bus"))) if port else None


def _how(config: pytest.Config) -> How:
    from greenmast.scenario.run import How

    seed = config.stash[SEED] if config.getoption("--hil-seed") else None
    return How(
        speed=config.getoption("--hil-speed"),
        port=config.getoption("--board"),
        buses=tuple(config.getoption("--bus")),
        traces=traces_folder(config),
        seed=seed,
    )


def _require_no_violation(bench: Bench) -> None:
    violations = bench.violations()
    if violations:
        pytest.fail("\n".join(violations), pytrace=False)
