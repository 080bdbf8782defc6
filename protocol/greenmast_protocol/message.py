"""Messages: the JSON-RPC shapes that both links carry. Knows members and their types, not methods' meanings.

`{"id","method","params"}`, `{"id","result"}`, `{"id","error":{"code","message","data"}}`; without an id it is
a notice. A request may carry `auth`. Anything else is a PROBLEM with a code and a text, so that a sender can
be told what was wrong.
"""

from greenmast_protocol import reasons, strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

REQUEST = 1
RESULT = 2
ERROR = 3
NOTICE = 4
PROBLEM = 5

ID_MAX = 0x7FFFFFFF
METHOD_LENGTH_MAX = 32

# Codes of errors that no command's refusal covers. Refusals are reasons.REFUSALS.
FAULTS = ("malformed", "too_long", "internal")
ERROR_CODES = FAULTS + reasons.REFUSALS

METHODS = (
    "hello",
    "get",
    "watch",
    "explain",
    "alarms",
    "config.get",
    "config.stage",
    "config.commit",
    "config.confirm",
    "config.rollback",
    "command",
    "log.read",
    "auth.challenge",
    "auth.login",
    "update.begin",
    "update.chunk",
    "update.commit",
    "update.status",
    "bus.read",
    "tele.full",
)
# Methods that change nothing: may be repeated, may come from a person's keyboard.
READS = (
    "hello",
    "get",
    "watch",
    "explain",
    "alarms",
    "config.get",
    "log.read",
    "auth.challenge",
    "update.status",
    "bus.read",
    "tele.full",
)


class Message:
    """One parsed message. `kind` says which members count:

    REQUEST id method params auth · NOTICE method params · RESULT id result · ERROR id (or None) code text
    data · PROBLEM id (or None) code text.
    """

    def __init__(self) -> None:
        self.kind = PROBLEM
        self.id = None  # type: int | None
        self.method = ""
        self.params = {}  # type: dict[str, object]
        self.auth = None  # type: dict[str, object] | None
        self.result = None  # type: object
        self.code = ""
        self.text = ""
        self.data = None  # type: object


def request(id_: int, method: str, params: "dict[str, object] | None" = None) -> bytes:
    """JSON bytes of a request."""
    body = {"id": id_, "method": method}  # type: dict[str, object]
    if params:
        body["params"] = params
    return strict_json.dumps(body)


def notice_pieces(method: str, params: "Iterable[bytes | bytearray]") -> "Iterator[bytes | bytearray]":
    """JSON of an unsolicited message, in pieces, from the JSON of `params` in pieces.

    What a board has to say may be too long for one piece of its memory.
    """
    yield ('{"method":"%s","params":' % method).encode()
    yield from params
    yield b"}"


def result_pieces(id_: "int | None", value: "Iterable[bytes | bytearray]") -> "Iterator[bytes | bytearray]":
    """JSON of an answer, in pieces, from the JSON of `value` in pieces.

    A person's request may have had no id; then the answer has none.
    """
    head = '{"result":' if id_ is None else '{"id":%d,"result":' % id_
    yield head.encode()
    yield from value
    yield b"}"


def notice(method: str, params: object) -> bytes:
    """JSON bytes of an unsolicited message."""
    return b"".join(notice_pieces(method, [strict_json.dumps(params)]))


def result(id_: "int | None", value: object) -> bytes:
    """JSON bytes of an answer."""
    return b"".join(result_pieces(id_, [strict_json.dumps(value)]))


def error(id_: "int | None", code: str, text: str = "", data: object = None) -> bytes:
    """JSON bytes of a refusal or fault. `code` is one of ERROR_CODES; it stands for a missing `text`."""
    body = {"code": code, "message": text or code}  # type: dict[str, object]
    if data is not None:
        body["data"] = data
    return strict_json.dumps({"id": id_, "error": body})


def parse(data: bytes) -> Message:
    """The message in `data`; never raises. What is not one is a PROBLEM, with its id if that was readable."""
    out = Message()
    try:
        wrong = _read(out, strict_json.loads(data))
    except ValueError as e:
        wrong = str(e)
    if wrong:
        out.kind = PROBLEM
        out.code = "malformed"
        out.text = wrong
    return out


def _read(out: Message, value: "Any") -> str:
    """Fill `out` from a JSON value. Returns what is wrong with that, "" for nothing."""
    if not isinstance(value, dict):
        return "a message is an object"
    number = value.get("id")
    if number is not None and (type(number) is not int or not 0 <= number <= ID_MAX):
        return "id must be an integer in 0 .. %d" % ID_MAX
    out.id = number
    members = ("id", "result")  # type: tuple[str, ...]
    if "method" in value:
        members = ("id", "method", "params", "auth")
        out.kind = NOTICE if number is None else REQUEST
        out.method = value["method"]
        out.params = value.get("params", out.params)
        out.auth = value.get("auth")
        if not isinstance(out.method, str) or not 0 < len(out.method) <= METHOD_LENGTH_MAX:
            return "method must be a name"
        if not isinstance(out.params, dict) or ("auth" in value and not isinstance(out.auth, dict)):
            return "params and auth must be objects"
    elif "error" in value:
        members = ("id", "error")
        out.kind = ERROR
        body = value["error"]
        if not isinstance(body, dict):
            return "error must be an object"
        out.code = body.get("code", 0)
        out.text = body.get("message", "")
        out.data = body.get("data")
        if not isinstance(out.code, str) or not isinstance(out.text, str):
            return "error needs a code and a message"
    elif "result" in value and number is not None:
        out.kind = RESULT
        out.result = value["result"]
    else:
        return "neither method, result nor error"
    for key in value:
        if key not in members:
            return "unexpected member %s" % key
    return ""
