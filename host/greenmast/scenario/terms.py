"""The small language inside scenario files: durations, and conditions over points.

Owns its grammar and what is wrong with a term. Knows neither files nor how a scenario is played.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Protocol

from greenmast.site import near
from greenmast_protocol import alarms, labels, points

ALARM = "alarm."
ALARMS = tuple(ALARM + name for name in alarms.NAMES)
_NOTHING: Mapping[str, str] = {}
_OPS: dict[str, Callable[[int, int], bool]] = {"==": eq, "!=": ne, "<=": le, ">=": ge, "<": lt, ">": gt}
_CONDITION = re.compile(r"\s*([^\s=!<>]+)\s*(==|!=|<=|>=|<|>)\s*(\S+)\s*")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|min|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


class TermError(ValueError):
    """A term that cannot be understood; the text says why."""


class View(Protocol):
    """What the controller knows and tells at one instant."""

    def value(self, name: str) -> int | None:
        """Value of a point or `alarm.*`; None while it is not known."""


def duration_ms(given: Any) -> int:
    """Milliseconds in "1h30m", "500ms", "3d" or in a number of seconds. Raises TermError."""
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 1e10:
        return round(given * 1_000)
    if isinstance(given, str):
        text = "".join(given.split())
        if text.isdecimal():
            return int(text) * 1_000
        parts = _PART.findall(text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            return round(sum(float(number) * _UNIT_MS[unit] for number, unit in parts))
    raise TermError(f'{given!r} is no duration; write "90s", "10m", "1h30m", "2d" or seconds')


def clock(time_ms: int) -> str:
    """ "1:02:03", with milliseconds where there are any."""
    seconds, rest = divmod(time_ms, 1_000)
    text = f"{seconds // 3_600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}" if rest else text


def word(name: str, value: int | None) -> str:
    """`value` of a point as a condition would write it."""
    if value is None:
        return "unknown"
    words = labels.of(name)
    return words[value] if 0 <= value < len(words) else str(value)


@dataclass(frozen=True)
class Condition:
    """`point op literal`."""

    text: str
    point: str
    op: Callable[[int, int], bool]
    literal: int


@dataclass(frozen=True)
class Conjunction:
    """Conditions that count together."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return ", ".join(part.text for part in self.parts)

    def judge(self, view: View) -> bool | None:
        """Whether all are true; None when none is false but one cannot be told."""
        result: bool | None = True
        for part in self.parts:
            value = view.value(part.point)
            if value is None:
                result = None
            elif not part.op(value, part.literal):
                return False
        return result

    def saw(self, view: View) -> str:
        """The actual values."""
        names = dict.fromkeys(part.point for part in self.parts)
        return ", ".join(f"{name} = {word(name, view.value(name))}" for name in names)


def conjunction(given: Any, extra: Mapping[str, str] = _NOTHING) -> tuple[Conjunction, list[str]]:
    """The conjunction in a string or a list of strings, and what is wrong with it; `extra` as `condition`."""
    texts: Sequence[Any] = given if isinstance(given, list) else [given]
    parts = []
    problems = []
    for text in texts:
        try:
            parts.append(condition(text, extra))
        except TermError as error:
            problems.append(str(error))
    if not texts:
        problems.append("needs at least one condition")
    return Conjunction(tuple(parts)), problems


def condition(text: Any, extra: Mapping[str, str] = _NOTHING) -> Condition:
    """Parse `point op literal`. Raises TermError.

    `extra`: points beyond the table, of single devices, and the one of the table that each is like.
    """
    match = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise TermError(f'{text!r} is no condition; write "point op value", op one of {" ".join(_OPS)}')
    point, op, literal = match.groups()
    if points.find(point) < 0 and point not in ALARMS and point not in extra:
        known = ALARMS if point.startswith(ALARM) else (*points.NAMES, *extra)
        kind = "alarm" if point.startswith(ALARM) else "point"
        raise TermError(f"{text!r}: no such {kind}: {point}{near(point, known)}")
    return Condition(
        " ".join(match.groups()),
        point,
        _OPS[op],
        _literal(extra.get(point, point), literal.strip("\"'"), text),
    )


def _literal(point: str, literal: str, text: str) -> int:
    words = labels.of(point)
    if literal in words:
        return words.index(literal)
    if literal in ("true", "false"):
        if point in ALARMS or not points.in_range(points.index(point), 2):
            return int(literal == "true")
    else:
        try:
            return int(literal)
        except ValueError:
            pass
    if words:
        raise TermError(f"{text!r}: no such word: {literal}{near(literal, words)}")
    raise TermError(f"{text!r}: {literal} is not an integer")
