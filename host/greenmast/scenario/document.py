"""Scenario files: TOML in, a checked `Scenario` out, or every reason why not.

Owns the file format. Every name, word and value is looked up in the table that it comes from; whatever is
not right is listed with its place, and nothing is played.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from greenmast import site as sites
from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.plant import truths
from greenmast.scenario import faults
from greenmast.scenario.terms import Conjunction, TermError, conjunction, duration_ms
from greenmast.site import Site, near
from greenmast_protocol import commands, instances, params, points, reasons

LEVELS = ("core", "sim", "hil", "board")
BEGINS = datetime(2026, 6, 15, 12, 0)
# What a command meets that cannot reach the board; no code of the board's own.
NO_CONTACT = "no_contact"
_REFUSALS = (*reasons.REFUSALS, NO_CONTACT)
_SECTIONS = ("title", "site", "levels", "duration", "seed", "begins", "start", "config", "at")
_CHECKS = ("expect", "always", "never")
_AT = ("time", "plant", "fault", "command", "expect_refused")


@dataclass(frozen=True)
class Fault:
    """`for_ms` None: until the end. `by_s`: of a clock that jumps."""

    on: str
    kind: str
    for_ms: int | None
    by_s: int = 0


@dataclass(frozen=True)
class Command:
    """`refused`: the code that must answer it, or "" when it must be accepted."""

    name: str
    args: dict[str, Any]
    refused: str

    @property
    def expected(self) -> str:
        """For people."""
        return f"{self.name} {self.answered(self.refused)}"

    def answered(self, code: str) -> str:
        """For people: what `code` of a refusal, or "", means."""
        return f"refused: {code}" if code else "accepted"


@dataclass(frozen=True)
class Act:
    """What happens at `time_ms`."""

    place: str
    time_ms: int
    plant: Mapping[str, float]
    fault: Fault | None
    command: Command | None


@dataclass(frozen=True)
class Check:
    """`kind` expect: true at some moment in [after, by] and from then on for `hold_ms`. always, never: all
    of [after, by].
    """

    place: str
    kind: str
    after_ms: int
    by_ms: int
    hold_ms: int
    that: Conjunction


@dataclass(frozen=True)
class Scenario:
    """A scenario that has been checked. `site` has its `[config]` applied."""

    path: Path
    title: str
    site: Site
    levels: tuple[str, ...]
    duration_ms: int
    seed: int
    begins: datetime
    start: Mapping[str, float]
    acts: tuple[Act, ...]
    checks: tuple[Check, ...]

    def command(self, level: str) -> str:
        """What plays it again as it was played."""
        words = ["greenmast", "scenario", "run", str(self.path), "--level", level, "--seed", str(self.seed)]
        return shlex.join(words)

    @property
    def end_ms(self) -> int:
        """When nothing is left to be judged: an expectation met late must still hold."""
        holds = [check.by_ms + check.hold_ms for check in self.checks if check.kind == "expect"]
        return max([self.duration_ms, *holds])


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises UserError with every problem, one a line."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}", BAD_INPUT_FILE) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not valid TOML: {error}", BAD_INPUT_FILE) from None
    return _Reader(path, document).scenario()


class _Reader:
    """Walks one document and collects what is wrong with it."""

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self._path = path
        self._doc = document
        self._problems: list[str] = []
        self._extra: Mapping[str, str] = {}  # points of single devices

    def scenario(self) -> Scenario:
        doc = self._doc
        self._unknown("", doc, (*_SECTIONS, *_CHECKS))
        title = self._typed("title", doc.get("title", self._path.stem), str, "a text")
        levels = self._levels(doc.get("levels", ["core"]))
        seed = self._typed("seed", doc.get("seed", 1), int, "an integer")
        end_ms = self._duration("duration", doc, None)
        site = self._site(self._table("config", doc.get("config", {})))
        self._extra = _points_beyond(site)
        begins = self._begins(doc.get("begins", BEGINS))
        start = self._truths("[start]", doc.get("start", {}))
        acts = [self._act(place, row, site, end_ms) for place, row in self._rows("at")]
        checks = [
            self._check(kind, place, row, end_ms) for kind in _CHECKS for place, row in self._rows(kind)
        ]
        if not self._problems and end_ms <= 0:
            self._add("duration", "must be above zero")
        if self._problems or site is None:
            lines = [f"{self._path}: not accepted:", *(f"  {problem}" for problem in self._problems)]
            raise UserError("\n".join(lines), BAD_INPUT_FILE)
        acts.sort(key=lambda act: act.time_ms)
        return Scenario(
            self._path, title, site, levels, end_ms, seed, begins, start, tuple(acts), tuple(checks)
        )

    # ---- values -----------------------------------------------------------------------------------------

    def _add(self, place: str, text: str) -> None:
        self._problems.append(f"{place}: {text}")

    def _unknown(self, place: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
        known = tuple(known)
        for key in table:
            if key not in known:
                self._add(f"{place} {key}".strip(), f"no such key{near(key, known)}")

    def _typed(self, place: str, value: Any, kind: type, what: str) -> Any:
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        self._add(place, f"must be {what}, not {value!r}")
        return kind()

    def _table(self, place: str, value: Any) -> dict[str, Any]:
        """Flat, so that `grid.voltage_mv = 1` and `"grid.voltage_mv" = 1` are one."""
        if not isinstance(value, Mapping):
            self._add(place, "must be a table")
            return {}
        flat: dict[str, Any] = {}
        for key, content in value.items():
            if isinstance(content, Mapping):
                inner = self._table(f"{place} {key}", content)
                flat.update({f"{key}.{name}": each for name, each in inner.items()})
            else:
                flat[key] = content
        return flat

    def _rows(self, section: str) -> list[tuple[str, dict[str, Any]]]:
        rows = self._doc.get(section, [])
        if isinstance(rows, Mapping):
            self._add(f"[{section}]", f"write it with double brackets: [[{section}]]")
            return []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._add(section, f"must be tables, each headed [[{section}]]")
            return []
        return [(f"[[{section}]] {number}", row) for number, row in enumerate(rows, 1)]

    def _duration(self, place: str, table: Mapping[str, Any], default: int | None) -> int:
        """Of the key that ends `place`."""
        key = place.split()[-1].split(".")[-1]
        if key not in table:
            if default is None:
                self._add(place, "missing")
            return default or 0
        try:
            return duration_ms(table[key])
        except TermError as error:
            self._add(place, str(error))
            return default or 0

    def _one_of(self, place: str, word: Any, known: Iterable[str], what: str) -> bool:
        known = tuple(known)
        if word in known:
            return True
        self._add(place, f"no such {what}: {word}{near(str(word), known)}")
        return False

    # ---- sections ---------------------------------------------------------------------------------------

    def _levels(self, given: Any) -> tuple[str, ...]:
        rows = [given] if isinstance(given, str) else given
        if not isinstance(rows, list) or not rows:
            self._add("levels", f"must be a list out of {', '.join(LEVELS)}")
            return ()
        return tuple(level for level in rows if self._one_of("levels", level, LEVELS, "level"))

    def _begins(self, given: Any) -> datetime:
        try:
            begins = datetime.fromisoformat(given) if isinstance(given, str) else given
        except ValueError:
            begins = None
        if isinstance(begins, datetime):
            return begins.replace(tzinfo=None)
        self._add("begins", f'{given!r} is no local time; write "2026-06-15T12:00"')
        return BEGINS

    def _site(self, config: dict[str, Any]) -> Site | None:
        """The site with `[config]` applied, or as it is when that is not possible."""
        given = {key: value for key, value in config.items() if self._setting(key, value)}
        name = self._doc.get("site")
        if not isinstance(name, str):
            self._add("site", "missing" if name is None else "must be a text")
            return None
        if name not in sites.names():
            path = self._path.parent / name
            if not path.is_file():
                self._add("site", f"no such site or file: {name}{near(name, sites.names())}")
                return None
            name = str(path)
        try:
            return sites.load(name, given)
        except UserError as error:
            first = len(self._problems)
            lines = [line.strip() for line in error.message.splitlines()]
            for line in lines[1:] or lines:
                self._add("[config]" if given else "site", line)
            return self._bare_site(name, first) if given else None

    def _setting(self, name: str, value: Any) -> bool:
        """Whether one parameter may have this value; how they go together is judged with the site."""
        place = f"[config] {name}"
        row = params.row(name)
        if row is None:
            return self._one_of(place, name, params.NAMES, "parameter")
        if name in params.CHOICES and isinstance(value, str):
            return self._one_of(place, value, params.CHOICES[name], "word")
        _, _, low, high = row
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._add(place, f"must be an integer in {low} .. {high}, not {value!r}")
            return False
        return True

    def _bare_site(self, name: str, first: int) -> Site | None:
        """The site alone; when the fault lies there, the problems from `first` on are the site's."""
        try:
            return sites.load(name)
        except UserError:
            self._problems[first:] = [p.replace("[config]:", "site:", 1) for p in self._problems[first:]]
            return None

    def _truths(self, place: str, given: Any) -> dict[str, float]:
        out: dict[str, float] = {}
        for name, value in self._table(place, given).items():
            here = f"{place} {name}"
            if not self._one_of(here, name, truths.WRITERS, "settable truth"):
                continue
            i = points.index(name)
            bit = not points.in_range(i, 2)
            if (isinstance(value, bool) and not bit) or not isinstance(value, int | float):
                self._add(here, f"must be a number, not {value!r}")
            elif not points.in_range(i, round(value)):
                _, low, high, _ = points.POINTS[i]
                self._add(here, f"{value} lies outside {low} .. {high}")
            else:
                out[name] = float(value)
        return out

    def _act(self, place: str, row: dict[str, Any], site: Site | None, end_ms: int) -> Act:
        self._unknown(place, row, _AT)
        time_ms = self._duration(f"{place} time", row, None)
        if time_ms > end_ms > 0:
            self._add(f"{place} time", f"{row['time']} is after the end")
        if not {"plant", "fault", "command"} & row.keys():
            self._add(place, "needs plant, fault or command")
        plant = self._truths(f"{place} plant", row.get("plant", {}))
        fault = self._fault(f"{place} fault", row["fault"], site) if "fault" in row else None
        refused = row.get("expect_refused", "")
        if "expect_refused" in row:
            self._one_of(f"{place} expect_refused", refused, _REFUSALS, "refusal code")
            if "command" not in row:
                self._add(f"{place} expect_refused", "needs a command")
        command = self._command(f"{place} command", row["command"], refused) if "command" in row else None
        return Act(place, time_ms, plant, fault, command)

    def _fault(self, place: str, given: Any, site: Site | None) -> Fault | None:
        if not isinstance(given, Mapping):
            self._add(place, 'must be a table like { on = "battery", kind = "silent", for = "15m" }')
            return None
        on, kind = given.get("on"), given.get("kind")
        self._unknown(place, given, ("on", "kind", "for", *faults.OPTIONS.get(str(kind), ())))
        targets = (*faults.TARGETS, *faults.single(site))
        known = self._one_of(f"{place}.on", on, targets, "target")
        every = tuple(dict.fromkeys(k for target in faults.TARGETS for k in faults.kinds(target)))
        fits = faults.kinds(str(on)) if known else every
        if self._one_of(f"{place}.kind", kind, fits, f"fault of {on}" if known else "fault") and known:
            lacking = faults.absent(str(on), str(kind), site) if site else ""
            if lacking:
                self._add(f"{place}.on", lacking)
        for_ms = self._duration(f"{place}.for", given, 0) if "for" in given else None
        by_s = 0
        if kind == "jump":
            by_s = self._typed(f"{place}.by_s", given.get("by_s"), int, "whole seconds, either way")
        return Fault(str(on), str(kind), for_ms, by_s)

    def _command(self, place: str, given: Any, refused: Any) -> Command | None:
        if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
            self._add(place, 'must be a table like { name = "genset.start", for_s = 3600 }')
            return None
        name = given["name"]
        args = {key: value for key, value in given.items() if key != "name"}
        code, text = commands.problem(name, args)
        if code and code != refused:
            self._add(place, text + ("" if name in commands.NAMES else near(name, commands.NAMES)))
        return Command(name, args, str(refused))

    def _check(self, kind: str, place: str, row: dict[str, Any], end_ms: int) -> Check:
        times: dict[str, Callable[[], int]] = {
            "after": lambda: self._duration(f"{place} after", row, 0),
            "by": lambda: self._duration(f"{place} by", row, end_ms),
            "hold": lambda: self._duration(f"{place} hold", row, 0) if kind == "expect" else 0,
        }
        self._unknown(place, row, ("that", "after", "by", *(("hold",) if kind == "expect" else ())))
        after_ms, by_ms, hold_ms = (read() for read in times.values())
        if kind == "expect" and not {"by", "hold"} & row.keys():
            self._add(place, "needs by (when at the latest), or hold")
        if after_ms > by_ms and end_ms:
            self._add(f"{place} after", "is later than by" if "by" in row else "is after the end")
        if by_ms > end_ms > 0:
            self._add(f"{place} by", f"{row['by']} is after the end")
        that, problems = conjunction(row.get("that", []), self._extra)
        for problem in problems:
            self._add(f"{place} that", problem)
        return Check(place, kind, after_ms, by_ms, hold_ms, that)


def _points_beyond(site: Site | None) -> dict[str, str]:
    """Points of single devices where several share a role, and those of the table that they are like."""
    several = instances.Instances(instances.count(list(site.roles) if site else []))
    beyond = range(points.COUNT, points.COUNT + several.count)
    return {several.name(i): points.name(several.kind(i)) for i in beyond}
