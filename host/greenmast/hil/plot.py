"""One picture of a run: sources, power, battery and contactors over time, with faults shaded.

Owns the drawing: SVG as text, for any browser. Knows neither plant nor board: it gets rows of truths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

Row = Mapping[str, float]

_WIDTH, _LEFT, _RIGHT, _HEAD = 1_180, 76, 190, 56
_PANEL, _GAP, _LANE = 150, 30, 15
_POINTS_MAX = 1_200
_COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#b8860b", "#7d4fa8", "#5f6b6d")
# Title, unit, how much of it the height is at least, and the curves: name and how it follows from a row.
_PANELS: tuple[tuple[str, str, float, tuple[tuple[str, Callable[[Row], float]], ...]], ...] = (
    (
        "AC voltage",
        "V",
        100.0,
        (
            ("grid", lambda r: r["grid.voltage_mv"] / 1e3),
            ("genset", lambda r: r["genset.voltage_mv"] / 1e3),
        ),
    ),
    (
        "Power",
        "kW",
        1.0,
        (
            ("load", lambda r: r["load.power_w"] / 1e3),
            ("rectifier", lambda r: r["rectifier.output_w"] / 1e3),
            ("solar", lambda r: r["solar.power_w"] / 1e3),
            ("battery (charging)", lambda r: r["battery.voltage_mv"] * r["battery.current_ma"] / 1e9),
        ),
    ),
    ("DC bus", "V", 2.0, (("bus", lambda r: r["dc.bus_mv"] / 1e3),)),
    (
        "State of charge, fuel",
        "%",
        5.0,
        (
            ("charge", lambda r: r["battery.soc_permille"] / 10),
            ("fuel", lambda r: r["genset.fuel_permille"] / 10),
        ),
    ),
)
_LANES = ("contactor.", "relay.")


def svg(
    title: str,
    times: Sequence[float],
    rows: Sequence[Row],
    spans: Sequence[tuple[str, float, float | None]],
    marks: Sequence[tuple[float, str]],
    failed_s: Sequence[float],
) -> str:
    """The document. `spans`: text, begin and end (None: still so) of what lasted; `marks`: what happened."""
    if not times:
        return _document(_HEAD + 20, title, ["<text x='20' y='60'>nothing was recorded</text>"])
    sheet = _Sheet(times, max(times[-1], *failed_s, 0.0) if failed_s else times[-1])
    names = sorted(name for name in rows[0] if name.startswith(_LANES))
    bottom = _HEAD + len(_PANELS) * (_PANEL + _GAP) + 20 + _LANE * len(names)
    notes = 14 * (len(spans) + len(marks) + 2)
    out = sheet.shades(spans, bottom)
    y = _HEAD
    for panel_title, unit, least, curves in _PANELS:
        values = [(name, [read(row) for row in rows]) for name, read in curves]
        out += sheet.panel(y, f"{panel_title} [{unit}]", least, values)
        y += _PANEL + _GAP
    out += sheet.lanes(y, [(name.partition(".")[2], [r[name] for r in rows]) for name in names])
    out += sheet.axis(bottom)
    out += sheet.events(marks, failed_s, bottom)
    out += _legend(spans, marks, failed_s, bottom + 44)
    return _document(bottom + 50 + notes, title, out)


class _Sheet:
    """Where a time lies, and what is drawn over time."""

    def __init__(self, times: Sequence[float], end_s: float) -> None:
        self._first = min(times[0], 0.0)
        self._end = max(end_s, self._first + 1.0)
        step = max(1, len(times) // _POINTS_MAX)
        self._picked = [*range(0, len(times) - 1, step), len(times) - 1]
        self._xs = [self.x(times[i]) for i in self._picked]

    def x(self, at_s: float) -> float:
        share = (at_s - self._first) / (self._end - self._first)
        return _LEFT + max(0.0, min(share, 1.0)) * (_WIDTH - _LEFT - _RIGHT)

    def panel(
        self, y: float, title: str, least: float, curves: Sequence[tuple[str, Sequence[float]]]
    ) -> list[str]:
        """Curves in a frame, with a scale on the left and their names on the right."""
        low = min(min(values) for _, values in curves)
        high = max(max(values) for _, values in curves)
        missing = max(least - (high - low), 0.0)
        low, high = low - missing / 2, high + missing / 2
        ticks = _ticks(low, high, 4)
        low, high = min(low, ticks[0]), max(high, ticks[-1])
        scale = (_PANEL - 4) / (high - low)
        right = _WIDTH - _RIGHT
        out = [f"<text x='{_LEFT}' y='{y - 6}' class='title'>{title}</text>"]
        for tick in ticks:
            at = y + _PANEL - 2 - (tick - low) * scale
            out.append(f"<line x1='{_LEFT}' y1='{at:.1f}' x2='{right}' y2='{at:.1f}' class='grid'/>")
            out.append(f"<text x='{_LEFT - 6}' y='{at + 4:.1f}' class='scale'>{tick:g}</text>")
        for n, (name, values) in enumerate(curves):
            colour = _COLOURS[n]
            points = " ".join(
                f"{x:.1f},{y + _PANEL - 2 - (values[i] - low) * scale:.1f}"
                for x, i in zip(self._xs, self._picked, strict=True)
            )
            out.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.6'/>")
            out.append(f"<text x='{right + 10}' y='{y + 14 + 16 * n}' style='fill:{colour}'>{name}</text>")
        out.append(f"<rect x='{_LEFT}' y='{y}' width='{right - _LEFT}' height='{_PANEL}' class='frame'/>")
        return out

    def lanes(self, y: float, lanes: Sequence[tuple[str, Sequence[float]]]) -> list[str]:
        """A bar for each, where it is closed."""
        out = [f"<text x='{_LEFT}' y='{y - 6}' class='title'>Closed contacts</text>"]
        right = _WIDTH - _RIGHT
        for n, (name, values) in enumerate(lanes):
            top = y + n * _LANE
            out.append(f"<line x1='{_LEFT}' y1='{top + 7}' x2='{right}' y2='{top + 7}' class='grid'/>")
            begun: float | None = None
            last = self._xs[-1]
            for x, i in zip(self._xs, self._picked, strict=True):
                if values[i] and begun is None:
                    begun = x
                if begun is not None and (not values[i] or x == last):
                    out.append(
                        f"<rect x='{begun:.1f}' y='{top + 2}' width='{max(x - begun, 1):.1f}' height='10'"
                        " fill='#2e8b57'/>"
                    )
                    begun = None
            out.append(f"<text x='{right + 10}' y='{top + 11}'>{escape(name)}</text>")
        return out

    def shades(self, spans: Sequence[tuple[str, float, float | None]], bottom: float) -> list[str]:
        """Where a fault lasted."""
        out = []
        for n, (_, from_s, to_s) in enumerate(spans, 1):
            left = self.x(from_s)
            right = self.x(self._end if to_s is None else to_s)
            out.append(
                f"<rect x='{left:.1f}' y='{_HEAD}' width='{max(right - left, 1.5):.1f}'"
                f" height='{bottom - _HEAD}' fill='#e9a23b' fill-opacity='0.16'/>"
                f"<text x='{left + 2:.1f}' y='{_HEAD + 12}' class='number'>{n}</text>"
            )
        return out

    def events(
        self, marks: Sequence[tuple[float, str]], failed_s: Sequence[float], bottom: float
    ) -> list[str]:
        """Upright lines: what happened, dashed and lettered; what failed, red."""
        out = []
        for n, (at_s, _) in enumerate(marks):
            x = self.x(at_s)
            out.append(f"<line x1='{x:.1f}' y1='{_HEAD - 8}' x2='{x:.1f}' y2='{bottom}' class='mark'/>")
            out.append(f"<text x='{x - 3:.1f}' y='{_HEAD - 20}' class='number'>{_letter(n)}</text>")
        for at_s in failed_s:
            x = self.x(at_s)
            out.append(f"<line x1='{x:.1f}' y1='{_HEAD - 8}' x2='{x:.1f}' y2='{bottom}' class='failed'/>")
        return out

    def axis(self, y: float) -> list[str]:
        """Seconds below."""
        out = []
        for tick in _ticks(self._first, self._end, 10):
            if self._first <= tick <= self._end:
                x = self.x(tick)
                out.append(f"<line x1='{x:.1f}' y1='{y}' x2='{x:.1f}' y2='{y + 5}' stroke='#333'/>")
                out.append(f"<text x='{x:.1f}' y='{y + 18}' class='time'>{tick:g} s</text>")
        return out


def _legend(
    spans: Sequence[tuple[str, float, float | None]],
    marks: Sequence[tuple[float, str]],
    failed_s: Sequence[float],
    y: float,
) -> list[str]:
    lines = []
    for n, (text, from_s, to_s) in enumerate(spans, 1):
        end = "to the end" if to_s is None else f"to {to_s:.1f} s"
        lines.append(f"{n}  {text}, {from_s:.1f} s {end}")
    lines += [f"{_letter(n)}  {at_s:.1f} s  {text}" for n, (at_s, text) in enumerate(marks)]
    if failed_s:
        lines.append("red: a check failed at " + ", ".join(f"{at_s:.1f} s" for at_s in sorted(set(failed_s))))
    return [f"<text x='{_LEFT}' y='{y + 14 * n}'>{escape(line)}</text>" for n, line in enumerate(lines)]


def _letter(n: int) -> str:
    return chr(ord("a") + n) if n < 26 else str(n)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers that span low .. high, about `count` of them."""
    raw = (high - low) / count
    power = 10.0 ** floor(log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw)
    return [step * n for n in range(floor(low / step), ceil(high / step) + 1)]


def _document(height: float, title: str, body: Sequence[str]) -> str:
    return "\n".join(
        (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{height:.0f}'"
            f" viewBox='0 0 {_WIDTH} {height:.0f}'>",
            "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.scale{text-anchor:end}"
            ".time{text-anchor:middle}.number{font-size:11px;font-weight:bold;fill:#7a4b00}"
            ".grid{stroke:#ddd}.frame{fill:none;stroke:#999}.mark{stroke:#555;stroke-dasharray:3 3}"
            ".failed{stroke:#d00000;stroke-width:1.6}.head{font-size:15px;font-weight:bold}</style>",
            f"<rect width='{_WIDTH}' height='{height:.0f}' fill='white'/>",
            f"<text x='{_LEFT}' y='20' class='head'>{escape(title)}</text>",
            *body,
            "</svg>\n",
        )
    )
