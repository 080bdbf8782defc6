"""Small documents on the board's flash: the configuration, the controller's record, the number of boots.

Each has two slots with a CRC (`greenmast_protocol.slot`). A write goes to the older one and is read back: a
power cut leaves the old or the new document, a slot that rots leaves the other, a write that the flash
swallowed is noticed. Knows no content.
"""

import json
import os

from greenmast_protocol import slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONFIG = "config"
TRIAL = "trial"  # one slot
RECORD = "record"
BOOT = "boot"
ACCESS = "access"  # hexadecimal keys by name, as flashed
COUNTERS = "counters"  # the last one of each key
_PIECE = 128


class DamagedError(Exception):
    """There is a slot, but in none of them is what was written."""


class Pieces:
    """What the file `path` holds after `skip` bytes, piece by piece, as often as it is asked for.

    Who begins to go through it has to end, or the file stays open.
    """

    def __init__(self, path: str, skip: int = 0) -> None:
        self._path = path
        self._skip = skip

    def __iter__(self) -> "Iterator[bytes]":
        with open(self._path, "rb") as f:
            f.seek(self._skip)
            piece = f.read(_PIECE)
            while piece:
                yield piece
                piece = f.read(_PIECE)

    def first(self) -> bytes:
        """The first piece, be it empty. Raises OSError."""
        return self._piece(self._skip)

    def slowly(self) -> "Iterator[bytes]":
        """The same, for who may take his time or never end: no file is open between two pieces."""
        at = self._skip
        piece = self._piece(at)
        while piece:
            yield piece
            at += len(piece)
            piece = self._piece(at)

    def _piece(self, at: int) -> bytes:
        with open(self._path, "rb") as f:
            f.seek(at)
            return f.read(_PIECE)


def read(name: str) -> "bytes | None":
    """The newest document stored under `name`; None when there is nothing. Raises DamagedError."""
    body = pieces(name)
    return None if body is None else b"".join(body)


def pieces(name: str) -> "Pieces | None":
    """As `read`, in pieces: a whole one may find no room in the heap."""
    number, place = _newest(name)
    if number < 0:
        raise DamagedError(name)
    return Pieces(name + slot.SUFFIXES[place], slot.HEAD) if number else None


def previous(name: str) -> "Pieces | None":
    """The document that the newest one has replaced, in pieces; None when its slot holds none."""
    number, place = _newest(name)
    path = name + slot.SUFFIXES[1 - place]
    return Pieces(path, slot.HEAD) if number > 0 and _number(path) > 0 else None


def store(name: str, body: "Iterable[bytes]") -> None:
    """Replace what `name` holds by these pieces, whole or not at all.

    Raises OSError, also when the flash did not take it.
    """
    body = list(body)  # an open file takes 1.2 KB in one block: never two of them at once
    number, place = _newest(name)
    path = name + slot.SUFFIXES[1 - place]
    head = slot.head(max(number, 0) + 1, body)
    with open(path, "wb") as f:
        f.write(head)
        for piece in body:
            f.write(piece)
    with open(path, "rb") as f:
        same = f.read(len(head)) == head
        for piece in body:
            same = same and f.read(len(piece)) == piece
    if not same:
        raise OSError(5)


def is_next(name: str, path: str) -> bool:
    """Whether the file `path` is a good slot and the one to come after the newest of `name`."""
    return _number(path) == next_number(name)


def next_number(name: str) -> int:
    """That of the slot to come after the newest one of `name`."""
    return max(_newest(name)[0], 0) + 1


def adopt(name: str, path: str) -> None:
    """The slot in the file `path`, see `is_next`, becomes the newest of `name`. Raises OSError."""
    os.rename(path, name + slot.SUFFIXES[1 - _newest(name)[1]])


def trial() -> Pieces:
    """The document that waits for its confirmation. Going through it raises OSError when there is none."""
    return Pieces(TRIAL, slot.HEAD)


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
        store(BOOT, (b"%d" % boot,))
    except OSError:
        return 0
    return boot


def _newest(name: str) -> "tuple[int, int]":
    """(number, place) of the newer good slot.

    Without a good one: number 0 when there is nothing, -1 when what is there is damaged; place 1, so that the
    first slot is written next.
    """
    best = (0, 1)
    for place in range(2):
        number = _number(name + slot.SUFFIXES[place])
        if number > max(best[0], 0):
            best = (number, place)
        elif number and not best[0]:
            best = (-1, 1)
    return best


def _number(path: str) -> int:
    """Number of the slot at `path`; 0 where there is none, -1 where it is damaged."""
    try:
        with open(path, "rb") as f:
            head = f.read(slot.HEAD)
    except OSError:
        return 0
    told = slot.parse(head)
    body = Pieces(path, slot.HEAD)
    return told[0] if told and head == slot.head(told[0], body) else -1
