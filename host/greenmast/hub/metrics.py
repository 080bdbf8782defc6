"""The hub in Prometheus' text format. Only good values appear as points: a stale one must not pass for fresh
on a graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from greenmast.hub.queries import SiteView

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTERS = (
    ("messages", "MQTT messages received"),
    ("records", "numbered records stored"),
    ("stored_rows", "samples stored"),
    ("duplicates", "numbered records received again"),
    ("given_up", "record numbers that never came"),
    ("acks", "acknowledgements sent to boards"),
    ("fulls_asked", "full reports asked of boards"),
    ("commits", "database transactions"),
    ("commit_errors", "database transactions that failed and were tried again"),
    ("connects", "connections made to the broker"),
)


def render(
    counts: Mapping[str, int], malformed: Mapping[str, int], connected: bool, views: Iterable[SiteView]
) -> str:
    """The whole page. `counts` has the keys of `Ingest.stats`; `malformed` counts by kind."""
    lines: list[str] = []
    for key, text in _COUNTERS:
        _family(lines, f"greenmast_hub_{key}_total", "counter", text, [("", counts[key])])
    by_kind = [(_labels(kind=kind), number) for kind, number in sorted(malformed.items())]
    _family(lines, "greenmast_hub_malformed_total", "counter", "malformed messages by kind", by_kind)
    _family(
        lines, "greenmast_hub_connected", "gauge", "1 while connected to the broker", [("", int(connected))]
    )
    views = list(views)
    seen = [(_labels(site=v.name), v.seen_s_ago) for v in views if v.seen_s_ago is not None]
    _family(lines, "greenmast_site_last_seen_seconds", "gauge", "time since the board last spoke", seen)
    fresh = [(_labels(site=v.name), int(v.fresh)) for v in views]
    _family(lines, "greenmast_site_fresh", "gauge", "1 while the board reports in time", fresh)
    alarms = [(_labels(site=v.name), len(v.in_force)) for v in views]
    _family(lines, "greenmast_site_alarms", "gauge", "alarms that hold at the site", alarms)
    good = [
        (_labels(site=v.name, point=name), point.value)
        for v in views
        for name, point in v.points.items()
        if point.quality == "good" and point.value is not None
    ]
    _family(lines, "greenmast_point", "gauge", "good values in the unit that ends the point's name", good)
    return "\n".join(lines) + "\n"


def _family(lines: list[str], name: str, kind: str, text: str, values: list[tuple[str, int]]) -> None:
    lines.append(f"# HELP {name} {text}")
    lines.append(f"# TYPE {name} {kind}")
    lines.extend(f"{name}{labels} {value}" for labels, value in values)


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
