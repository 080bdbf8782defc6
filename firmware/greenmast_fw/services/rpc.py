"""Requests and their answers: what a host or a person may ask, whichever link it came by.

Owns the table of methods. Knows no link, no framing and no device: it sees the board through `Board`.
Everything here is a read; a `command` is refused until a link can prove who sends it, so nothing is ever
applied.
"""

from greenmast_protocol import message, points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Board(Protocol):
        """What requests may see of the board."""

        def hello(self) -> "dict[str, object]":
            """product, firmware, protocol, board, site, boot, table (hash), revision."""

        def statistics(self) -> "dict[str, object]":
            """Counters since boot: scans, modbus, mqtt, telemetry, switches."""

        def values(self, names: "list[str] | None") -> "dict[str, int | None]":
            """Values by name; None for one that is not good. `names` None: all points."""

        def qualities(self) -> "dict[str, str]":
            """ "stale" or "invalid" by name, for points that are not good."""

        def ages(self, names: "list[str]") -> "dict[str, int]":
            """Ages in ms by name, for points that a device supplies."""

        def explain(self) -> "list[object]":
            """Rows as `greenmast_protocol.show.explanation` takes them."""

        def alarms(self) -> "list[object]":
            """Active alarms: {"id", "name", "ts" (wall time of raising), "trusted"} each."""

        def config(self) -> "dict[str, object]":
            """The configuration document in force."""


WATCH_MIN_MS = 200
WATCH_MAX_MS = 60_000


class RefusedError(Exception):
    """Ends a method with an error `code` of the message codec, a text and perhaps data."""

    def __init__(self, code: str, text: str = "", data: object = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.data = data


class Watch:
    """What one link has asked to be told again and again."""

    def __init__(self) -> None:
        self.period_ms = 0
        self.params = {}  # type: dict[str, object]
        self._left_ms = 0

    def set(self, period_ms: int, params: "dict[str, object]") -> None:
        """Tell every `period_ms` from now; 0: no more."""
        self.period_ms = period_ms
        self.params = params
        self._left_ms = 0

    def due(self, dt_ms: int) -> bool:
        """True once per period; `dt_ms` has passed since the last call."""
        if not self.period_ms:
            return False
        self._left_ms -= dt_ms
        if self._left_ms > 0:
            return False
        self._left_ms = self.period_ms
        return True


class Rpc:
    """Answers messages. `requests` counts them, `faults` the ones whose method failed."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.requests = 0
        self.faults = 0
        self._methods = {
            "hello": self._hello,
            "get": self._get,
            "explain": self._explain,
            "alarms": self._alarms,
            "config.get": self._config,
        }

    def handle(self, data: bytes, trusted_framing: bool, watch: "Watch | None" = None) -> bytes:
        """The JSON bytes that answer the message `data`; empty for what needs no answer.

        Without `trusted_framing` (a person at a keyboard) only reads are done, and an id is not needed.
        `watch` is the link's own; a link without one cannot watch.
        """
        m = message.parse(data)
        if m.kind == message.PROBLEM:
            return message.error(m.id, m.code, m.text)
        if m.kind != message.REQUEST and (m.kind != message.NOTICE or trusted_framing):
            return b""
        self.requests += 1
        try:
            return message.result(m.id, self._answer(m, trusted_framing, watch))
        except RefusedError as e:
            return message.error(m.id, e.code, e.text, e.data)
        except Exception as e:  # noqa: BLE001 (a failing method must not end the link, not even by MemoryError)
            self.faults += 1
            return message.error(m.id, "internal", "%s: %r" % (m.method, e))

    def tell(self, watch: Watch) -> bytes:
        """JSON bytes of the notice that `watch` is due; empty when that fails."""
        try:
            return message.notice("tele", self._get(watch.params))
        except Exception:  # noqa: BLE001 (as in `handle`; the next one may succeed)
            self.faults += 1
            return b""

    def _answer(self, m: message.Message, trusted_framing: bool, watch: "Watch | None") -> object:
        if m.method in message.METHODS and m.method not in message.READS:
            raise RefusedError(
                "not_authorised", "%s needs a login" % m.method if trusted_framing else "reads only"
            )
        if m.method == "watch" and watch is not None:
            return self._watch(m.params, watch)
        method = self._methods.get(m.method)
        if method is None:
            raise RefusedError("unknown", "no method %s here" % m.method)
        return method(m.params)

    def _hello(self, params: "dict[str, object]") -> "dict[str, object]":
        _only(params, ("statistics",))
        about = self.board.hello()
        if _flag(params, "statistics"):
            about["statistics"] = self.board.statistics()
        return about

    def _explain(self, params: "dict[str, object]") -> "dict[str, object]":
        _only(params, ())
        return {"rows": self.board.explain()}

    def _alarms(self, params: "dict[str, object]") -> "dict[str, object]":
        _only(params, ())
        return {"alarms": self.board.alarms()}

    def _config(self, params: "dict[str, object]") -> "dict[str, object]":
        _only(params, ())
        return self.board.config()

    def _get(self, params: "dict[str, object]") -> "dict[str, object]":
        """{"v": {name: int|null}, "q": {name: word}} and with "ages": true also {"age_ms": {name: int}}."""
        _only(params, ("points", "ages"))
        v = select(self.board, params.get("points"))
        all_q = self.board.qualities()
        out = {"v": v, "q": {name: all_q[name] for name in v if name in all_q}}  # type: dict[str, object]
        if _flag(params, "ages"):
            out["age_ms"] = self.board.ages(list(v))
        return out

    def _watch(self, params: "dict[str, object]", watch: Watch) -> "dict[str, object]":
        _only(params, ("points", "ages", "period_ms"))
        period_ms = params.get("period_ms", 1000)
        if type(period_ms) is not int or not (period_ms == 0 or WATCH_MIN_MS <= period_ms <= WATCH_MAX_MS):
            text = "period_ms must be 0 or lie in %d .. %d" % (WATCH_MIN_MS, WATCH_MAX_MS)
            raise RefusedError("invalid_value", text)
        rest = {key: params[key] for key in params if key != "period_ms"}
        if period_ms:
            self._get(rest)  # refuses now what could not be told later
        watch.set(period_ms, rest)
        return {"period_ms": period_ms}


def select(board: "Board", wanted: object) -> "dict[str, int | None]":
    """Values of the points `wanted`: a list of names and of patterns like "battery.*"; None for all.

    Raises RefusedError when it is no such list or when one of them matches no point.
    """
    if wanted is None:
        return board.values(None)
    if not isinstance(wanted, list) or not wanted:
        raise RefusedError("invalid_value", "points must be a list of names")
    everything = None
    out = {}  # type: dict[str, int | None]
    for name in wanted:
        if not isinstance(name, str):
            raise RefusedError("invalid_value", "points must be a list of names")
        if points.find(name) >= 0:
            out[name] = None
            continue
        if everything is None:
            everything = board.values(None)
        found = [n for n in everything if _matches(n, name)]
        if not found:
            raise RefusedError("invalid_value", "no point %s" % name, {"point": name})
        for n in found:
            out[n] = None
    return board.values(list(out))


def _matches(name: str, pattern: str) -> bool:
    """A pattern is a name, or the beginning of one and `*`."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _flag(params: "dict[str, object]", name: str) -> bool:
    flag = params.get(name, False)
    if flag is not True and flag is not False:
        raise RefusedError("invalid_value", "%s must be true or false" % name)
    return flag is True


def _only(params: "dict[str, object]", known: "tuple[str, ...]") -> None:
    for key in params:
        if key not in known:
            raise RefusedError("invalid_value", "unknown parameter %s" % key)
