"""The record: what survives a reset, gathered from the parts. Loaded when needed.

Rules
- It holds the memory of every part, and the outputs as they were last in force; `resume` puts it back.

Knows no part but by its name, and no flash; when to store is said by `resets`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenmast_fw.core.controller import Controller

VERSION = 3
# Attributes of the controller; `resume` knows the shape of each.
PARTS = (
    "resets",
    "grid",
    "battery",
    "policy",
    "demand",
    "exercise",
    "genset",
    "source",
    "loads",
    "energy",
    "charge",
    "alarms",
    # Not always there: nothing is kept of them then.
    "cooling",
    "outage",
)


def parts(c: "Controller") -> "Iterator[tuple[str, object]]":
    """What must survive a reset, name by name; JSON-able."""
    yield "version", VERSION
    yield "mode", [c.mode, c.mode_ms]
    for name in PARTS:
        part = getattr(c, name)
        yield name, part.memory() if part else []
