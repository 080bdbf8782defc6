"""The command table: what may be asked of the controller, once.

A row is (name, arguments). An argument is (name, low, high, needed) for an integer or (name, words, None,
needed) for one of several words. Checking a command's shape is `problem`; whether it is allowed now is the
core's business.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DURATION = ("for_s", 1, 604_800, True)

COMMANDS = (
    ("genset.start", (_DURATION,)),
    ("genset.stop", ()),
    ("genset.inhibit", (_DURATION,)),
    ("genset.reset", ()),
    ("source.select", (("ac", ("none", "grid", "genset"), None, True), _DURATION)),
    ("load.shed", (("tier", 1, 3, True), _DURATION)),
    ("load.restore", (("tier", 1, 3, True),)),
    ("mode.set", (("mode", ("auto", "manual", "disaster"), None, True), _DURATION)),
    ("reserve.set", (("permille", 0, 1_000, True), _DURATION)),
    ("plan.set", (("expires_s", 60, 604_800, True),)),
    ("alarm.ack", (("id", 0, 0x7FFFFFFF, True),)),
    ("alarm.shelve", (("id", 0, 0x7FFFFFFF, True), _DURATION)),
    ("battery.test", (("on", 0, 1, True),)),
    ("outage.announce", (("in_s", 0, 604_800, True), _DURATION)),
    ("controller.reset", ()),
)

NAMES = tuple([row[0] for row in COMMANDS])
_ARGUMENTS = {row[0]: row[1] for row in COMMANDS}

# plan.set carries free-form hourly lists beside its expiry; the core checks them.
_OPEN = ("plan.set",)


def _argument_problem(row: "tuple[Any, ...]", args: "dict[str, object]") -> str:
    name, low, high, needed = row
    if name not in args:
        return "%s is missing" % name if needed else ""
    value = args[name]
    if isinstance(low, tuple):
        return "" if value in low else "%s must be one of %s" % (name, ", ".join(low))
    if isinstance(value, bool) or not isinstance(value, int):
        return "%s must be an integer" % name
    if not low <= value <= high:
        return "%s must lie in %d .. %d" % (name, low, high)
    return ""


def problem(name: object, args: object) -> "tuple[str, str]":
    """("", "") when the command is well formed, else (refusal code, text naming the place)."""
    if not isinstance(name, str) or name not in _ARGUMENTS:
        return "unknown", "no such command: %s" % (name,)
    if not isinstance(args, dict):
        return "invalid_value", "arguments must be an object"
    rows = _ARGUMENTS[name]
    known = [row[0] for row in rows]
    if name not in _OPEN:
        for key in args:
            if key not in known:
                return "invalid_value", "%s takes no %s" % (name, key)
    for row in rows:
        text = _argument_problem(row, args)
        if text:
            return "invalid_value", text
    return "", ""
