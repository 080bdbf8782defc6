"""The command table: what may be asked of the controller, once.

A row is (name, arguments). An argument is (name, low, high, needed) for an integer, (name, words, None,
needed) for one of several words or (name, low, high, needed, longest) for a list of integers. Checking a
command's shape is `problem`; whether it is allowed now is the core's business.

`plan.set` gives, hour by hour from `start_in_s` after its receipt, what it has an opinion on: `reserve`
(permille), `charge` (0 AC charges no further than the reserve, 1 it charges, 2 the battery carries down to
the reserve) and `genset` (0 no opinion, 1 runs, 2 does not start but for bus voltage). A plan without any
list withdraws the one before.

`COMMANDS` and `NAMES` are for hosts. The board keeps the same packed, behind `problem` and `number`.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DURATION = ("for_s", 1, 604_800, True)
_HOURS = 168  # in a plan, at most

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
    (
        "plan.set",
        (
            ("expires_s", 60, 604_800, True),
            ("start_in_s", 0, 604_799, False),
            ("reserve", 0, 1_000, False, _HOURS),
            ("charge", 0, 2, False, _HOURS),
            ("genset", 0, 2, False, _HOURS),
        ),
    ),
    ("alarm.ack", (("id", 0, 0x7FFFFFFF, True),)),
    ("alarm.shelve", (("id", 0, 0x7FFFFFFF, True), _DURATION)),
    ("battery.test", (("on", 0, 1, True),)),
    ("outage.announce", (("in_s", 0, 604_800, True), _DURATION)),
    ("controller.reset", ()),
)

NAMES = tuple([row[0] for row in COMMANDS])
_TEXT = "\n" + "".join(["%s %s\n" % (name, json.dumps(args)) for name, args in COMMANDS])  # a line each


def number(name: str) -> int:
    """Place of the command `name` in the table, -1 for an unknown one."""
    at = _TEXT.find("\n%s " % name)
    return _TEXT.count("\n", 0, at) if at >= 0 and " " not in name else -1


def _argument_problem(row: "list[Any]", args: "dict[str, object]") -> str:
    name, low, high, needed = row[:4]
    if name not in args:
        return "%s is missing" % name if needed else ""
    value = args[name]
    if isinstance(low, list):
        return "" if value in low else "%s must be one of %s" % (name, ", ".join(low))
    if len(row) == 4:
        return _number_problem(name, value, low, high)
    if not isinstance(value, list) or not 1 <= len(value) <= row[4]:
        return "%s must be a list of 1 .. %d integers" % (name, row[4])
    for i in range(len(value)):
        text = _number_problem("%s[%d]" % (name, i), value[i], low, high)
        if text:
            return text
    return ""


def _number_problem(place: str, value: object, low: int, high: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "%s must be an integer" % place
    if not low <= value <= high:
        return "%s must lie in %d .. %d" % (place, low, high)
    return ""


def problem(name: object, args: object) -> "tuple[str, str]":
    """("", "") when the command is well formed, else (refusal code, text naming the place)."""
    if not isinstance(name, str) or number(name) < 0:
        return "unknown", "no such command: %s" % (name,)
    if not isinstance(args, dict):
        return "invalid_value", "arguments must be an object"
    at = _TEXT.find("\n%s " % name) + len(name) + 2
    rows = json.loads(_TEXT[at : _TEXT.find("\n", at)])
    known = [row[0] for row in rows]
    for key in args:
        if key not in known:
            return "invalid_value", "%s takes no %s" % (name, key)
    for row in rows:
        text = _argument_problem(row, args)
        if text:
            return "invalid_value", text
    if args.get("start_in_s", 0) >= args.get("expires_s", 1):
        return "invalid_value", "start_in_s must be less than expires_s"
    return "", ""
