"""What is worked out in every scan stays within the board's small integers, which allocate nothing."""

from __future__ import annotations

import pytest

from greenmast_fw.core.battery import Battery
from greenmast_fw.core.site import Site
from greenmast_protocol import params, points

LIMIT = 2**30


class Small(int):
    """An integer that refuses to become a big one, and whose results are of its kind."""

    def __new__(cls, value: int) -> Small:
        assert -LIMIT <= value < LIMIT, value
        return super().__new__(cls, value)

    def __add__(self, other: int) -> Small:
        return Small(int(self) + int(other))

    def __sub__(self, other: int) -> Small:
        return Small(int(self) - int(other))

    def __rsub__(self, other: int) -> Small:
        return Small(int(other) - int(self))

    def __mul__(self, other: int) -> Small:
        return Small(int(self) * int(other))

    def __floordiv__(self, other: int) -> Small:
        return Small(int(self) // int(other))

    def __rfloordiv__(self, other: int) -> Small:
        return Small(int(other) // int(self))

    def __neg__(self) -> Small:
        return Small(-int(self))

    def __abs__(self) -> Small:
        return Small(abs(int(self)))

    __radd__ = __add__
    __rmul__ = __mul__


def test_a_small_integer_refuses_to_grow() -> None:
    with pytest.raises(AssertionError):
        Small(200_000) * 10_000 // 10_000


@pytest.mark.parametrize("ma", [200_000, -200_000, 37, None])
@pytest.mark.parametrize("chemistry", ["lfp", "vrla"])
def test_battery_knowledge_up_to_a_thousand_ampere_hours(ma: int | None, chemistry: str) -> None:
    cells = {"lfp": 15, "vrla": 24}[chemistry]
    settings = params.complete(params.for_battery(chemistry, cells))
    settings["battery.soc_error_max_permille"] = 1_000
    battery = Battery(settings, Site({}, ("battery", "load", "solar"), chemistry, 1_000, cells))
    shown = {
        "dc.bus_mv": 49_000,
        "battery.soc_permille": 500,
        "battery.temperature_dc": 380,
        "load.power_w": 20_000,
        "solar.power_w": 20_000,
        "rectifier.output_ma": 200_000,
        "rectifier.ac_present": 1,
    }
    if ma is not None:
        shown["battery.current_ma"] = ma
    for scan in range(4_000):
        if scan == 100:
            del shown["battery.soc_permille"]
        v: list[int | None] = [None] * points.COUNT
        for name, value in shown.items():
            v[points.index(name)] = Small(value)
        battery.step(tuple(v), 1_000, 1, False)
    assert battery.counted
    assert isinstance(battery.soc, Small)
    assert battery.to_lvd_s is not None
