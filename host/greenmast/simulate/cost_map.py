"""A figure over one or two swept keys: a map with its values, or a line; as a page and for a terminal.

Owns which cell is best and how the map is drawn. Must not know how the runs were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from greenmast import svg
from greenmast.simulate import page
from greenmast.simulate.compared import shown
from greenmast.simulate.picture import heat
from greenmast.simulate.text import columns

AVAILABILITY_MIN = 0.9995  # what the licence in India asks for


@dataclass(frozen=True)
class Axis:
    """A swept key, as in "solar.kwp", and its values in order."""

    key: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class CostMap:
    """Medians over the seeds of one figure: `cells[y][x]`, None where a run is missing.

    availability: of the same cells, 0 .. 1. others: further figures for the table, by heading.
    """

    site: str
    figure: str
    unit: str
    across: Axis
    down: Axis | None
    cells: tuple[tuple[float | None, ...], ...]
    availability: tuple[tuple[float | None, ...], ...]
    others: Mapping[str, tuple[tuple[float | None, ...], ...]] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError when a matrix has another shape than the axes."""
        height = len(self.down.values) if self.down else 1
        for matrix in (self.cells, self.availability, *self.others.values()):
            if len(matrix) != height or any(len(row) != len(self.across.values) for row in matrix):
                raise ValueError("a matrix does not fit its axes")

    def fit(self, x: int, y: int) -> bool:
        """Whether the cell's availability suffices."""
        found = self.availability[y][x]
        return found is not None and found >= AVAILABILITY_MIN

    @property
    def best(self) -> tuple[int, int] | None:
        """x, y of the lowest figure among the cells that are fit; None when none is."""
        found = [
            (value, x, y)
            for y, row in enumerate(self.cells)
            for x, value in enumerate(row)
            if value is not None and self.fit(x, y)
        ]
        return min(found)[1:] if found else None

    def told(self, x: int, y: int) -> str:
        """The cell's place in words: "solar.kwp = 5, battery.capacity_ah = 300"."""
        words = f"{self.across.key} = {self.across.values[x]:g}"
        return f"{words}, {self.down.key} = {self.down.values[y]:g}" if self.down else words


def write(found: CostMap, path: Path) -> None:
    """Raises UserError when the file cannot be written."""
    page.write(html(found), path)


def html(found: CostMap) -> str:
    """The map with its table."""
    swept = found.across.key + (f" and {found.down.key}" if found.down else "")
    drawing = heat.grid(found) if found.down else heat.curve(found)
    caption = f"{found.figure} [{found.unit}]" if found.unit else found.figure
    return page.document(
        f"{found.site}: {found.figure} over {swept}",
        found.note,
        [
            f'<p class="sum{"" if found.best else " failed"}">{escape(_verdict(found))}</p>',
            page.figure(caption, drawing, _legend(found)),
            _table(found),
        ],
    )


def text(found: CostMap) -> str:
    """For a terminal: "*" behind the best cell, "!" behind those whose availability is too low."""
    table = [["", *(f"{value:g} " for value in found.across.values)]]
    for y, row in enumerate(found.cells):
        head = f"{found.down.values[y]:g}" if found.down else found.figure
        table.append([head, *(_marked(found, x, y, value) for x, value in enumerate(row))])
    down = f" (down: {found.down.key})" if found.down else ""
    unit = f" [{found.unit}]" if found.unit else ""
    lines = [f"{found.site}: {found.figure}{unit}, across: {found.across.key}{down}", *columns(table)]
    if any(cell.endswith("!") for row in table for cell in row):
        lines.append(f"!: availability below {svg.percent(AVAILABILITY_MIN, 2)}")
    return "\n".join([*lines, f"*: {_verdict(found)}" if found.best else _verdict(found)])


def _marked(found: CostMap, x: int, y: int, value: float | None) -> str:
    if value is None:
        return "– "
    mark = "*" if found.best == (x, y) else " " if found.fit(x, y) else "!"
    return f"{svg.number(value)}{mark}"


def _verdict(found: CostMap) -> str:
    if found.best is None:
        return f"No cell reaches an availability of {svg.percent(AVAILABILITY_MIN, 2)}."
    x, y = found.best
    value = found.cells[y][x]
    assert value is not None  # `best` is among the known
    return f"Lowest: {svg.number(value)} {found.unit} at {found.told(x, y)}."


def _legend(found: CostMap) -> str:
    hatched = any(not found.fit(x, y) for y, row in enumerate(found.cells) for x in range(len(row)))
    mark = "Framed" if found.down else "Ringed"
    said = f"{mark}: the lowest." if found.best else ""
    if hatched:
        mark = "Hatched" if found.down else "Hollow"
        said += f" {mark}: availability below {svg.percent(AVAILABILITY_MIN, 2)}, never the lowest."
    if found.down and found.best:
        said += f" Line: within {svg.percent(heat.NEAR - 1)} of the lowest."
    return said


def _table(found: CostMap) -> str:
    heads = [
        found.across.key,
        *([found.down.key] if found.down else []),
        f"{found.figure} [{found.unit}]",
        "availability [%]",
    ]
    heads += list(found.others)
    body = []
    for y, row in enumerate(found.cells):
        for x, value in enumerate(row):
            place = [f"{found.across.values[x]:g}", *([f"{found.down.values[y]:g}"] if found.down else [])]
            figures = [_cell(value), _cell(found.availability[y][x], "availability")]
            figures += [_cell(matrix[y][x]) for matrix in found.others.values()]
            cells = "".join(f'<td class="n">{each}</td>' for each in (*place, *figures))
            body.append(f'<tr class="{"ours" if found.best == (x, y) else ""}">{cells}</tr>')
    head = "".join(f'<th class="n">{escape(each)}</th>' for each in heads)
    return (
        f'<div class="wide"><table class="map"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(value: float | None, figure: str = "") -> str:
    if value is None:
        return "–"
    return shown(figure, value * 100) if figure else svg.number(value)
