"""The physical site as data: one frozen dataclass per part, defaults are the rural reference site in India.

Owns the meaning and the defaults of the plant's parameters and reads them from a parsed site file. Must not
know how a part behaves, nor any controller parameter: keys of a site file that are not physical are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

CONTACTORS = ("grid", "genset", "pv", "battery", "load1", "load2", "load3")
RELAYS = ("genset_start", "cooling", "alarm_major", "alarm_minor")


@dataclass(frozen=True, slots=True)
class LocationConfig:
    """Where the site stands, degrees north and east."""

    latitude_deg: float = 25.6
    longitude_deg: float = 85.1


@dataclass(frozen=True, slots=True)
class OutputsConfig:
    """State of the contacts with the coil de-energised, per contactor and relay (True = closed)."""

    idle_closed: frozenset[str] = frozenset({"grid", "pv", "battery", "load1", "load2", "load3"})
    travel_ms: tuple[int, int] = (20, 40)


@dataclass(frozen=True, slots=True)
class GridConfig:
    """Public supply. From 24 h a day on there are no outages; `weak` widens the voltage and adds flicker."""

    present: bool = True
    supply_h_per_day: float = 12.0
    mean_outage_h: float = 2.5
    weak: bool = True
    nominal_mv: int = 230_000
    nominal_chz: int = 5_000


@dataclass(frozen=True, slots=True)
class GensetConfig:
    """Diesel generator. Burn in L/h = idle + per_kwh x kW while it runs."""

    present: bool = True
    rating_w: int = 12_000
    nominal_mv: int = 230_000
    nominal_rpm: int = 1_500
    nominal_chz: int = 5_000
    tank_l: float = 200.0
    fuel_permille: int = 700
    fuel_l_per_h_idle: float = 0.6
    fuel_l_per_kwh: float = 0.27
    start_permille: int = 950
    crank_s: tuple[float, float] = (2.0, 5.0)


@dataclass(frozen=True, slots=True)
class RectifierConfig:
    """All rectifier modules together. `setpoint_mv` 0 means the chemistry's own charge voltage."""

    rating_w: int = 6_000
    efficiency_permille: int = 950
    setpoint_mv: int = 0


@dataclass(frozen=True, slots=True)
class SolarConfig:
    """PV array and MPPT charger.

    `tilt_deg` None means the latitude, facing the equator; `mppt_limit_ma` 0 means 25 A per kWp.
    `irradiance_permille` scales the irradiance that is drawn for the place, not what a file says.
    """

    kwp: float = 4.0
    tilt_deg: float | None = None
    irradiance_permille: int = 1_000
    loss_permille: int = 100
    mppt_permille: int = 975
    mppt_limit_ma: int = 0
    setpoint_mv: int = 0


@dataclass(frozen=True, slots=True)
class BatteryConfig:
    """Battery string, `chemistry` "lfp" or "vrla"; `r_milliohm` 0 means scaled from the capacity."""

    chemistry: str = "lfp"
    capacity_ah: float = 300.0
    cells: int = 15
    soc_permille: int = 700
    soh_permille: int = 1_000
    r_milliohm: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadsConfig:
    """DC loads: mean power, daily swing (+- permille of the mean), share per tier and the cooling fan."""

    mean_w: float = 2_000.0
    swing_permille: int = 120
    tiers_permille: tuple[int, int, int] = (550, 300, 150)
    cooling_w: float = 60.0


@dataclass(frozen=True, slots=True)
class PlantConfig:
    """Everything the plant needs to know about a site."""

    location: LocationConfig = field(default_factory=LocationConfig)
    outputs: OutputsConfig = field(default_factory=OutputsConfig)
    grid: GridConfig = field(default_factory=GridConfig)
    genset: GensetConfig = field(default_factory=GensetConfig)
    rectifier: RectifierConfig = field(default_factory=RectifierConfig)
    solar: SolarConfig = field(default_factory=SolarConfig)
    battery: BatteryConfig = field(default_factory=BatteryConfig)
    loads: LoadsConfig = field(default_factory=LoadsConfig)

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def from_site(cls, site: Mapping[str, Any]) -> PlantConfig:
        """Plant of a parsed site file (TOML as a dict; keys are the field names above).

        A grid, genset or array that the file mentions neither as a section nor as a device does not exist.
        Raises ValueError naming the section and key that cannot be.
        """
        where = site.get("site", {})
        location = {f"{axis}_deg": where[axis] for axis in ("latitude", "longitude") if axis in where}
        findings: list[str] = []
        parts = {name: part(**_known(site, name, part, findings)) for name, part in SECTIONS.items()}
        outputs = _outputs(site.get("output", {}))
        if findings:
            raise ValueError("; ".join(findings))
        return cls(location=LocationConfig(**location), outputs=outputs, **parts)


# The sections of a site file that are physical; their keys are the fields.
SECTIONS: dict[str, type[Any]] = {
    "grid": GridConfig,
    "genset": GensetConfig,
    "rectifier": RectifierConfig,
    "solar": SolarConfig,
    "battery": BatteryConfig,
    "loads": LoadsConfig,
}
# What a part is when the site has neither such a section nor such a device.
_ABSENT: dict[str, dict[str, Any]] = {
    "grid": {"present": False},
    "genset": {"present": False},
    "solar": {"kwp": 0.0},
}


def keys(section: str) -> tuple[str, ...]:
    """What may stand in a section of `SECTIONS`."""
    return tuple(each.name for each in fields(SECTIONS[section]) if each.name != "present")


def problems(site: Mapping[str, Any]) -> list[str]:
    """Reasons "[section] key: text" why `PlantConfig.from_site` would not take the site; none if it does."""
    try:
        PlantConfig.from_site(site)
    except ValueError as error:
        return str(error).split("; ")
    return []


def _known(site: Mapping[str, Any], section: str, part: type[Any], findings: list[str]) -> dict[str, Any]:
    """Keys of `[section]` that are fields of `part`, where they are usable; else `findings` says so."""
    if section not in site and section not in site.get("device", {}):
        return dict(_ABSENT.get(section, {}))
    defaults = {each.name: each.default for each in fields(part)}
    known: dict[str, Any] = {}
    for key in keys(section):
        if key in site.get(section, {}):
            value = site[section][key]
            if isinstance(value, list):
                value = tuple(value)
            if _is_usable(value, defaults[key]):
                known[key] = value
            else:
                findings.append(f"[{section}] {key}: {value!r} is not usable here")
    return known


def _is_usable(value: Any, default: Any) -> bool:
    """Whether `value` is of the kind of `default` (None: a number); tuples are of numbers and as long."""
    if isinstance(default, tuple):
        return (
            isinstance(value, tuple)
            and len(value) == len(default)
            and all(_is_usable(each, 0.0) for each in value)
        )
    if isinstance(default, bool | str):
        return isinstance(value, type(default))
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _outputs(outputs: Mapping[str, Mapping[str, Any]]) -> OutputsConfig:
    idle_closed = set(OutputsConfig().idle_closed)
    for name, output in outputs.items():
        idle = output.get("idle", "open")
        if idle not in ("open", "closed"):
            raise ValueError(f'[output.{name}] idle: {idle!r} is neither "open" nor "closed"')
        (idle_closed.add if idle == "closed" else idle_closed.discard)(name)
    return OutputsConfig(idle_closed=frozenset(idle_closed))


def _is_split(tiers_permille: tuple[int, ...]) -> bool:
    return len(tiers_permille) == 3 and min(tiers_permille) >= 0 and sum(tiers_permille) == 1_000


def _check(plant: PlantConfig) -> None:
    """Refuse what has no physical meaning. Raises ValueError listing every finding."""
    battery, loads, genset, grid = plant.battery, plant.loads, plant.genset, plant.grid
    solar = plant.solar
    efficiency = plant.rectifier.efficiency_permille
    findings = [
        text
        for wrong, text in (
            (battery.chemistry not in ("lfp", "vrla"), f"[battery] chemistry: {battery.chemistry!r} unknown"),
            (battery.capacity_ah <= 0, "[battery] capacity_ah: must be positive"),
            (battery.cells < 1, "[battery] cells: must be at least 1"),
            (not 0 < battery.soh_permille <= 1_000, "[battery] soh_permille: outside 1..1000"),
            (not 0 <= battery.soc_permille <= 1_000, "[battery] soc_permille: outside 0..1000"),
            (battery.r_milliohm < 0, "[battery] r_milliohm: must not be negative"),
            (
                not _is_split(loads.tiers_permille),
                "[loads] tiers_permille: must be 3 shares that sum to 1000",
            ),
            (loads.mean_w < 0, "[loads] mean_w: must not be negative"),
            (solar.kwp < 0, "[solar] kwp: must not be negative"),
            (not 0 < solar.irradiance_permille <= 2_000, "[solar] irradiance_permille: outside 1..2000"),
            (not 0 <= solar.loss_permille < 1_000, "[solar] loss_permille: outside 0..999"),
            (not 0 < solar.mppt_permille <= 1_000, "[solar] mppt_permille: outside 1..1000"),
            (plant.rectifier.rating_w < 0, "[rectifier] rating_w: must not be negative"),
            (not 500 <= efficiency <= 1_000, "[rectifier] efficiency_permille: outside 500..1000"),
            (genset.rating_w <= 0, "[genset] rating_w: must be positive"),
            (genset.tank_l <= 0, "[genset] tank_l: must be positive"),
            (not 0 <= genset.start_permille <= 1_000, "[genset] start_permille: outside 0..1000"),
            (not 0 <= genset.fuel_permille <= 1_000, "[genset] fuel_permille: outside 0..1000"),
            (grid.supply_h_per_day < 0, "[grid] supply_h_per_day: must not be negative"),
            (grid.mean_outage_h <= 0, "[grid] mean_outage_h: must be positive"),
        )
        if wrong
    ]
    if findings:
        raise ValueError("; ".join(findings))
