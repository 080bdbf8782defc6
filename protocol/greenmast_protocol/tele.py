"""The `tele` payload: values by name with their quality, numbered so that gaps show. Decides nothing.

`{"boot","seq","ts","trusted","full","v":{name:int|null},"q":{name:"stale"|"invalid"}}`. A name under `q` has
no value: what is not good is null under `v`, so a stale value cannot pass for a fresh one. Names that are not
in the point table are kept: a newer board may know more than this host.
"""

from greenmast_protocol import quality, strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COUNTER_MAX = 0x7FFFFFFF
_MEMBERS = ("boot", "seq", "ts", "trusted", "full", "v", "q")
NAME_LENGTH_MAX = 48
STALE = "stale"
INVALID = "invalid"


class Tele:
    """One report. `ts` is Unix time in s, to be believed only if `trusted`; `full`: every point is in it."""

    def __init__(self, document: "dict[str, Any]") -> None:
        self.boot: int = document["boot"]
        self.seq: int = document["seq"]
        self.ts: int = document["ts"]
        self.trusted: bool = document["trusted"]
        self.full: bool = document["full"]
        self.v: "dict[str, int | None]" = document["v"]
        self.q: "dict[str, str]" = document["q"]


class Values:
    """The members `v` and `q` as JSON, put together piece by piece: a dict of all points would take the board
    several times the memory."""

    def __init__(self) -> None:
        self._v = bytearray()
        self._q = bytearray()

    def add(self, name: str, value: "int | None", code: int) -> None:
        """One value, null unless its quality `code` (see `quality`) is GOOD."""
        if code != quality.GOOD:
            word = STALE if code == quality.STALE else INVALID
            self._q += b'%s"%s":"%s"' % (b"," if self._q else b"", name, word)
        self._v += ()

