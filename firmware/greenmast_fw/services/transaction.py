"""Steps of a transaction: stage a document, commit it, confirm it or roll back. Loaded when somebody asks.

Owns what may be asked and in which order; what is in force is the business of `revisions`. Every step may be
asked again after a lost reply: it is done once and answered alike. A document is judged before anything is
stored, where the heap has room for that; the board restarts with it after the answer.
"""

import binascii
import gc
import sys

from greenmast_fw.drivers import clock
from greenmast_fw.services import overlay
from greenmast_fw.storage import revisions, staged
from greenmast_protocol import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from greenmast_fw.services.trial import Trial

    class Board(Protocol):
        revision: int  # that it runs with
        trial: "Trial | None"

        def restart(self) -> None:
            """Reset soon, so that the answer goes out before."""

    Answer = tuple[str, str, dict[str, object]]  # as in `rpc.Board.configure`


# Heap for judging, with pointers of 64 bits: rules and tables, and for each byte of the document.
_RULES_B = 14_000
_PER_BYTE = 6
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
        return await _commit(board, status, numbers)
    return (_confirm if method == "config.confirm" else _roll_back)(board, status, numbers[0])


def _stage(numbers: "list[int]", data: object) -> "Answer":
    """Answers {"offset": where the next piece belongs}."""
    offset, total, _ = numbers
    try:
        piece = binascii.a2b_base64(data if isinstance(data, str) else "?")
    except ValueError:
        piece = b""
    if not 0 < len(piece) <= total - offset:
        return "invalid_value", "data must be base64 of 1 .. total - offset bytes", {}
    return "", "", {"offset": staged.put(offset, piece)}


async def _commit(board: "Board", status: "dict[str, int]", numbers: "list[int]") -> "Answer":
    """Answers {"revision", "confirm_within_s": left}."""
    over, within_s, crc = numbers
    last = revisions.pending()
    if last["revision"] and (last["crc"], last["over"], last["revision"]) == (crc, over, status["revision"]):
        return "", "", {"revision": last["revision"], "confirm_within_s": last["left_s"]}
    if last["left_s"]:
        return "busy", "revision %d waits to be confirmed or rolled back" % last["revision"], dict(status)
    if over != status["revision"]:
        return _conflict(status, over)
    await clock.sleep_ms(0)  # judging takes a moment: the scan comes first
    problems = overlay.run(_framing, crc, status["next"])
    if not problems and _is_room():
        problems = overlay.run(_judge)
    if problems:
        return "invalid_value", "%s: %s; nothing is applied" % problems[0], {"problems": problems}
    await clock.sleep_ms(0)
    gc.collect()
    revisions.begin(staged.pieces(), status["next"], over, within_s)
    staged.discard()
    board.restart()
    return "", "", {"revision": status["next"], "confirm_within_s": within_s}


def _is_room() -> bool:
    """Whether the heap can hold rules and document. If not the next boot judges, with nothing else there."""
    gc.collect()
    needed_b = _RULES_B + _PER_BYTE * staged.length()
    free_b: int = gc.mem_free()  # type: ignore[attr-defined]
    return free_b > (needed_b if sys.maxsize > 0x7FFFFFFF else needed_b // 2)


def _framing(crc: int, revision: int) -> "list[tuple[str, str]]":
    pieces = staged.pieces() if staged.length() else ()
    if revisions.checksum(pieces) != crc:
        return [("config", "what is staged has another CRC: stage it again")]
    if revisions.number(pieces) != revision:
        text = 'the document must begin with {"schema":1,"revision":%d, and without spaces' % revision
        return [("revision", text)]
    return []


def _judge() -> "list[tuple[str, str]]":
    from greenmast_protocol import config as rules
    from greenmast_protocol import strict_json

    try:
        document = strict_json.loads(b"".join(staged.pieces()))
    except ValueError as error:
        return [("config", str(error))]
    return rules.problems(document) or _missing(document)


def _missing(document: "Any") -> "list[tuple[str, str]]":
    """What the document needs and this board has not been given: tables are not loaded over a transaction."""
    from greenmast_fw import boards
    from greenmast_fw.devices import binding

    wanted = [("site.board", boards.load, document["site"]["board"])]
    wanted += [("device.%s" % row["role"], binding.load, row["profile"]) for row in document["devices"]]
    out = []
    for place, load, name in wanted:
        try:
            overlay.run(load, name)
        except (ImportError, KeyError):
            out.append((place, "%s is not on this board" % name))
    return out


def _confirm(board: "Board", status: "dict[str, int]", revision: int) -> "Answer":
    """Answers {"revision"}."""
    if revision != status["revision"]:
        return _conflict(status, revision)
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
        return _conflict(status, revision)
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


def _conflict(status: "dict[str, int]", revision: int) -> "Answer":
    text = "the board has revision %d, not %d" % (status["revision"], revision)
    return "revision_conflict", text, dict(status)
