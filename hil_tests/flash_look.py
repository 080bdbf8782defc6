"""What a board's flash holds at an instant, read from images of it with the host's own hands.

Owns the reading: documents in their slots, records in their rings. Judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from littlefs import LittleFS
from littlefs.context import UserContext

from greenmast.flash import image
from greenmast_fw.services import compact
from greenmast_fw.storage import ring as rings
from greenmast_fw.storage import sectors
from greenmast_protocol import slot

DOCUMENTS = ("config", "record", "boot", "pending")
_PAYLOAD_MAX = image.BLOCK_SIZE


@dataclass(frozen=True)
class Event:
    """A record of the event log; `what` is (kind, subject, new, reason, value, limit)."""

    boot: int
    seq: int
    n: int
    uptime_s: int
    what: tuple[int, ...]


@dataclass(frozen=True)
class Look:
    """`documents`: newest good copy of each and its number; `damaged`: names without one that have a file.

    `reports`: (boot, number) of each report, oldest first.
    """

    documents: dict[str, tuple[int, bytes]]
    damaged: list[str]
    events: list[Event]
    reports: list[tuple[int, int]]

    def number(self, name: str) -> int:
        """How often the document `name` has been stored."""
        return self.documents.get(name, (0, b""))[0]

    def json(self, name: str) -> Any:
        """The document `name`; None when there is none."""
        return json.loads(self.documents[name][1]) if name in self.documents else None


def look(images: Mapping[str, bytes]) -> Look:
    """`images`: the file system's under "flash", the rings' under their labels.

    Raises littlefs.LittleFSError when the file system itself is damaged.
    """
    context = UserContext(buffer=bytearray(images["flash"]))
    sizes = {"block_size": image.BLOCK_SIZE, "block_count": image.BLOCK_COUNT}
    fs = LittleFS(context, read_size=image.IO_SIZE, prog_size=image.IO_SIZE, **sizes)
    documents: dict[str, tuple[int, bytes]] = {}
    damaged = []
    for name in DOCUMENTS:
        files = [name + suffix for suffix in slot.SUFFIXES if name + suffix in fs.listdir("/")]
        copies = [slot.unpack(_content(fs, path)) for path in files]
        good = [copy for copy in copies if copy]
        if good:
            documents[name] = max(good)
        elif files:
            damaged.append(name)
    events = []
    ring, reader = _ring(images["events"])
    while reader.find():
        reader.take()
        told = json.loads(compact.event(ring))
        events.append(Event(reader.boot, reader.seq, told["n"], told["up"], tuple(told["event"])))
    reports = []
    _, reader = _ring(images["outbox"])
    while reader.find():
        reader.take()
        reports.append((reader.boot, reader.seq))
    return Look(documents, damaged, events, reports)


def _content(fs: LittleFS, path: str) -> bytes:
    with fs.open(path, "rb") as file:
        return bytes(file.read())


def _ring(data: bytes) -> tuple[rings.Ring, rings.Reader]:
    ring = sectors.mount(_Chip(data), _PAYLOAD_MAX)
    reader = rings.Reader(ring)
    reader.seek(0, 0)
    return ring, reader


class _Chip:
    """The image as a chip that is only read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readblocks(self, block: int, buf: bytearray | memoryview, offset: int) -> None:
        at = block * image.BLOCK_SIZE + offset
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: bytearray | memoryview, offset: int) -> None:
        raise OSError("read only")

    def ioctl(self, request: int, argument: int) -> int:
        return {4: len(self._data) // image.BLOCK_SIZE, 5: image.BLOCK_SIZE}.get(request, 0)
