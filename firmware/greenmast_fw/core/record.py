"""What survives a reset, when it is worth storing, and patience after resets in a row.

Rules
- The record holds the memory of every part, and the outputs as they were last in force. It is resumed whole
  or not at all: one of another version or shape is left alone.
- Outputs stand at the hardware's default until feedback has been read; then the parts resume.
- A reset that follows another within ten minutes (a brown-out, as a rule) makes the board wait: one minute,
  two, four, at most ten, in which nothing that stands open is closed, no engine is cranked and a load tier
  that was off stays off, but for the critical one. Opening is never delayed. Ten calm minutes end the row.
- Storing wears the flash. The record is worth it at boot (the row of resets), when something has happened,
  though on average not more often than every ten seconds, and every ten minutes.

Knows no part but by the shape of its memory, and no flash.
"""

from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

_VERSION = 2
# Part of the record, an attribute of the controller: (least length, least and greatest first value).
_SHAPE = {
    "record": (1 + len(points.OUTPUTS), 0, 0x3FFFFFFF),
    "grid": (6, 1, 4_096),
    "demand": (4, 0, 15),
    "genset": (7, 0, len(points.GENSET_STATES) - 1),
    "source": (4, 0, len(points.AC_SOURCES) - 1),
    "loads": (6, 0, 4),
    "alarms": (0, 0, 0x3FFFFFFF),
}
_MODE = (2, 0, len(points.MODES) - 1)

_CALM_MS = 600_000
_FIRST_HOLD_MS = 60_000
_HOLD_MAX_MS = 600_000
_BOOTS_MAX = 20

_STORE_COST_MS = 10_000
_CREDIT_MAX_MS = 60_000  # a handful of events in a row are stored at once
_STORE_EVERY_MS = 600_000


class Record:
    """`boots`: resets in a row, this one included. `left_ms`: patience left.

    `was`: the outputs before the reset, until they are known to be in force again.
    """

    def __init__(self, idle: bytes) -> None:
        self.boots = 0
        self.left_ms = 0
        self.was = bytearray(idle)
        self._up_ms = 0
        self._due = True
        self._credit_ms = _STORE_COST_MS
        self._age_ms = 0

    def step(self, dt_ms: int, happened: bool, known: bool, out: bytearray) -> bool:
        """Returns whether the record should be stored now.

        `happened`: there are events. `known`: the contactors have been read, so that `out` is in force.
        """
        if self.left_ms:
            self.left_ms = self.left_ms - dt_ms if self.left_ms > dt_ms else 0
        elif known and self.was != out:
            self.was[:] = out
        if self._up_ms < _CALM_MS:
            self._up_ms += dt_ms
            if self._up_ms >= _CALM_MS and self.boots:
                self.boots = 0
                self._due = True
        self._age_ms += dt_ms
        if self._credit_ms < _CREDIT_MAX_MS:
            self._credit_ms += dt_ms
        if happened:
            self._due = True
        if self._age_ms < _STORE_EVERY_MS and not (self._due and self._credit_ms >= _STORE_COST_MS):
            return False
        self._due = False
        self._age_ms = 0
        self._credit_ms -= _STORE_COST_MS
        return True

    def memory(self) -> "list[int]":
        """Resets in a row, and the outputs."""
        return [self.boots] + list(self.was)

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`: one reset more."""
        self.boots = min(kept[0] + 1, _BOOTS_MAX)
        if self.boots > 1:
            self.left_ms = min(_FIRST_HOLD_MS << (self.boots - 2), _HOLD_MAX_MS)
        for i in range(len(self.was)):
            self.was[i] = 1 if kept[1 + i] else 0


def gather(c: "Controller") -> "dict[str, object]":
    """What must survive a reset; JSON-able."""
    out: "dict[str, object]" = {"version": _VERSION, "mode": [c.mode, c.mode_ms]}
    for name in _SHAPE:
        out[name] = getattr(c, name).memory()
    return out


def resume(c: "Controller", kept: "dict[str, object]") -> bool:
    """Put what `gather` returned back into a new controller; False when it does not fit."""
    mode: "list[int]" = kept.get("mode")  # type: ignore[assignment]
    if kept.get("version") != _VERSION or not _fits(mode, *_MODE):
        return False
    for name in _SHAPE:
        if not _fits(kept.get(name), *_SHAPE[name]):
            return False
    for name in _SHAPE:
        getattr(c, name).restore(kept[name])
    c.mode, c.mode_ms = mode
    return True


def _fits(part: object, length: int, low: int, high: int) -> bool:
    """Whether `part` is a list of so many integers from 0, the first of them in its range."""
    if not isinstance(part, list) or len(part) < length:
        return False
    for value in part:
        if not isinstance(value, int) or value < 0:
            return False
    return not part or low <= part[0] <= high
