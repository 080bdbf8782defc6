"""The record: what survives a reset, gathered from the parts and put back into them. Loaded when needed.

Rules
- It holds the memory of every part, and the outputs as they were last in force. It is resumed whole or not
  at all: one of another version or shape is left alone.
- Outputs stand at the hardware's default until feedback has been read; then the parts resume.

Knows no part but by the shape of its memory, and no flash; when to store is said by `resets`.
"""

from greenmast_fw.core.stages import STAGES
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.core.controller import Controller

_VERSION = 3
# Part of the record, an attribute of the controller: (least length, least and greatest first value).
_SHAPE = {
    "resets": (1 + len(points.OUTPUTS), 0, 0x3FFFFFFF),
    "grid": (3, 1, 16_384),
    "battery": (8, 0, 0x3FFFFFFF),
    "policy": (14, 0, 1_000),
    "demand": (5, 0, 2_047),
    "exercise": (2, 0, 3),
    "genset": (11, 0, len(points.GENSET_STATES) - 1),
    "source": (4, 0, len(points.AC_SOURCES) - 1),
    "loads": (11, 0, 4),
    "energy": (20, 0, 0x7FFFFFFFFF),
    "charge": (9, 0, len(STAGES) - 1),
    "alarms": (0, 0, 0x3FFFFFFF),
    # Parts that are not always there: nothing is kept of them then.
    "cooling": (0, 0, 1),
    "outage": (0, 0, 604_800_000),
}
_OUTAGE = 4  # a shorter one is none
_MODE = (2, 0, len(points.MODES) - 1)


def gather(c: "Controller") -> "dict[str, object]":
    """What must survive a reset; JSON-able."""
    out: "dict[str, object]" = {"version": _VERSION, "mode": [c.mode, c.mode_ms]}
    for name in _SHAPE:
        part = getattr(c, name)
        out[name] = part.memory() if part else []
    return out


def fit(c: "Controller", kept: "dict[str, object]") -> "list[tuple[Any, object]] | None":
    """Parts of a new controller and its memory of each, of what `gather` returned. None: it does not fit."""
    mode: "list[int]" = kept.get("mode")  # type: ignore[assignment]
    if kept.get("version") != _VERSION or not _fits(mode, *_MODE):
        return None
    for name in _SHAPE:
        if not _fits(kept.get(name), *_SHAPE[name]):
            return None
    parts = []
    for name in _SHAPE:
        if name == "outage" and len(kept[name]) == _OUTAGE:  # type: ignore[arg-type]
            c.expect_outage()
        part = getattr(c, name)
        if part and kept[name]:
            parts.append((part, kept[name]))
    c.mode, c.mode_ms = mode
    return parts


def _fits(part: object, length: int, low: int, high: int) -> bool:
    """Whether `part` is a list of so many integers from 0, the first of them in its range."""
    if not isinstance(part, list) or len(part) < length:
        return False
    for value in part:
        if not isinstance(value, int) or value < 0:
            return False
    return not part or low <= part[0] <= high
