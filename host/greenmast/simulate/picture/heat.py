"""A swept figure as a heat map over two keys, or a line over one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenmast import svg
from greenmast.simulate.picture import look

if TYPE_CHECKING:
    from greenmast.simulate.cost_map import CostMap

NEAR = 1.02  # the contour: this times the lowest
_LOW, _HIGH = (232, 244, 240), (31, 98, 118)  # the dearer the darker
_TOP = 26.0


def grid(found: CostMap) -> str:
    """Cells with their values: the lowest framed, unfit ones hatched, a line around those near the lowest."""
    assert found.down is not None
    xs, ys = found.across.values, found.down.values
    pitch = min((look.WIDTH - look.LEFT - 30) / len(xs), 110.0)
    tall = min(max(420.0 / len(ys), 26.0), 46.0)
    known = [value for row in found.cells for value in row if value is not None]
    scale = svg.Scale(min(known, default=0.0), max(known, default=1.0), 0.0, 1.0)
    left, out = look.LEFT + 20, [svg.hatch("unfit", svg.INK)]
    for y, row in enumerate(found.cells):
        top = _TOP + (len(ys) - 1 - y) * tall  # the least below, as on any axis
        out.append(svg.text(left - 8, top + tall / 2 + 4, f"{ys[y]:g}", "end"))
        for x, value in enumerate(row):
            at, tip = left + x * pitch, found.told(x, y)
            if value is None:
                out.append(svg.rect(at, top, pitch, tall, look.PALE, f"{tip}: no run"))
                continue
            share = scale(value)
            out.append(
                svg.rect(at, top, pitch, tall, _shade(share), f"{tip}: {svg.number(value)} {found.unit}")
            )
            ink, halo = ("#ffffff" if share > 0.7 else svg.INK), {}
            if not found.fit(x, y):
                out.append(svg.rect(at, top, pitch, tall, "url(#unfit)", fill_opacity=0.45))
                ink, halo = svg.INK, svg.HALO
            if pitch >= 34:
                size = 12.0 if pitch >= 52 else 9.5
                weight = "700" if found.best == (x, y) else "400"
                style = {"fill": ink, "font_size": size, "font_weight": weight, **halo}
                out.append(svg.text(at + pitch / 2, top + tall / 2 + 4, svg.number(value), "middle", **style))
    out += _contour(found, left, pitch, tall)
    if found.best:
        x, y = found.best
        top = _TOP + (len(ys) - 1 - y) * tall
        out.append(
            svg.rect(
                left + x * pitch + 1.5, top + 1.5, pitch - 3, tall - 3, "none", stroke=svg.INK, stroke_width=3
            )
        )
    bottom = _TOP + len(ys) * tall
    out += [
        svg.text(left + (x + 0.5) * pitch, bottom + 16, f"{value:g}", "middle") for x, value in enumerate(xs)
    ]
    out.append(svg.text(left + len(xs) * pitch / 2, bottom + 36, found.across.key, "middle", fill=svg.MUTED))
    out.append(svg.text(left - 8, _TOP - 12, f"{found.down.key} ↑", fill=svg.MUTED))
    return svg.document(
        look.WIDTH, bottom + 44, f"{found.figure} over {found.across.key} and {found.down.key}", out
    )


def _contour(found: CostMap, left: float, pitch: float, tall: float) -> list[str]:
    """Edges between the cells near the lowest and the rest."""
    if not found.best:
        return []
    lowest = found.cells[found.best[1]][found.best[0]]
    assert lowest is not None
    height, width = len(found.cells), len(found.across.values)
    bound = lowest + abs(lowest) * (NEAR - 1)

    def near(x: int, y: int) -> bool:
        value = found.cells[y][x] if 0 <= x < width and 0 <= y < height else None
        return value is not None and value <= bound and found.fit(x, y)

    out = []
    for y in range(height):
        top = _TOP + (height - 1 - y) * tall
        for x in range(width):
            if not near(x, y):
                continue
            at = left + x * pitch
            edges = (
                (x - 1, y, (at, top, at, top + tall)),
                (x + 1, y, (at + pitch, top, at + pitch, top + tall)),
                (x, y + 1, (at, top, at + pitch, top)),
                (x, y - 1, (at, top + tall, at + pitch, top + tall)),
            )
            out += [
                svg.line(*ends, look.SOLAR, stroke_width=2.5, stroke_linecap="square")
                for other_x, other_y, ends in edges
                if not near(other_x, other_y)
            ]
    return out


def curve(found: CostMap) -> str:
    """Points with their values on a line; unfit ones hollow; the lowest named."""
    xs, values = found.across.values, found.cells[0]
    known = [value for value in values if value is not None]
    height = 240.0
    scale, marks = look.upright(min(known, default=0.0), max(known, default=1.0), _TOP, height)
    across = svg.Scale(min(xs), max(xs), look.LEFT + 30, look.LEFT + look.INNER - 10)
    out = look.rules(scale, marks, found.unit)
    points = [(across(x), scale(value)) for x, value in zip(xs, values, strict=True) if value is not None]
    if len(points) > 1:
        out.append(svg.polyline(points, look.BATTERY, 2))
    for n, (x, value) in enumerate(zip(xs, values, strict=True)):
        out.append(svg.text(across(x), _TOP + height + 16, f"{x:g}", "middle"))
        if value is None:
            continue
        best = found.best == (n, 0)
        fill = look.BATTERY if found.fit(n, 0) else "#ffffff"
        out.append(
            svg.circle(
                across(x),
                scale(value),
                6 if best else 4,
                fill,
                stroke=svg.INK if best else look.BATTERY,
                stroke_width=2,
            )
        )
        if best or len(xs) <= 14:
            out.append(
                svg.text(
                    across(x),
                    scale(value) - 12,
                    svg.number(value),
                    "middle",
                    font_weight="700" if best else "400",
                    **svg.HALO,
                )
            )
    out.append(
        svg.text(look.LEFT + look.INNER / 2, _TOP + height + 36, found.across.key, "middle", fill=svg.MUTED)
    )
    if any(value is not None and not found.fit(n, 0) for n, value in enumerate(values)):
        out.append(svg.text(look.LEFT + look.INNER + 10, _TOP + 12, "○ availability too low", fill=svg.MUTED))
    return svg.document(look.WIDTH, _TOP + height + 44, f"{found.figure} over {found.across.key}", out)


def _shade(share: float) -> str:
    return "#" + "".join(
        f"{round(low + (high - low) * share):02x}" for low, high in zip(_LOW, _HIGH, strict=True)
    )
