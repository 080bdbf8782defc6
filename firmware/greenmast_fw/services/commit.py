"""The step of a transaction that counts: a staged document is judged, stored and put on trial. Loaded for it.

A document is judged before anything is stored, where the heap has room for that; else the next boot judges,
with nothing else there, and rolls back. The board restarts with it after the answer.
"""

import asyncio
import gc
import sys

from greenmast_fw.services import overlay
from greenmast_fw.storage import revisions, staged
from greenmast_protocol import slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.services.transaction import Answer, Board

# Heap for judging, with pointers of 64 bits: rules and tables, and for each byte of the document.
_RULES_B = 14_000
_PER_BYTE = 6


async def run(board: "Board", numbers: "list[int]") -> "Answer":
    """Answers {"revision", "confirm_within_s": left}."""
    over, within_s, crc = numbers
    status = revisions.status()
    last = revisions.pending()
    if last["revision"] and (last["crc"], last["over"], last["revision"]) == (crc, over, status["revision"]):
        return "", "", {"revision": last["revision"], "confirm_within_s": last["left_s"]}
    if last["left_s"]:
        return "busy", "revision %d waits to be confirmed or rolled back" % last["revision"], dict(status)
    if over != status["revision"]:
        return revisions.conflict(status, over)
    await asyncio.sleep(0)  # judging takes a moment: the scan comes first
    problems = overlay.run(_framing, crc, status["next"])
    if not problems and _is_room():
        problems = overlay.run(_judge)
    if problems:
        return "invalid_value", "%s: %s; nothing is applied" % problems[0], {"problems": problems}
    await asyncio.sleep(0)
    gc.collect()
    revisions.begin(staged.PATH, status["next"], over, crc, within_s)
    board.restart()
    return "", "", {"revision": status["next"], "confirm_within_s": within_s}


def _is_room() -> bool:
    """Whether the heap can hold rules and document. If not the next boot judges, with nothing else there."""
    gc.collect()
    needed_b = _RULES_B + _PER_BYTE * staged.length()
    free_b: int = gc.mem_free()  # type: ignore[attr-defined]
    return free_b > (needed_b if sys.maxsize > 0x7FFFFFFF else needed_b // 2)


def _framing(crc: int, revision: int) -> "list[tuple[str, str]]":
    if not staged.is_whole() or slot.checksum(staged.pieces()) != crc:
        return [("config", "what is staged is not what is committed: stage it again")]
    if revisions.number(staged.pieces()) != revision:
        text = "the document must begin with %s%d, and without spaces"
        text = text % (revisions.BEGINNING.decode(), revision)
        return [("revision", text)]
    return []


def _judge() -> "list[tuple[str, str]]":
    from greenmast_fw.services import judge

    return judge.problems()
