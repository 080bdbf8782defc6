"""What a run was and gave: totals, hour by hour, reasons, events; and how it lies on disk.

Owns the shapes and the file of a finished run, by which an interrupted comparison resumes. Must not know how
a run is made nor how it is shown.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from array import array
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from greenmast.errors import BAD_INPUT_FILE, UserError

# One value for each hour of the run. Energies in Wh, `fuel_l` in L, times in s of the hour, `price` per kWh.
COLUMNS = (
    "solar_available_wh",  # what the MPPT could have put on the bus; independent of the controller
    "solar_wh",  # what it did
    "grid_wh",  # AC bought at the meter
    "genset_wh",  # AC delivered
    "fuel_l",
    "demand_wh",  # what all load tiers ask for; independent of the controller
    "load_wh",  # what they got
    "rectifier_wh",  # DC out
    "battery_in_wh",  # at the terminals
    "battery_out_wh",
    "grid_live_s",  # the voltage within what the rectifier takes
    "dark_s",  # critical tier without power
    "genset_s",  # running
    "price",
    "soc_permille",
    "ambient_c",
)
# Keys of `simulate --json` that are totals, in its order.
FIGURES = (
    "diesel_l",
    "grid_kwh",
    "cost",
    "co2_kg",
    "availability",
    "genset_starts",
    "genset_hours",
    "switches",
    "battery_cycles",
)
COUNTED = ("genset_starts", "switches")  # integers in JSON
_FORMAT = 1


@dataclass(frozen=True)
class Hours:
    """`columns`: for each name of COLUMNS one value an hour from `start` (local time of the site, aware)."""

    start: datetime
    columns: dict[str, array[float]]

    def __post_init__(self) -> None:
        """Raises ValueError when a column is missing, has another length or `start` has no time zone."""
        if self.start.utcoffset() is None:
            raise ValueError("the start has no time zone")
        missing = [name for name in COLUMNS if name not in self.columns]
        if missing:
            raise ValueError(f"columns are missing: {', '.join(missing)}")
        if len({len(values) for values in self.columns.values()}) > 1:
            raise ValueError("columns of different lengths")

    def __len__(self) -> int:
        return len(self.columns["load_wh"])

    def __getitem__(self, name: str) -> array[float]:
        return self.columns[name]

    def at(self, hour: float) -> datetime:
        """Local time `hour` hours after the start, over changes of the clock."""
        zone = self.start.tzinfo
        passed = timedelta(seconds=round(hour * 3_600))
        return (self.start.astimezone(UTC) + passed).astimezone(zone)


@dataclass(frozen=True)
class Result:
    """A finished run.

    case: the case's fields by name (`site`, `controller`, `policy`, `days`, `seed`, ..) as JSON values.
    site: what the report must know of the site: see `site_facts`.
    totals: FIGURES, `outage_powered_h` of a case with a long outage, `speed` (simulated seconds per second)
        and whatever else was summed, by name.
    reasons: by output ("ac", "genset"): hours, or starts, by the reason that the controller gave.
    events: what is worth telling, (seconds from the start, text), in order and bounded.
    """

    case: dict[str, Any]
    site: dict[str, str | float]
    totals: dict[str, float]
    hours: Hours
    violations: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, float]] = field(default_factory=dict)
    events: list[tuple[float, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the controller: "greenmast" or a baseline's."""
        return str(self.case["controller"])


def site_facts(site_id: str, name: str, plant: Mapping[str, Any]) -> dict[str, str | float]:
    """What a report tells of a site and counts with, from the sections of its file.

    `currency`, `diesel_per_l`, `co2_kg_per_l` and `co2_kg_per_kwh` are 0 (the currency "") where the file is
    silent.
    """
    tariff = plant.get("tariff", {})
    facts: dict[str, str | float] = {
        "id": site_id,
        "name": name,
        "currency": str(tariff.get("currency", "")),
    }
    for key in ("diesel_per_l", "co2_kg_per_l", "co2_kg_per_kwh"):
        facts[key] = float(tariff.get(key, 0.0))
    hardware = (("solar", "kwp"), ("battery", "capacity_ah"), ("genset", "rating_w"), ("loads", "mean_w"))
    for section, key in hardware:
        if key in plant.get(section, {}):
            facts[f"{section}.{key}"] = float(plant[section][key])
    if "chemistry" in plant.get("battery", {}):
        facts["battery.chemistry"] = str(plant["battery"]["chemistry"])
    return facts


def figures(result: Result) -> dict[str, Any]:
    """A run as one object of `simulate --json`, without what it is compared with."""
    case = result.case
    found: dict[str, Any] = {key: case[key] for key in ("site", "policy", "days", "seed")}
    for name in FIGURES:
        value = result.totals[name]
        found[name] = round(value) if name in COUNTED else value
    found["violations"] = dict(result.violations)
    found["speed"] = result.totals["speed"]
    return found


def summary(
    result: Result, baselines: Sequence[Result] = (), bound: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """The object of `simulate --json` for one seed: `baselines` by name, `bound` ({}: was not asked for)."""
    return {
        **figures(result),
        "baselines": {other.name: figures(other) for other in baselines},
        "bound": dict(bound or {}),
    }


def save(result: Result, path: Path) -> None:
    """Whole or not at all. Raises UserError when the file cannot be written."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(dumps(result), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def load(path: Path) -> Result:
    """Raises UserError for a file that is damaged or of another version: it must not be counted."""
    try:
        return loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}", BAD_INPUT_FILE) from None
    except ValueError as error:
        raise UserError(f"{path}: {error}: delete it, the run is then made again", BAD_INPUT_FILE) from None


def dumps(result: Result) -> str:
    """The result as one JSON document, exact to the bit."""
    body = {
        "case": result.case,
        "site": result.site,
        "totals": result.totals,
        "violations": result.violations,
        "reasons": result.reasons,
        "events": result.events,
        "start": result.hours.start.isoformat(),
        "zone": getattr(result.hours.start.tzinfo, "key", None),
        "columns": {name: _packed(values) for name, values in result.hours.columns.items()},
    }
    return json.dumps({"format": _FORMAT, "crc32": _check(body), "result": body}, ensure_ascii=False)


def loads(text: str) -> Result:
    """Raises ValueError with what is wrong with `text`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("not a whole result file") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError("a result of another version")
    body: Any = document.get("result")
    if document.get("crc32") != _check(body):
        raise ValueError("a damaged result file")
    try:
        start = datetime.fromisoformat(body["start"])
        if body["zone"]:
            start = start.astimezone(ZoneInfo(body["zone"]))
        return Result(
            case=body["case"],
            site=body["site"],
            totals=body["totals"],
            hours=Hours(start, {name: _unpacked(packed) for name, packed in body["columns"].items()}),
            violations=body["violations"],
            reasons=body["reasons"],
            events=[(at_s, told) for at_s, told in body["events"]],
        )
    except (KeyError, TypeError, AttributeError, ValueError, Base64Error, zlib.error) as error:
        raise ValueError(f"not the result of a run ({error})") from None


def _check(body: Any) -> int:
    return zlib.crc32(json.dumps(body, sort_keys=True).encode())


def _packed(values: array[float]) -> str:
    return b64encode(zlib.compress(_little(values).tobytes())).decode("ascii")


def _unpacked(packed: str) -> array[float]:
    values = array("d")
    values.frombytes(zlib.decompress(b64decode(packed, validate=True)))
    return _little(values)


def _little(values: array[float]) -> array[float]:
    """Little-endian, or back."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values
