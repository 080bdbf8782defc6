"""Integer decoding of float32 against exact arithmetic, over all bit patterns."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from greenmast_fw.devices.profile import _scaled_float


@given(
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from([1, 10, 100, 1000]),
    st.sampled_from([1, 2, 10, 100, 1000]),
)
def test_every_float_becomes_the_integer_nearest_to_it(bits: int, multiplier: int, divisor: int) -> None:
    scaled = _scaled_float(bits, multiplier, divisor)
    value = struct.unpack(">f", bits.to_bytes(4, "big"))[0]
    if not math.isfinite(value):
        assert scaled is None
        return
    exact = Fraction(value) * multiplier / divisor
    rounded = math.floor(abs(exact) + Fraction(1, 2))
    assert scaled == (-rounded if value < 0 else rounded)
