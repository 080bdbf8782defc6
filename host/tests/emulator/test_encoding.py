"""Numbers saturate at the limits of their kind and words come in the product's order."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.cells import spread

numbers = st.floats(-1e12, 1e12)


@given(numbers)
def test_a_register_never_wraps(value: float) -> None:
    assert encoding.u16(value) == min(max(round(value), 0), 65_535)
    assert struct.unpack(">h", struct.pack(">H", encoding.s16(value)))[0] == min(
        max(round(value), -32_768), 32_767
    )


@given(numbers)
def test_32_bits_saturate_and_keep_their_word_order(value: float) -> None:
    high, low = encoding.u32_high_first(value)
    assert high << 16 | low == min(max(round(value), 0), 0xFFFFFFFF)
    assert encoding.u32_low_first(value) == (low, high)
    high, low = encoding.s32_high_first(value)
    assert struct.unpack(">i", struct.pack(">HH", high, low))[0] == min(
        max(round(value), -(2**31)), 2**31 - 1
    )
    assert encoding.s32_low_first(value) == (low, high)


@given(st.floats(width=32, allow_nan=False))
def test_a_float_survives_both_ways(value: float) -> None:
    assert encoding.f32_value(*encoding.f32_high_first(value)) == value


def test_230_volt_is_the_float_of_the_standard() -> None:
    assert encoding.f32_high_first(230.0) == (0x4366, 0x0000)


def test_text_starts_in_the_high_byte_and_ends_in_spaces() -> None:
    assert encoding.ascii_words("MEANWELL", 6) == [0x4D45, 0x414E, 0x5745, 0x4C4C, 0x2020, 0x2020]


@pytest.mark.parametrize("cells", range(1, 33))
def test_cells_spread_evenly_with_both_extremes_and_their_mean(cells: int) -> None:
    voltages = spread(3_300.0, 3_340.0, cells)
    assert len(set(voltages)) == len(voltages) == cells
    assert sum(voltages) / cells == pytest.approx(3_320.0)
    if cells > 1:
        assert [min(voltages), max(voltages)] == pytest.approx([3_300.0, 3_340.0])
