"""Messages: the JSON-RPC shapes that both links carry. Knows members and their types, not methods' meanings.

`{"id","method","params"}`, `{"id","result"}`, `{"id","error":{"code","message","data"}}`; without an id it is
a notice. A request may carry `auth`. Anything else is a PROBLEM with a code and a text, so that a sender can
be told what was wrong.
"""

from greenmast_protocol import reasons, strict_json

REQUEST = 1
RESULT = 2
ERROR = 3
NOTICE = 4
PROBLEM = 5

ID_MAX = 0x7FFFFFFF
METHOD_LENGTH_MAX = 32

# Codes of errors that no command's refusal covers. Refusals are reasons.REFUSALS.
FAULTS = (
    ("malformed", "not a message"),
    ("too_long", "the message is too long"),
    ("internal", "the controller failed to answer"),
)
ERROR_CODES = tuple([row[0] for row in FAULTS]) + reasons.REFUSALS
_FAULT_TEXT = dict(FAULTS)

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
)
# Methods that change nothing: may be repeated, may come from a person's keyboard.
READS = ("hello", "get", "watch", "explain", "alarms", "config.get", "log.read", "update.status")


class Message:
    """One parsed message. `kind` says which members count:

    REQUEST id method params auth · NOTICE method params · RESULT id result · ERROR id (or None) code text
    data · PROBLEM id (or None) code text.
    """

    __slots__ = ("auth", "code", "data", "id", "kind", "method", "params", "result", "text")

    def __init__(self, kind: int) -> None:
        self.kind = kind
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


def notice(method: str, params: "dict[str, object]") -> bytes:
    """JSON bytes of an unsolicited message."""
    return strict_json.dumps({"method": method, "params": params})


def result(id_: "int | None", value: object) -> bytes:
    """JSON bytes of an answer. A person's request may have had no id; then the answer has none."""
    return strict_json.dumps({"result": value} if id_ is None else {"id": id_, "result": value})


def error(id_: "int | None", code: str, text: str = "", data: object = None) -> bytes:
    """JSON bytes of a refusal or fault. `code` is one of ERROR_CODES; `text` defaults to the table's."""
    body = {"code": code, "message": text or error_text(code)}  # type: dict[str, object]
    if data is not None:
        body["data"] = data
    return strict_json.dumps({"id": id_, "error": body})


def error_text(code: str) -> str:
    """The sentence for a fault; a refusal's code stands for itself (hosts have `reason_text`)."""
    return _FAULT_TEXT.get(code, code)


def parse(data: bytes) -> Message:
    """The message in `data`; never raises. What is not one is a PROBLEM, with its id if that was readable."""
    try:
        value = strict_json.loads(data)
    except ValueError as e:
        return _problem(None, str(e))
    if not isinstance(value, dict):
        return _problem(None, "a message is an object")
    id_ = value.get("id")
    if id_ is not None and (type(id_) is not int or not 0 <= id_ <= ID_MAX):
        return _problem(None, "id must be an integer in 0 .. %d" % ID_MAX)
    if "method" in value:
        return _asking(value, id_)
    if "error" in value:
        return _failing(value, id_)
    if "result" in value and id_ is not None:
        out = Message(RESULT)
        out.id = id_
        out.result = value["result"]
        return _only(value, ("id", "result"), out)
    return _problem(id_, "neither method, result nor error")


def _asking(value: "dict[str, object]", id_: "int | None") -> Message:
    out = Message(NOTICE if id_ is None else REQUEST)
    out.id = id_
    method = value["method"]
    if not isinstance(method, str) or not 0 < len(method) <= METHOD_LENGTH_MAX:
        return _problem(id_, "method must be a name")
    out.method = method
    params = value.get("params", {})
    if not isinstance(params, dict):
        return _problem(id_, "params must be an object")
    out.params = params
    auth = value.get("auth")
    if "auth" in value and not isinstance(auth, dict):
        return _problem(id_, "auth must be an object")
    out.auth = auth  # type: ignore[assignment]
    return _only(value, ("id", "method", "params", "auth"), out)


def _failing(value: "dict[str, object]", id_: "int | None") -> Message:
    body = value["error"]
    if not isinstance(body, dict):
        return _problem(id_, "error must be an object")
    code = body.get("code")
    text = body.get("message", "")
    if not isinstance(code, str) or not isinstance(text, str):
        return _problem(id_, "error needs a code and a message")
    out = Message(ERROR)
    out.id = id_
    out.code = code
    out.text = text
    out.data = body.get("data")
    return _only(value, ("id", "error"), out)


def _only(value: "dict[str, object]", members: "tuple[str, ...]", out: Message) -> Message:
    """`out`, unless the message has other members than these."""
    for key in value:
        if key not in members:
            return _problem(out.id, "unexpected member %s" % key)
    return out


def _problem(id_: "int | None", text: str) -> Message:
    out = Message(PROBLEM)
    out.id = id_
    out.code = "malformed"
    out.text = text
    return out
