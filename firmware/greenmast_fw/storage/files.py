"""Small documents on the board's flash: the configuration, the controller's record, the number of boots.

Each has two slots with a CRC (`greenmast_protocol.slot`). A write goes to the older one and is read back: a
power cut leaves the old or the new document, a slot that rots leaves the other, a write that the flash
swallowed is noticed. Knows no content.
"""

import json

from greenmast_protocol import slot

CONFIG = "config"
RECORD = "record"
BOOT = "boot"
_PIECE = 256


class DamagedError(Exception):
    """There is a slot, but in none of them is what was written."""


def read(name: str) -> "bytes | None":
    """The newest document stored under `name`; None when there is nothing. Raises DamagedError."""
    number, body, _ = _newest(name)
    if number < 0:
        raise DamagedError(name)
    return body


def store(name: str, body: bytes) -> None:
    """Replace what `name` holds, whole or not at all. Raises OSError, also when the flash did not take it."""
    number, _, place = _newest(name)
    path = name + slot.SUFFIXES[1 - place]
    data = slot.pack(max(number, 0) + 1, body)
    with open(path, "wb") as f:
        f.write(data)
    piece = bytearray(_PIECE)
    with open(path, "rb") as f:
        for at in range(0, len(data), _PIECE):
            count = f.readinto(piece)
            if piece[:count] != data[at : at + _PIECE]:
                raise OSError(5)


def configuration() -> "tuple[object, list[tuple[str, str]]]":
    """The stored configuration document and why there is none, as (place, text)."""
    try:
        body = read(CONFIG)
    except DamagedError:
        return None, [("config", "what is stored is damaged")]
    return (None, [("config", "nothing is stored")]) if body is None else (json.loads(body), [])


def record() -> "dict[str, object]":
    """What the controller had stored; empty when there is nothing or it is damaged."""
    try:
        kept = json.loads(read(RECORD) or b"{}")
    except (DamagedError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def count_boot() -> int:
    """Number of this boot, counted on flash. A board that cannot count says 0."""
    try:
        boot = int(read(BOOT) or b"0") + 1
    except (DamagedError, ValueError):
        boot = 1
    try:
        store(BOOT, b"%d" % boot)
    except OSError:
        return 0
    return boot


def _newest(name: str) -> "tuple[int, bytes | None, int]":
    """(number, document, place) of the newer good slot.

    Without a good one: number 0 when there is nothing, -1 when what is there is damaged; place 1, so that the
    first slot is written next.
    """
    best: "tuple[int, bytes | None, int]" = (0, None, 1)
    for place in range(2):
        data = _content(name + slot.SUFFIXES[place])
        found = slot.unpack(data) if data is not None else None
        if found is not None and found[0] > best[0]:
            best = (found[0], found[1], place)
        elif data is not None and not best[0]:
            best = (-1, None, 1)
    return best


def _content(path: str) -> "bytes | None":
    try:
        with open(path, "rb") as f:
            size = f.seek(0, 2)
            f.seek(0)
            return f.read(size)  # without its size MicroPython takes up to twice the room
    except OSError:
        return None
