"""What would change: two documents compared, parameter by parameter, part by part.

Owns the comparison and its words; units and texts come from the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from greenmast_protocol import param_text, params, show, units

_SKIPPED = ("schema", "revision", "params")


@dataclass(frozen=True)
class Change:
    """`name` is a parameter, or the place of a part such as `output.grid.pin`; None where there is none.

    `was` and `becomes` are values as people read them; `effect` says what the parameter is for.
    """

    name: str
    old: Any
    new: Any
    was: str
    becomes: str
    effect: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Every change from the document `old` to `new`. A parameter that is not given has its default."""
    before, after = dict(_parts(old)), dict(_parts(new))
    changes = [
        Change(name, before.get(name), after.get(name), _word(before.get(name)), _word(after.get(name)), "")
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    values = params.complete(old.get("params", {})), params.complete(new.get("params", {}))
    for name in dict.fromkeys([*values[0], *values[1]]):
        was, becomes = values[0].get(name), values[1].get(name)
        if was != becomes:
            told = shown(name, was), shown(name, becomes)
            changes.append(Change(name, was, becomes, *told, param_text.TEXTS.get(name, "")))
    return changes


def shown(name: str, value: int | None) -> str:
    """A parameter's value with its unit or in its word."""
    if value is None:
        return "none"
    words = params.CHOICES.get(name, ())
    if words:
        return words[value] if 0 <= value < len(words) else str(value)
    if name.endswith("_min") and units.of(name) == "":
        return f"{value // 60:02d}:{value % 60:02d}"
    unit = units.of(name)
    return show.quantity(value, unit) if unit else str(value)


def _word(value: Any) -> str:
    return "none" if value is None else str(value)


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(place, value) of everything but parameters. Devices are known by role and place among those of it."""
    seen: dict[str, int] = {}
    for section, content in document.items():
        if section in _SKIPPED:
            continue
        if section == "devices":
            for device in content:
                role = str(device.get("role"))
                seen[role] = seen.get(role, 0) + 1
                yield from _flat(f"device.{role}.{seen[role]}", device, ("role",))
        elif section == "buses":
            for bus in content:
                yield from _flat(f"bus.{bus.get('name')}", bus, ("name",))
        elif isinstance(content, Mapping):
            yield from _flat({"outputs": "output", "inputs": "input"}.get(section, section), content, ())
        else:
            yield section, content


def _flat(place: str, table: Mapping[str, Any], without: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if key in without:
            continue
        if isinstance(value, Mapping):
            yield from _flat(f"{place}.{key}", value, ())
        else:
            yield f"{place}.{key}", value
