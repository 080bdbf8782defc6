"""Steps of a transaction: stage a document, commit it, confirm it or roll back. Loaded when somebody asks.

Owns what may be asked and in which order; what is in force is the business of `revisions`. Every step may be
asked again after a lost reply: it is done once and answered alike.
"""

import binascii
import gc

from greenmast_fw.storage import staged
from greenmast_protocol import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Protocol

    from greenmast_fw.services.trial import Trial

    class Board(Protocol):
        revision: int  # that it runs with

        @property
        def trial(self) -> "Trial | None":
            """What counts down the one on trial."""

        def restart(self) -> None:
            """Reset soon, so that the answer goes out before."""

    Answer = tuple[str, str, dict[str, object]]  # as in `rpc.Board.configure`


CONFIRM_MIN_S = 10
CONFIRM_MAX_S = 86_400
_MEMBERS = {
    "config.stage": (
        ("offset", 0, config.DOCUMENT_MAX),
        ("total", 1, config.DOCUMENT_MAX),
        ("crc", 0, 0xFFFFFFFF),
    ),
    "config.commit": (
        ("revision", 0, config.REVISION_MAX),
        ("confirm_within_s", CONFIRM_MIN_S, CONFIRM_MAX_S),
        ("crc", 0, 0xFFFFFFFF),
    ),
    "config.confirm": (("revision", 0, config.REVISION_MAX),),
    "config.rollback": (("revision", 0, config.REVISION_MAX),),
}


def run(board: "Board", method: str, params: "dict[str, Any]") -> "Coroutine[None, None, Answer]":
    """Does the step: what becomes of it is ("", "", result), or (code, text, data).

    No coroutine itself: nothing here is held while a commit goes on, which wants the heap; so does staging,
    and has only what it needs.
    """
    rows = _MEMBERS.get(method)
    if rows is None:
        return _told(("unknown", "no method %s here" % method, {}))
    numbers = []
    for name, low, high in rows:
        value = params.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            text = "%s must be an integer in %d .. %d" % (name, low, high)
            return _told(("invalid_value", text, {}))
        numbers.append(value)
    if len(params) > len(rows) + (method == "config.stage"):
        return _told(("invalid_value", "unknown parameters", {}))
    if method == "config.stage":
        return _told(_stage(numbers, params.get("data")))
    gc.collect()
    if method == "config.commit":
        from greenmast_fw.services import commit

        return commit.run(board, numbers)
    from greenmast_fw.services import verdict

    return _told((verdict.confirm if method == "config.confirm" else verdict.roll_back)(board, numbers[0]))


async def _told(answer: "Answer") -> "Answer":
    return answer


def _stage(numbers: "list[int]", data: object) -> "Answer":
    """Answers {"offset": where the next piece belongs}."""
    offset, total, crc = numbers
    try:
        piece = binascii.a2b_base64(data if isinstance(data, str) else "?")
    except ValueError:
        piece = b""
    if not 0 < len(piece) <= total - offset:
        return "invalid_value", "data must be base64 of 1 .. total - offset bytes", {}
    return "", "", {"offset": staged.put(offset, piece, total, crc)}
