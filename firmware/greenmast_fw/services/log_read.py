"""`log.read`: events from flash, oldest first, a few at a time. Loaded when somebody asks."""

from greenmast_fw.services import compact
from greenmast_fw.storage import ring as rings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.storage.ring import Ring

_RECORDS_MAX = 16
_NUMBER_MAX = 0x7FFFFFFF


def answer(ring: "Ring", boot: int, params: "dict[str, Any]") -> "list[bytes | bytearray] | str":
    """JSON of {"records": [{"boot", "seq", "n", "ts", "trusted", "up", "event"}..], "more": bool}, in pieces.

    They follow record "since" of "boot" (default: the present one, `boot`); without "since" the log is told
    from its beginning. "n" counts the events of a boot: a number that is missing is an event that is not
    there any more. Returns what is wrong with `params`.
    """
    for key in params:
        if key not in ("boot", "since"):
            return "unknown parameter %s" % key
        if type(params[key]) is not int or not 0 <= params[key] <= _NUMBER_MAX:
            return "%s must be a number" % key
    reader = rings.Reader(ring)
    reader.seek(params.get("boot", boot if "since" in params else 0), params.get("since", 0))
    pieces: "list[bytes | bytearray]" = [b'{"records":[']
    for k in range(_RECORDS_MAX):
        if not reader.find():
            break
        reader.take()
        pieces.append(('%s{"boot":%d,' % ("," if k else "", reader.boot) + compact.event(ring)[1:]).encode())
    pieces.append(b'],"more":true}' if reader.find() else b'],"more":false}')
    return pieces
