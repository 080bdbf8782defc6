"""Energy, cost, CO2 and genset use by month, or by day where the run is short."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from greenmast import svg
from greenmast.simulate.calendar import Bin, Calendar
from greenmast.simulate.picture import look
from greenmast.simulate.result import Result

_HEIGHT, _TOP = 200.0, 26.0
_TOLD_MAX = 16  # so many bars have room for words


def energy(calendar: Calendar) -> str:
    """Bars stacked by source: what was used, above it the sun that was not; a tick where the load lies."""
    bins = calendar.months
    parts = (
        ("solar", look.SOLAR, "solar_wh"),
        ("grid", look.GRID, "grid_wh"),
        ("genset", look.GENSET, "genset_wh"),
    )
    used = [
        (name, colour, [calendar.total(column, each.hours) / 1e3 for each in bins])
        for name, colour, column in parts
    ]
    spare = [
        max(0.0, calendar.total("solar_available_wh", each.hours) / 1e3 - sun)
        for each, sun in zip(bins, used[0][2], strict=True)
    ]
    load = [calendar.total("load_wh", each.hours) / 1e3 for each in bins]
    stacks = [sum(values[n] for _, _, values in used) + spare[n] for n in range(len(bins))]
    scale, marks = look.upright(0.0, max(*stacks, *load, 0.1), _TOP, _HEIGHT)
    out = [svg.hatch("curtailed", look.SOLAR, "#fdf6e1"), *look.rules(scale, marks, "kWh"), *_names(bins)]
    for n, each in enumerate(bins):
        x, width = _slot(n, len(bins))
        base = 0.0
        for name, colour, values in used:
            if values[n] > 0:
                out.append(
                    _bar(
                        scale,
                        x,
                        width,
                        base,
                        base + values[n],
                        colour,
                        f"{each.name}: {name} {svg.number(values[n])} kWh",
                    )
                )
            base += values[n]
        if spare[n] > 0:
            out.append(
                _bar(
                    scale,
                    x,
                    width,
                    base,
                    base + spare[n],
                    "url(#curtailed)",
                    f"{each.name}: solar not used {svg.number(spare[n])} kWh",
                )
            )
        y, over = scale(load[n]), min(3.0, look.INNER / len(bins) - width - 1) / 2
        out.append(svg.line(x - over, y, x + width + over, y, look.LOAD, stroke_width=2))
    total = {name: sum(values) for name, _, values in used}
    everything = sum(total.values()) or 1.0
    entries = [
        (colour, name, f"{svg.number(total[name])} kWh, {svg.percent(total[name] / everything)}")
        for name, colour, _ in used
        if total[name] > 0
    ]
    if sum(spare) > 0:
        entries.append(("url(#curtailed)", "solar not used", f"{svg.number(sum(spare))} kWh"))
    entries.append((look.LOAD, "load", f"{svg.number(sum(load))} kWh"))
    out += look.column(entries, _TOP + 8)
    words = ", ".join(f"{name} {rest}" for _, name, rest in entries)
    return svg.document(look.WIDTH, _TOP + _HEIGHT + 34, f"Energy by source {_per(calendar)}", out, words)


def genset(calendar: Calendar) -> str:
    """Hours that the genset ran; "" when it never did."""
    bins = calendar.months
    hours = [calendar.total("genset_s", each.hours) / 3_600 for each in bins]
    if not any(hours):
        return ""
    fuel = [calendar.total("fuel_l", each.hours) for each in bins]
    begun = [_begun(calendar, each.hours) for each in bins]
    height = 110.0
    scale, marks = look.upright(0.0, max(hours), _TOP, height, 3)
    out = [*look.rules(scale, marks, "h"), *_names(bins, height)]
    for n, each in enumerate(bins):
        x, width = _slot(n, len(bins))
        tip = f"{each.name}: {svg.number(hours[n])} h, {svg.number(fuel[n])} L, about {begun[n]} runs"
        if hours[n] > 0:
            out.append(_bar(scale, x, width, 0.0, hours[n], look.GENSET, tip))
        if len(bins) <= _TOLD_MAX:
            middle, y = x + width / 2, scale(hours[n])
            words = (f"{svg.number(hours[n], 2)} h", f"{begun[n]}×") if hours[n] else ("", "–")
            out += [
                svg.text(middle, y - 17 + 12 * row, said, "middle", font_size=10.5, **svg.HALO)
                for row, said in enumerate(words)
            ]
    entries = [(look.GENSET, f"ran {svg.number(sum(hours))} h", f"burnt {svg.number(sum(fuel))} L")]
    if len(bins) <= _TOLD_MAX:
        entries.append(("", "n×: runs begun", ""))
    out += look.column(entries, _TOP + 8)
    return svg.document(look.WIDTH, _TOP + height + 34, f"Genset hours {_per(calendar)}", out)


def _begun(calendar: Calendar, hours: range) -> int:
    """Runs that begin in these hours, as far as whole hours tell."""
    ran = calendar.hours["genset_s"]
    return sum(1 for n in hours if ran[n] > 0 and (n == 0 or ran[n - 1] == 0))


def against(
    label: str,
    unit: str,
    ours: Result,
    others: Mapping[str, Result],
    value: Callable[[Result, Calendar, Bin], float],
) -> str:
    """Ours as bars, each baseline as a line of steps over them, labelled at its end with its total."""
    calendar = Calendar(ours.hours)
    bins = calendar.months
    mine = [value(ours, calendar, each) for each in bins]
    lines = {}
    for name, run in others.items():
        theirs = Calendar(run.hours)
        if len(theirs.months) == len(bins):
            lines[name] = [value(run, theirs, each) for each in theirs.months]
    every = [*mine, *(v for values in lines.values() for v in values), 0.0]
    if not any(every):
        return ""
    height = 150.0
    scale, marks = look.upright(min(every), max(every), _TOP, height)
    out = [*look.rules(scale, marks, unit), *_names(bins, height)]
    for n, each in enumerate(bins):
        x, width = _slot(n, len(bins))
        out.append(
            _bar(
                scale,
                x,
                width,
                0.0,
                mine[n],
                look.OURS,
                f"{each.name}: {ours.name} {svg.number(mine[n])} {unit}",
            )
        )
    labels = [(scale(mine[-1]), f"{ours.name} {svg.number(sum(mine))}", "#0b6e5c")]
    for n, (name, values) in enumerate(lines.items()):
        colour = look.OTHERS[n % len(look.OTHERS)]
        points = []
        for at, amount in enumerate(values):
            x, width = _slot(at, len(bins))
            gap = look.INNER / len(bins) - width
            points += [(x - gap / 2, scale(amount)), (x + width + gap / 2, scale(amount))]
        out.append(svg.polyline(points, colour, 1.8))
        labels.append((scale(values[-1]), f"{name} {svg.number(sum(values))}", colour))
    out += look.ends(labels, _TOP, height)
    return svg.document(look.WIDTH, _TOP + height + 34, f"{label} {_per(calendar)}", out)


def cost(run: Result, calendar: Calendar, each: Bin) -> float:
    """Grid by the hour's price and diesel by the litre, in the site's currency."""
    hours = run.hours
    grid = sum(hours["grid_wh"][n] * hours["price"][n] for n in each.hours) / 1e3
    return grid + calendar.total("fuel_l", each.hours) * float(run.site.get("diesel_per_l", 0.0))


def co2(run: Result, calendar: Calendar, each: Bin) -> float:
    """kg, of what was bought and burnt."""
    grid = calendar.total("grid_wh", each.hours) / 1e3 * float(run.site.get("co2_kg_per_kwh", 0.0))
    return grid + calendar.total("fuel_l", each.hours) * float(run.site.get("co2_kg_per_l", 0.0))


def _per(calendar: Calendar) -> str:
    return "by day" if calendar.by_days else "by month"


def _slot(n: int, count: int) -> tuple[float, float]:
    """Left edge and width of bar `n`."""
    pitch = look.INNER / count
    width = min(0.74 * pitch, 72.0)
    return look.LEFT + n * pitch + (pitch - width) / 2, width


def _bar(scale: svg.Scale, x: float, width: float, low: float, high: float, fill: str, tip: str) -> str:
    top, bottom = sorted((scale(low), scale(high)))
    return svg.rect(x, top, width, bottom - top, fill, tip)


def _names(bins: Sequence[Bin], height: float = _HEIGHT) -> list[str]:
    """Names under the bars, as many as fit, and the year or month that they are of."""
    every = max(1, round(len(bins) / 26))
    out = []
    for n, each in enumerate(bins):
        if n % every == 0:
            x, width = _slot(n, len(bins))
            out.append(svg.text(x + width / 2, _TOP + height + 16, each.label, "middle"))
    first, last = bins[0].name, bins[-1].name
    said = first if first == last else f"{first} – {last}"
    if first[-4:] == last[-4:] and len(first) == len("Jan 2025"):
        said = first[-4:]
    out.append(svg.text(look.LEFT, _TOP + height + 31, said, fill=svg.MUTED, font_size=10.5))
    return out
