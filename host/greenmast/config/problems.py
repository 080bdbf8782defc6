"""Reasons against a configuration file, for the person who wrote it: place, line, remedy.

Owns where a place of the rules stands in the text and what helps. The rules themselves live in
`greenmast_protocol.config` and `greenmast.site`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from greenmast import site as sites
from greenmast.config import source
from greenmast.site import NotAcceptedError
from greenmast_protocol import config, param_text, params, show, units

# (part of the reason's text, what helps)
_REMEDIES = (
    ("not valid TOML", "repair the line; strings stand in quotes, a table's name in brackets"),
    ("not valid JSON", "repair the line; each key once, whole numbers only"),
    ("no such parameter", "`greenmast config schema` lists all parameters"),
    ("no such section", "`greenmast config schema` lists all sections"),
    ("no such key", "`greenmast config schema` lists the keys of each section"),
    ("is taken on bus", "give each device on one bus its own address, here and in the device"),
    ("is already", "each pin has one use: see the board's terminals"),
    ("no such bus", "name one of the [[bus]] tables"),
    ("schema", "write it anew with `greenmast config show --json`, or update greenmast"),
    ("missing", "add it"),
    ("is no time of day", 'write hours and minutes in quotes: "13:00"; a band may pass midnight'),
    (
        "is no list of months",
        "numbers from 1 to 12 in brackets: [7, 8, 9]; without the key it is all of them",
    ),
    ("has no length", 'a whole day is from "00:00" to "24:00"'),
    ("bytes", "see that this is the right file"),
)
_REMEDY = "`greenmast config schema` says what may stand there"
_FILE = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class Problem:
    """One reason. `line` counts from 1; None where the file does not say it anywhere."""

    place: str
    text: str
    line: int | None
    remedy: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


def of(name_or_path: str) -> list[Problem]:
    """Every reason against the file; none when it is accepted. Raises UserError where there is none."""
    try:
        source.read(name_or_path)
    except NotAcceptedError as error:
        lines = _text(name_or_path).splitlines()
        return [_problem(reason, lines) for reason in error.reasons]
    return []


def _problem(reason: str, lines: list[str]) -> Problem:
    place, colon, text = reason.partition(": ")
    if not colon or " " in place.replace("[[", "[").split("]")[0].removeprefix("bus ").removeprefix(
        "device "
    ):
        place, text = "file", reason
    told = _FILE.search(text)
    line = int(told[1]) if told else line_of(place, text, lines)
    return Problem(place, text, line, _remedy(place, text))


def _remedy(place: str, text: str) -> str:
    row = params.row(place)
    if row is not None:
        unit = units.of(place)
        low, high = (show.quantity(v, unit) if unit else str(v) for v in row[2:])
        what = f"{param_text.TEXTS.get(place, place)}: {low} .. {high}, default {row[1]}"
        counterpart = _counterpart(text)
        return f"raise it or lower {counterpart} ({what})" if counterpart else what
    return next((remedy for part, remedy in _REMEDIES if part in text), _REMEDY)


def _counterpart(text: str) -> str:
    told = re.search(r"must exceed (\S+) =", text)
    return told[1] if told else ""


def line_of(place: str, text: str, lines: list[str]) -> int | None:
    """The line where `place` stands, else that of what it hangs on, else None."""
    headers = [(i, line.split("#")[0].strip()) for i, line in enumerate(lines, 1)]
    headers = [(i, line) for i, line in headers if re.fullmatch(r"\[.+\]", line)]
    section, _, key = place.partition(".")
    if place.startswith("["):
        section, _, key = place.strip("[").partition("]")
        key = key.strip("] ")
    elif place.startswith("bus "):
        found = [i for i, line in headers if line == "[[bus]]"]
        number = place.removeprefix("bus ")
        return found[int(number) - 1] if number.isdigit() and int(number) <= len(found) else None
    if place.startswith("[tariff] band "):
        found = [i for i, line in headers if line == "[[tariff.band]]"]
        band = int(place.removeprefix("[tariff] band "))
        if band > len(found):
            return None
        return _key_line(text.split(":")[0], found[band - 1], lines) or found[band - 1]
    if section in ("device", "output", "input"):
        found = [i for i, line in headers if line.strip("[]").replace('"', "") == place]
        if not found:
            return None
        return _key_line(text.split(":")[0].split(" ")[0], found[-1], lines) or found[-1]
    if params.row(place) or "no such parameter" in text:
        return _parameter_line(place, lines) or _parameter_line(_counterpart(text), lines)
    at = next((i for i, line in headers if line.strip("[]") == section), None)
    return _key_line(key, at, lines) or at if at else None


def _key_line(key: str, header: int, lines: list[str]) -> int | None:
    """The line of `key` in the table whose header is at line `header`."""
    for i, line in enumerate(lines[header:], header + 1):
        if re.match(r"\s*\[", line):
            return None
        if key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return i
    return None


def _parameter_line(name: str, lines: list[str]) -> int | None:
    """The line that sets the parameter: `"a.b" = 1`, `a.b = 1`, `b = 1` below `[limits.a]`, `"a.b": 1`."""
    group, _, rest = name.partition(".")
    if not rest:
        return None
    whole = rf"""["']?{re.escape(group)}["']?\.["']?{re.escape(rest)}["']?\s*[=:]"""
    for i, line in enumerate(lines, 1):
        if re.search(whole, line.split("#")[0]):
            return i
        if re.match(rf"\s*\[limits\.{re.escape(group)}\]", line) and (found := _key_line(rest, i, lines)):
            return found
    if name == "policy.name":
        return line_of("[site] policy", "", lines)
    return None


def _text(name_or_path: str) -> str:
    path = Path(name_or_path)
    if name_or_path in sites.names() or path.stat().st_size > 10 * config.DOCUMENT_MAX:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")
