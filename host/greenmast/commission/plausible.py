"""Do the readings of a site fit each other and its configuration? Pure: values in, results out.

Owns the checks that need nothing to be switched, and the judgement of a current's sign. Knows no board.
Tolerances cover the accuracy classes of what is usually installed (meters 1 %, shunts 1 %, BMS 2 %) and the
time between two readings of a bus, not a wrong scale or a missing minus.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greenmast.commission.result import FAILED, LOOK, PASSED, Result
from greenmast_protocol import show

Values = Mapping[str, int | None]

_BUS_TOLERANCE = 20  # two measurements of the bus differ by at most 1/20 ..
_CABLE_MV = 1_000  # .. and what a long battery cable loses
_POWER_TOLERANCE = 0.15
POWER_FLOOR_W = 150  # what auxiliaries and rounding may hide
_SIGN_LEAST_W = 200  # below that a sign says nothing
IDLE_W = 50  # what a meter may show with nothing connected
_FREQUENCIES_CHZ = (5_000, 6_000)
_NOMINALS_MV = (100_000, 110_000, 115_000, 120_000, 127_000, 220_000, 230_000, 240_000)
_TEMPERATURES_DC = (-300, 650)
_CELL_MV = {"lfp": (2_500, 3_700), "vrla": (1_700, 2_500)}  # of a cell in service

POINTS = (
    "dc.bus_mv",
    "battery.voltage_mv",
    "battery.current_ma",
    "battery.soc_permille",
    "battery.temperature_dc",
    "battery.cell_min_mv",
    "battery.cell_max_mv",
    "rectifier.output_mv",
    "rectifier.output_ma",
    "solar.power_w",
    "load.power_w",
    "grid.voltage_mv",
    "grid.frequency_chz",
    "grid.power_w",
    "genset.fuel_permille",
)


def at_rest(values: Values, config: Mapping[str, Any]) -> list[Result]:
    """Checks of one set of readings: voltages against each other, cells, temperature, grid."""
    found = [_voltages(values), _cells(values, config), _temperature(values), *_grid(values)]
    return [result for result in found if result is not None]


def battery_power_w(values: Values) -> int | None:
    """What flows into the battery by its own readings."""
    return _power_w(values.get("battery.voltage_mv") or values.get("dc.bus_mv"), values["battery.current_ma"])


def expected_battery_power_w(values: Values) -> int | None:
    """What should: rectifier and solar less the load. None when the load is not measured."""
    load_w = values["load.power_w"]
    if load_w is None:
        return None
    rectifier_w = _power_w(values["rectifier.output_mv"], values["rectifier.output_ma"])
    return (values["solar.power_w"] or 0) + (rectifier_w or 0) - load_w


def sign(name: str, seen_w: int | None, expected_w: int | None, remedy: str) -> Result:
    """Does a power have the sign and size that the others say? Tells a swapped pair from a wrong scale."""
    if seen_w is None or expected_w is None:
        return Result(name, FAILED, "no reading", "a reading", "see the devices above")
    saw, expected = _watts(seen_w), f"about {_watts(expected_w)}"
    if abs(expected_w) < _SIGN_LEAST_W:
        return Result(name, LOOK, saw, expected, "too little flows to tell; repeat it with more load")
    if _fits(seen_w, expected_w):
        return Result(name, PASSED, saw, expected)
    if _fits(-seen_w, expected_w):
        return Result(name, FAILED, saw, expected, remedy)
    if (seen_w < 0) != (expected_w < 0):
        return Result(name, FAILED, saw, expected, f"the size is wrong too; first {remedy}")
    return Result(name, FAILED, saw, expected, "check the scale: shunt or transformer ratio, profile")


def _fits(seen_w: int, expected_w: int) -> bool:
    return abs(seen_w - expected_w) <= POWER_FLOOR_W + _POWER_TOLERANCE * max(abs(seen_w), abs(expected_w))


def _power_w(millivolts: int | None, milliamperes: int | None) -> int | None:
    if millivolts is None or milliamperes is None:
        return None
    return round(millivolts * milliamperes / 1e6)


def _watts(value: int) -> str:
    return show.value("load.power_w", value)


def _voltages(values: Values) -> Result | None:
    names = [n for n in ("dc.bus_mv", "battery.voltage_mv", "rectifier.output_mv") if values[n] is not None]
    if len(names) < 2:
        return None
    known = [values[name] or 0 for name in names]
    saw = ", ".join(f"{name} {show.value(name, values[name])}" for name in names)
    fine = max(known) - min(known) <= max(known) // _BUS_TOLERANCE + _CABLE_MV
    remedy = (
        "" if fine else "one of them measures elsewhere or has a wrong scale; is the battery breaker closed?"
    )
    return Result(
        "voltages of bus, battery and rectifier", PASSED if fine else FAILED, saw, "within 5 %", remedy
    )


def _cells(values: Values, config: Mapping[str, Any]) -> Result | None:
    low, high, pack = (
        values["battery.cell_min_mv"],
        values["battery.cell_max_mv"],
        values["battery.voltage_mv"],
    )
    if low is None or high is None or pack is None:
        return None
    battery = config.get("battery", {})
    count, chemistry = int(battery.get("cells", 15)), str(battery.get("chemistry", ""))
    saw = f"{low} .. {high} mV, pack {show.value('battery.voltage_mv', pack)}"
    expected = f"{count} cells of {chemistry} make the pack"
    least, most = _CELL_MV.get(chemistry, (1_500, 4_500))
    slack = pack // 50
    if not (low <= high and count * low - slack <= pack <= count * high + slack):
        remedy = f"is the number of cells right? the pack looks like {round(2 * pack / (low + high))} cells"
        return Result("cells", FAILED, saw, expected, remedy)
    if low < least or high > most:
        return Result(
            "cells", FAILED, saw, f"{least} .. {most} mV in service", "check the chemistry; measure by hand"
        )
    return Result("cells", PASSED, saw, expected)


def _temperature(values: Values) -> Result | None:
    now = values["battery.temperature_dc"]
    if now is None:
        return None
    low, high = _TEMPERATURES_DC
    saw = show.value("battery.temperature_dc", now)
    if low <= now <= high:
        return Result("battery temperature", PASSED, saw, "-30 .. 65 °C")
    return Result("battery temperature", FAILED, saw, "-30 .. 65 °C", "is the probe connected?")


def _grid(values: Values) -> list[Result]:
    voltage, frequency = values["grid.voltage_mv"], values["grid.frequency_chz"]
    if voltage is None or voltage < min(_NOMINALS_MV) // 2:
        saw = show.value("grid.voltage_mv", voltage)
        return [Result("grid", LOOK, saw, "a live grid", "no grid now: repeat this part when it is there")]
    nominal = min(_NOMINALS_MV, key=lambda mv: abs(mv - voltage))
    good = abs(voltage - nominal) * 100 <= 15 * nominal
    saw = f"{show.value('grid.voltage_mv', voltage)}, {show.value('grid.frequency_chz', frequency)}"
    expected = f"{nominal // 1000} V and 50 or 60 Hz"
    if frequency is not None:
        good = good and min(abs(frequency - f) for f in _FREQUENCIES_CHZ) <= 300
    return [
        Result(
            "grid", PASSED if good else FAILED, saw, expected, "" if good else "meter, transformer, phase?"
        )
    ]
