"""The controller's events in words, for people. An event is (kind, subject, new, reason, value, limit)."""

from greenmast_protocol import alarms, commands, points, reason_text, show

# By kind, in the order of the firmware's `core/decision.py`.
KINDS = (
    "output",
    "source",
    "grid",
    "genset",
    "demand",
    "shed",
    "alarm",
    "protection",
    "contactor",
    "command",
    "blind",
    "reset",
    "policy",
)
_WORDS = {
    "source": ("no AC source", "AC source: grid", "AC source: genset"),
    "grid": ("grid lost", "grid usable"),
    "contactor": ("as it should be", "welded", "does not close", "chatters"),
    "command": ("refused", "accepted"),
    "blind": ("data again", "no data: outputs are held", "no data: the site's default state"),
}


def kind(event: "list[int] | tuple[int, ...]") -> str:
    """Name of an event's kind. A newer board's kinds are named by number."""
    return KINDS[event[0]] if 0 <= event[0] < len(KINDS) else "event %d" % event[0]


def text(event: "list[int] | tuple[int, ...]") -> str:
    """One line for an event, with its reason and the values that decided."""
    _, subject, new, reason, value, limit = event
    line = _what(kind(event), subject, new)
    if reason and (value or limit):
        return "%s: %s" % (line, show.reason(reason, value, limit))
    return "%s: %s" % (line, reason_text.brief(reason)) if reason else line


def _what(name: str, subject: int, new: int) -> str:
    if name == "output":
        output = "output." + _of(points.OUTPUTS, subject)
        return "%s %s" % (output, show.value(output, new))
    if name == "genset":
        return "genset " + _of(points.GENSET_STATES, new)
    if name == "demand":
        return "genset wanted" if new else "genset no longer wanted"
    if name == "shed":
        return "loads disconnected by rule: %d" % new
    if name == "alarm":
        return "alarm %s %s" % (_of(alarms.NAMES, subject), _of(alarms.STATES, new))
    if name == "protection":
        return "protection opens %s" % _of(points.OUTPUTS, subject)
    if name == "contactor":
        return "contactor %s %s" % (_of(points.OUTPUTS, subject), _of(_WORDS[name], new))
    if name == "command":
        return "command %s %s" % (_of(commands.NAMES, subject), _of(_WORDS[name], new))
    if name == "reset":
        return "started again, %d in a row" % new
    if name == "policy":
        wanted = show.quantity(new, "permille")
        return ("battery kept from %s on" if subject else "charging to %s") % wanted
    if name in _WORDS and 0 <= new < len(_WORDS[name]):
        return _WORDS[name][new]
    return "%s %d = %d" % (name, subject, new)


def _of(names: "tuple[str, ...]", i: int) -> str:
    return names[i] if 0 <= i < len(names) else str(i)
