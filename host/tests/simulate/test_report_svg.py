"""Scales, ticks and labels hold their promises."""

from __future__ import annotations

import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenmast import svg
from greenmast.simulate.picture import raster

_values = st.floats(-1e9, 1e9, allow_nan=False)


@given(_values, _values)
def test_ticks_enclose_their_range_with_few_steps(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    if 0 < high - low < 1e-6 * max(abs(low), abs(high)):
        return  # finer than what is drawn
    marks = svg.ticks(low, high, 4)
    slack = 1e-6 * max(abs(low), abs(high), 1e-12)
    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack
    assert 2 <= len(marks) <= 7


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_labels_keep_apart_within_their_room_in_the_same_order(places: list[float]) -> None:
    moved = svg.apart(places, 15, 0, 100)
    in_order = [moved[n] for n in sorted(range(len(places)), key=lambda n: places[n])]
    assert all(b - a >= 15 - 1e-9 for a, b in pairwise(in_order))
    assert max(moved) <= 100 + 1e-9
    assert min(moved) >= -1e-9


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.04567, "0.0457"),
        (1.5, "1.5"),
        (999.7, "1\u202f000"),
        (1_234_567.8, "1\u202f234\u202f568"),
        (-2.5, "−2.5"),
        (100.0, "100"),
    ],
)
def test_numbers_are_shown_for_people(value: float, shown: str) -> None:
    assert svg.number(value) == shown


def test_pixels_come_back_from_the_png() -> None:
    data = raster.png([[(255, 0, 1), (2, 3, 4)], [(5, 6, 7), (8, 9, 10)]])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    begin = data.index(b"IDAT") + 4
    assert zlib.decompress(data[begin:-16]) == bytes([0, 255, 0, 1, 2, 3, 4, 0, 5, 6, 7, 8, 9, 10])
