"""What people look at after a run: one HTML file that needs nothing else and prints.

Owns the page: which figure stands where, and the words between. Knows neither how runs are made nor how a picture is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from greenmast import svg
from greenmast.errors import UserError
from greenmast.simulate import compared, page
from greenmast.simulate.calendar import Calendar
from greenmast.simulate.compared import LIMIT, Compared, Limit
from greenmast.simulate.picture import days, months, raster
from greenmast.simulate.result import Result
from greenmast_protocol import reason_text

_EVENTS_MAX = 40
# Heading and unit of what a run counted by reason; an output that is not here is shown under its name, in hours.
_WHY = {
    "ac": ("Why this AC source, or none", "h"),
    "genset": ("Why the genset was started", "starts"),
}


def write(results: Iterable[Result], limits: Iterable[Limit], path: Path) -> None:
    """Raises UserError when the file cannot be written."""
    page.write(html(results, limits), path)


def html(results: Iterable[Result], limits: Iterable[Limit] = ()) -> str:
    """The document for one site: ours and the baselines by their controllers, a run for each seed; a limit
    for each seed of ours, or none.
    """
    found = Compared.of(results, limits)
    run = found.shown
    if not len(run.hours):
        raise UserError("a run of less than an hour has nothing to show")
    calendar = Calendar(run.hours)
    name = str(run.site.get("name") or run.case["site"])
    last = run.hours.at(len(run.hours) - 1)
    sub = f"{run.name}, {_told_days(found.days)} from {calendar.first_day:%d %B %Y} to {last:%d %B %Y}, {_told_seeds(found)}"
    return page.document(
        f"Site-year of {name}" if found.days >= 365 else f"Simulation of {name}",
        sub,
        [
            _verdict(found),
            _headline(found),
            _table(found),
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


def _verdict(found: Compared) -> str:
    broken: dict[str, int] = {}
    for run in found.ours:
        for name, count in run.violations.items():
            broken[name] = broken.get(name, 0) + count
    told = ", ".join(f"{name} × {count}" for name, count in sorted(broken.items()) if count)
    if told:
        return f'<p class="sum failed">Invariants did not hold: {escape(told)}. These figures are not to be used.</p>'
    return '<p class="sum">Every invariant held in every second of the run.</p>'


def _headline(found: Compared) -> str:
    cards = []
    for figure, heading, unit, less, factor in found.rows[:6]:
        spread = found.spread(found.name, figure)
        assert spread is not None  # ours knows every figure of ROWS that is shown
        value = compared.shown(figure, spread.median * factor)
        said = compared.unit_of(unit, found.currency)
        lines = [_range(figure, spread, factor)] if spread.high > spread.low else []
        if less:
            for name in found.baselines:
                ratio = found.ratio(figure, name)
                if ratio is not None:
                    lines.append(f"{compared.change(ratio)} against {escape(name)}")
        ratio = found.ratio(figure, LIMIT) if found.limits and less else None
        if ratio is not None:
            lines.append(f"{ratio:.2f} × the limit")
        notes = "".join(f"<li>{each}</li>" for each in lines)
        cards.append(
            f'<div class="card"><div class="what">{escape(heading)}</div><div class="value">{value}'
            f" <small>{escape(said)}</small></div><ul>{notes}</ul></div>"
        )
    return f'<div class="cards">{"".join(cards)}</div>'


def _range(figure: str, spread: compared.Spread, factor: float) -> str:
    low, high = (compared.shown(figure, each * factor) for each in (spread.low, spread.high))
    return f"{low} – {high} over the seeds"


def _table(found: Compared) -> str:
    """A row for each controller; ours by theirs under each value."""
    if len(found.columns) == 1 and len(found.ours) == 1:
        return ""
    rows = found.rows
    heads = "".join(
        f'<th class="n">{escape(heading)}<br><small>{escape(compared.unit_of(unit, found.currency))}</small></th>'
        for _, heading, unit, _, _ in rows
    )
    body = []
    for column in found.columns:
        cells = []
        for figure, _, _, less, factor in rows:
            spread = found.spread(column, figure)
            if spread is None:
                cells.append('<td class="n">–</td>')
                continue
            told = compared.shown(figure, spread.median * factor)
            if spread.high > spread.low:
                told += f"<br><small>{_range(figure, spread, factor).removesuffix(' over the seeds')}</small>"
            ratio = found.ratio(figure, column) if less and column != found.name else None
            if ratio is not None:
                told += f'<br><small class="ratio">{ratio:.2f} ×</small>'
            cells.append(f'<td class="n">{told}</td>')
        kind = "ours" if column == found.name else "limit" if column == LIMIT else ""
        body.append(f'<tr class="{kind}"><th>{escape(column)}</th>{"".join(cells)}</tr>')
    words = "×: ours by theirs, the median over seeds of the same weather and outages." if len(found.columns) > 1 else ""
    if len(found.ours) > 1:
        words = f"Median over {len(found.ours)} seeds, below it lowest – highest. {words}"
    if found.limits:
        words += " The limit is what perfect foresight of the whole run could have reached at best."
    table = f'<table class="compare"><thead><tr><th></th>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    return f'<h2>Compared</h2><div class="wide">{table}</div><p class="note">{words}</p>'


def _energy(found: Compared, calendar: Calendar) -> list[str]:
    return [
        "<h2>Energy</h2>",
        page.figure("Where it came from", months.energy(calendar), "Solar on the DC bus, grid at the meter, genset at its terminals. The rectifier's and battery's losses lie between the bars and the load."),
        page.figure("State of charge", days.band(calendar) + raster.soc(calendar)),
        page.figure("Genset", months.genset(calendar) + raster.genset(calendar)),
        page.figure("Grid outages and dark time", raster.outages(calendar)),
    ]


def _cost(found: Compared) -> list[str]:
    run, beside = found.shown, found.beside()
    currency = found.currency or "cost"
    seed = f"Seed {run.case['seed']} for all: the same weather, load and outages." if beside else ""
    return [
        "<h2>Cost and CO₂</h2>",
        page.figure("Cost", months.against("Cost", currency, run, beside, months.cost), f"Grid by the hour's price, diesel by the litre. {seed}"),
        page.figure("CO₂", months.against("CO₂", "kg", run, beside, months.co2)),
    ]


def _weeks(calendar: Calendar) -> list[str]:
    mean = page.figure("The mean day of each season", days.seasons(calendar), "Power by the hour of the clock; in brackets the days counted.")
    return [
        "<h2>Closer</h2>",
        mean,
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
            f'<tr><td class="reason">{escape(_reason(name))}</td><td class="n">{svg.number(value)} {unit}</td>'
            f'<td class="n">{value / total:.1%}</td><td class="bar"><div style="width:{value / most:.1%}"></div></td></tr>'
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
    facts: dict[str, object] = {**run.case, **{k: v for k, v in run.site.items() if k not in ("id", "latitude")}}
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(_value(value))}</td></tr>"
        for name, value in facts.items()
        if value not in (None, "", [], ())
    )
    return f'<h2>This run</h2><table class="about">{rows}</table>'


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join("=".join(map(str, each)) if isinstance(each, (list, tuple)) else str(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
