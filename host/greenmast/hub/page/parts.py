"""The cards of a site's page as HTML text. Every value goes through `_figure`: value, quality and age
together.

Whatever a board has sent is escaped here; nothing else builds HTML from it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from greenmast.hub.page import text
from greenmast.hub.queries import PointView, SiteView
from greenmast_protocol import alarms as alarm_table
from greenmast_protocol import points, reason_text

_KEY_FIGURES = (
    "dc.bus_mv",
    "load.power_w",
    "solar.power_w",
    "grid.voltage_mv",
    "grid.frequency_chz",
    "grid.power_w",
    "grid.qualified",
    "battery.voltage_mv",
    "battery.current_ma",
    "battery.soc_permille",
    "battery.temperature_dc",
    "battery.reserve_permille",
    "battery.to_lvd_s",
    "rectifier.output_ma",
    "rectifier.setpoint_mv",
    "site.temperature_dc",
)
_GENSET = (
    "genset.state",
    "genset.power_w",
    "genset.voltage_mv",
    "genset.frequency_chz",
    "genset.rpm",
    "genset.fuel_permille",
    "genset.oil_kpa",
    "genset.coolant_dc",
    "genset.run_s",
    "genset.starts",
    "genset.fault",
)
_SEVERITIES = ("critical", "major", "minor", "warning")
_ABSENT = PointView(None, "unknown", 0, 0, False, 0)


def head(view: SiteView) -> str:
    """Site, board and contact."""
    facts = [str(view.info[key]) for key in ("board", "firmware") if view.info.get(key)]
    kind = "good" if view.fresh else "stale"
    words = text.seen(view.seen_s_ago)
    if view.online is False:
        words = f"no contact, {words}"
    return (
        f'<div class="who"><h1>{_esc(view.name)}</h1>'
        f'<span class="facts">{_esc(" · ".join(facts))}</span></div>'
        f'<span class="seen {kind}"><i></i>{_esc(words)}</span>'
    )


def state(view: SiteView) -> str:
    """What the site runs on and why, in four tiles."""
    tiles = (
        _tile(view, "AC source", "source.ac", _reason(view, "reason.ac")),
        _tile(view, "Battery", "battery.soc_permille", _reserve(view)),
        _tile(view, "Genset", "genset.state", _reason(view, "reason.genset")),
        _tile(view, "Mode", "controller.mode", _safe_mode(view)),
    )
    return "".join(tiles)


def figures(view: SiteView) -> str:
    """The key figures with quality and age."""
    return _table(view, _KEY_FIGURES, with_subsystem=True)


def genset(view: SiteView) -> str:
    """The genset's figures."""
    return _table(view, _GENSET, with_subsystem=False)


def everything(view: SiteView) -> str:
    """Every point the board has ever told, by subsystem."""
    groups: dict[str, list[str]] = {name: [] for name in text.SUBSYSTEMS}
    for name in view.points:
        groups.setdefault(name.partition(".")[0], []).append(name)
    cards = []
    for subsystem, names in groups.items():
        if names:
            title = _esc(text.SUBSYSTEMS.get(subsystem, subsystem))
            cards.append(f"<section><h3>{title}</h3>{_table(view, names, with_subsystem=False)}</section>")
    return "".join(cards)


def contactors(view: SiteView) -> str:
    """Output, feedback and reason of each contactor and relay that the board has told of."""
    rows = []
    for name in points.OUTPUTS:
        output = view.points.get(f"output.{name}", _ABSENT)
        if output.value is None:  # not fitted here
            continue
        feedback = view.points.get(f"feedback.{name}", _ABSENT)
        wrong = "good" == output.quality == feedback.quality and output.value != feedback.value
        code = view.good(f"reason.{'ac' if name == 'grid' else name}")
        rows.append(
            f'<tr class="{"wrong" if wrong else ""}"><th>{_esc(text.OUTPUTS[name])}</th>'
            f"<td>{_figure(f'output.{name}', output)}</td><td>{_figure(f'feedback.{name}', feedback)}</td>"
            f"<td class=why>{_esc(reason_text.brief(code)) if code else ''}</td></tr>"
        )
    header = "<tr><th></th><td>output</td><td>feedback</td><td class=why>reason</td></tr>"
    return f'<table class="figures">{header}{"".join(rows)}</table>' if rows else _NOTHING_YET


def alarms(described: Iterable[dict[str, Any]], view: SiteView) -> str:
    """The board's alarm list, worst first; a list that is old says so."""
    rows = []
    known = sorted(described, key=lambda alarm: _rank(alarm.get("severity")))
    for alarm in known:
        severity = str(alarm.get("severity", "warning"))
        kind = severity if severity in _SEVERITIES else "warning"
        state = f", {alarm['state']}" if alarm.get("state") in alarm_table.STATES[2:] else ""
        rows.append(
            f'<li class="{kind}"><b>{_esc(severity)}{state}</b>'
            f"<span>{_esc(alarm.get('text') or alarm.get('name', '?'))}</span>"
            f"<em>{_esc(alarm.get('remedy', ''))}</em></li>"
        )
    old = (
        ""
        if view.fresh
        else f'<p class="old">As of the last contact: {_esc(text.seen(view.seen_s_ago))}.</p>'
    )
    if not rows:
        # An empty list is good news only while the board speaks.
        return old or '<p class="calm">No alarms.</p>'
    return f"{old}<ul class=alarms>{''.join(rows)}</ul>"


def site_row(view: SiteView) -> str:
    """One site in the list of several. `view` has points."""
    name = _esc(view.name)
    kind = "good" if view.fresh else "stale"
    worst = min((_rank(alarm.get("severity")) for alarm in view.in_force), default=len(_SEVERITIES))
    severity = _SEVERITIES[worst] if worst < len(_SEVERITIES) else "calm"
    cells = "".join(
        f"<td>{_figure(point, view.points.get(point, _ABSENT))}</td>"
        for point in ("source.ac", "battery.soc_permille", "load.power_w", "genset.state")
    )
    return (
        f'<tr><th><a href="/site/{name}">{name}</a></th>{cells}'
        f'<td><span class="count {severity}">{len(view.in_force)}</span></td>'
        f'<td><span class="seen {kind}"><i></i>{_esc(text.seen(view.seen_s_ago))}</span></td></tr>'
    )


def site_list(views: Iterable[SiteView]) -> str:
    """Several sites as a table."""
    titles = ("AC source", "battery", "load", "genset", "alarms", "contact")
    header = "".join(f"<td>{title}</td>" for title in titles)
    return f'<table class="sites"><tr><th>site</th>{header}</tr>{"".join(map(site_row, views))}</table>'


_NOTHING_YET = '<p class="calm">Nothing told yet.</p>'


def _tile(view: SiteView, title: str, name: str, below: str | None) -> str:
    point = view.points.get(name, _ABSENT)
    note = _esc(below or "") if point.quality == "good" else _esc(_quality(point))
    return (
        f'<div class="tile {point.quality}"><span class="title">{title}</span>'
        f'<span class="big">{_esc(text.value(name, point.value))}</span>'
        f'<span class="note">{note}</span><span class="age">{_age(point)}</span></div>'
    )


def _reason(view: SiteView, name: str) -> str | None:
    code = view.good(name)
    return None if code is None else reason_text.brief(code)


def _reserve(view: SiteView) -> str | None:
    left = view.good("battery.to_lvd_s")
    if left is not None and left < text.ENDLESS_S:
        return f"{text.value('battery.to_lvd_s', left)} to disconnect"
    reserve = view.good("battery.reserve_permille")
    return None if reserve is None else f"reserve {text.value('battery.reserve_permille', reserve)}"


def _safe_mode(view: SiteView) -> str | None:
    return "safe mode: no valid configuration" if view.good("controller.safe_mode") else None


def _table(view: SiteView, names: Iterable[str], *, with_subsystem: bool) -> str:
    rows = []
    for name in names:
        point = view.points.get(name)
        if point is None:
            continue
        label = text.label(name)
        subsystem = text.SUBSYSTEMS.get(name.partition(".")[0], "")
        if with_subsystem and not label.startswith(subsystem):
            label = f"{subsystem} {label}"
        elif not with_subsystem and name.count(".") > 1:
            label = f"{name.split('.')[1]}: {label}"
        rows.append(
            f'<tr><th title="{_esc(name)}">{_esc(label[:1].upper() + label[1:])}</th>'
            f"<td>{_figure(name, point)}</td><td class=age>{_age(point)}</td></tr>"
        )
    return f'<table class="figures">{"".join(rows)}</table>' if rows else _NOTHING_YET


def _figure(name: str, point: PointView) -> str:
    mark = "" if point.quality in ("good", "unknown") else f" <em>{_esc(_quality(point))}</em>"
    return f'<span class="figure {point.quality}">{_esc(text.value(name, point.value))}{mark}</span>'


def _quality(point: PointView) -> str:
    """What is wrong with a value. A point that no device delivers is not stale: there is no data."""
    if point.quality == "unknown" or (point.quality == "stale" and point.value is None):
        return text.NO_DATA
    return point.quality


def _age(point: PointView) -> str:
    return "" if point.quality == "unknown" else f"{text.duration(point.age_s)} ago"


def _rank(severity: object) -> int:
    return _SEVERITIES.index(str(severity)) if severity in _SEVERITIES else len(_SEVERITIES) - 1


def _esc(told: object) -> str:
    return html.escape(str(told))
