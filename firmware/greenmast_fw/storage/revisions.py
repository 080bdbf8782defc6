"""Which configuration is in force, and how another takes its place: whole, or not at all.

Documents (see `files`)
- `config`: the confirmed one; its older slot holds the one that was confirmed before.
- `trial`: what has been committed, one slot. It is in force while `pending` says so, until that is decided.
- `pending`: {"revision", "over", "crc", "left_s", "boots"} of the last transaction: its revision, the one
  that it replaces, CRC-32 of the document, seconds left for confirming (0: decided), boots it has seen.

- `refused`: [[place, text]] of why the last transaction's document did not boot.

Each step is one write of one document, so that a power cut falls before or after it. A trial that is not
confirmed in time, that is booted too often, that is damaged or that does not boot leaves the confirmed one in
force. Revisions are never used twice: a replayed transaction is known by its number. Knows no content but
how a document begins.
"""

import json
import os

from greenmast_fw.storage import files
from greenmast_protocol import config, slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PENDING = "pending"
REFUSED = "refused"
BOOTS_MAX = 3  # of a trial, the one after the commit included
_MEMBERS = ("revision", "over", "crc", "left_s", "boots")
BEGINNING = b'{"schema":%d,"revision":' % config.SCHEMA


def pending() -> "dict[str, int]":
    """The last transaction; all zero when there was none."""
    kept: "Any" = {}
    try:
        kept = json.loads(files.read(PENDING) or b"{}")
    except (files.DamagedError, ValueError):
        pass
    out = {}
    for name in _MEMBERS:
        value = kept.get(name) if isinstance(kept, dict) else 0
        out[name] = value if isinstance(value, int) and value > 0 else 0
    return out


def status() -> "dict[str, int]":
    """{"revision": in force from the next boot on, "next": the number for another, "confirm_s": left}."""
    last = pending()
    revision = last["revision"] if last["left_s"] else confirmed()
    return {
        "revision": revision,
        "next": max(revision, last["revision"]) + 1,
        "confirm_s": last["left_s"],
    }


def confirmed() -> int:
    """Revision of the confirmed configuration; 0 when there is none."""
    try:
        return number(files.pieces(files.CONFIG))
    except files.DamagedError:
        return 0


def number(pieces: "files.Pieces | None") -> int:
    """The revision of the document in `pieces`; 0 when it does not begin with its schema and revision."""
    head = pieces.first() if pieces else b""
    if head[: len(BEGINNING)] != BEGINNING:
        return 0
    digits = head[len(BEGINNING) : len(BEGINNING) + 10].split(b",")[0]
    return int(digits) if digits.isdigit() else 0


def begin(path: str, revision: int, over: int, crc: int, within_s: int) -> None:
    """Put the slot in the file `path` on trial from the next boot on. Raises OSError: nothing has changed."""
    if refusal():
        files.store(REFUSED, (b"[]",))
    os.rename(path, files.TRIAL)
    _decide(revision, over, crc, within_s, 0)


def boot() -> int:
    """Seconds that the document on trial has left, if this boot is to use it; else 0. Counts the boot."""
    last = pending()
    if not last["left_s"]:
        return 0
    try:
        if not _is_sound(last["crc"]) or last["boots"] >= BOOTS_MAX:
            roll_back()
            return 0
        keep(last["left_s"], last["boots"] + 1)
    except OSError:
        return 0  # boots that cannot be counted might have no end
    return last["left_s"]


def keep(left_s: int, boots: "int | None" = None) -> None:
    """Note how long the trial has left. Raises OSError."""
    last = pending()
    boots = last["boots"] if boots is None else boots
    _decide(last["revision"], last["over"], last["crc"], left_s, boots)


def confirm() -> None:
    """The trial becomes the configuration. Raises OSError; then it is still on trial."""
    if not _is_sound(pending()["crc"]):
        raise OSError(5)
    files.adopt(files.CONFIG, files.TRIAL)
    keep(0)


def roll_back() -> None:
    """The confirmed configuration is in force again from the next boot on. Raises OSError."""
    keep(0)


def refuse(problems: "list[tuple[str, str]]") -> None:
    """Roll back a document that does not boot, and keep the reasons. Raises OSError."""
    roll_back()
    files.store(REFUSED, (json.dumps(problems).encode(),))


def refusal() -> "list[list[str]]":
    """[[place, text]] of why the last transaction's document did not boot; none when it did."""
    try:
        kept: "Any" = json.loads(files.read(REFUSED) or b"[]")
    except (files.DamagedError, ValueError):
        kept = []
    return kept if isinstance(kept, list) else []


def report() -> "dict[str, object]":
    """`status` and, as "refused", `refusal`."""
    out: "dict[str, object]" = {"refused": refusal()}
    out.update(status())
    return out


def step_back(revision: int) -> int:
    """From the confirmed `revision` to the one confirmed before it, whose revision is returned.

    0 when there is none. Raises OSError.
    """
    pieces = files.previous(files.CONFIG)
    older = number(pieces)
    if pieces is None or not 0 < older < revision:
        return 0
    if pending()["revision"] < revision:  # the number must stay used
        _decide(revision, older, 0, 0, 0)
    files.store(files.CONFIG, pieces)
    return older


def _is_sound(crc: int) -> bool:
    """Whether the trial is what was committed. It is gone once it has been confirmed."""
    try:
        return files.is_next(files.CONFIG, files.TRIAL) and slot.checksum(files.trial()) == crc
    except OSError:
        return False


def conflict(status: "dict[str, int]", revision: int) -> "tuple[str, str, dict[str, object]]":
    """The refusal of a step that expects another revision: (code, text, data)."""
    text = "the board has revision %d, not %d" % (status["revision"], revision)
    return "revision_conflict", text, dict(status)


def _decide(revision: int, over: int, crc: int, left_s: int, boots: int) -> None:
    values = (revision, over, crc, left_s, boots)
    text = ",".join(['"%s":%d' % (_MEMBERS[i], values[i]) for i in range(len(values))])
    files.store(PENDING, (("{%s}" % text).encode(),))
