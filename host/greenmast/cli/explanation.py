"""The board's reasons and alarms, completed from the tables: as text and as documents for `--json`."""

from __future__ import annotations

from typing import Any

from greenmast.errors import USAGE, UserError
from greenmast_protocol import alarm_text, alarms, reasons, show


def document(row: Any) -> dict[str, Any]:
    """The same row for scripts; `reason`, `blocked` and `fine` are names of the reason table."""
    if isinstance(row, str):
        return {"text": row}
    subject, state, code, values, blocked, upcoming = row
    return {
        "subject": subject,
        "state": state,
        "reason": _name(code),
        "values": values,
        "blocked": [_name(entry[0]) for entry in blocked if not show.is_fine(entry[0])],
        "fine": [_name(entry[0]) for entry in blocked if show.is_fine(entry[0])],
        "next": {"what": upcoming[0], "in_s": upcoming[1]} if upcoming else None,
        "text": show.explanation(row),
    }


def is_news(row: Any) -> bool:
    """Whether a row says more than that all is as it should be."""
    if isinstance(row, str):
        return True
    _, _, code, _, blocked, upcoming = row
    return bool(code or upcoming or [entry for entry in blocked if not show.is_fine(entry[0])])


def alarm(row: dict[str, Any]) -> dict[str, Any]:
    """A listed alarm (`name` and what else the board tells) with state, severity, text and remedy."""
    row = {"state": alarms.ACTIVE, **row}
    name = str(row.get("name", ""))
    if name not in alarms.NAMES:
        return {"severity": "unknown", "text": "an alarm that this host does not know", "remedy": "", **row}
    severity = alarms.ALARMS[alarms.index(name)][1]
    words, remedy = alarm_text.TEXTS[name]
    return {**row, "severity": severity, "text": words, "remedy": remedy}


def alarm_number(which: str) -> int:
    """Number of the alarm that a person names, or gives by its number. Raises UserError."""
    if which in alarms.NAMES:
        return alarms.index(which)
    if not which.isdecimal():
        raise UserError(f"no alarm {which}", USAGE)
    return int(which)


def _name(code: int) -> str:
    return reasons.NAMES[code] if 0 <= code < len(reasons.NAMES) else str(code)
