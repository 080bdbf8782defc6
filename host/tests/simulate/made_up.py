"""Runs that never were: hours with the course of days and seasons, for tests of what is shown of them."""

from __future__ import annotations

from array import array
from datetime import datetime, timedelta
from math import cos, pi
from typing import Any
from zoneinfo import ZoneInfo

from greenmast.simulate.result import COLUMNS, Hours, Result

SITE: dict[str, str | float] = {
    "id": "india-rural",
    "name": "Patna",
    "currency": "INR",
    "diesel_per_l": 90.0,
    "co2_kg_per_l": 2.68,
    "co2_kg_per_kwh": 0.727,
    "solar.kwp": 4.0,
}
DIESEL_PER_L, CO2_PER_L, CO2_PER_KWH, PRICE = 90.0, 2.68, 0.727, 8.5


def hours(
    days: int,
    *,
    grid: bool = True,
    genset: bool = True,
    start: datetime | None = None,
    dark_hours: tuple[int, ...] = (),
) -> Hours:
    """The grid goes from 9 to 15 h, the genset runs from 20 to 22 h, the sun shines from 6 to 18 h."""
    start = start or datetime(2025, 1, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    columns = {name: array("d") for name in COLUMNS}
    for n in range(24 * days):
        clock = (start + timedelta(hours=n)).hour
        sun = max(0.0, 2_000 * cos((clock - 12) / 12 * pi)) * (0.8 + 0.2 * cos(n / 8_760 * 2 * pi))
        on_genset = genset and clock in (20, 21)
        live = grid and not 9 <= clock < 15
        ac = 2_500.0 if live and clock < 6 else 0.0
        row = {
            "solar_available_wh": sun,
            "solar_wh": 0.9 * sun,
            "grid_wh": ac,
            "genset_wh": 4_000.0 if on_genset else 0.0,
            "fuel_l": 1.68 if on_genset else 0.0,
            "demand_wh": 2_000.0,
            "load_wh": 1_200.0 if n in dark_hours else 2_000.0,
            "rectifier_wh": 0.95 * (ac + (4_000.0 if on_genset else 0.0)),
            "battery_in_wh": 300.0,
            "battery_out_wh": 200.0,
            "grid_live_s": 3_600.0 if live else 0.0,
            "dark_s": 600.0 if n in dark_hours else 0.0,
            "genset_s": 3_600.0 if on_genset else 0.0,
            "price": PRICE,
            "soc_permille": 600 + 300 * cos((clock - 15) / 12 * pi),
            "ambient_c": 25.0,
        }
        for name, value in row.items():
            columns[name].append(value)
    return Hours(start, columns)


def result(
    days: int = 60,
    seed: int = 1,
    controller: str = "greenmast",
    *,
    scale: float = 1.0,
    site: dict[str, str | float] | None = None,
    violations: dict[str, int] | None = None,
    **how: Any,
) -> Result:
    """`scale`: of cost and diesel in the totals; `how`: see `hours`."""
    course = hours(days, **how)
    diesel, grid_kwh = sum(course["fuel_l"]) * scale, sum(course["grid_wh"]) / 1e3
    cost = diesel * DIESEL_PER_L + grid_kwh * PRICE * scale
    return Result(
        case={
            "site": "india-rural",
            "days": days,
            "seed": seed,
            "controller": controller,
            "policy": "weak-grid",
            "overrides": [["solar.kwp", 4]],
            "plan": None,
        },
        site={**SITE, **(site or {})},
        totals={
            "diesel_l": diesel,
            "grid_kwh": grid_kwh,
            "cost": cost,
            "co2_kg": diesel * CO2_PER_L + grid_kwh * CO2_PER_KWH,
            "availability": 1 - sum(course["dark_s"]) / (3_600 * len(course)),
            "genset_starts": float(days),
            "genset_hours": sum(course["genset_s"]) / 3_600,
            "switches": 4.0 * days,
            "battery_cycles": 0.4 * days,
            "speed": 123_456.7,
        },
        hours=course,
        violations=violations or {},
        reasons={"ac": {"grid_available": 123.0, "soc_low": 20.0}, "genset": {"exercise": 3.0}},
        events=[(3_600.0, "fuel low: 14 % below 15 %")],
    )
