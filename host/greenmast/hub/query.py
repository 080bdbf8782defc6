"""`greenmast hub query`: what the store knows, for a terminal and for scripts. Reads only."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from greenmast.errors import DONE, REFUSED, USAGE, UserError
from greenmast.hub.gaps import Gap
from greenmast.hub.queries import Queries, SiteView
from greenmast.hub.store import DEFAULT_URL, open_database
from greenmast.site import near
from greenmast_protocol import show


def run(
    site: str | None,
    point: str | None,
    db: str | None,
    since_s: float,
    step_s: float,
    as_json: bool,
    gaps: bool = False,
) -> int:
    """Print the sites, the newest values of `site`, or the last `since_s` of its `point` in steps.

    With `gaps` what is missing of `site`.

    Raises UserError: exit 2 for a database that is not there or a span that is too fine, 1 for an unknown
    site.
    """
    url = db or DEFAULT_URL
    _must_exist(url)
    queries = Queries(open_database(url))
    now_s = int(time.time())
    if gaps and (site is None or point is not None):
        raise UserError("--gaps goes with one site", USAGE)
    if site is None:
        rows = [_contact(view) for view in queries.sites(now_s)]
        _print(rows, as_json, "{site:<24} last seen {seen_s_ago} s ago, {alarms} alarms")
        return DONE
    view = queries.site(site, now_s)
    if view is None:
        known = [each.name for each in queries.sites(now_s)]
        raise UserError(f"the store knows no site {site}{near(site, known)}", REFUSED)
    if gaps:
        told = [_gap(gap) for gap in queries.gaps(site) or []]
        _print(
            told, as_json, "boot {boot:<5} {first} .. {last}, {count} records  {after} .. {before}  {state}"
        )
        return DONE
    if point is None:
        _print(_values(view), as_json, "{point:<28} {text:>14}  {quality:<8} {age_s} s ago")
        return DONE
    try:
        buckets = queries.history(site, point, now_s - int(since_s), now_s, max(1, int(step_s)))
    except ValueError as error:
        raise UserError(str(error), USAGE) from None
    history: list[dict[str, object]] = [
        {"at": _iso(bucket.at), "low": bucket.low, "mean": bucket.mean, "high": bucket.high}
        for bucket in buckets or []
    ]
    _print(history, as_json, "{at}  {low}  {mean}  {high}")
    return DONE


def _must_exist(url: str) -> None:
    """A query must not make the database that it asks."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return  # `open_database` says it better
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).is_file():
        raise UserError(f"no database {parsed.database}: name the hub's with --db", USAGE)


def _contact(view: SiteView) -> dict[str, object]:
    return {
        "site": view.name,
        "seen_s_ago": "?" if view.seen_s_ago is None else view.seen_s_ago,
        "fresh": view.fresh,
        "boot": view.boot,
        "alarms": len(view.in_force),
    }


def _values(view: SiteView) -> list[dict[str, object]]:
    return [
        {
            "point": name,
            "value": told.value if told.quality == "good" else None,
            "text": show.value(name, told.value if told.quality == "good" else None),
            "quality": told.quality,
            "age_s": told.age_s,
        }
        for name, told in sorted(view.points.items())
    ]


def _gap(gap: Gap) -> dict[str, object]:
    return {
        "boot": gap.boot,
        "first": gap.first,
        "last": gap.last,
        "count": gap.count,
        "after": "?" if gap.after_s is None else _iso(gap.after_s),
        "before": _iso(gap.before_s),
        "state": "awaited" if gap.awaited else "lost",
    }


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")


def _print(rows: list[dict[str, object]], as_json: bool, line: str) -> None:
    for row in rows:
        print(json.dumps(row, ensure_ascii=False) if as_json else line.format(**row))
