"""Parts of a drawing as SVG text: marks, scales, ticks, labels that keep clear of each other.

Owns escaping and the look (ink, rules, type). Knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

INK, MUTED, RULE, FRAME = "#1c2733", "#55636f", "#e3e8ec", "#a9b4bd"
Point = tuple[float, float]
Style = str | float
# Keeps words readable over lines.
HALO: dict[str, Style] = {
    "paint_order": "stroke",
    "stroke": "#ffffff",
    "stroke_width": 4,
    "stroke_linejoin": "round",
}


@dataclass(frozen=True)
class Scale:
    """A straight line from values to places: `low` .. `high` lie at `begin` .. `end`."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return self.begin + (value - self.low) / span * (self.end - self.begin)


def document(width: float, height: float, label: str, body: Iterable[str], text: str = "") -> str:
    """A drawing that says what it shows: `label` in a few words, `text` in a sentence or two."""
    told = f"<desc>{escape(text)}</desc>" if text else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" role="img"'
        f' aria-label="{escape(label)}" font-family="system-ui, sans-serif" font-size="12" fill="{INK}">'
        f"<title>{escape(label)}</title>{told}{''.join(body)}</svg>"
    )


def text(x: float, y: float, words: str, anchor: str = "start", **style: Style) -> str:
    """`anchor`: "start", "middle" or "end"."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{_n(x)}" y="{_n(y)}"{place}{_style(style)}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = RULE, **style: Style) -> str:
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" stroke="{colour}"{_style(style)}/>'


def rect(x: float, y: float, width: float, height: float, fill: str, tip: str = "", **style: Style) -> str:
    """`tip` appears under the pointer."""
    size = f'width="{_n(width)}" height="{_n(height)}"'
    shape = f'<rect x="{_n(x)}" y="{_n(y)}" {size} fill="{fill}"{_style(style)}'
    return f"{shape}><title>{escape(tip)}</title></rect>" if tip else f"{shape}/>"


def polyline(points: Sequence[Point], colour: str, width: float = 1.6, **style: Style) -> str:
    along = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return (
        f'<path d="M{along}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"'
        f' stroke-linejoin="round"{_style(style)}/>'
    )


def area(upper: Sequence[Point], lower: Sequence[Point], fill: str, **style: Style) -> str:
    """What lies between two lines of the same places."""
    along = "L".join(f"{_n(x)} {_n(y)}" for x, y in [*upper, *reversed(lower)])
    return f'<path d="M{along}Z" fill="{fill}"{_style(style)}/>'


def circle(x: float, y: float, radius: float, fill: str, **style: Style) -> str:
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}"{_style(style)}/>'


def hatch(name: str, colour: str, ground: str = "none") -> str:
    """A pattern of slanted lines; fill with `url(#name)`."""
    return (
        f'<defs><pattern id="{name}" width="5" height="5" patternUnits="userSpaceOnUse"'
        f' patternTransform="rotate(45)"><rect width="5" height="5" fill="{ground}"/>'
        f'<path d="M1 0V5" stroke="{colour}" stroke-width="1.2"/></pattern></defs>'
    )


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers that enclose low .. high, about `count` of them."""
    if high <= low:
        low, high = min(low, 0.0), max(high, 0.0)
        high = low + 1.0 if high <= low else high
    raw = (high - low) / count
    power = 10.0 ** floor(log10(raw))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= raw * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(step * n, 12) for n in range(first, last + 1)]


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places moved as little as need be to lie `gap` apart, in the same order, between `low` and `high`."""
    order = sorted(range(len(places)), key=lambda n: places[n])
    moved = [0.0] * len(places)
    at = low - gap
    for n in order:
        at = max(places[n], at + gap)
        moved[n] = at
    at = high + gap
    for n in reversed(order):
        at = min(moved[n], at - gap)
        moved[n] = at
    return moved


def number(value: float, digits: int = 3) -> str:
    """A value for people: `digits` significant ones at least, thousands set apart by narrow spaces."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - floor(log10(abs(value))))
    shown = f"{value:,.{places}f}".replace(",", "\u202f")
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown.replace("-", "−")


def percent(share: float, places: int = 0) -> str:
    return f"{share * 100:.{places}f}\u202f%"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _style(style: dict[str, Style]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{_n(value) if isinstance(value, float) else escape(str(value))}"'
        for name, value in style.items()
    )
