"""Traces of a visit as SVG: one panel per point, time below. Pure text in, text out."""

from __future__ import annotations

from html import escape

from greenmast.commission.result import Trace
from greenmast_protocol import show

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP = 720, 64, 150, 78, 6
_STEPS = ("feedback.", "output.", "genset.state")
_INK, _LINE, _GRID = "#1c2733", "#0b6e4f", "#d5dbe1"


def svg(trace: Trace) -> str:
    """The picture of a trace with two samples at least, else ""."""
    drawn = {name: values for name, values in trace.series.items() if any(v is not None for v in values)}
    if len(trace.seconds) < 2 or not drawn:
        return ""
    begin, end = trace.seconds[0], trace.seconds[-1]
    height = _PANEL * len(drawn) + 24
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(trace.title)}" '
        f'font-family="system-ui, sans-serif" font-size="11" fill="{_INK}">'
    ]
    for row, (name, values) in enumerate(drawn.items()):
        parts.append(_panel(_PANEL * row, name, values, trace.seconds, begin, end))
    for share in range(5):
        x = _x(begin + share * (end - begin) / 4, begin, end)
        text = show.duration(round(share * (end - begin) / 4))
        parts.append(f'<text x="{x:.0f}" y="{height - 8}" text-anchor="middle">{text}</text>')
    return "".join([*parts, "</svg>"])


def _x(second: float, begin: float, end: float) -> float:
    return _LEFT + (second - begin) / ((end - begin) or 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _panel(
    top: int, name: str, values: list[int | None], seconds: list[float], begin: float, end: float
) -> str:
    known = [v for v in values if v is not None]
    low, high = min(known), max(known)
    span = (high - low) or 1
    bottom = top + _PANEL - 10
    room = _PANEL - 10 - _TOP

    def y(value: int) -> float:
        return bottom - (value - low) / span * room if high > low else top + _TOP + room / 2

    pieces: list[list[str]] = [[]]
    for second, value in zip(seconds, values, strict=True):
        if value is None:
            pieces.append([])
        else:
            x = _x(second, begin, end)
            if pieces[-1] and name.startswith(_STEPS):  # a contact does not glide
                pieces[-1].append(f"{x:.1f},{pieces[-1][-1].split(',')[1]}")
            pieces[-1].append(f"{x:.1f},{y(value):.1f}")
    lines = "".join(
        f'<polyline points="{" ".join(piece)}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>'
        for piece in pieces
        if piece
    )
    rule = f'<path d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}" stroke="{_GRID}"/>'
    label = f'<text x="4" y="{top + _PANEL / 2:.0f}">{escape(name)}</text>'
    marks = f'<text x="{_WIDTH - _RIGHT + 6}" y="{bottom:.0f}">{escape(show.value(name, low))}</text>'
    if high > low:
        marks += (
            f'<text x="{_WIDTH - _RIGHT + 6}" y="{top + _TOP + 9}">{escape(show.value(name, high))}</text>'
        )
    return rule + lines + label + marks
