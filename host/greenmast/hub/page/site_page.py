"""The pages `/` and `/site/{id}` on NiceGUI: which cards there are and when they are renewed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from nicegui import run, ui

from greenmast.hub import api
from greenmast.hub.ingest import Ingest
from greenmast.hub.page import flow, history, parts
from greenmast.hub.queries import Queries

REFRESH_S = 1.0
HISTORY_S = 5.0
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#1f4e46"/>'
    '<path d="M16 6v20M10 26h12M9 13a9 9 0 0 1 14 0M12 16a5 5 0 0 1 8 0" fill="none" stroke="#fff"'
    ' stroke-width="2.4" stroke-linecap="round"/></svg>'
)
_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")

# A value can grow old unseen even in the browser: without a beat from the hub the page greys itself.
_HEART = """<script>
(() => { let last = "", since = performance.now();
  setInterval(() => {
    const beat = document.getElementById("beat")?.textContent ?? "";
    if (beat !== last) { last = beat; since = performance.now(); }
    document.body.classList.toggle("lost", performance.now() - since > 6000);
  }, 500); })();
</script>"""


def register(queries: Queries, ingest: Ingest) -> None:
    """Adds the pages to NiceGUI's application. Once a process."""

    @ui.page("/")
    def front() -> None:
        views = queries.sites(_now())
        if len(views) == 1:
            _show_site(queries, ingest, views[0].name)
        else:
            _show_list(queries, ingest, len(views))

    @ui.page("/site/{name}")
    def site(name: str) -> None:
        _show_site(queries, ingest, name)


def _show_site(queries: Queries, ingest: Ingest, name: str) -> None:
    head, renew_frame = _frame(ingest)
    with ui.element("div").classes("cards"):
        alarms = _card("Alarms", "wide alarmcard")
        state = _html("tiles wide")
        picture = _card("Energy flow", "flowcard")
        figures = _card("Key figures", "figurecard")
        with ui.element("section").classes("card wide"):
            with ui.element("div").classes("cardhead"):
                _html("").set_content("<h2>History</h2>")
                span = ui.toggle(list(history.SPANS), value=history.DEFAULT_SPAN).props(
                    "dense no-caps unelevated"
                )
            chart = ui.echart(history.options()).style(f"height:{history.HEIGHT}px")
        contactors = _card("Contactors and relays", "")
        genset = _card("Genset", "")
        with ui.expansion("All points").classes("card wide every"):
            everything = _html("groups")

    def renew() -> None:
        renew_frame()
        view = queries.site(name, _now())
        if view is None:
            _set(head, "<h1>No such site</h1>")
            return
        _set(head, parts.head(view))
        _set(alarms, parts.alarms(api.described_alarms(view), view))
        _set(state, parts.state(view))
        _set(picture, flow.render(view))
        _set(figures, parts.figures(view))
        _set(contactors, parts.contactors(view))
        _set(genset, parts.genset(view))
        _set(everything, parts.everything(view))

    async def renew_history() -> None:
        span_s = history.SPANS[span.value]
        await run.io_bound(history.fill, chart.options, queries, name, span_s, _now())
        chart.update()

    span.on_value_change(renew_history)
    renew()
    ui.timer(REFRESH_S, renew)
    ui.timer(HISTORY_S, renew_history)


def _show_list(queries: Queries, ingest: Ingest, shown: int) -> None:
    head, renew_frame = _frame(ingest)
    _set(head, "<h1>Sites</h1>")
    with ui.element("div").classes("cards"):
        rows = _card("", "wide")

    def renew() -> None:
        renew_frame()
        heads = queries.sites(_now())
        if len(heads) == 1 and shown == 0:
            ui.navigate.reload()  # the first site has come: show it
            return
        views = [queries.site(view.name, _now()) or view for view in heads]
        waiting = '<p class="calm">Waiting for the first message of a site.</p>'
        _set(rows, parts.site_list(views) if views else waiting)

    renew()
    ui.timer(REFRESH_S, renew)


def _frame(ingest: Ingest) -> tuple[ui.html, Callable[[], None]]:
    """What every page has: the head to fill, and what renews the rest."""
    ui.colors(primary="#2f6f62")
    ui.add_head_html(f"<style>{_STYLE}</style>{_HEART}")
    with ui.element("header"):
        _html("").set_content('<a class="mark" href="/">Greenmast</a>')
        head = _html("head")
    beat = _html("beat")
    _html("banner hubless").set_content("No contact with the hub: nothing on this page is current.")
    broker = _html("banner")
    broker.set_content("The hub has lost its broker and tries again: values grow old meanwhile.")

    def renew() -> None:
        _set(beat, f'<span id="beat">{time.monotonic_ns()}</span>')
        broker.set_visibility(not ingest.connected)

    return head, renew


def _card(title: str, classes: str) -> ui.html:
    with ui.element("section").classes(f"card {classes}"):
        if title:
            _html("").set_content(f"<h2>{title}</h2>")
        return _html("")


def _html(classes: str) -> ui.html:
    # Not sanitised by the library: `parts` and `flow` escape what boards have sent.
    return ui.html("", sanitize=False).classes(classes)


def _set(element: ui.html, content: str) -> None:
    """Sends only what has changed."""
    if element.content != content:
        element.set_content(content)


def _now() -> int:
    return int(time.time())
