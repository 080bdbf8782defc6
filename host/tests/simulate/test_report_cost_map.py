"""The map of a sweep marks the cheapest cell that keeps the site powered."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from greenmast.simulate import cost_map
from greenmast.simulate.cost_map import Axis, CostMap

KWP, AH = Axis("solar.kwp", (3.0, 4.0, 5.0)), Axis("battery.capacity_ah", (200.0, 300.0))
CELLS: tuple[tuple[float | None, ...], ...] = ((90.0, 80.0, 70.0), (95.0, None, 100.0))
AVAILABLE: tuple[tuple[float | None, ...], ...] = ((1.0, 0.9996, 0.99), (1.0, None, 1.0))


def swept(
    cells: tuple[tuple[float | None, ...], ...] = CELLS,
    available: tuple[tuple[float | None, ...], ...] = AVAILABLE,
    down: Axis | None = AH,
) -> CostMap:
    return CostMap("パトナ <1>", "cost", "₹", KWP, down, cells, available, {"diesel [L]": cells})


def drawing(page: str) -> ElementTree.Element:
    found = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0])


def test_the_lowest_cell_counts_only_where_the_site_stays_powered() -> None:
    assert swept().best == (1, 0)
    assert "Lowest: 80 ₹ at solar.kwp = 4, battery.capacity_ah = 200" in cost_map.html(swept())
    assert "80*" in cost_map.text(swept())
    assert "70!" in cost_map.text(swept())


def test_no_cell_is_best_where_none_suffices() -> None:
    dark = swept(available=((0.9, 0.9, 0.9), (0.9, None, 0.9)))
    assert dark.best is None
    for told in (cost_map.html(dark), cost_map.text(dark)):
        assert "No cell reaches an availability of 99.95" in told


@pytest.mark.parametrize("down", [AH, None])
def test_maps_and_lines_are_xml_and_say_every_value(down: Axis | None) -> None:
    cells, available = (CELLS, AVAILABLE) if down else (CELLS[:1], AVAILABLE[:1])
    page = cost_map.html(swept(cells, available, down))
    words = ["".join(each.itertext()) for each in drawing(page).iter("{http://www.w3.org/2000/svg}text")]
    for row in cells:
        for value in row:
            assert value is None or f"{value:g}" in words
    assert "パトナ &lt;1&gt;" in page
    assert "99.960" in page


def test_unfit_cells_are_hatched() -> None:
    assert cost_map.html(swept()).count('fill="url(#unfit)"') == 1
    fit = swept(available=((1.0, 1.0, 1.0), (1.0, None, 1.0)))
    assert 'fill="url(#unfit)"' not in cost_map.html(fit)
    assert fit.best == (2, 0)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_map_of_one_value_is_drawn(value: float) -> None:
    flat = swept(((value,) * 3,), ((1.0,) * 3,), None)
    drawing(cost_map.html(flat))
    assert flat.best == (0, 0)
    assert "nan" not in cost_map.html(flat)


def test_a_matrix_that_does_not_fit_its_axes_is_refused() -> None:
    with pytest.raises(ValueError, match="axes"):
        swept(CELLS[:1])
    with pytest.raises(ValueError, match="axes"):
        swept(available=((1.0,), (1.0,)))
