"""The words that values of points stand for, and the fingerprint of the table with them."""

import hashlib

from greenmast_protocol import points, reasons


def of(name: str) -> "tuple[str, ...]":
    """The words that the values of point `name` stand for; empty where they are plain numbers."""
    if name == "source.ac":
        return points.AC_SOURCES
    if name == "genset.state":
        return points.GENSET_STATES
    if name == "controller.mode":
        return points.MODES
    if name.startswith("reason."):
        return reasons.NAMES
    return ()


def _hash() -> str:
    h = hashlib.sha256()
    for name, low, high, _ in points.POINTS:
        h.update(("%s %d %d %s\n" % (name, low, high, ",".join(of(name)))).encode())
    return "".join(["%02x" % b for b in h.digest()[:4]])


# Eight hex digits that change when a name, range or label does: hosts compare them before commanding.
TABLE_HASH = _hash()
