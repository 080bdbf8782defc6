"""What people look at after a run: one HTML file that needs nothing else and prints.

Owns the page: which picture stands where, and the words between. Knows neither how runs are made nor how a
picture is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from greenmast import svg
from greenmast.errors import UserError
from greenmast.simulate import head, page
from greenmast.simulate.calendar import Calendar
from greenmast.simulate.compared import Compared, Limit
from greenmast.simulate.picture import days, months, raster
from greenmast.simulate.result import Result
from greenmast_protocol import reason_text

_EVENTS_MAX = 40
_WHERE = (
    "Solar on the DC bus, grid at the meter, genset at its terminals. The rectifier's and battery's losses"
    " lie between the bars and the load."
)
_RASTER_DAYS = 14
# Heading and unit of what a run counted by reason; another output is shown under its name, in hours.
_WHY = {
    "ac": ("Why this AC source, or none", "h"),
    "genset": ("Why the genset was started", "starts"),
}


def write(results: Iterable[Result], limits: Mapping[int, Limit] | None, path: Path) -> None:
    """Raises UserError when the file cannot be written."""
    page.write(html(results, limits), path)


def html(results: Iterable[Result], limits: Mapping[int, Limit] | None = None) -> str:
    """The document for one site: ours and the baselines by their controllers, a run for each seed; limits
    by seed, or none.
    """
    found = Compared.of(results, limits)
    run = found.shown
    if not len(run.hours):
        raise UserError("a run of less than an hour has nothing to show")
    calendar = Calendar(run.hours)
    name = str(run.site.get("name") or run.case["site"])
    last = run.hours.at(len(run.hours) - 1)
    first = run.hours.start
    sub = (
        f"Simulated: {run.name}, {_told_days(found.days)}, {first.day} {first:%B %Y}"
        f" to {last.day} {last:%B %Y}, {_told_seeds(found)}"
    )
    return page.document(
        name,
        sub,
        [
            head.verdict(found),
            head.headline(found),
            head.table(found),
            *_energy(found, calendar),
            *_cost(found),
            *_weeks(calendar),
            *_why(run),
            *_events(run, calendar),
            _about(run),
        ],
    )


def _told_days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _told_seeds(found: Compared) -> str:
    if len(found.seeds) == 1:
        return f"seed {found.seeds[0]}"
    seeds = ", ".join(str(seed) for seed in found.seeds)
    return f"seeds {seeds}; pictures: seed {found.shown.case['seed']}, whose cost is the middle one"


def _energy(found: Compared, calendar: Calendar) -> list[str]:
    return [
        "<h2>Energy</h2>",
        page.figure(
            "Where it came from",
            months.energy(calendar),
            _WHERE,
        ),
        *_hourly(calendar),
    ]


def _hourly(calendar: Calendar) -> list[str]:
    """Over months days are columns; a few days are told better by the run itself, further down."""
    if len(calendar.days) < _RASTER_DAYS:
        return []
    return [
        page.figure("State of charge", days.band(calendar) + raster.soc(calendar)),
        page.figure("Genset", months.genset(calendar) + raster.genset(calendar)),
        page.figure("Grid outages and dark time", raster.outages(calendar)),
    ]


def _cost(found: Compared) -> list[str]:
    run, beside = found.shown, found.beside()
    currency = found.currency or "cost"
    seed = f"Seed {run.case['seed']} for all: the same weather, load and outages." if beside else ""
    cost = months.against("Cost", currency, run, beside, months.cost)
    co2 = months.against("CO₂", "kg", run, beside, months.co2)
    if not cost + co2:
        return []
    return [
        "<h2>Cost and CO₂</h2>",
        page.figure("Cost", cost, f"Grid by the hour's price, diesel by the litre. {seed}"),
        page.figure("CO₂", co2),
    ]


def _weeks(calendar: Calendar) -> list[str]:
    mean = days.seasons(calendar) if len(calendar.days) >= _RASTER_DAYS else ""
    return [
        "<h2>Hour by hour</h2>",
        page.figure(
            "The mean day of each season",
            mean,
            "Power by the hour of the clock; in brackets the days counted.",
        ),
        *(page.figure(span.text, days.week(calendar, span)) for span in calendar.weeks()),
    ]


def _why(run: Result) -> list[str]:
    out = []
    for output, counted in run.reasons.items():
        told = {name: value for name, value in counted.items() if value > 0}
        if not told:
            continue
        heading, unit = _WHY.get(output, (output, "h"))
        total, most = sum(told.values()), max(told.values())
        rows = "".join(
            f'<tr><td class="reason">{escape(_reason(name))}</td>'
            f'<td class="n">{svg.number(value)} {unit}</td><td class="n">{svg.percent(value / total, 1)}</td>'
            f'<td class="bar"><div style="width:{value / most:.1%}"></div></td></tr>'
            for name, value in sorted(told.items(), key=lambda item: -item[1])
        )
        out.append(f'<h3>{escape(heading)}</h3><table class="why">{rows}</table>')
    if not out:
        return []
    return ["<h2>Why</h2>", '<p class="note">The reasons that the controller gave while it ran.</p>', *out]


def _reason(name: str) -> str:
    """A code of the reason table in its words; what is no code as it is."""
    return reason_text.TEXTS.get(name, name).replace("{}", "…")


def _events(run: Result, calendar: Calendar) -> list[str]:
    told = [(hour * 3_600.0, text) for hour, text in calendar.notable()]
    rows = "".join(_event(run, at_s, text, "notable") for at_s, text in told)
    rows += "".join(_event(run, at_s, text, "") for at_s, text in run.events[:_EVENTS_MAX])
    more = len(run.events) - _EVENTS_MAX
    note = f'<p class="note">{more} more are in the result.</p>' if more > 0 else ""
    return ["<h2>Notable</h2>", f'<table class="events">{rows}</table>{note}']


def _event(run: Result, at_s: float, text: str, kind: str) -> str:
    at = run.hours.at(at_s / 3_600)
    return f'<tr class="{kind}"><td class="when">{at:%a %d %b %Y %H:%M}</td><td>{escape(text)}</td></tr>'


def _about(run: Result) -> str:
    facts: dict[str, object] = {
        **run.case,
        **{k: v for k, v in run.site.items() if k != "id"},
    }
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(_value(value))}</td></tr>"
        for name, value in facts.items()
        if value not in (None, "", [], ())
    )
    return f'<h2>This run</h2><table class="about">{rows}</table>'


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(
            "=".join(map(str, each)) if isinstance(each, (list, tuple)) else str(each) for each in value
        )
    return f"{value:g}" if isinstance(value, float) else str(value)
