"""The `tele` payload: values by name with their quality, numbered so that gaps show. Decides nothing.

`{"boot","seq","ts","trusted","full","v":{name:int|null},"q":{name:"stale"|"invalid"}}`, and `"lost"` where so
many of the numbers just before this one will never come: the board has dropped them. A name under `q` has
no value: what is not good is null under `v`, so a stale value cannot pass for a fresh one. Names that are not
in the point table are kept: a newer board may know more than this host.
"""

from greenmast_protocol import points, quality, strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Numbers = list[int] | range
    Codes = bytes | bytearray | list[int]
    Told = tuple[str, int | None, int]

_COUNTER_MAX = 0x7FFFFFFF
_MEMBERS = ("boot", "seq", "ts", "trusted", "full", "v", "q")
_LOST = "lost"
NAME_LENGTH_MAX = 48
_PIECE = 200  # bytes after which the next piece begins


class Tele:
    """One report. `ts` is Unix time in s, to be believed only if `trusted`; `full`: every point is in it."""

    def __init__(self, document: "dict[str, Any]") -> None:
        self.boot: int = document["boot"]
        self.seq: int = document["seq"]
        self.lost: int = document.get(_LOST, 0)
        self.ts: int = document["ts"]
        self.trusted: bool = document["trusted"]
        self.full: bool = document["full"]
        self.v: "dict[str, int | None]" = document["v"]
        self.q: "dict[str, str]" = document["q"]


def members(
    numbers: "Numbers", values: "list[int | None]", codes: "Codes", name: "Callable[[int], str]" = points.name
) -> "Iterator[bytes | bytearray]":
    """`members_of` the points `numbers`.

    `values[i]`, `codes[i]` and `name(i)` are value, quality and name of point `i`; the codes are those of the
    first piece.
    """
    codes = bytearray(codes)
    return members_of(_points(numbers, values, codes, name), _points(numbers, values, codes, name))


def members_of(once: "Iterator[Told]", again: "Iterator[Told]") -> "Iterator[bytes | bytearray]":
    """The members `"v":{..},"q":{..}` as JSON, in short pieces that are made as they are taken.

    `once` and `again` tell the same: (name, value, quality code) of each point. All of them as dicts, or as
    one piece, would take the board several times the memory.
    """
    yield b'"v":{'
    yield from pieces(_values(once))
    yield b'},"q":{'
    yield from pieces(_words(again))
    yield b"}"


def pieces(texts: "Iterator[str]") -> "Iterator[bytearray]":
    """These with commas between them, a few to a piece."""
    piece = bytearray()
    comma = ""
    for text in texts:
        piece += (comma + text).encode()
        comma = ","
        if len(piece) > _PIECE:
            yield piece
            piece = bytearray()
    yield piece


def _points(
    numbers: "Numbers", values: "list[int | None]", codes: bytearray, name: "Callable[[int], str]"
) -> "Iterator[Told]":
    for i in numbers:
        yield name(i), values[i], codes[i]


def _values(told: "Iterator[Told]") -> "Iterator[str]":
    for name, value, code in told:
        yield '"%s":%s' % (name, "null" if value is None or code != quality.GOOD else value)


def _words(told: "Iterator[Told]") -> "Iterator[str]":
    for name, _, code in told:
        if code != quality.GOOD:
            yield '"%s":"%s"' % (name, "stale" if code == quality.STALE else "invalid")


def build(
    boot: int,
    seq: int,
    ts: int,
    trusted: bool,
    full: bool,
    v_and_q: "Iterator[bytes | bytearray]",
    lost: int = 0,
) -> "list[bytes | bytearray]":
    """JSON of a report, in pieces; `v_and_q` is what `members` gives."""
    head = '{"boot":%d,"seq":%d,%s"ts":%d,' % (boot, seq, lost_member(lost), ts)
    head += '"trusted":%s,"full":%s,' % ("true" if trusted else "false", "true" if full else "false")
    out: "list[bytes | bytearray]" = [head.encode()]
    out.extend(v_and_q)
    out.append(b"}")
    return out


def lost_member(lost: int) -> str:
    """JSON of the member that says how many numbers before this one will never come; none for 0."""
    return '"lost":%d,' % lost if lost else ""


def parse(data: bytes) -> Tele:
    """The report in `data`. Raises ValueError, saying what is wrong, for anything else."""
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("a report is an object")
    for key in _MEMBERS:
        if key not in value:
            raise ValueError("%s is missing" % key)
    for key in value:
        if key not in _MEMBERS and key != _LOST:
            raise ValueError("unexpected member %s" % key)
    for key in ("boot", "seq", "ts", _LOST) if _LOST in value else ("boot", "seq", "ts"):
        if type(value[key]) is not int or value[key] < 0:
            raise ValueError("%s must be a positive integer" % key)
    for key in ("boot", "seq"):
        if value[key] > _COUNTER_MAX:
            raise ValueError("%s must lie in 0 .. %d" % (key, _COUNTER_MAX))
    if value.get(_LOST, 0) > value["seq"]:
        raise ValueError("lost counts numbers before seq")
    for key in ("trusted", "full"):
        if value[key] is not True and value[key] is not False:
            raise ValueError("%s must be true or false" % key)
    check_values(value["v"], value["q"])
    return Tele(value)


def check_values(v: object, q: object) -> None:
    """Raises ValueError unless `v` holds integers or null by name and `q` words of quality for nulls only."""
    if not isinstance(v, dict) or not isinstance(q, dict):
        raise ValueError("v and q must be objects")
    for name in v:
        if not 0 < len(name) <= NAME_LENGTH_MAX:
            raise ValueError("a point's name has 1 to %d characters" % NAME_LENGTH_MAX)
        if v[name] is not None and type(v[name]) is not int:
            raise ValueError("%s must be an integer or null" % name)
    for name in q:
        if q[name] != "stale" and q[name] != "invalid":
            raise ValueError("quality of %s must be stale or invalid" % name)
        if name not in v or v[name] is not None:
            raise ValueError("%s is %s and yet has a value" % (name, q[name]))
