"""State of charge over the run as a band, mean days of the seasons, and weeks hour by hour."""

from __future__ import annotations

from statistics import median

from greenmast import svg
from greenmast.simulate.calendar import Calendar, Span
from greenmast.simulate.picture import look, raster

_TOP = 26.0
_WEEKLY_FROM = 90  # days
_SOURCES = (
    ("solar", look.SOLAR, "solar_wh"),
    ("grid", look.GRID, "grid_wh"),
    ("genset", look.GENSET, "genset_wh"),
)


def band(calendar: Calendar) -> str:
    """Lowest to highest state of charge of each day, and the median."""
    soc, height = calendar.hours["soc_permille"], 130.0
    days = [[soc[n] / 10 for n in hours] for hours in calendar.days]
    across = svg.Scale(0, len(days), look.LEFT, look.LEFT + look.INNER)
    scale = svg.Scale(0, 100, _TOP + height, _TOP)
    upper = [(across(n + edge), scale(max(day))) for n, day in enumerate(days) for edge in (0, 1)]
    lower = [(across(n + edge), scale(min(day))) for n, day in enumerate(days) for edge in (0, 1)]
    # Over months the daily median is a scribble: a week's is drawn.
    side = 3 if len(days) > _WEEKLY_FROM else 0
    medians = [
        median([v for day in days[max(0, n - side) : n + side + 1] for v in day]) for n in range(len(days))
    ]
    middle = [(across(n + 0.5), scale(value)) for n, value in enumerate(medians)]
    out = [
        *look.rules(scale, [0, 25, 50, 75, 100], "%"),
        svg.area(upper, lower, look.BATTERY, fill_opacity=0.3),
        svg.polyline(middle, "#0b6e5c", 1.4) if len(middle) > 1 else "",
        *raster.months_below(calendar, across, _TOP + height),
    ]
    labels = [
        (scale(max(days[-1])), "highest of the day", look.BATTERY),
        (scale(medians[-1]), "median of a week" if side else "median", "#0b6e5c"),
        (scale(min(days[-1])), "lowest of the day", look.BATTERY),
    ]
    out += look.ends(labels, _TOP, height)
    low = min(min(day) for day in days)
    return svg.document(
        look.WIDTH, _TOP + height + 22, "State of charge by day", out, f"The lowest is {low:.0f} %."
    )


def seasons(calendar: Calendar) -> str:
    """The mean day of each season: sources stacked, load as a line, state of charge below."""
    found = calendar.seasons
    if not found:
        return ""
    peak = 0.1
    stacks = []
    for _, hours in found:
        columns = {name: calendar.mean_day(column, hours) for name, _, column in _SOURCES}
        load = calendar.mean_day("load_wh", hours)
        charge = calendar.mean_day("soc_permille", hours)
        stacks.append((columns, load, charge))
        sums = [sum(values) / 1e3 for values in zip(*columns.values(), strict=True)]
        peak = max(peak, *sums, *(value / 1e3 for value in load))
    pitch = (look.WIDTH - look.LEFT) / 4
    width, height, below = pitch - 26, 130.0, 60.0
    out = look.key(
        [(colour, name) for name, colour, _ in _present(calendar)]
        + [(look.LOAD, "load"), (look.BATTERY, "state of charge")],
        look.LEFT,
        10,
    )
    top = _TOP + 20
    scale, marks = look.upright(0.0, peak, top, height)
    charge_scale = svg.Scale(0, 1000, top + height + 20 + below, top + height + 20)
    for at, ((name, hours), (columns, load, charge)) in enumerate(zip(found, stacks, strict=True)):
        left = look.LEFT + at * pitch
        across = svg.Scale(0, 24, left, left + width)
        out.append(
            svg.text(
                left + width / 2, top - 10, f"{name} ({len(hours) // 24} d)", "middle", font_weight="600"
            )
        )
        out += _grounds(scale, marks, charge_scale, left, width, first=at == 0)
        base = [0.0] * 24
        for source, colour, _ in _SOURCES:
            over = [b + v / 1e3 for b, v in zip(base, columns[source], strict=True)]
            if any(columns[source]):
                out.append(svg.area(_steps(across, scale, over), _steps(across, scale, base), colour))
            base = over
        out.append(svg.polyline(_steps(across, scale, [v / 1e3 for v in load]), look.LOAD, 1.8))
        out.append(
            svg.polyline([(across(n + 0.5), charge_scale(v)) for n, v in enumerate(charge)], look.BATTERY, 2)
        )
        for clock in (0, 6, 12, 18, 24):
            out.append(
                svg.text(across(clock), top + height + below + 35, f"{clock}", "middle", fill=svg.MUTED)
            )
    return svg.document(look.WIDTH, top + height + below + 42, "The mean day of each season", out)


def _grounds(
    scale: svg.Scale, marks: list[float], charge: svg.Scale, left: float, width: float, *, first: bool
) -> list[str]:
    """Fine lines of one season's two panels; only the first has values."""
    if first:
        return [
            *look.rules(scale, marks, "kW", left, left + width),
            svg.line(left, charge(0), left + width, charge(0), svg.FRAME),
            svg.line(left, charge(1000), left + width, charge(1000)),
            svg.text(left - 6, charge(0) + 4, "0", "end", fill=svg.MUTED),
            svg.text(left - 6, charge(1000) + 4, "100 %", "end", fill=svg.MUTED),
        ]
    places = [scale(mark) for mark in marks] + [charge(1000), charge(0)]
    return [svg.line(left, y, left + width, y) for y in places]


def week(calendar: Calendar, span: Span) -> str:
    """Sources stacked, load as a line, outages as shade, dark time red; below it the state of charge."""
    hours, columns = range(span.first, span.last), calendar.hours
    height, below = 150.0, 62.0
    stacked = [sum(columns[column][n] for _, _, column in _SOURCES) / 1e3 for n in hours]
    load = [columns["load_wh"][n] / 1e3 for n in hours]
    scale, marks = look.upright(0.0, max(*stacked, *load, 0.1), _TOP, height)
    across = svg.Scale(0, len(hours), look.LEFT, look.LEFT + look.INNER)
    floor = _TOP + height + 18 + below
    charge = svg.Scale(0, 1000, floor, floor - below)
    out = _shades(calendar, hours, across, floor)
    out += look.rules(scale, marks, "kW")
    base = [0.0] * len(hours)
    for _, colour, column in _SOURCES:
        over = [b + columns[column][n] / 1e3 for b, n in zip(base, hours, strict=True)]
        if over != base:
            out.append(svg.area(_steps(across, scale, over), _steps(across, scale, base), colour))
        base = over
    out.append(svg.polyline(_steps(across, scale, load), look.LOAD, 1.8))
    for mark, words in ((0, "0"), (500, ""), (1000, "100 %")):
        out.append(
            svg.line(
                look.LEFT, charge(mark), look.LEFT + look.INNER, charge(mark), svg.RULE if mark else svg.FRAME
            )
        )
        out.append(svg.text(look.LEFT - 6, charge(mark) + 4, words, "end", fill=svg.MUTED))
    points = [(across(n + 1), charge(columns["soc_permille"][hour])) for n, hour in enumerate(hours)]
    out.append(svg.polyline(points, look.BATTERY, 2))
    out += _dates(calendar, hours, across, floor)
    out.append(svg.text(look.LEFT + look.INNER + 10, charge(500) + 4, "state of charge", fill="#0b6e5c"))
    entries = [(colour, name) for name, colour, column in _SOURCES if any(columns[column][n] for n in hours)]
    entries.append((look.LOAD, "load"))
    if any(columns["grid_live_s"]) and any(columns["grid_live_s"][n] < 1_800 for n in hours):
        entries.append((look.AWAY, "grid away"))
    if any(columns["dark_s"][n] for n in hours):
        entries.append((look.DARK, "critical load dark"))
    out += look.column([(fill, name, "") for fill, name in entries], _TOP + 10)
    return svg.document(look.WIDTH, floor + 22, span.text, out)


def _present(calendar: Calendar) -> list[tuple[str, str, str]]:
    return [source for source in _SOURCES if any(calendar.hours[source[2]])]


def _shades(calendar: Calendar, hours: range, across: svg.Scale, floor: float) -> list[str]:
    """Grey where the grid of a site that has one was away, red ticks where it was dark."""
    live, dark = calendar.hours["grid_live_s"], calendar.hours["dark_s"]
    out, begun = [], None
    away = [any(live) and live[n] < 1_800 for n in hours]
    for n, flag in enumerate([*away, False]):
        if flag and begun is None:
            begun = n
        if not flag and begun is not None:
            x = across(begun)
            out.append(svg.rect(x, _TOP, across(n) - x, floor - _TOP, look.AWAY))
            begun = None
    for n, hour in enumerate(hours):
        if dark[hour] > 0:
            out.append(svg.rect(across(n), _TOP - 7, across(n + 1) - across(n), 6, look.DARK))
    return out


def _dates(calendar: Calendar, hours: range, across: svg.Scale, floor: float) -> list[str]:
    """Lines at midnights and the days' names between them."""
    days = [day for day in calendar.days if day.stop > hours.start and day.start < hours.stop]
    every = max(1, round(len(days) / 14))
    out = []
    for n, day in enumerate(days):
        x = across(max(day.start, hours.start) - hours.start)
        out.append(svg.line(x, _TOP, x, floor + 4, svg.FRAME, stroke_width=0.6))
        if n % every == 0:
            at = calendar.hours.at(day.start)
            words = f"{at:%a} {at.day} {at:%b}" if every * len(days) <= 9 else f"{at.day}"
            out.append(svg.text(x + 4, floor + 15, words, fill=svg.MUTED))
    return out


def _steps(across: svg.Scale, scale: svg.Scale, values: list[float]) -> list[svg.Point]:
    return [(across(n + edge), scale(value)) for n, value in enumerate(values) for edge in (0, 1)]
