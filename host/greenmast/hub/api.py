"""The hub over HTTP: JSON for scripts, metrics for Prometheus, and a description of both that needs no
network.

Reading only. Every value carries its quality and age, so that no caller can take a stale one for fresh by
accident.
"""

from __future__ import annotations

import html
import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Query, Response
from fastapi.responses import HTMLResponse

from greenmast.hub import metrics
from greenmast.hub.ingest import Ingest
from greenmast.hub.queries import MAX_BUCKETS, Queries, SiteView
from greenmast_protocol import alarm_text
from greenmast_protocol import alarms as alarm_table

DEFAULT_SPAN_S = 3_600
DEFAULT_BUCKETS = 360
MAX_TIME_S = 2**40


def build(queries: Queries, ingest: Ingest) -> APIRouter:
    """Routes /api/... and /metrics over `queries`, with the counters of `ingest`."""
    router = APIRouter()

    @router.get("/api/sites", summary="Every site: contact, state and number of alarms")
    def list_sites() -> dict[str, Any]:
        return {"sites": [_head(view) for view in queries.sites(_now())]}

    @router.get(
        "/api/sites/{site_id}", summary="One site: state, alarms and every point with quality and age"
    )
    def get_site(site_id: str) -> dict[str, Any]:
        view = queries.site(site_id, _now())
        if view is None:
            raise HTTPException(404, "no such site")
        points = {name: asdict(point) for name, point in view.points.items()}
        return _head(view) | {
            "state": view.state,
            "info": view.info,
            "alarms": described_alarms(view),
            "points": points,
        }

    @router.get(
        "/api/sites/{site_id}/history", summary="One point over time, in steps: [at, low, mean, high]"
    )
    def get_history(
        site_id: str,
        point: Annotated[str, Query(max_length=64)],
        from_: Annotated[int | None, Query(alias="from", ge=0, le=MAX_TIME_S, description="Unix s")] = None,
        to: Annotated[int | None, Query(ge=0, le=MAX_TIME_S, description="Unix s, default now")] = None,
        step: Annotated[
            int | None, Query(ge=1, le=MAX_TIME_S, description=f"s; {MAX_BUCKETS} steps at most")
        ] = None,
    ) -> dict[str, Any]:
        end = _now() if to is None else min(to, _now())
        begin = end - DEFAULT_SPAN_S if from_ is None else from_
        step_s = max(1, (end - begin) // DEFAULT_BUCKETS) if step is None else step
        try:
            buckets = queries.history(site_id, point, begin, end, step_s)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        if buckets is None:
            raise HTTPException(404, "no such site")
        rows = [[b.at, b.low, b.mean, b.high] for b in buckets]
        return {"site": site_id, "point": point, "step": step_s, "buckets": rows}

    @router.get(
        "/api/sites/{site_id}/gaps", summary="Records that the board made and the store does not have"
    )
    def get_gaps(site_id: str) -> dict[str, Any]:
        gaps = queries.gaps(site_id)
        if gaps is None:
            raise HTTPException(404, "no such site")
        return {"site": site_id, "gaps": [{**asdict(gap), "count": gap.count} for gap in gaps]}

    @router.get("/api/alarms", summary="The alarms of all sites")
    def list_alarms() -> dict[str, Any]:
        views = queries.sites(_now())
        return {"alarms": [{"site": v.name, **alarm} for v in views for alarm in described_alarms(v)]}

    @router.get("/metrics", summary="Metrics in Prometheus' text format", response_class=Response)
    def get_metrics() -> Response:
        now_s = _now()
        views = [queries.site(head.name, now_s) or head for head in queries.sites(now_s)]
        text = metrics.render(ingest.stats(), ingest.malformed(), ingest.connected, views)
        return Response(text, media_type=metrics.CONTENT_TYPE)

    return router


def described_alarms(view: SiteView) -> list[dict[str, Any]]:
    """The board's alarms, completed from the alarm table with severity, text and remedy."""
    known = {}
    for name, severity, *_ in alarm_table.ALARMS:
        text, remedy = alarm_text.TEXTS[name]
        known[name] = {"severity": severity, "text": text, "remedy": remedy}
    return [known.get(str(alarm.get("name")), {}) | alarm | {"fresh": view.fresh} for alarm in view.alarms]


def add_docs(app: FastAPI) -> None:
    """/docs as a plain page: the usual interactive one loads its scripts from the internet."""

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        rows = []
        for path, methods in app.openapi()["paths"].items():
            for method, operation in methods.items():
                parameters = "".join(_parameter(p) for p in operation.get("parameters", []))
                summary = html.escape(operation.get("summary", ""))
                name = f"{method.upper()} {html.escape(path)}"
                rows.append(f"<h2><code>{name}</code></h2><p>{summary}</p><ul>{parameters}</ul>")
        return HTMLResponse(_DOCS.format(rows="".join(rows)))


def _parameter(parameter: dict[str, Any]) -> str:
    need = "required" if parameter.get("required") else "optional"
    text = html.escape(parameter.get("description", ""))
    return f"<li><code>{html.escape(parameter['name'])}</code> ({parameter['in']}, {need}) {text}</li>"


_DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Greenmast hub: API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}
h2{{font-size:1rem;margin:1.6rem 0 0}}p{{margin:.2rem 0}}</style></head><body><h1>Greenmast hub: API</h1>
<p>Machine-readable: <a href="/openapi.json">/openapi.json</a>.
Values are integers in the unit that ends the point's name.</p>
{rows}</body></html>"""


def _head(view: SiteView) -> dict[str, Any]:
    return {
        "id": view.name,
        "online": view.online,
        "seen_s_ago": view.seen_s_ago,
        "fresh": view.fresh,
        "boot": view.boot,
        "alarm_count": len(view.in_force),
    }


def _now() -> int:
    return int(time.time())
