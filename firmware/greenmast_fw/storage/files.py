"""Small files on the board's flash: the configuration and the number of boots.

A file is one line in the serial frame format (JSON and its CRC), written to a second name and renamed, so
that a power cut leaves the old or the new one.
"""

import json
import os

from greenmast_protocol import frame

CONFIG = "config.json"
BOOT = "boot.json"
_PIECE = 256
_TAIL = len(frame.tail((b"",)))


class DamagedError(Exception):
    """The file is there but is not what was written."""


def read(path: str) -> "bytes | None":
    """The JSON that was stored under `path`; None when there is nothing. Raises DamagedError."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError:
        return None
    events = frame.FrameDecoder(len(data)).feed(data)
    if len(events) != 1 or events[0][0] != frame.FRAME:
        raise DamagedError(path)
    return events[0][1]


def pieces(path: str) -> "list[bytes]":
    """The JSON stored under `path` as it is, in pieces: a whole one may find no room in the heap.

    Its CRC is not checked. Raises OSError.
    """
    out = []
    left = os.stat(path)[6] - _TAIL
    with open(path, "rb") as f:
        while left > 0:
            out.append(f.read(_PIECE if left > _PIECE else left))
            left -= _PIECE
    return out


def store(path: str, value: object) -> None:
    """Replace what `path` holds, whole or not at all. Raises OSError."""
    spare = path + ".new"
    with open(spare, "wb") as f:
        f.write(frame.encode(json.dumps(value).encode()))
    os.rename(spare, path)


def configuration() -> "tuple[object, list[tuple[str, str]]]":
    """The stored configuration document and why there is none, as (place, text)."""
    try:
        body = read(CONFIG)
    except DamagedError:
        return None, [("config", "what is stored is damaged")]
    return (None, [("config", "nothing is stored")]) if body is None else (json.loads(body), [])


def count_boot() -> int:
    """Number of this boot, counted on flash. A board that cannot count says 0."""
    try:
        last = json.loads(read(BOOT) or b"{}")
    except DamagedError:
        last = {}
    boot = int(last.get("boot", 0)) + 1
    try:
        store(BOOT, {"boot": boot})
    except OSError:
        return 0
    return boot
