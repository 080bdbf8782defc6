"""Requests and their answers: what a host or a person may ask, whichever link it came by.

Owns the methods. Knows no link, no framing and no device: it sees the board through `Board`. Who sits at the
board's own console may command and configure it and ask its buses: with a hand on the cabinet's switches, the
cable gives nothing away. Over any other link only what a `gate` lets in may write.
"""

from greenmast_fw.services import version
from greenmast_protocol import labels, message, strict_json, tele

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from typing import Any, Protocol

    Pieces = Iterable[bytes | bytearray]  # of JSON: what they hold together may be too long for one
    Gate = Callable[[message.Message, bytes], bytes]  # see `proof.judge`

    class Board(Protocol):
        """What requests may see of the board."""

        values: "list[int | None]"  # by point
        codes: bytearray  # qualities by point

        def hello(self) -> "dict[str, object]":
            """board, site, name, boot, revision."""

        def statistics(self) -> "dict[str, object]":
            """Counters since boot: scans, modbus, mqtt, telemetry, switches."""

        def name(self, i: int) -> str:
            """Name of point `i`."""

        def age_ms(self, i: int) -> int:
            """Age of point `i` in ms; -1 when neither a device nor an input supplies it."""

        def explain(self) -> "Iterable[object]":
            """Rows as `greenmast_protocol.show.explanation` takes them."""

        def alarms(self) -> "list[object]":
            """The alarm list: {"id", "name", "state", "ts" (wall time of raising), "trusted"} each."""

        def config(self) -> "Pieces":
            """The configuration document in force, as JSON."""

        def transactions(self) -> "dict[str, object]":
            """{"revision" in force, "next" free one, "confirm_s" of a trial, "refused": [[place, text]]}."""

        def command(self, params: "dict[str, Any]") -> "tuple[str, str, dict[str, object]]":
            """A well-formed command, done: ("", "", applied values); else (refusal code, text, {})."""

        def log(self, params: "dict[str, Any]") -> "Pieces | str":
            """JSON of {"records", "more"}, or what is wrong with `params`; see `log_read`."""

        def report(self) -> "dict[str, object]":
            """A full report is made, see `Telemetry.tell_all`."""

        def bus(self, params: "dict[str, Any]") -> "Coroutine[None, None, dict[str, object]] | str":
            """A read of one bus: {"verdict", "data"} (hex) in due time, or what is wrong with `params`."""

        def configure(
            self, method: str, params: "dict[str, Any]", by_hand: bool
        ) -> "Coroutine[None, None, tuple[str, str, dict[str, object]]]":
            """A step of a transaction, done in due time: ("", "", result); else (code, text, data).

            `by_hand`: at the board's own console.
            """


WATCH_MIN_MS = 200
WATCH_MAX_MS = 60_000
# Methods that begin so change something, unless they are served below.
_WRITES = ("auth", "command", "config", "update")


class RefusedError(Exception):
    """Ends a method with an error `code` of the message codec, a text and what more there is to say."""

    def __init__(self, code: str, text: str, data: "dict[str, object] | None" = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.data = data


class Session:
    """That of the console; it is told the points in `params` every `period_ms` (0: none)."""

    def __init__(self) -> None:
        self.period_ms = 0
        self.params = {}  # type: dict[str, object]
        self.left_ms = 0

    def due(self, dt_ms: int) -> bool:
        """True once per period; `dt_ms` has passed since the last call."""
        self.left_ms -= dt_ms
        if not self.period_ms or self.left_ms > 0:
            return False
        self.left_ms = self.period_ms
        return True


class Rpc:
    """Answers messages. `faults` counts the ones whose method failed."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.faults = 0

    async def handle(
        self,
        data: bytes,
        trusted_framing: bool,
        session: "Session | None" = None,
        gate: "Gate | None" = None,
    ) -> "Pieces":
        """The JSON that answers the message `data`, in pieces; none for what needs no answer.

        Without `trusted_framing` (a person at a keyboard) an id is not needed. `session` is the
        console's own; a link without one cannot watch or ask a bus, and writes only what its `gate` lets in.
        """
        m = message.parse(data)
        if m.kind == message.PROBLEM:
            return [message.error(m.id, m.code, m.text)]
        if m.kind != message.REQUEST and (m.kind != message.NOTICE or trusted_framing):
            return []
        may_write = session is not None
        try:
            if gate and (m.auth is not None or m.method == "auth.challenge"):
                answer = gate(m, data)
                if answer:
                    return [answer]
                may_write = True
            told = await self._answer(m.method, m.params, session, may_write)
            pieces = message.result_pieces(m.id, told)
            return pieces if session else list(pieces)  # a broker wants to know the length first
        except RefusedError as e:
            return [message.error(m.id, e.code, e.text, e.data)]
        except Exception as e:  # noqa: BLE001 (a failing method must not end the link, not even by MemoryError)
            self.faults += 1
            return [message.error(m.id, "internal", "%s: %r" % (m.method, e))]

    def tell(self, session: Session) -> "Pieces":
        """JSON of the notice that `session` is due, in pieces; none when that fails."""
        try:
            return message.notice_pieces("tele", _get(self.board, session.params))
        except Exception:  # noqa: BLE001 (as in `handle`; the next one may succeed)
            self.faults += 1
            return []

    async def _answer(
        self, method: str, params: "dict[str, Any]", session: "Session | None", may_write: bool
    ) -> "Pieces":
        board = self.board
        if method == "get":
            return _get(board, params)
        if method == "config.get":
            return _config(board, params)
        if method == "watch" and session is not None:
            return [strict_json.dumps(_watch(board, params, session))]
        if method == "hello":
            return [strict_json.dumps(_hello(board, params))]
        if method in ("explain", "alarms", "tele.full"):
            return _told(board, method, params)
        if method == "log.read":
            return _log(board, params)
        if method == "command" and may_write:
            _only(params, ("name", "args"))
            code, text, applied = board.command(params)
            if code:
                raise RefusedError(code, text)
            return [strict_json.dumps({"applied": applied})]
        if method[:7] == "config." and may_write:
            code, text, answer = await board.configure(method, params, session is not None)
            if code:
                raise RefusedError(code, text, answer or None)
            return [strict_json.dumps(answer)]
        if method == "bus.read" and session is not None:
            reading = board.bus(params)
            if isinstance(reading, str):
                raise RefusedError("invalid_value", reading)
            return [strict_json.dumps(await reading)]
        if method.split(".")[0] in _WRITES:
            raise RefusedError("not_authorised", "%s needs a key" % method)
        raise RefusedError("unknown", "no method %s here" % method)


def _hello(board: "Board", params: "dict[str, Any]") -> "dict[str, object]":
    _only(params, ("statistics",))
    out = about(board)
    if _flag(params, "statistics"):
        out["statistics"] = board.statistics()
    return out


def _log(board: "Board", params: "dict[str, Any]") -> "Pieces":
    told = board.log(params)
    if isinstance(told, str):
        raise RefusedError("invalid_value", told)
    return told


def _told(board: "Board", method: str, params: "dict[str, Any]") -> "Pieces":
    _only(params, ())
    if method == "tele.full":
        return [strict_json.dumps(board.report())]
    return _listed("rows", board.explain()) if method == "explain" else _listed("alarms", board.alarms())


def _config(board: "Board", params: "dict[str, Any]") -> "Pieces":
    """The configuration in force; with "status": true, where transactions stand instead."""
    _only(params, ("status",))
    return [strict_json.dumps(board.transactions())] if _flag(params, "status") else board.config()


def _listed(name: str, rows: "Iterable[object]") -> "Iterator[bytes]":
    """JSON of {name: rows}, row by row."""
    yield ('{"%s":[' % name).encode()
    comma = b""
    for row in rows:
        yield comma + strict_json.dumps(row)
        comma = b","
    yield b"]}"


def _get(board: "Board", params: "dict[str, Any]") -> "Pieces":
    """JSON: {"v": {name: int|null}, "q": {name: word}} and with "ages": true also {"age_ms": {name: int}}."""
    _only(params, ("points", "ages"))
    numbers = select(board, params.get("points"))
    return _points(board, numbers, _flag(params, "ages"))


def _points(board: "Board", numbers: "list[int] | range", ages: bool) -> "Iterator[bytes | bytearray]":
    yield b"{"
    yield from tele.members(numbers, board.values, board.codes, board.name)
    if ages:
        yield b',"age_ms":{'
        yield from tele.pieces(_ages(board, numbers))
        yield b"}"
    yield b"}"


def _ages(board: "Board", numbers: "list[int] | range") -> "Iterator[str]":
    for i in numbers:
        age_ms = board.age_ms(i)
        if age_ms >= 0:
            yield '"%s":%d' % (board.name(i), age_ms)


def _watch(board: "Board", params: "dict[str, Any]", session: Session) -> "dict[str, object]":
    period_ms = params.pop("period_ms", 1000)
    if type(period_ms) is not int or (period_ms and not WATCH_MIN_MS <= period_ms <= WATCH_MAX_MS):
        text = "period_ms must be 0 or lie in %d .. %d" % (WATCH_MIN_MS, WATCH_MAX_MS)
        raise RefusedError("invalid_value", text)
    if period_ms:
        _get(board, params)  # refuses now what could not be told later
    session.period_ms = period_ms
    session.params = params
    session.left_ms = 0
    return {"period_ms": period_ms}


def about(board: "Board") -> "dict[str, object]":
    """product, firmware, protocol, table (hash), and what the board adds to them."""
    out = {
        "product": "greenmast",
        "firmware": version.FIRMWARE,
        "protocol": version.PROTOCOL,
        "table": labels.TABLE_HASH,
    }  # type: dict[str, object]
    out.update(board.hello())
    return out


def select(board: "Board", wanted: object) -> "list[int] | range":
    """Numbers of the points `wanted`: a list of names and of patterns like "battery.*"; None for all.

    Raises RefusedError when it is no such list or when one of them matches no point.
    """
    if wanted is None:
        return range(len(board.values))
    if not isinstance(wanted, list) or not wanted:
        raise RefusedError("invalid_value", "points must be a list of names")
    out = []  # type: list[int]
    for name in wanted:
        found = [i for i in range(len(board.values)) if _matches(board.name(i), name)]
        if not found:
            raise RefusedError("invalid_value", "no point %s" % name)
        for i in found:
            if i not in out:
                out.append(i)
    return out


def _matches(name: str, pattern: object) -> bool:
    """A pattern is a name, or the beginning of one and `*`."""
    if not isinstance(pattern, str) or not pattern.endswith("*"):
        return name == pattern
    return name.startswith(pattern[:-1])


def _flag(params: "dict[str, Any]", name: str) -> bool:
    flag = params.get(name, False)
    if flag is not True and flag is not False:
        raise RefusedError("invalid_value", "%s must be true or false" % name)
    return flag is True


def _only(params: "dict[str, Any]", known: "tuple[str, ...]") -> None:
    for key in params:
        if key not in known:
            raise RefusedError("invalid_value", "unknown parameter %s" % key)
