"""Small files on the board's flash: the configuration and the number of boots.

A file is one line in the serial frame format (JSON and its CRC), written to a second name and renamed, so that a power cut
leaves the old or the new one.
"""

import json
import os

from greenmast_protocol import frame

CONFIG = "config.json"
BOOT = "boot.json"


class Damaged(Exception):
    """The file is there but is not what was written."""


def load(path: str) -> "object | None":
    """What was stored under `path`; None when there is nothing. Raises Damaged."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError:
        return None
    events = frame.FrameDecoder(len(data)).feed(data)
    if len(events) != 1 or events[0][0] != frame.FRAME:
        raise Damaged(path)
    return json.loads(events[0][1])  # type: ignore[no-any-return]


def store(path: str, value: object) -> None:
    """Replace what `path` holds, whole or not at all. Raises OSError."""
    spare = path + ".new"
    with open(spare, "wb") as f:
        f.write(frame.encode(json.dumps(value).encode()))
    os.rename(spare, path)


def configuration() -> "tuple[object, list[tuple[str, str]]]":
    """The stored configuration document and why there is none, as (place, text)."""
    try:
        document = load(CONFIG)
    except Damaged:
        return None, [("config", "what is stored is damaged")]
    return document, [] if document is not None else [("config", "nothing is stored")]


def count_boot() -> int:
    """Number of this boot, counted on flash. A board that cannot count says 0."""
    try:
        last = load(BOOT)
    except Damaged:
        last = None
    boot = (last.get("boot", 0) if isinstance(last, dict) else 0) + 1
    try:
        store(BOOT, {"boot": boot})
    except OSError:
        return 0
    return boot
