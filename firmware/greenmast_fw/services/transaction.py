"""Steps of a transaction: stage a document, commit it, confirm it or roll back. Loaded when somebody asks.

Owns what may be asked and in which order; what is in force is the business of `revisions`. Every step may be
asked again after a lost reply: it is done once and answered alike.
"""

import binascii
import gc

from greenmast_fw.services import overlay
from greenmast_fw.storage import revisions, staged
from greenmast_protocol import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Protocol

    from greenmast_fw.services.trial import Trial

    class Board(Protocol):
        revision: int  # that it runs with
        trial: "Trial | None"

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


async def run(board: "Board", method: str, params: "dict[str, Any]") -> "Answer":
    """What becomes of the step: ("", "", result), or (code, text, data)."""
    rows = _MEMBERS.get(method)
    if rows is None:
        return "unknown", "no method %s here" % method, {}
    numbers = []
    for name, low, high in rows:
        value = params.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return "invalid_value", "%s must be an integer in %d .. %d" % (name, low, high), {}
        numbers.append(value)
    if len(params) > len(rows) + (method == "config.stage"):
        return "invalid_value", "unknown parameters", {}
    if method == "config.stage":
        return _stage(numbers, params.get("data"))
    gc.collect()
    status = revisions.status()
    if method == "config.commit":
        return await overlay.run(_committing, board, status, numbers)
    return (_confirm if method == "config.confirm" else _roll_back)(board, status, numbers[0])


def _committing(
    board: "Board", status: "dict[str, int]", numbers: "list[int]"
) -> "Coroutine[None, None, Answer]":
    from greenmast_fw.services import commit

    return commit.run(board, status, numbers)


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


def _confirm(board: "Board", status: "dict[str, int]", revision: int) -> "Answer":
    """Answers {"revision"}."""
    if revision != status["revision"]:
        return revisions.conflict(status, revision)
    if status["confirm_s"]:
        if board.revision != revision:
            return "busy", "revision %d is not in force yet" % revision, dict(status)
        revisions.confirm()
        if board.trial:
            board.trial.left_s = 0
    return "", "", {"revision": revision}


def _roll_back(board: "Board", status: "dict[str, int]", revision: int) -> "Answer":
    """Answers {"revision"} that is in force then."""
    if status["revision"] < revision < status["next"]:  # done before
        return "", "", {"revision": status["revision"]}
    if revision != status["revision"]:
        return revisions.conflict(status, revision)
    if status["confirm_s"]:
        revisions.roll_back()
        older = revisions.confirmed()
        if board.trial:
            board.trial.left_s = 0
    else:
        older = revisions.step_back(revision)
        if not older:
            return "invalid_value", "there is no revision before %d" % revision, dict(status)
    board.restart()
    return "", "", {"revision": older}
