"""Going on after a reset: the record is put back into the parts. Loaded when needed.

Rules
- It is resumed whole or not at all: one of another version or shape is left alone.
- Outputs stand at the hardware's default until feedback has been read; then the parts resume.

Knows no part but by the shape of its memory.
"""

from greenmast_fw.core.record import PARTS, VERSION
from greenmast_fw.core.stages import STAGES
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.core.controller import Controller

# By place in PARTS: (least length, least and greatest first value).
_SHAPES = (
    (1 + len(points.OUTPUTS), 0, 0x3FFFFFFF),
    (3, 1, 16_384),  # grid
    (8, 0, 0x3FFFFFFF),
    (14, 0, 1_000),  # policy
    (5, 0, 2_047),
    (2, 0, 3),  # exercise
    (11, 0, len(points.GENSET_STATES) - 1),
    (4, 0, len(points.AC_SOURCES) - 1),  # source
    (11, 0, 4),
    (20, 0, 0x7FFFFFFFFF),  # energy
    (9, 0, len(STAGES) - 1),
    (0, 0, 0x3FFFFFFF),  # alarms
    (0, 0, 1),
    (0, 0, 604_800_000),  # outage
)
_OUTAGE = 4  # a shorter one is none
_MODE = (2, 0, len(points.MODES) - 1)


def fit(c: "Controller", kept: "dict[str, object]") -> "list[tuple[Any, object]] | None":
    """Parts of a new controller, each with its memory, of what `record.parts` told. None: it does not fit."""
    mode: "list[int]" = kept.get("mode")  # type: ignore[assignment]
    if kept.get("version") != VERSION or not _fits(mode, *_MODE):
        return None
    for i in range(len(PARTS)):
        if not _fits(kept.get(PARTS[i]), *_SHAPES[i]):
            return None
    parts = []
    for name in PARTS:
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
