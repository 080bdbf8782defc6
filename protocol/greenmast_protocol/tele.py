"""The `tele` payload: values by name with their quality, numbered so that gaps show. Decides nothing.

`{"boot","seq","ts","trusted","full","v":{name:int|null},"q":{name:"stale"|"invalid"}}`. A name under `q` has
no value: what is not good is null under `v`, so a stale value cannot pass for a fresh one. Names that are not
in the point table are kept: a newer board may know more than this host.
"""

from greenmast_protocol import strict_json

_WORDS = ("stale", "invalid")
_COUNTER_MAX = 0x7FFFFFFF
_MEMBERS = ("boot", "seq", "ts", "trusted", "full", "v", "q")
NAME_LENGTH_MAX = 48


class Tele:
    """One report. `ts` is Unix time in s, to be believed only if `trusted`; `full`: every point is in it."""

    __slots__ = ("boot", "full", "q", "seq", "trusted", "ts", "v")

    def __init__(
        self,
        boot: int,
        seq: int,
        ts: int,
        trusted: bool,
        full: bool,
        v: "dict[str, int | None]",
        q: "dict[str, str]",
    ) -> None:
        self.boot = boot
        self.seq = seq
        self.ts = ts
        self.trusted = trusted
        self.full = full
        self.v = v
        self.q = q


def build(tele: Tele) -> bytes:
    """JSON bytes of a report."""
    return strict_json.dumps({member: getattr(tele, member) for member in _MEMBERS})


def parse(data: bytes) -> Tele:
    """The report in `data`. Raises ValueError, saying what is wrong, for anything else."""
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("a report is an object")
    for key in _MEMBERS:
        if key not in value:
            raise ValueError("%s is missing" % key)
    for key in value:
        if key not in _MEMBERS:
            raise ValueError("unexpected member %s" % key)
    for key in ("boot", "seq", "ts"):
        if type(value[key]) is not int or value[key] < 0:
            raise ValueError("%s must be a positive integer" % key)
    for key in ("boot", "seq"):
        if value[key] > _COUNTER_MAX:
            raise ValueError("%s must lie in 0 .. %d" % (key, _COUNTER_MAX))
    for key in ("trusted", "full"):
        if value[key] is not True and value[key] is not False:
            raise ValueError("%s must be true or false" % key)
    check_values(value["v"], value["q"])
    return Tele(
        value["boot"], value["seq"], value["ts"], value["trusted"], value["full"], value["v"], value["q"]
    )


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
        if q[name] not in _WORDS:
            raise ValueError("quality of %s must be stale or invalid" % name)
        if name not in v or v[name] is not None:
            raise ValueError("%s is %s and yet has a value" % (name, q[name]))
