"""The head of a run's report: whether the rules held, the headline figures, the comparison as a table.

Owns these three pieces of HTML. Knows no picture.
"""

from __future__ import annotations

from html import escape

from greenmast import svg
from greenmast.simulate import compared
from greenmast.simulate.calendar import duration
from greenmast.simulate.compared import LIMIT, Compared

_CARDS = ("cost", "diesel_l", "grid_kwh", "co2_kg", "availability")
_PER_DAY = ("cost", "diesel_l")


def verdict(found: Compared) -> str:
    """Of all seeds: a rule that broke once spoils the figures."""
    broken: dict[str, int] = {}
    for run in found.ours:
        for name, count in run.violations.items():
            broken[name] = broken.get(name, 0) + count
    told = ", ".join(f"{name} × {count}" for name, count in sorted(broken.items()) if count)
    if told:
        words = f"Invariants did not hold: {escape(told)}. These figures are not to be used."
        return f'<p class="sum failed">{words}</p>'
    return '<p class="sum">Every invariant held in every second of the run.</p>'


def headline(found: Compared) -> str:
    """A card for each of the main figures: ours, by the day, against each baseline and the limit."""
    cards = []
    for figure, heading, unit, less, factor in [row for row in found.rows if row[0] in _CARDS]:
        spread = found.spread(found.name, figure)
        assert spread is not None  # ours knows every figure of ROWS that is shown
        value = compared.shown(figure, spread.median * factor)
        said = compared.unit_of(unit, found.currency)
        lines = [_range(figure, spread, factor)] if spread.high > spread.low else []
        if figure in _PER_DAY:
            lines.append(f"{svg.number(spread.median / found.days)} {escape(said)} a day")
        if figure == "availability":
            dark_s = (1 - spread.median) * found.days * 86_400
            lines.append(f"dark for {duration(dark_s)}" if dark_s >= 0.5 else "never dark")
        for name in found.baselines:
            ratio, theirs = found.ratio(figure, name), found.spread(name, figure)
            if not less and theirs is not None:
                lines.append(f"{compared.shown(figure, theirs.median * factor)} {escape(name)}")
            elif ratio is not None:
                lines.append(f"{compared.change(ratio)} vs {escape(name)}")
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
    return f"{low} – {high}"


def table(found: Compared) -> str:
    """A row for each controller; ours by theirs under each value."""
    if len(found.columns) == 1 and len(found.ours) == 1:
        return ""
    rows = found.rows
    heads = "".join(
        f'<th class="n">{escape(heading)}<br>'
        f"<small>{escape(compared.unit_of(unit, found.currency))}</small></th>"
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
                told += f"<br><small>{_range(figure, spread, factor)}</small>"
            ratio = found.ratio(figure, column) if less and column != found.name else None
            if ratio is not None:
                told += f"<br><small>{ratio:.2f} ×</small>"
            cells.append(f'<td class="n">{told}</td>')
        kind = "ours" if column == found.name else "limit" if column == LIMIT else ""
        body.append(f'<tr class="{kind}"><th>{escape(column)}</th>{"".join(cells)}</tr>')
    words = (
        "×: ours by theirs, the median over seeds of the same weather and outages."
        if len(found.columns) > 1
        else ""
    )
    if len(found.ours) > 1:
        words = f"Median over {len(found.ours)} seeds, below it lowest – highest. {words}"
    if found.limits:
        words += " The limit is what perfect foresight of the whole run could have reached at best."
    return (
        f'<h2>Compared</h2><div class="wide"><table class="compare"><thead><tr><th></th>{heads}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table></div><p class="note">{words}</p>'
    )
