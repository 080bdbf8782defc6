"""What all pictures of a run share: colours of the sources, size, axes, a key."""

from __future__ import annotations

from collections.abc import Sequence

from greenmast import svg

# Apart in lightness as well as in hue: to be told apart in grey and by colour-blind eyes.
SOLAR, GRID, GENSET, BATTERY = "#e3a400", "#3f78b5", "#8c2d19", "#1f9e89"
LOAD, DARK, AWAY, PALE = svg.INK, "#d00000", "#e4e9ee", "#f3f5f7"
# Ours, then those compared with, then the limit.
OURS, OTHERS, LIMIT = BATTERY, ("#7d4fa8", "#b0722a", "#5f6b6d", "#c4679b", "#7a7d12", "#2193ad"), svg.INK

WIDTH = 1_000.0
LEFT, RIGHT = 62.0, 172.0  # room for the scale and for labels at the lines' ends
INNER = WIDTH - LEFT - RIGHT


def upright(
    low: float, high: float, top: float, height: float, count: int = 4
) -> tuple[svg.Scale, list[float]]:
    """A scale from the bottom up that encloses low .. high, and its ticks."""
    marks = svg.ticks(low, high, count)
    return svg.Scale(marks[0], marks[-1], top + height, top), marks


def rules(
    scale: svg.Scale, marks: Sequence[float], unit: str, left: float = LEFT, right: float = LEFT + INNER
) -> list[str]:
    """Fine lines across with their values on the left; the unit at the uppermost."""
    out = []
    for mark in marks:
        y = scale(mark)
        out.append(svg.line(left, y, right, y, svg.FRAME if mark == marks[0] else svg.RULE))
        words = svg.number(mark)
        out.append(svg.text(left - 6, y + 4, words, "end", fill=svg.MUTED))
    out.append(svg.text(left - 6, scale(marks[-1]) - 10, unit, "end", fill=svg.MUTED))
    return out


def key(entries: Sequence[tuple[str, str]], x: float, y: float) -> list[str]:
    """Coloured squares with words, in a row."""
    out = []
    for fill, words in entries:
        out += [_swatch(fill, x, y), svg.text(x + 15, y, words, fill=svg.MUTED)]
        x += 15 + 6.6 * len(words) + 22
    return out


def column(entries: Sequence[tuple[str, str, str]], y: float) -> list[str]:
    """A key right of the picture, downwards: colour ("": none), name, and a line below it ("": none)."""
    out, x = [], LEFT + INNER + 12
    for fill, name, rest in entries:
        out += [_swatch(fill, x, y), svg.text(x + 16 if fill else x, y, name)]
        if rest:
            y += 14
            out.append(svg.text(x + 16 if fill else x, y, rest, fill=svg.MUTED))
        y += 20
    return out


def _swatch(fill: str, x: float, y: float) -> str:
    """A square, but a line for what is drawn as a line."""
    if not fill:
        return ""
    if fill == LOAD:
        return svg.line(x - 1, y - 4, x + 11, y - 4, LOAD, stroke_width=2)
    return svg.rect(x, y - 9, 10, 10, fill, stroke=svg.FRAME if fill == PALE else "none")


def ends(
    labels: Sequence[tuple[float, str, str]], top: float, height: float, x: float = LEFT + INNER + 10
) -> list[str]:
    """Names beside the ends of lines: (y, words, colour) each, moved apart where they would touch."""
    places = svg.apart([y for y, _, _ in labels], 15.0, top, top + height)
    return [
        svg.text(x, y + 4, words, fill=colour) for y, (_, words, colour) in zip(places, labels, strict=True)
    ]
